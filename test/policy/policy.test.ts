// The policy file: what it may say, and that it can never lift a ceiling.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { builtInPolicy, loadPolicy, type Policy } from '../../src/policy/policy.ts';
import { scratch } from '../support/scratch.ts';

async function load(text: string): Promise<Policy> {
  await using folder = await scratch();
  const file = join(folder.path, 'policy.yaml');
  await writeFile(file, text);
  return await loadPolicy(file);
}

describe('policy', () => {
  it('of a file has what the file says and the ceilings elsewhere', async () => {
    const policy = await load(
      'name: a\nversion: "3"\nlanguage: en\ndrop: [image/gif, video/*]\nlimits: { pages: 10 }\n',
    );
    assert.equal(policy.language, 'en');
    assert.equal(policy.limits.pages, 10);
    assert.equal(policy.limits.parts, LIMITS.parts);
    assert.deepEqual(
      ['image/gif', 'image/png', 'video/mp4'].map((type) => policy.decide(type)),
      ['drop', 'convert', 'drop'],
    );
  });

  it('has a digest of its content: the same text the same, another another', async () => {
    const [a, b, c] = await Promise.all([
      load('name: a\nversion: "1"'),
      load('name: a\nversion: "1"'),
      load('name: a\nversion: "2"'),
    ]);
    assert.equal(a.sha256, b.sha256);
    assert.notEqual(a.sha256, c.sha256);
    assert.notEqual(a.sha256, builtInPolicy().sha256);
  });

  for (const [name, text] of [
    ['a limit above its ceiling', `name: a\nversion: "1"\nlimits: { pages: ${LIMITS.pages + 1} }`],
    ['a limit of nothing', 'name: a\nversion: "1"\nlimits: { pages: 0 }'],
    ['a key it does not know', 'name: a\nversion: "1"\nallow: [application/x-msdownload]'],
    ['no name', 'version: "1"'],
    ['a type that is none', 'name: a\nversion: "1"\ndrop: ["../.."]'],
    ['text that is no YAML', 'name: ['],
    ['more aliases than a policy needs', `a: &a [x]\nb: [${Array.from({ length: 20 }, () => '*a').join(', ')}]`],
    ['nothing', ''],
  ] as const) {
    it(`with ${name} is refused with the file named`, async () => {
      await assert.rejects(load(text), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'bad-config');
        assert.match(error.message, /^policy file .*policy\.yaml: ./);
        return true;
      });
    });
  }

  it('that is not there is refused with the file named', async () => {
    await assert.rejects(loadPolicy('/no/such/policy.yaml'), /policy file \/no\/such\/policy\.yaml: /);
  });
});
