// What `mugai audit` prints of journals that somebody else may have written, and how it ends.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { GENESIS, hashOf } from '../../src/audit/line.ts';
import { mugai } from '../support/run-command.ts';
import { scratch } from '../support/scratch.ts';

const AT = '2026-11-01T00:00:00.000Z';

/** Writes a journal by hand: every line follows the one before, whatever its words are. Its folder. */
async function forged(root: string, zone: string, entries: readonly object[]): Promise<string> {
  const folder = join(root, 'journal', zone);
  await mkdir(folder, { recursive: true });
  let prev = GENESIS;
  let text = '';
  for (const [nth, entry] of entries.entries()) {
    const { at = AT, ...rest } = entry as { at?: string };
    const line = JSON.stringify({ seq: nth + 1, at, chain: `${zone}-00000001`, ...rest, prev });
    text += `${line}\n`;
    prev = hashOf(line);
  }
  await writeFile(join(folder, '20261101-000000000000001.jsonl'), text);
  return folder;
}

const STEERING = '\u001b[2J\u001b]0;owned\u0007m\u009b31m\u202e\n=1';
const STEERS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

describe('mugai audit', { timeout: 580_000 }, () => {
  it('lets no escape sequence of a journal steer the terminal, and gives JSON of the same value', async () => {
    await using root = await scratch();
    const env = { MUGAI_DATA_DIR: root.path };
    const opened = { act: 'opened', detail: { key: 'x' } };
    await forged(root.path, 'middle', [opened]);
    const inner = await forged(root.path, 'inner', [
      opened,
      {
        act: 'delivered',
        message: STEERING,
        person: STEERING,
        detail: { chain: [`middle-00000001:7:${'a'.repeat(64)}`], to: STEERING },
      },
    ]);
    for (const args of [
      ['verify'],
      ['verify', '--json'],
      ['heads'],
      ['export'],
      ['export', '--format', 'csv'],
      ['verify', '--json', inner],
    ]) {
      const { stdout, stderr } = await mugai(['audit', ...args], env);
      assert.doesNotMatch(stdout, STEERS, args.join(' '));
      assert.doesNotMatch(stderr, STEERS, args.join(' '));
    }
    const verified = await mugai(['audit', 'verify'], env);
    assert.equal(verified.code, 1);
    assert.match(verified.stdout, /BROKEN .*the package of \S*owned/);
    const { stdout } = await mugai(['audit', 'export', '--act', 'delivered'], env);
    assert.equal((JSON.parse(stdout) as { message: string }).message, STEERING);
    const csv = (await mugai(['audit', 'export', '--format', 'csv'], env)).stdout.split('\n');
    assert.equal(csv.length, 5, 'a head, three entries, and the end of the last line');
    assert.ok(csv.some((row) => /,delivered,\[2J\]0;ownedm31m =1,/.test(row)));
  });

  it('ends with 2 where it cannot do what it was asked for', async () => {
    await using root = await scratch();
    const env = { MUGAI_DATA_DIR: root.path };
    const inner = await forged(root.path, 'inner', [{ act: 'opened', detail: { key: 'x' } }]);
    for (const [args, told] of [
      [['verify', '--heads', '/nonexistent'], /^mugai: --heads \/nonexistent cannot be read: ENOENT/],
      [['export', inner, '/nonexistent'], /^mugai: \/nonexistent is no folder of a journal$/m],
      [
        ['verify', join(inner, '20261101-000000000000001.jsonl')],
        /^mugai: .*\.jsonl is no folder: name the one of the/,
      ],
      [['export', join(inner, '20261101-000000000000001.jsonl')], /^mugai: .*\.jsonl is no folder/],
      [['verify', '--from', '2026-11-01'], /^mugai: --from does not belong there/],
      [['heads', '--json'], /^mugai: --json does not belong there/],
      [['export', '--heads', '/nonexistent'], /^mugai: --heads does not belong there/],
      [['tool', '--out', 'a.html', 'b.html'], /^mugai: "b.html" is too much/],
    ] as const) {
      const { code, stdout, stderr } = await mugai(['audit', ...args], env);
      assert.deepEqual([code, stdout], [2, ''], args.join(' '));
      assert.match(stderr, told);
    }
    assert.equal((await mugai(['audit', 'verify', '/nonexistent'], env)).code, 1, 'a journal that is not there');
  });

  it('follows the journals of all zones where the folder of all is named', async () => {
    await using root = await scratch();
    for (const zone of ['middle', 'inner']) await forged(root.path, zone, [{ act: 'opened', detail: { key: 'x' } }]);
    const { code, stdout } = await mugai(['audit', 'verify', join(root.path, 'journal')], {});
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^holds .*\/journal\/inner: 1 entries, /m);
    assert.match(stdout, /^holds .*\/journal\/middle: 1 entries, /m);
    await mkdir(join(root.path, 'empty'));
    const empty = await mugai(['audit', 'verify', join(root.path, 'empty')], {});
    assert.equal(empty.code, 1);
    assert.match(empty.stdout, /^BROKEN {2}.*there is no journal here/);
  });

  it('takes a date for its midnight where the machine stands', async () => {
    await using root = await scratch();
    const entry = (at: string): object => ({ act: 'viewed', at });
    // Midnight of 1 November in Japan is 15:00 of 31 October in UTC.
    const times = ['2026-10-31T14:59:59.999Z', '2026-10-31T15:00:00.000Z', '2026-11-01T14:59:59.999Z'];
    const last = '2026-11-01T15:00:00.000Z';
    await forged(root.path, 'inner', [...times, last].map(entry));
    const within = async (...args: readonly string[]): Promise<string[]> => {
      const env = { MUGAI_DATA_DIR: root.path, TZ: 'Asia/Tokyo' };
      const { code, stdout, stderr } = await mugai(['audit', 'export', ...args], env);
      assert.equal(code, 0, stderr);
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => (JSON.parse(line) as { at: string }).at);
    };
    assert.deepEqual(await within('--from', '2026-11-01', '--to', '2026-11-02'), times.slice(1));
    assert.deepEqual(await within('--from', '2026-11-01T00:00', '--to', '2026-11-02T00:00'), times.slice(1));
    assert.deepEqual(await within('--from', '2026-11-01T00:00:00+00:00'), [times[2], last]);
    const env = { MUGAI_DATA_DIR: root.path };
    for (const odd of ['2026-11', '2026', 'yesterday', '2026-13-01'])
      assert.equal((await mugai(['audit', 'export', '--from', odd], env)).code, 2, odd);
  });
});
