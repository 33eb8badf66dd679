// The look for pairs that were left apart goes on after one that failed, and one message that fails keeps no other from it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Lifecycle } from '../../src/lifecycle.ts';
import { newMessageId, type MessageId } from '../../src/message/id.ts';
import { openLog } from '../../src/ops/log.ts';
import type { SanitiseDeps } from '../../src/sanitise/sanitise.ts';
import { PasswordPairing } from '../../src/zones/pairing.ts';

it('what was left apart is looked for again after a look that failed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [bad, good] = [newMessageId(), newMessageId()];
  let looks = 0;
  const asked: MessageId[] = [];
  const spool = {
    pairing: {
      unsettled: async () => {
        looks += 1;
        if (looks === 1) throw new Error('the disk is away');
        return [bad, good];
      },
    },
    sanitised: async (id: MessageId) => {
      asked.push(id);
      if (id === bad) throw new Error('its record is broken');
      return undefined;
    },
  };
  const log = openLog('silent', 'worker');
  const life = new Lifecycle(log, 1000);
  const pairing = new PasswordPairing({ deps: { spool } as unknown as SanitiseDeps, seal: async () => undefined }, log);
  const turn = async (): Promise<void> => {
    for (let nth = 0; nth < 20; nth++) await new Promise((resolve) => setImmediate(resolve));
  };
  pairing.start(life);
  await turn();
  assert.equal(looks, 1);
  t.mock.timers.tick(10 * 60_000);
  await turn();
  assert.equal(looks, 2);
  assert.deepEqual(asked, [bad, good]);
  await life.stop();
});
