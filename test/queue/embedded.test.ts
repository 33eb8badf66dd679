// The embedded queue's own insides: its heap, its states against a plain model, its cost when much waits.
import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { Queue, type IQueueBackend, type JobJson } from 'bullmq';
import fc from 'fast-check';
import { embeddedBackends } from '../../src/queue/embedded-backend.ts';
import { Heap, type Ranked } from '../../src/queue/embedded-state.ts';

const LOCK_MS = 1000;

function openBackend(settings: object = {}): IQueueBackend {
  const options = { connection: {}, lockDuration: LOCK_MS, ...settings };
  return embeddedBackends()('model', options);
}

function job(id: string, opts: JobJson['opts'] = {}): JobJson {
  const counts = { attemptsMade: 0, attemptsStarted: 0, stalledCounter: 0 };
  const base = { id, name: 'job', data: '{}', progress: 0, timestamp: Date.now(), failedReason: '', returnvalue: '' };
  return { ...base, ...counts, opts };
}

/** What the end of an attempt needs of BullMQ's Job. */
function minimal(id: string): Parameters<IQueueBackend['moveToFailed']>[0] {
  // The backend reads the id only; BullMQ's interface asks for the whole of a Job.
  return { id } as Parameters<IQueueBackend['moveToFailed']>[0];
}

describe('the heap', () => {
  it('gives back what was put in, smallest rank first and equals in turn, whatever is removed between', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ add: fc.integer({ min: 0, max: 100 }) }) },
      { weight: 3, arbitrary: fc.record({ removeAt: fc.nat() }) },
      fc.constant({ take: true }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const heap = new Heap<Ranked>();
        let model: Ranked[] = [];
        for (const [turn, what] of steps.entries()) {
          if ('add' in what) {
            const item = { rank: what.add, turn, slot: 0 };
            heap.add(item);
            model.push(item);
          } else {
            const item = 'take' in what ? heap.first : model[what.removeAt % Math.max(model.length, 1)];
            if (item !== undefined) heap.remove(item);
            model = model.filter((other) => other !== item);
          }
          model.sort((a, b) => a.rank - b.rank || a.turn - b.turn);
          assert.equal(heap.size, model.length);
          assert.equal(heap.first, model[0]);
        }
        assert.deepEqual([...heap.walk(true)], model);
        assert.deepEqual([...heap.walk(false)], model.toReversed());
      }),
      { numRuns: 300 },
    );
  });
});

/** The queue as plainly as it can be said: sorted arrays. */
class Model {
  waiting: string[] = [];
  prioritized: { id: string; priority: number }[] = [];
  delayed: { id: string; due: number }[] = [];
  active: { id: string; token: string; until: number }[] = [];
  readonly priorities = new Map<string, number>();
  readonly made = new Map<string, number>();

  add(id: string, delay: number, priority: number): void {
    if (this.made.has(id)) return;
    this.made.set(id, 0);
    this.priorities.set(id, priority);
    if (delay > 0) this.postpone(id, Date.now() + delay);
    else this.line(id, false);
  }

  line(id: string, atHead: boolean): void {
    const priority = this.priorities.get(id) ?? 0;
    if (priority > 0) {
      this.prioritized.push({ id, priority });
      this.prioritized.sort((a, b) => a.priority - b.priority);
    } else if (atHead) this.waiting.unshift(id);
    else this.waiting.push(id);
  }

  postpone(id: string, due: number): void {
    this.delayed.push({ id, due });
    this.delayed.sort((a, b) => a.due - b.due);
  }

  wakeDue(): void {
    while ((this.delayed[0]?.due ?? Infinity) <= Date.now()) this.line(this.delayed.shift()?.id ?? '', false);
  }

  claim(token: string): string | undefined {
    this.wakeDue();
    const id = this.waiting.shift() ?? this.prioritized.shift()?.id;
    if (id !== undefined) this.active.push({ id, token, until: Date.now() + LOCK_MS });
    return id;
  }

  /** Takes the nth active job out and counts an attempt if asked. */
  end(nth: number, counted: boolean): { id: string; token: string } | undefined {
    const [held] = this.active.splice(nth % Math.max(this.active.length, 1), 1);
    if (held !== undefined && counted) this.made.set(held.id, (this.made.get(held.id) ?? 0) + 1);
    return held;
  }

  forget(id: string): void {
    this.made.delete(id);
    this.waiting = this.waiting.filter((other) => other !== id);
    this.prioritized = this.prioritized.filter((other) => other.id !== id);
    this.delayed = this.delayed.filter((other) => other.id !== id);
  }
}

const nth = fc.nat({ max: 50 });
const ms = fc.nat({ max: 3000 });
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('add'), id: nth, delay: ms, priority: fc.nat({ max: 3 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('add'), id: nth, delay: fc.constant(0), priority: fc.constant(0) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('claim') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('complete'), nth }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('later'), nth, delay: ms, counted: fc.boolean() }) },
  fc.record({ kind: fc.constant('fail'), nth }),
  fc.record({ kind: fc.constant('retry'), nth }),
  fc.record({ kind: fc.constant('giveBack'), nth }),
  fc.record({ kind: fc.constant('remove'), id: nth }),
  fc.record({ kind: fc.constant('promote'), nth }),
  fc.record({ kind: fc.constant('time'), ms }),
);
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;

/** Gives one command to both, and compares what they answer. */
async function both(backend: IQueueBackend, model: Model, what: Command, turn: number): Promise<void> {
  const at = 'nth' in what ? what.nth : 0;
  switch (what.kind) {
    case 'add': {
      const { delay, priority } = what;
      await backend.addJob(job(`j${String(what.id)}`, { delay, priority }), `j${String(what.id)}`);
      return model.add(`j${String(what.id)}`, delay, priority);
    }
    case 'claim': {
      const token = `t${String(turn)}`;
      const [json, id] = await backend.moveToActive(token);
      const expected = model.claim(token);
      assert.equal(json === null ? undefined : id, expected);
      if (expected !== undefined) assert.equal(json.attemptsMade, model.made.get(expected));
      return;
    }
    case 'complete':
    case 'fail': {
      const held = model.end(at, true);
      if (held === undefined) return;
      if (what.kind === 'fail') await backend.moveToFailed(minimal(held.id), 'no', true, held.token, false);
      else await backend.moveToCompleted(minimal(held.id), undefined, true, held.token, false);
      return model.forget(held.id);
    }
    case 'later': {
      const held = model.end(at, what.counted);
      if (held === undefined) return;
      await backend.moveToDelayed(held.id, Date.now(), what.delay, held.token, { skipAttempt: !what.counted });
      return model.postpone(held.id, Date.now() + what.delay);
    }
    case 'retry': {
      const held = model.end(at, true);
      if (held === undefined) return;
      await backend.retryJob(held.id, false, held.token);
      return model.line(held.id, false);
    }
    case 'giveBack': {
      const held = model.end(at, false);
      if (held === undefined) return;
      await backend.moveJobFromActiveToWait(held.id, held.token);
      return model.line(held.id, true);
    }
    case 'remove': {
      const id = `j${String(what.id)}`;
      const holder = model.active.find((held) => held.id === id);
      const locked = holder !== undefined && holder.until > Date.now();
      assert.equal(await backend.remove(id, true), locked ? 0 : 1);
      if (locked) return;
      model.active = model.active.filter((held) => held.id !== id);
      return model.forget(id);
    }
    case 'promote': {
      const [entry] = model.delayed.splice(at % Math.max(model.delayed.length, 1), 1);
      if (entry === undefined) return;
      await backend.promote(entry.id);
      return model.line(entry.id, false);
    }
    case 'time': {
      mock.timers.tick(what.ms);
      return model.wakeDue();
    }
    default:
      return what satisfies never;
  }
}

/** The wall clock and the one that never leaps go forward together, when told. */
function mockClocks(): void {
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 1_800_000_000_000 });
  mock.method(performance, 'now', () => Date.now() - performance.timeOrigin);
}

describe('the embedded backend', () => {
  it('does what a plain model does, for any order of adding, taking, ending, delaying, removing and waiting', async () => {
    mockClocks();
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { maxLength: 150, size: 'max' }), async (commands) => {
          const backend = openBackend();
          const model = new Model();
          for (const [turn, what] of commands.entries()) {
            await both(backend, model, what, turn);
            const counts = await backend.getCounts([
              'waiting',
              'prioritized',
              'delayed',
              'active',
              'completed',
              'failed',
            ]);
            const { waiting, prioritized, delayed, active } = model;
            assert.deepEqual(counts, [waiting.length, prioritized.length, delayed.length, active.length, 0, 0]);
          }
          const [waiting, prioritized, delayed] = await backend.getRanges(
            ['waiting', 'prioritized', 'delayed'],
            0,
            -1,
            true,
          );
          assert.deepEqual([...(waiting ?? [])].toReversed(), model.waiting); // Redis lists the newest first
          assert.deepEqual(
            prioritized,
            model.prioritized.map(({ id }) => id),
          );
          assert.deepEqual(
            delayed,
            model.delayed.map(({ id }) => id),
          );
        }),
        { numRuns: 300 },
      );
    } finally {
      mock.timers.reset();
      mock.restoreAll();
    }
  });

  it('refuses to end, delay or extend a job with a lock that is not its own', async () => {
    const backend = openBackend();
    await backend.addJob(job('a'), 'a');
    await backend.moveToActive('mine');
    await assert.rejects(backend.moveToCompleted(minimal('a'), undefined, true, 'other', false), { code: -6 });
    await assert.rejects(backend.moveToDelayed('a', Date.now(), 10, 'other'), { code: -6 });
    assert.deepEqual(await backend.extendLocks(['a', 'b'], ['other', 'mine'], 100), ['a', 'b']);
    assert.deepEqual(await backend.extendLocks(['a'], ['mine'], 100), []);
    await backend.moveToCompleted(minimal('a'), undefined, true, 'mine', false);
    await assert.rejects(backend.moveToFailed(minimal('a'), 'no', true, 'mine', false), { code: -1 });
  });

  it('takes an expired lock away only when its owner had time to renew it, and marks a job that stalls too often', async () => {
    mockClocks();
    try {
      const backend = openBackend({ maxStalledCount: 1 });
      await backend.addJob(job('a'), 'a');
      await backend.moveToActive('slow');
      mock.timers.tick(10 * LOCK_MS); // a blocked event loop
      assert.deepEqual(await backend.moveStalledJobsToWait(), []);
      assert.equal(await backend.extendLock('a', 'slow', LOCK_MS), 1);
      mock.timers.tick(LOCK_MS / 2);
      assert.deepEqual(await backend.moveStalledJobsToWait(), []);
      for (const [token, deferred] of [
        ['x', undefined],
        ['y', 'job stalled more than allowable limit'],
      ] as const) {
        mock.timers.tick(LOCK_MS);
        await backend.moveStalledJobsToWait();
        mock.timers.tick(LOCK_MS / 2);
        assert.deepEqual(await backend.moveStalledJobsToWait(), ['a']);
        const [json] = await backend.moveToActive(token);
        assert.equal(json.deferredFailure, deferred);
      }
    } finally {
      mock.timers.reset();
      mock.restoreAll();
    }
  });

  it('keeps finished jobs as asked: all, some, the young, or none', async () => {
    const backend = openBackend();
    const keeps = [false, { count: 2 }, 1, true, { age: 60 }] as const;
    const sizes: number[] = [];
    for (const [i, keep] of keeps.entries()) {
      for (let k = 0; k < 3; k++) {
        const id = `j${String(3 * i + k)}`;
        await backend.addJob(job(id), id);
        await backend.moveToActive('t');
        await backend.moveToFailed(minimal(id), 'no', keep, 't', false);
      }
      sizes.push((await backend.getCounts(['failed']))[0] ?? -1);
    }
    assert.deepEqual(sizes, [3, 2, 1, 1, 4]);
  });

  it('drains what waits, and is obliterated only by force while a job is active', async () => {
    const backend = openBackend();
    for (const [id, opts] of [
      ['a', {}],
      ['b', {}],
      ['c', { delay: 1000 }],
      ['d', { priority: 1 }],
    ] as const) {
      await backend.addJob(job(id, opts), id);
    }
    await backend.moveToActive('t');
    await backend.drain(false);
    assert.deepEqual(await backend.getCounts(['waiting', 'prioritized', 'delayed', 'active']), [0, 0, 1, 1]);
    await assert.rejects(backend.obliterate({ force: false, count: 10 }), /active jobs/);
    await backend.obliterate({ force: true, count: 10 });
    assert.deepEqual(await backend.getCounts(['waiting', 'prioritized', 'delayed', 'active']), [0, 0, 0, 0]);
    assert.equal(await backend.getState('a'), 'unknown');
  });

  it('says by name what it does not support', async () => {
    const backend = openBackend();
    await assert.rejects(backend.addFlow([]), /^Error: not supported by the embedded queue: addFlow$/);
    await assert.rejects(backend.setQueueMeta({ concurrency: 1 }), /not supported by the embedded queue: concurrency/);
    assert.throws(
      () => openBackend({ limiter: { max: 1, duration: 1000 } }),
      /not supported by the embedded queue: limiter/,
    );
    const queue = new Queue('model', { connection: {} }, embeddedBackends());
    await assert.rejects(queue.add('x', {}, { deduplication: { id: 'x' } }), /not supported by the embedded queue/);
    await queue.close();
  });

  it('costs no more for each job when 100,000 wait, are delayed or have priorities', async () => {
    const many = 100_000;
    for (const opts of [{}, { delay: 3_600_000 }, { priority: 5 }]) {
      const backend = openBackend();
      const begun = performance.now();
      for (let i = 0; i < many; i++) {
        const id = `j${String(i)}`;
        await backend.addJob(job(id, opts), id);
      }
      for (let i = 0; i < many; i++) {
        const id = `j${String((i * 7919) % many)}`;
        if (opts.delay === undefined) {
          const [, taken] = await backend.moveToActive('t');
          await backend.moveToCompleted(minimal(String(taken)), undefined, true, 't', false);
        } else await backend.remove(id, true);
      }
      const spent = performance.now() - begun;
      // About a second on a busy machine; a sort or a search for each job takes minutes.
      assert.ok(spent < 20_000, `${JSON.stringify(opts)}: ${spent.toFixed(0)} ms`);
      assert.deepEqual(await backend.getCounts(['waiting', 'prioritized', 'delayed', 'active']), [0, 0, 0, 0]);
    }
  });
});
