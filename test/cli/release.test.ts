// What the release check makes of npm's answers: silence is never taken for a yes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { judgeSignatures } from '../../.ci/signatures.ts';

describe('npm audit signatures', () => {
  const cases: readonly [what: string, printed: string, kind: string, words: RegExp][] = [
    ['nothing wrong', '{"invalid":[],"missing":[]}', 'clean', /every package is signed/],
    ['a wrong one', '{"invalid":[{"name":"a","version":"1"}],"missing":[]}', 'holes', /^a@1: signature wrong$/],
    ['a missing one', '{"invalid":[],"missing":[{"name":"b","version":"2"}]}', 'holes', /^b@2: signature missing$/],
    ['no network', '{"error":{"code":"ENOTFOUND","summary":"request failed"}}', 'no-answer', /request failed/],
    ['an empty report', '{}', 'no-answer', /no report/],
    ['no JSON', 'npm error', 'no-answer', /no report/],
    ['null', 'null', 'no-answer', /no report/],
  ];
  for (const [what, printed, kind, words] of cases)
    it(`${what}: ${kind}`, () => {
      const verdict = judgeSignatures(printed);
      assert.equal(verdict.kind, kind);
      assert.match(verdict.words, words);
    });

  it('is asked by what must pass before anything lands', () => {
    const root = new URL('../../', import.meta.url);
    const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    assert.equal(scripts['signatures'], 'node .ci/signatures.ts');
    assert.match(readFileSync(new URL('.ci/run', root), 'utf8'), /^npm run signatures\b/m);
  });
});
