// Nothing is deleted for its age because the wall clock leaped.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Lifecycle } from '../../src/lifecycle.ts';
import { openLog } from '../../src/ops/log.ts';
import { startRetention } from '../../src/zones/retention.ts';

const DAY = 24 * 3_600_000;

test('a wall clock that leaps forty days ahead makes no message old', async () => {
  const before = Date.now();
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: before });
  const seen: number[] = [];
  const life = new Lifecycle(openLog('silent', 'test'), 1000);
  try {
    startRetention('middle', openLog('silent', 'test'), life, async (now) => {
      seen.push(now);
      return 0;
    });
    mock.timers.tick(40 * DAY);
    assert.ok(Date.now() >= before + 40 * DAY, 'the wall clock leaped');
    assert.ok(seen.length > 0, 'it looked');
    for (const now of seen) assert.ok(Math.abs(now - before) < DAY, `${(now - before) / DAY} days ahead`);
  } finally {
    mock.timers.reset();
  }
});
