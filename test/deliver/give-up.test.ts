// How long an inner server that takes nothing is tried, by the age of the message; what it takes meanwhile is delivered.
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { Courier } from '../../src/deliver/courier.ts';
import { deliver, type DeliverOutcome } from '../../src/deliver/deliver.ts';
import { Ledger } from '../../src/deliver/ledger.ts';
import { Unrecorded } from '../../src/deliver/unrecorded.ts';
import { newMessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { KEYS, PAIR, recordOf } from '../support/packages.ts';
import { scratch } from '../support/scratch.ts';

/** Takes the mail to one recipient and defers all others. */
const COURIER: Courier = {
  name: 'test',
  deliver: async ({ envelope: { to } }) =>
    to[0] === 'taken@city.example.lg.jp'
      ? { kind: 'delivered', answer: '250', accepted: to, rejected: [], deferred: [] }
      : { kind: 'deferred', answer: '451 later' },
  close: async () => undefined,
};

test('limit giveUpMs: a message of that age is tried again, one that is a millisecond or a month older has expired; others are delivered', async () => {
  await using folder = await scratch();
  const outbox = new Outbox(await openFsStore(`${folder.path}/outbox`));
  const ledger = new Ledger(await openFsStore(`${folder.path}/inner`));
  const signer = new Signer(PAIR.privateKey);
  const now = Date.now();
  const tell = async (ageMs: number, to: string): Promise<string> => {
    const id = newMessageId(now - ageMs);
    const receivedAt = new Date(now - ageMs).toISOString();
    const record = { ...recordOf(id, []), receivedAt, envelope: { from: 'a@example.com', to: [to] } };
    const sealed = await outbox.add(id, packageOf(id, record, [], signer));
    const outcome: DeliverOutcome = await deliver(
      sealed,
      {
        outbox,
        ledger,
        keys: KEYS,
        courier: COURIER,
        audit: { enter: () => ({ position: '', durable: Promise.resolve() }), append: async () => '' },
        domain: 'city.example.lg.jp',
        policyFor: () => ({
          language: 'ja',
          mailCharset: 'utf-8',
          attachBytes: 1,
          archives: 'files',
          keptMs: undefined,
        }),
        portalUrl: '',
        unrecorded: new Unrecorded<DeliverOutcome>(),
        giveUpMs: LIMITS.giveUpMs,
        triedMs: () => LIMITS.giveUpMs,
        steadyNow: () => now,
        onGateRefusal: (_id, refusal) => assert.fail(refusal.message),
      },
      new AbortController().signal,
    );
    return outcome.kind === 'ended' ? outcome.delivered.record.stage : outcome.kind;
  };
  mock.timers.enable({ apis: ['Date'], now });
  try {
    for (const [ageMs, end] of [
      [0, 'deferred'],
      [LIMITS.giveUpMs, 'deferred'],
      [LIMITS.giveUpMs + 1, 'expired'],
      [LIMITS.giveUpMs + 30 * 24 * 3_600_000, 'expired'],
    ] as const) {
      assert.equal(await tell(ageMs, 'staff@city.example.lg.jp'), end, `${ageMs} ms`);
      assert.equal(await tell(ageMs, 'taken@city.example.lg.jp'), 'delivered', `${ageMs} ms`);
    }
  } finally {
    mock.timers.reset();
  }
});
