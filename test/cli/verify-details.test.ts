// What `mugai verify` tells an auditor: source, policy, engine, times, approvals and places in the journals; and that a journal with
// another line at such a place is a refusal.
import assert from 'node:assert/strict';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { before, describe, it } from 'node:test';
import { openJournal } from '../../src/audit/journal.ts';
import { newMessageId, timeOf, type MessageId } from '../../src/message/id.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { runMugai } from '../support/gateway-process.ts';
import { PAIR, recordOf, sha256Of } from '../support/packages.ts';
import { scratch, type Scratch } from '../support/scratch.ts';

const TEXT = Buffer.from('添付の文\n');

interface Told {
  readonly ok: boolean;
  readonly reason: string | null;
  readonly details: {
    readonly message: string;
    readonly source: { readonly sha256: string };
    readonly journal: readonly { readonly position: string; readonly known: string }[];
    readonly told: readonly { readonly act: string; readonly person?: string; readonly position: string }[];
  };
}

describe('mugai verify --details', { timeout: 580_000 }, () => {
  let root: Scratch;
  let id: MessageId;
  let folder: string;
  let key: string;
  let positions: { readonly sealed: string; readonly approved: string; readonly delivered: string };

  before(async () => {
    root = await scratch();
    id = newMessageId();
    const middle = await openJournal({ root: join(root.path, 'journal'), zone: 'middle', keepDays: 9 });
    const inner = await openJournal({ root: join(root.path, 'journal'), zone: 'inner', keepDays: 9 });
    const sealed = await middle.append({ act: 'converted', message: id });
    await inner.append({ act: 'viewed', message: newMessageId(), person: 'other' });
    await inner.append({ act: 'asked', message: id, person: 'hanako', detail: { kind: 'original', reason: '契約' } });
    const approved = await inner.append({ act: 'approved', message: id, person: 'kacho', detail: { for: 'hanako' } });
    const delivered = await inner.append({
      act: 'delivered',
      message: id,
      detail: { stage: 'delivered', chain: [sealed] },
    });
    await middle.close();
    await inner.close();
    positions = { sealed, approved, delivered };
    folder = join(root.path, 'package');
    const record = { ...recordOf(id, ['files/01-a.txt']), chain: [sealed] };
    const outputs = [{ name: 'files/01-a.txt', content: TEXT }];
    for (const { name, content } of packageOf(id, record, outputs, new Signer(PAIR.privateKey))) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content as Uint8Array);
    }
    key = join(root.path, 'verify-key.pem');
    await writeFile(key, PAIR.publicKey.export({ format: 'pem', type: 'spki' }));
  });

  const verify = async (args: readonly string[]) =>
    runMugai(['verify', ...args, '--key', key], { MUGAI_DATA_DIR: root.path });

  it('tells source, policy, engine, times, places and approvals of a package, with the places of those lines', async () => {
    const { code, stdout } = await verify([folder, '--details']);
    assert.equal(code, 0, stdout);
    const came = new Date(timeOf(id)).toISOString();
    for (const line of [
      new RegExp(`^message  ${id}  sanitised$`, 'm'),
      /^source {3}mail of 3 bytes, sha256 0{64}$/m,
      /^policy {3}built-in 1, sha256 0{64}$/m,
      /^engine {3}0$/m,
      new RegExp(`^times {4}received ${came}, sanitised ${came}$`, 'm'),
      new RegExp(`^journal {2}${positions.sealed} {2}is that line$`, 'm'),
      /^approval \S+Z {2}asked by hanako kind=original reason=契約 {2}inner-/m,
      new RegExp(`^approval \\S+Z {2}approved by kacho for=hanako {2}${positions.approved}$`, 'm'),
      new RegExp(`^told {5}\\S+Z {2}delivered stage=delivered {2}${positions.delivered}$`, 'm'),
      new RegExp(`^file {5}${sha256Of(TEXT)} {2}files/01-a\\.txt$`, 'm'),
    ])
      assert.match(stdout, line);
    assert.doesNotMatch(stdout, /by other/, 'lines of other messages are not told');
  });

  it('tells it of a delivered file by itself, and as JSON', async () => {
    const file = join(root.path, 'came-by-mail.txt');
    await writeFile(file, TEXT);
    const manifest = ['--manifest', join(folder, 'manifest.dsse.json')];
    const plain = await verify([file, ...manifest]);
    assert.equal(plain.code, 0, plain.stdout);
    assert.match(plain.stdout, /^listed {3}files\/01-a\.txt of /m);
    assert.match(plain.stdout, /^approval \S+Z {2}approved by kacho/m);
    const { ok, reason, details } = JSON.parse(
      (await verify([file, ...manifest, '--details', '--json'])).stdout,
    ) as Told;
    assert.deepEqual([ok, reason, details.message, details.source.sha256], [true, null, id, '0'.repeat(64)]);
    assert.deepEqual(
      details.journal.map(({ position, known }) => [position, known]),
      [[positions.sealed, 'line']],
    );
    assert.deepEqual(details.told.map(({ act, person = '' }) => `${act} ${person}`.trim()).toSorted(), [
      'approved kacho',
      'asked hanako',
      'converted',
      'delivered',
    ]);
  });

  it('finds the manifest that lists a file, whatever others were put above it, beside it and before it', async () => {
    const outbox = join(root.path, 'outbox');
    const file = join(root.path, 'came.txt');
    await writeFile(file, TEXT);
    const home = join(outbox, '20261129-18', id);
    await cp(folder, home, { recursive: true });
    const honest = await readFile(join(folder, 'manifest.dsse.json'), 'utf8');
    const planted = honest.replace(/"sig":"[^"]{8}/, '"sig":"AAAAAAAA');
    for (const place of ['', '00000000-00', '20261129-18', `20261129-18/${id}/files`]) {
      await mkdir(join(outbox, place), { recursive: true });
      await writeFile(join(outbox, place, 'manifest.dsse.json'), planted);
    }
    const { code, stdout } = await verify([file]);
    assert.equal(code, 0, stdout);
    assert.ok(stdout.includes(`listed   files/01-a.txt of ${join(home, 'manifest.dsse.json')}\n`), stdout);
    assert.equal(stdout.match(/^not by {3}.*manifest\.dsse\.json: manifest-signature/gm)?.length, 4);
    await rm(home, { recursive: true });
    const without = await verify([file]);
    assert.equal(without.code, 1);
    assert.match(without.stdout, /^REFUSED .*manifest-signature/m);
    await rm(outbox, { recursive: true });
  });

  it('links a place that only another journal repeats to the line that repeats it', async () => {
    const { stdout } = await verify([folder, '--details', '--journal', join(root.path, 'journal', 'inner')]);
    assert.match(stdout, new RegExp(`^journal {2}${positions.sealed} {2}repeated by ${positions.delivered}$`, 'm'));
  });

  it('refuses a package whose place in the journal is taken by another line', async () => {
    // The line of another chain under the name of this one: what somebody would write anew.
    const [chain = '', seq = ''] = positions.sealed.split(':');
    const forged = join(root.path, 'anew', 'middle');
    await mkdir(forged, { recursive: true });
    await writeFile(
      join(forged, '20261122-000000000000001.jsonl'),
      `${JSON.stringify({ seq: Number(seq), at: '2026-11-22T00:00:00.000Z', chain, act: 'refused', message: id, prev: '0'.repeat(64) })}\n`,
    );
    const { code, stdout } = await verify([folder, '--details', '--journal', forged]);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^journal {2}${positions.sealed} {2}ANOTHER LINE: ${chain}:${seq}:`, 'm'));
    assert.match(stdout, /^REFUSED .*the journal has another line than /m);
  });

  it('refuses it also when that line is about another message', async () => {
    const [chain = '', seq = ''] = positions.sealed.split(':');
    const forged = join(root.path, 'other', 'middle');
    await mkdir(forged, { recursive: true });
    await writeFile(
      join(forged, '20261122-000000000000001.jsonl'),
      `${JSON.stringify({ seq: Number(seq), at: '2026-11-22T00:00:00.000Z', chain, act: 'refused', message: 'other', prev: '0'.repeat(64) })}\n`,
    );
    const { code, stdout } = await verify([folder, '--details', '--journal', forged]);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`^journal {2}${positions.sealed} {2}ANOTHER LINE: ${chain}:${seq}:`, 'm'));
    assert.doesNotMatch(stdout, /^told/m, 'a line of another message is no part of the story');
  });

  it('tells what was found though something after it cannot be looked at; a refusal at once', async () => {
    const changed = join(root.path, 'changed');
    await cp(folder, changed, { recursive: true });
    await writeFile(join(changed, 'files/01-a.txt'), '別の文\n');
    const missing = join(root.path, 'no-such');
    const { code, stdout, stderr } = await verify([folder, changed, missing, '--details']);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /no-such does not exist/);
    assert.match(stdout, new RegExp(`^REFUSED {2}${changed}: .*\\nmessage {2}${id} {2}sanitised\\n`));
    assert.match(stdout, new RegExp(`^ok {7}${folder}$`, 'm'));
  });

  it('a folder of a journal that is not there is wrong usage', async () => {
    const { code, stderr } = await verify([folder, '--journal', join(root.path, 'no-such')]);
    assert.equal(code, 2);
    assert.match(stderr, /no-such is no folder of a journal/);
  });
});
