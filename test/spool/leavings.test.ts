// What a kill between bytes and record leaves is swept after a day; whatever has a record, or is young, stays.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { newMessageId, shardAt } from '../../src/message/id.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { scratch } from '../support/scratch.ts';

const HOUR = 3_600_000;

it('raw bytes without a record and empty hours go after their day, everything else stays', async () => {
  await using folder = await scratch();
  const spool = new Spool(await openFsStore(folder.path));
  const now = Date.now();
  const lay = (hoursAgo: number, ...endings: readonly string[]): string => {
    const id = newMessageId(now - hoursAgo * HOUR);
    const shard = join(folder.path, shardAt(now - hoursAgo * HOUR));
    mkdirSync(shard, { recursive: true });
    for (const ending of endings) writeFileSync(join(shard, `${id}.${ending}`), 'x');
    return id;
  };
  const left = lay(50, 'raw');
  const kept = [
    lay(50, 'raw', '01-spooled.json'),
    lay(50, 'raw', '03-sealed.json'),
    lay(50, 'raw', 'release-0123.used'),
    lay(50, 'release-0123.raw'),
    lay(2, 'raw'),
  ];
  lay(60); // an hour whose messages have all gone
  lay(70, 'raw'); // becomes one
  lay(1);
  assert.equal(await spool.sweepLeft(now - 24 * HOUR, new AbortController().signal), 4);
  const names = readdirSync(folder.path, { recursive: true, encoding: 'utf8' });
  assert.equal(
    names.some((name) => name.includes(left)),
    false,
  );
  for (const id of kept)
    assert.ok(
      names.some((name) => name.includes(id)),
      id,
    );
  const has = (hoursAgo: number): boolean => names.includes(shardAt(now - hoursAgo * HOUR));
  assert.deepEqual([has(50), has(60), has(70), has(1), has(2)], [true, false, false, true, true]);
  assert.equal(await spool.sweepLeft(now - 24 * HOUR, new AbortController().signal), 0, 'there is no more of it');
});

it('a folder that is not empty is not pruned, and one that is not there is no fault', async () => {
  await using folder = await scratch();
  const store = await openFsStore(folder.path);
  await store.put('a', { name: 'x', content: Buffer.from('x') });
  await store.prune('a');
  await store.prune('b');
  assert.deepEqual(await store.list('a'), ['x']);
  await store.delete('a/x');
  await store.prune('a');
  assert.deepEqual(await store.list(''), []);
  await store.put('a', { name: 'y', content: Buffer.from('y') });
  assert.deepEqual(await store.list('a'), ['y'], 'it is made again');
});
