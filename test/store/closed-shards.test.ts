// Which shards need no look: a message may come late into an old one.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ledger } from '../../src/deliver/ledger.ts';
import { newMessageId, shardAt, timeOfShard } from '../../src/message/id.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { ClosedShards } from '../../src/store/closed-shards.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { scratch } from '../support/scratch.ts';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-11-25T12:34:56.000Z');

describe('closed shards', () => {
  it('the name of a shard tells its hour, and nothing else is a shard', () => {
    assert.equal(timeOfShard(shardAt(NOW)), Date.parse('2026-11-25T12:00:00.000Z'));
    for (const name of ['', 'tmp', '20261125', '20261399-99', 'x20261125-12'])
      assert.ok(Number.isNaN(timeOfShard(name)), name);
  });

  it('the hour that runs and the one before are never closed', () => {
    const shards = new ClosedShards();
    for (const time of [NOW, NOW - HOUR]) {
      assert.equal(shards.close(shardAt(time), NOW), false);
      assert.equal(shards.has(shardAt(time), NOW), false);
    }
  });

  it('an older one is looked at again after a sixtieth of its age', () => {
    const shards = new ClosedShards();
    const old = shardAt(NOW - 10 * HOUR);
    assert.equal(shards.close(old, NOW), true);
    assert.equal(shards.has(old, NOW + 9 * 60_000), true);
    assert.equal(shards.has(old, NOW + 11 * 60_000), false);
  });

  it('all are looked at again after the clock went back', () => {
    const shards = new ClosedShards();
    const old = shardAt(NOW - 10 * HOUR);
    shards.close(old, NOW);
    assert.equal(shards.has(old, NOW), true);
    assert.equal(shards.has(old, NOW - 24 * HOUR), false);
  });

  it('the inner side finds a package that was sealed hours after its message came', async (context) => {
    await using folder = await scratch();
    const store = await openFsStore(`${folder.path}/outbox`);
    const outbox = new Outbox(store);
    const ledger = new Ledger(await openFsStore(`${folder.path}/inner`));
    context.mock.timers.enable({ apis: ['Date'], now: NOW });
    const came = NOW - 3 * HOUR;
    const first = newMessageId(came);
    await outbox.add(first, [{ name: 'manifest.dsse.json', content: Buffer.from('x') }]);
    assert.deepEqual(await ledger.unfinished(outbox, 10), [first]);
    const end = { stage: 'delivered', at: new Date().toISOString(), courier: '', answer: '' } as const;
    await ledger.recordEnd(first, { ...end, id: first, accepted: [], rejected: [] });
    assert.deepEqual(await ledger.unfinished(outbox, 10), []);
    const late = newMessageId(came + 1);
    await outbox.add(late, [{ name: 'manifest.dsse.json', content: Buffer.from('x') }]);
    context.mock.timers.tick(4 * 60_000);
    assert.deepEqual(await ledger.unfinished(outbox, 10), [late]);
  });
});
