// Who approves a policy sees by the commands themselves what he approves: its text, its complaints, what it would have changed.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { propose } from '../../src/policy/two-persons.ts';
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

const ESC = '\u001b';

for (const [what, text, where] of [
  ['a name within itself', 'name: &a [*a]\nversion: "1"\n', /name must be string/],
  ['a comment that repaints the line before it', `# ${ESC}[1A${ESC}[2K all is well\n${TEXT}`, /line 1 has U\+001B/],
  ['a comment that is read in another order', `${TEXT}# \u202E evil\n`, /line 5 has U\+202E/],
  ['a line that returns to its start', `# drop: []\r# x\n${TEXT}`, /line 1 has U\+000D/],
  ['letters that nobody sees', `${TEXT}# a\u200Bb\n`, /line 5 has U\+200B/],
  ['a name with an escape', String.raw`name: "a\e[8m"` + '\nversion: "1"\n', /name has U\+001B/],
  ['a name of two lines', String.raw`name: "kashima\n[適合] 署名鍵"` + '\nversion: "1"\n', /name has U\+000A/],
  [
    'a member that is read in another order',
    `name: a\nversion: "1"\ngroups: { all: ["${String.raw`\u202E`}a@b.jp"] }\n`,
    /groups\/all\/0 has U\+202E/,
  ],
] as const)
  test(`no policy has ${what}: it is not proposed, not checked, not approved, and shown with escapes`, async () => {
    await using root = await scratch();
    const next = join(root.path, 'new.yaml');
    await writeFile(next, text);
    const env = { MUGAI_DATA_DIR: root.path, MUGAI_POLICY_FILE: join(root.path, 'policy.yaml') };
    const run = async (...args: readonly string[]) => mugai(['policy', ...args], env);
    for (const args of [
      ['propose', next, '--by', 'tanaka'],
      ['check', next],
    ]) {
      const { code, stderr } = await run(...args);
      assert.deepEqual([code, where.test(stderr)], [2, true], stderr);
    }
    // As an older version may have taken it, or whoever can write there.
    const sha256 = await propose(root.path, next, { name: 'tanaka', account: 'mugai' });
    const approved = await run('approve', sha256, '--by', 'suzuki');
    assert.deepEqual([approved.code, where.test(approved.stderr)], [2, true], approved.stderr);
    await assert.rejects(readFile(env.MUGAI_POLICY_FILE), { code: 'ENOENT' });
    const shown = (await run('show', sha256)).stdout;
    assert.doesNotMatch(shown, /[^\n -~\p{L}\p{N}]/u);
    assert.equal(shown.split('\n').length, text.split('\n').length, 'line by line');
    if (text.includes(ESC)) assert.ok(shown.includes('\\u001b[1A'), shown);
  });

test('a policy with a mark before its first letter and Windows line ends is one, and shown as it stands', async () => {
  await using root = await scratch();
  const text = `\uFEFF${TEXT.replaceAll('\n', '\r\n')}`;
  const next = join(root.path, 'new.yaml');
  await writeFile(next, text);
  const run = async (...args: readonly string[]) => mugai(['policy', ...args], { MUGAI_DATA_DIR: root.path });
  const proposed = await run('propose', next, '--by', 'tanaka');
  assert.equal(proposed.code, 0, proposed.stderr);
  assert.equal((await run('show', proposed.stdout.trim())).stdout.trimEnd(), text.trimEnd());
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
