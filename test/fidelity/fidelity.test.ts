// Every case of the fidelity suite comes out exactly, through the whole sanitise step and its jailed children.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { documentOf, missesOf } from './report.ts';
import { allCases, runCases } from './run.ts';

void test('every mail of the fidelity suite is read exactly: text, subject, names, and what was lost', async () => {
  const cases = allCases();
  assert.ok(cases.length >= 150, `only ${cases.length} cases`);
  assert.equal(
    new Set(cases.map(({ group, name }) => `${group}: ${name}`)).size,
    cases.length,
    'two cases of one name',
  );
  const results = await runCases(cases);
  const missed = results
    .filter(({ exact }) => !exact)
    .map((result) => `${result.test.group}: ${result.test.name}\n  ${missesOf(result).join('\n  ')}`);
  assert.deepEqual(missed, []);
  const document = readFileSync(new URL('../../docs/fidelity.md', import.meta.url), 'utf8');
  assert.equal(documentOf(results), document, 'docs/fidelity.md is old: npm run fidelity');
});
