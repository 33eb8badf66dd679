// A spool with more unfinished messages than one look may tell of: the next look goes on behind them, so that none is forgotten.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { newMessageId, shardOf, type MessageId } from '../../src/message/id.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { SCAN_MOST } from '../../src/zones/road.ts';
import { scratch } from '../support/scratch.ts';

const HOUR = 3_600_000;

it('a scan cut short goes on behind what it found: what waits for long, of two hours, hides nothing that came after it', async () => {
  await using folder = await scratch();
  const place = (id: MessageId, stage: string): void => {
    mkdirSync(join(folder.path, shardOf(id)), { recursive: true });
    writeFileSync(join(folder.path, shardOf(id), `${id}.${stage}`), '');
  };
  const now = Date.now();
  const stuck = [3, 2].flatMap((hours) =>
    Array.from({ length: SCAN_MOST / 2 }, (_, nth) => newMessageId(now - hours * HOUR + nth)),
  );
  for (const id of stuck) place(id, '02-sanitised.json');
  const fresh = [newMessageId(now - 1), newMessageId(now)];
  for (const id of fresh) place(id, '01-spooled.json');
  const spool = new Spool(await openFsStore(folder.path));
  const first = await spool.unfinished(SCAN_MOST);
  const { last } = first;
  assert.deepEqual(first, { sanitise: [], seal: stuck, last: stuck.at(-1) });
  const second = await spool.unfinished(SCAN_MOST, last);
  assert.deepEqual([second.sanitise, second.seal, second.last], [fresh, [], undefined], 'the rest');
  assert.deepEqual(
    await spool.unfinished(SCAN_MOST, second.last),
    first,
    'then from the beginning: no hour was closed for having been passed over',
  );
});
