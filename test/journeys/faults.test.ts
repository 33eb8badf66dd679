// The faults of `npm run faults`, each in a small way: nothing lost, nothing doubled outside the named window. Those that last for
// minutes however small (`long`) are run by the command only. They mostly wait, so some run at once.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SAMPLE } from '../faults/outcome.ts';
import { SCENARIOS } from '../faults/scenarios.ts';

describe('faults', { concurrency: 4 }, () => {
  for (const { name, run } of SCENARIOS.filter(({ long }) => long === undefined))
    it(`${name}: every accepted mail arrives, and none again whose end was recorded`, async () => {
      const outcome = await run(SAMPLE);
      assert.ok(outcome.accepted > 0, 'mail was accepted');
      assert.equal(outcome.lost, 0, JSON.stringify(outcome));
      assert.equal(outcome.doubledOutside, 0, JSON.stringify(outcome));
    });
});
