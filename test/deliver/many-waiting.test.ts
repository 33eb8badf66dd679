// An inner server that is away for an hour of much mail: the scan still finds its work, the oldest first.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Ledger } from '../../src/deliver/ledger.ts';
import { newMessageId, parseMessageId, shardAt } from '../../src/message/id.ts';
import type { Outbox } from '../../src/outbox/outbox.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { scratch } from '../support/scratch.ts';

it('200,000 packages of one hour that nobody has are found, as many as are asked for', async () => {
  await using folder = await scratch();
  const ledger = new Ledger(await openFsStore(folder.path));
  const now = Date.now();
  const start = newMessageId(now).slice(0, 10);
  const ids = Array.from({ length: 200_000 }, (_, nth) => `${start}${String(nth).padStart(16, '0')}`);
  const outbox = { shards: async () => [shardAt(now)], idsOf: async () => ids };
  const found = await ledger.unfinished(outbox as unknown as Outbox, 20_000);
  assert.deepEqual(found, ids.slice(0, 20_000));
  const last = found.at(-1);
  assert.ok(last !== undefined);
  assert.deepEqual(await ledger.unfinished(outbox as unknown as Outbox, 20_000, last), ids.slice(20_000, 40_000));
  const next = shardAt(now + 3_600_000);
  const late = newMessageId(now + 3_600_000);
  const longer = {
    shards: async () => [shardAt(now), next],
    idsOf: async (shard: string) => (shard === next ? [late] : ids),
  };
  const behind = parseMessageId(ids.at(-1) ?? '');
  assert.ok(behind !== undefined);
  assert.deepEqual(await ledger.unfinished(longer as unknown as Outbox, 20_000, behind), [late], 'nothing hides it');
});
