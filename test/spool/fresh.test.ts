// Messages accepted a moment ago are held for the next step of the same process, up to a limit; all others are read from the disk.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { newMessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import type { SpooledRecord } from '../../src/message/stages.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { scratch } from '../support/scratch.ts';

const LARGEST = LIMITS.inlineBytes;
const charsOf = (bytes: number): number => 4 * Math.ceil(bytes / 3);

async function accept(spool: Spool, bytes: number): Promise<SpooledRecord> {
  const content = Buffer.alloc(bytes, 0x61);
  const writer = spool.begin(bytes);
  await writer.write(content);
  const id = newMessageId();
  const sha256 = createHash('sha256').update(content).digest('hex');
  const source = { kind: 'file', name: 'a.txt', size: bytes, sha256 } as const;
  const envelope = { from: '', to: ['staff@city.example.lg.jp'] };
  const facts = { stage: 'spooled', id, source, envelope, peer: 'test', receivedAt: new Date().toISOString() } as const;
  const [spooled] = await spool.accept({ raw: writer.finish(), facts });
  assert.ok(spooled !== undefined);
  return spooled.record;
}

/** Which of so large messages are given when the disk has none of them any more; each was there in full before. */
async function fromMemory(sizes: readonly number[]): Promise<boolean[]> {
  await using folder = await scratch();
  const path = join(folder.path, 'spool');
  const spool = new Spool(await openFsStore(path), LIMITS.freshChars);
  const records: SpooledRecord[] = [];
  for (const size of sizes) records.push(await accept(spool, size));
  const other = new Spool(await openFsStore(path));
  for (const { id, source } of records) {
    const read = await other.spooled(id as never);
    assert.ok(read !== undefined);
    let bytes = 0;
    for await (const chunk of other.rawContent(read).open()) bytes += chunk.length;
    assert.equal(bytes, source.size);
  }
  await empty(path);
  return Promise.all(records.map(async ({ id }) => (await spool.spooled(id as never)) !== undefined));
}

/** Takes everything out of a spool. */
async function empty(path: string): Promise<void> {
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true });
}

test('limit freshChars: as many just accepted messages as fit are in memory; one character more, or ten times as many, are read from the disk', async () => {
  const full = Math.floor(LIMITS.freshChars / charsOf(LARGEST));
  const rest = ((LIMITS.freshChars - full * charsOf(LARGEST)) / 4) * 3;
  const many = Array.from({ length: full }, () => LARGEST);
  assert.ok(Number.isInteger(rest) && rest > 0 && rest < LARGEST);

  assert.deepEqual(new Set(await fromMemory([...many, rest])), new Set([true]), 'at the limit');
  const above = await fromMemory([...many, rest + 1]);
  assert.deepEqual(
    above.slice(0, -1),
    many.map(() => true),
  );
  assert.equal(above.at(-1), false);
  // A normal mail of a few letters still fits where a large one does not.
  assert.equal((await fromMemory([...many, rest + 1, 9])).at(-1), true);
  const far = await fromMemory(Array.from({ length: 10 * full }, () => LARGEST));
  assert.equal(far.filter(Boolean).length, full);
});

test('what was taken by the next step makes room again', async () => {
  await using folder = await scratch();
  const path = join(folder.path, 'spool');
  const spool = new Spool(await openFsStore(path), charsOf(30));
  const first = await accept(spool, 30);
  assert.ok((await spool.spooled(first.id as never)) !== undefined);
  const second = await accept(spool, 30);
  await empty(path);
  assert.ok((await spool.spooled(second.id as never)) !== undefined);
});
