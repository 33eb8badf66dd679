// Who approves a policy sees by the commands themselves what he approves: its text, its complaints, what it would have changed.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { mugai } from '../support/run-command.ts';
import { scratch } from '../support/scratch.ts';

const TEXT = "# because of the audit\nname: city\nversion: '2'\ndrop: [image/jpg]\n";

test('a proposal is shown and checked by its SHA-256; one whose text was changed is not', async () => {
  await using root = await scratch();
  const next = join(root.path, 'new.yaml');
  await writeFile(next, TEXT);
  const run = async (...args: readonly string[]) => mugai(['policy', ...args], { MUGAI_DATA_DIR: root.path });
  const proposed = await run('propose', next, '--by', 'tanaka');
  assert.equal(proposed.code, 0, proposed.stderr);
  const sha256 = proposed.stdout.trim();
  assert.match(sha256, /^[0-9a-f]{64}$/);
  for (const act of ['show', 'check', 'rehearse --new', 'approve'])
    assert.ok(proposed.stderr.includes(`mugai policy ${act} ${sha256}`), act);
  assert.equal((await run('show', sha256)).stdout, TEXT);
  const checked = await run('check', sha256);
  assert.equal(checked.code, 1);
  assert.match(checked.stdout, /nothing is ever detected as image\/jpg/);
  const kept = join(root.path, 'policy', `${sha256}.yaml`);
  await writeFile(kept, (await readFile(kept, 'utf8')).replace('image/jpg', 'image/png'));
  for (const args of [
    ['show', sha256],
    ['check', sha256],
  ]) {
    const { code, stderr } = await run(...args);
    assert.notEqual(code, 0);
    assert.match(stderr, /the proposed text was changed/);
  }
});

test('nothing is rehearsed where there is no message at all, and that is no success', async () => {
  await using root = await scratch();
  const [next, keys] = [join(root.path, 'new.yaml'), join(root.path, 'keys')];
  await writeFile(next, TEXT);
  const env = { MUGAI_DATA_DIR: root.path };
  assert.equal((await mugai(['keys', 'generate'], env)).code, 0, keys);
  const { code, stdout, stderr } = await mugai(['policy', 'rehearse', '--new', next], env);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /the outbox holds no message: nothing is rehearsed/);
});
