// A scan that has much to look through leaves most of the time to the work that it finds.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lifecycle } from '../../src/lifecycle.ts';
import { openLog } from '../../src/ops/log.ts';
import { startScan } from '../../src/zones/road.ts';

it('scans take a fifth of the time at most, however long one takes', async () => {
  const log = openLog('silent', 'inner');
  const life = new Lifecycle(log, 1000);
  let scans = 0;
  await startScan(log, life, 1, async () => {
    scans += 1;
    await sleep(100);
  });
  await sleep(1500);
  await life.stop();
  assert.ok(scans >= 2 && scans <= 5, `${scans} scans`);
});
