// What a worker finds when it starts: how far it is behind is told by when the mail came, not by when the worker did.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { Lifecycle } from '../../src/lifecycle.ts';
import { newMessageId, shardOf, type MessageId } from '../../src/message/id.ts';
import { openLog } from '../../src/ops/log.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { findWork } from '../../src/zones/find-work.ts';
import { behindMs } from '../../src/zones/pressure.ts';
import { Road } from '../../src/zones/road.ts';
import { scratch } from '../support/scratch.ts';

const HOUR = 3_600_000;

/** A worker's road over a spool, where nobody takes anything. */
async function openRoad(path: string, most?: number) {
  const log = openLog('silent', 'worker');
  const life = new Lifecycle(log, 1000);
  const road = new Road(openMetrics(false), log, ['sanitise', 'seal'], undefined);
  await road.openQueues(undefined, life);
  const { hub } = road;
  assert.ok(hub !== undefined);
  const place = (id: MessageId, stage: string): void => {
    mkdirSync(join(path, shardOf(id)), { recursive: true });
    writeFileSync(join(path, shardOf(id), `${id}.${stage}`), '');
  };
  const scan = findWork(road, new Spool(await openFsStore(path)), most);
  return { hub, place, scan, [Symbol.asyncDispose]: async () => life.stop() };
}

it('a worker that starts anew is as far behind as before; what turns up later waits from then on', async () => {
  for (const stage of ['01-spooled.json', '02-sanitised.json']) {
    await using folder = await scratch();
    await using worker = await openRoad(folder.path);
    const now = Date.now();
    worker.place(newMessageId(now - 3 * HOUR), stage);
    worker.place(newMessageId(now - 1000), stage);
    await worker.scan();
    const behind = await behindMs(worker.hub);
    assert.ok(behind >= 3 * HOUR && behind < 3.1 * HOUR, `${String(behind)} ms`);
    const again = newMessageId(now - 5 * HOUR);
    worker.place(again, stage);
    await worker.scan();
    const queue = worker.hub.queue(stage.startsWith('01') ? 'sanitise' : 'seal');
    const job = (await queue.list('waiting', 10)).find(({ id }) => id === again);
    assert.ok((job?.addedAt ?? 0) >= now, 'it does not close the doors');
  }
});

it('no scan adds more to a queue that holds what may be in memory; when there is room the rest is found', async () => {
  await using folder = await scratch();
  await using worker = await openRoad(folder.path, 2);
  const ids = Array.from({ length: 3 }, (_, nth) => newMessageId(Date.now() - nth));
  const [first, second, third] = ids;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const counts = async () => {
    const { waiting, delayed } = await worker.hub.queue('seal').counts();
    return { waiting, delayed };
  };
  await worker.hub.queue('seal').add([first], { delayMs: HOUR });
  worker.place(second, '02-sanitised.json');
  await worker.scan();
  assert.deepEqual(await counts(), { waiting: 1, delayed: 1 });
  worker.place(third, '02-sanitised.json');
  await worker.scan();
  assert.deepEqual(await counts(), { waiting: 1, delayed: 1 }, 'it is full');
  const taker = worker.hub.work('seal', async () => undefined, { concurrency: 1 });
  while ((await counts()).waiting > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await taker.close({ deadlineMs: 1000 });
  await worker.scan();
  const { waiting } = await counts();
  assert.ok(waiting > 0, 'there is room again');
});
