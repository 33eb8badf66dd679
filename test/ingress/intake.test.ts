// Intake: yes only when bytes, record and the journal's line are all durable.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { intakeAll, type Arrival } from '../../src/ingress/intake.ts';
import { MugaiError } from '../../src/message/errors.ts';
import { untrusted } from '../../src/message/untrusted.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { stage } from '../../src/store/store.ts';
import { scratch } from '../support/scratch.ts';

describe('intake', () => {
  it('keeps nothing, and announces nothing, of what the journal could not note', async () => {
    await using folder = await scratch();
    const store = await openFsStore(folder.path);
    const spool = new Spool(store, 1000);
    const arrival: Arrival = {
      kind: 'file',
      name: untrusted('a'),
      envelope: { from: '', to: ['a@city.example.lg.jp'] },
      peer: untrusted(''),
    };
    const full = new MugaiError('disk-full', 'journal: no space left');
    const acts: string[] = [];
    let lines = 0;
    const enter = ({ act }: { act: string }) => {
      acts.push(act);
      const durable = lines++ === 1 ? Promise.reject(full) : Promise.resolve();
      durable.catch(() => undefined);
      return { position: `outer-00000000:1:${'0'.repeat(64)}`, durable };
    };
    const audit = { enter, append: async () => '' };
    const signal = new AbortController().signal;
    const came = [];
    for (const size of [10, 100_000])
      came.push({ arrival, raw: await stage(store, Readable.from([Buffer.alloc(size)]), size, signal) });
    const told: string[] = [];
    await assert.rejects(
      intakeAll(came, { spool, audit, onSpooled: ({ id }) => told.push(id) }),
      (error: unknown) => error === full,
    );
    assert.deepEqual(await spool.unfinished(10), { sanitise: [], seal: [] });
    for (const shard of await store.list('')) assert.deepEqual(await store.list(shard), []);
    assert.deepEqual(told, []);
    assert.deepEqual(acts, ['received', 'received', 'not-accepted'], 'the line that was kept is taken back');
  });
});
