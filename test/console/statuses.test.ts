// What the console makes of what processes tell: several of them speak of one queue, and not all that ends came from a server.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Statuses } from '../../src/console/statuses.ts';
import { newMessageId } from '../../src/message/id.ts';
import type { ProcessStatus } from '../../src/message/status.ts';
import { openLog } from '../../src/ops/log.ts';
import { keyId } from '../../src/outbox/manifest.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { Signer } from '../../src/seal/seal.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { remember } from '../../src/zones/alarm-mail.ts';
import { Deliveries } from '../../src/zones/deliveries.ts';
import { scratch } from '../support/scratch.ts';

function statusOf(name: string, at: number, more: Partial<ProcessStatus>): ProcessStatus {
  const time = new Date(at).toISOString();
  const none = { queues: [], jobs: [], stores: [], children: [], totals: {}, events: [], alarms: [], faults: {} };
  return { name, role: name.split('-')[0] ?? '', version: '1', startedAt: time, at: time, jail: '', ...none, ...more };
}

describe('what processes tell', () => {
  it('of a queue that they share is shown once, as the last of them says', async () => {
    await using folder = await scratch();
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const outbox = new Outbox(await openFsStore(join(folder.path, 'outbox')));
    const now = Date.now();
    const [id, done] = [newMessageId(), newMessageId()];
    const of = (state: 'waiting' | 'delayed') => ({
      queues: [{ queue: 'sanitise', waiting: 1, active: 0, delayed: 0, failed: 0, oldestSeconds: 1 }],
      jobs: [id, ...(state === 'delayed' ? [] : [done])].map((one) => ({
        id: one,
        queue: 'sanitise',
        state,
        since: new Date(now).toISOString(),
        attempts: 1,
        failure: 'x',
      })),
    });
    const processes = [
      statusOf('ingress-a-1', now - 3000, of('waiting')),
      statusOf('worker-a-2', now - 1000, of('delayed')),
      statusOf('worker-a-3', now - 2000, of('waiting')),
    ];
    await outbox.status.publish('worker-a-2', new Signer(privateKey).signStatus({ processes }), now);
    const statuses = new Statuses({
      outbox,
      keys: new Map([[keyId(publicKey), publicKey]]),
      own: async () => statusOf('inner-b-1', now, {}),
      log: openLog('silent', 'test'),
    });
    await statuses.look(now);
    assert.equal(statuses.processes().length, 4);
    assert.deepEqual(
      statuses.jobs().map((job) => [job.id, job.state]),
      [[id, 'delayed']],
    );
  });

  it('of deliveries is what a server said: the gate’s refusals are none of its', () => {
    const deliveries = new Deliveries('mail:25');
    const id = newMessageId();
    const end = { id, at: '', accepted: [], rejected: [] };
    deliveries.note(id, 'deferred', '451 later');
    deliveries.ended(id, { ...end, stage: 'quarantined', courier: '', answer: 'gate: no' });
    deliveries.ended(id, { ...end, stage: 'delivered', courier: 'none', answer: 'no news' });
    const told = { server: 'mail:25', delivered: 0, deferred: 1, failed: 0, lastAnswer: '451 later' };
    assert.deepEqual({ ...deliveries.servers()[0], lastAt: 0 }, { ...told, lastAt: 0 });
    assert.deepEqual(deliveries.deferred(), []);
    deliveries.ended(id, { ...end, stage: 'rejected', courier: 'smtp', answer: '550 no' });
    assert.equal(deliveries.servers()[0]?.failed, 1);
  });

  it('of alarms is remembered as mailed up to a number', () => {
    const known = new Set(['a', 'b']);
    remember(known, ['c', 'd'], 3);
    assert.deepEqual([...known], ['b', 'c', 'd']);
  });
});
