// One contract for both queues: what the steps rely on holds in this process and over a real Redis alike.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MugaiError } from '../../src/message/errors.ts';
import { newMessageId, type MessageId } from '../../src/message/id.ts';
import { openQueues, RetryLater, type QueueHub, type QueueOptions, type StepName } from '../../src/queue/queues.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

interface GivenUp {
  readonly step: StepName;
  readonly id: MessageId;
  readonly error: unknown;
}

/** A hub with short waits that notes what it is told. */
interface Bench extends AsyncDisposable {
  readonly hub: QueueHub;
  readonly errors: unknown[];
  readonly givenUp: GivenUp[];
}

async function openBench(url: string | undefined, options: Partial<QueueOptions> = {}): Promise<Bench> {
  const errors: unknown[] = [];
  const givenUp: GivenUp[] = [];
  const hub = await openQueues({
    url,
    attempts: 3,
    backoff: { baseMs: 40, capMs: 200 },
    onError: (error) => errors.push(error),
    onExhausted: async (step, id, error) => {
      givenUp.push({ step, id, error });
    },
    ...options,
  });
  return { hub, errors, givenUp, [Symbol.asyncDispose]: () => hub.close() };
}

async function until(what: string, holds: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) assert.fail(`not within ${String(ms)} ms: ${what}`);
    await sleep(5);
  }
}

const ids = (count: number): MessageId[] => Array.from({ length: count }, () => newMessageId());
const NONE = { waiting: 0, active: 0, delayed: 0, failed: 0 };
const isEmpty = async ({ hub }: Bench): Promise<boolean> => {
  const { waiting, active, delayed } = await hub.queue('seal').counts();
  return waiting + active + delayed === 0;
};

for (const kind of ['in this process', 'over Redis'] as const) {
  describe(`the queue ${kind}`, { timeout: 580_000 }, () => {
    let redis: TestRedis | undefined;
    before(async () => {
      if (kind === 'over Redis') redis = await startRedis();
    });
    after(() => redis?.[Symbol.asyncDispose]());
    /** Every test has queues of its own; over Redis they are emptied first. */
    const open = async (options?: Partial<QueueOptions>): Promise<Bench> => {
      if (redis !== undefined) {
        await redis.kill();
        await redis.start();
      }
      return openBench(redis?.url, options);
    };

    it('hands every added id to the handler once', async () => {
      await using bench = await open();
      const seen: MessageId[] = [];
      const wanted = ids(500);
      bench.hub.work('seal', async (id) => void seen.push(id), { concurrency: 8 });
      await bench.hub.queue('seal').add(wanted.slice(0, 300));
      await bench.hub.queue('seal').add(wanted.slice(300));
      await until('all are handled', () => seen.length >= 500);
      await until('nothing is left', () => isEmpty(bench));
      assert.deepEqual(seen.toSorted(), wanted.toSorted());
      assert.deepEqual(bench.errors, []);
    });

    it('takes ids in the order they were added', async () => {
      await using bench = await open();
      const seen: MessageId[] = [];
      const wanted = ids(50);
      await bench.hub.queue('seal').add(wanted);
      bench.hub.work('seal', async (id) => void seen.push(id), { concurrency: 1 });
      await until('all are handled', () => seen.length === 50);
      assert.deepEqual(seen, wanted);
    });

    it('keeps the steps apart: an id may be in two queues, and each handler sees its own', async () => {
      await using bench = await open();
      const seen: string[] = [];
      const [id] = ids(1);
      assert.ok(id !== undefined);
      for (const step of ['sanitise', 'seal'] as const) {
        bench.hub.work(step, async () => void seen.push(step), { concurrency: 1 });
        await bench.hub.queue(step).add([id]);
      }
      await until('both ran', () => seen.length === 2);
      assert.deepEqual(seen.toSorted(), ['sanitise', 'seal']);
    });

    it('handles an id once that was added twice, whether it waits, is delayed or is being handled', async () => {
      await using bench = await open();
      const [id, later] = ids(2);
      assert.ok(id !== undefined && later !== undefined);
      const queue = bench.hub.queue('seal');
      await queue.add([id, id]);
      await queue.add([id]);
      await queue.add([later], { delayMs: 150 });
      await queue.add([later]);
      assert.deepEqual(await queue.counts(), { ...NONE, waiting: 1, delayed: 1 });
      const seen: MessageId[] = [];
      const addAgainThenEnd = async (which: MessageId) => {
        seen.push(which);
        await queue.add([which]);
      };
      bench.hub.work('seal', addAgainThenEnd, { concurrency: 4 });
      await until('both ran', () => seen.length >= 2);
      await until('nothing is left', () => isEmpty(bench));
      assert.deepEqual(seen, [id, later]);
    });

    it('runs an id again that is added after it completed', async () => {
      await using bench = await open();
      const [id] = ids(1);
      assert.ok(id !== undefined);
      let runs = 0;
      bench.hub.work('seal', async () => void (runs += 1), { concurrency: 1 });
      for (const wanted of [1, 2, 3]) {
        await bench.hub.queue('seal').add([id]);
        await until(`run ${String(wanted)}`, () => runs === wanted);
        await until('it is gone', () => isEmpty(bench));
      }
    });

    it('tries a failing id as often as allowed, tells its last failure once, and runs it again when added again', async () => {
      await using bench = await open();
      const [id] = ids(1);
      assert.ok(id !== undefined);
      const attempts: unknown[] = [];
      const poison = async (_id: MessageId, attempt: unknown) => {
        attempts.push(attempt);
        throw new Error(`no ${String(attempts.length)}`);
      };
      bench.hub.work('seal', poison, { concurrency: 2 });
      await bench.hub.queue('seal').add([id]);
      await until('it is given up', () => bench.givenUp.length === 1);
      await until('nothing is left', () => isEmpty(bench));
      const expected = [
        { made: 0, last: false },
        { made: 1, last: false },
        { made: 2, last: true },
      ];
      assert.deepEqual(attempts, expected);
      assert.deepEqual(bench.givenUp, [{ step: 'seal', id, error: new Error('no 3') }]);
      assert.deepEqual(await bench.hub.queue('seal').counts(), NONE);
      assert.equal(bench.errors.length, 3);

      await bench.hub.queue('seal').add([id]);
      await until('it is given up again', () => bench.givenUp.length === 2);
      assert.deepEqual(attempts, [...expected, ...expected]);
    });

    it('waits longer after each failure, within half and all of the doubled time', async () => {
      await using bench = await open({ backoff: { baseMs: 200, capMs: 300 } });
      const at: number[] = [];
      const fails = async () => {
        at.push(Date.now());
        throw new Error('no');
      };
      bench.hub.work('seal', fails, { concurrency: 1 });
      await bench.hub.queue('seal').add(ids(1));
      await until('it is given up', () => bench.givenUp.length === 1);
      const [first = 0, second = 0, third = 0] = at;
      assert.ok(second - first >= 99 && second - first < 3000, `first wait ${String(second - first)} ms`);
      assert.ok(third - second >= 149 && third - second < 3000, `second wait ${String(third - second)} ms`);
    });

    it('gives up a permanent failure at once', async () => {
      await using bench = await open();
      const error = new MugaiError('bad-record', 'never readable', { permanent: true });
      bench.hub.work('seal', () => Promise.reject(error), { concurrency: 1 });
      await bench.hub.queue('seal').add(ids(1));
      await until('it is given up', () => bench.givenUp.length === 1);
      await until('nothing is left', () => isEmpty(bench));
      assert.equal(bench.givenUp[0]?.error, error);
      assert.deepEqual(bench.errors, [error]);
    });

    it('brings a message back whose giving up failed', async () => {
      let tries = 0;
      const onExhausted = async () => {
        tries += 1;
        if (tries === 1) throw new Error('disk full');
      };
      await using bench = await open({ attempts: 1, onExhausted });
      bench.hub.work('seal', () => Promise.reject(new Error('no')), { concurrency: 1 });
      await bench.hub.queue('seal').add(ids(1));
      await until('it is given up', () => tries === 2);
      await until('nothing is left', () => isEmpty(bench));
    });

    it('waits as long as RetryLater asks, and counts no attempt', async () => {
      await using bench = await open();
      const seen: { at: number; made: number }[] = [];
      const deferred = async (_id: MessageId, { made }: { made: number }) => {
        seen.push({ at: Date.now(), made });
        if (seen.length <= 5) throw new RetryLater(120);
      };
      bench.hub.work('seal', deferred, { concurrency: 2 });
      await bench.hub.queue('seal').add(ids(1));
      await until('it is done', () => seen.length === 6);
      await until('nothing is left', () => isEmpty(bench));
      for (const [i, { at, made }] of seen.entries()) {
        assert.equal(made, 0);
        const waited = at - (seen[i - 1]?.at ?? at - 150);
        assert.ok(waited >= 119 && waited < 3000, `waited ${String(waited)} ms`);
      }
      assert.deepEqual(bench.givenUp, []);
      assert.deepEqual(bench.errors, []);
    });

    for (const delayMs of [Number.NaN, Infinity, -Infinity])
      it(`takes a delay of ${String(delayMs)} ms for the longest one: the message does not come back at once, and others have their turn`, async () => {
        await using bench = await open();
        const [odd, ...others] = ids(4);
        const runs: MessageId[] = [];
        const work = async (id: MessageId) => {
          runs.push(id);
          if (id === odd) throw new RetryLater(delayMs);
        };
        bench.hub.work('seal', work, { concurrency: 1 });
        await bench.hub.queue('seal').add([odd as MessageId]);
        await until('the odd one ran', () => runs.length > 0);
        await sleep(300);
        await bench.hub.queue('seal').add(others);
        await until('all others ran', () => others.every((id) => runs.includes(id)));
        assert.equal(runs.filter((id) => id === odd).length, 1);
        assert.equal((await bench.hub.queue('seal').counts()).delayed, 1);
      });

    it('holds a delayed message back until its time, and wakes an idle worker for it', async () => {
      await using bench = await open();
      let ranAt = 0;
      bench.hub.work('seal', async () => void (ranAt = Date.now()), { concurrency: 1 });
      await sleep(100); // the worker is idle and waits for seconds
      const addedAt = Date.now();
      await bench.hub.queue('seal').add(ids(1), { delayMs: 10_000 });
      await bench.hub.queue('seal').add(ids(1), { delayMs: 300 });
      await until('it ran', () => ranAt > 0);
      assert.ok(ranAt - addedAt >= 299 && ranAt - addedAt < 3000, `after ${String(ranAt - addedAt)} ms`);
      await until('it is done with', async () => (await bench.hub.queue('seal').counts()).active === 0);
      assert.deepEqual(await bench.hub.queue('seal').counts(), { ...NONE, delayed: 1 });
    });

    it('wakes an idle worker at once for a new message', async () => {
      await using bench = await open();
      let ranAt = 0;
      bench.hub.work('seal', async () => void (ranAt = Date.now()), { concurrency: 4 });
      await sleep(300);
      const addedAt = Date.now();
      await bench.hub.queue('seal').add(ids(1));
      await until('it ran', () => ranAt > 0);
      assert.ok(ranAt - addedAt < 3000, `after ${String(ranAt - addedAt)} ms`);
    });

    it('runs no more handlers at once than asked, and as many', async () => {
      await using bench = await open();
      let now = 0;
      let most = 0;
      let done = 0;
      const slow = async () => {
        most = Math.max(most, (now += 1));
        await sleep(20);
        now -= 1;
        done += 1;
      };
      bench.hub.work('seal', slow, { concurrency: 3 });
      await bench.hub.queue('seal').add(ids(30));
      await until('all are handled', () => done === 30);
      assert.equal(most, 3);
    });

    it('shares one queue between several workers, each id to one of them', async () => {
      await using bench = await open();
      const seen: MessageId[][] = [[], [], []];
      const all = Promise.withResolvers<void>();
      for (const mine of seen) {
        // Nobody goes on before each has begun: a worker that connects later gets its share all the same.
        const handler = async (id: MessageId) => {
          mine.push(id);
          if (seen.every(({ length }) => length > 0)) all.resolve();
          await all.promise;
          await sleep(1);
        };
        bench.hub.work('seal', handler, { concurrency: 2 });
      }
      const wanted = ids(300);
      await bench.hub.queue('seal').add(wanted);
      await until('all are handled', () => seen.flat().length >= 300);
      await until('nothing is left', () => isEmpty(bench));
      assert.deepEqual(seen.flat().toSorted(), wanted.toSorted());
      for (const mine of seen) assert.ok(mine.length > 30, `a worker got only ${String(mine.length)} of 300`);
    });

    it('counts waiting, active and delayed jobs, and lists them next in line first', async () => {
      await using bench = await open();
      const [one, two, three, late, latest] = ids(5);
      assert.ok(one && two && three && late && latest);
      const queue = bench.hub.queue('seal');
      await queue.add([one, two, three]);
      await queue.add([latest], { delayMs: 90_000 });
      await queue.add([late], { delayMs: 60_000 });
      assert.deepEqual(await queue.counts(), { ...NONE, waiting: 3, delayed: 2 });
      assert.deepEqual(
        (await queue.list('waiting', 2)).map((job) => job.id),
        [one, two],
      );
      assert.deepEqual(
        (await queue.list('delayed', 10)).map((job) => job.id),
        [late, latest],
      );
      await sleep(30);
      const age = await queue.oldestWaitingMs();
      assert.ok(age >= 29 && age < 5000, `oldest waits ${String(age)} ms`);

      const gate = Promise.withResolvers<void>();
      bench.hub.work('seal', () => gate.promise, { concurrency: 1 });
      await until('one is active', async () => (await queue.counts()).active === 1);
      assert.deepEqual(await queue.counts(), { waiting: 2, active: 1, delayed: 2, failed: 0 });
      assert.deepEqual(
        (await queue.list('active', 10)).map((job) => job.id),
        [one],
      );
      gate.resolve();
      await until('the line is empty', async () => (await queue.counts()).waiting === 0);
      assert.equal(await queue.oldestWaitingMs(), 0);
    });

    it('tells the age of the oldest message by its number, whether it waits or was set aside', async () => {
      await using bench = await open();
      const queue = bench.hub.queue('deliver');
      const is = async (minutes: number): Promise<void> => {
        const age = await queue.oldestMs();
        assert.ok(
          age >= minutes * 60_000 && age < (minutes + 1) * 60_000,
          `${String(age)} ms, not ${String(minutes)} min`,
        );
      };
      const from = (minutes: number): MessageId => newMessageId(Date.now() - minutes * 60_000);
      assert.equal(await queue.oldestMs(), 0);
      await queue.add([from(3)]);
      await is(3);
      await queue.add([from(40)], { delayMs: 90_000 });
      await queue.add([from(20)], { delayMs: 60_000 });
      await is(40);
      assert.ok((await queue.oldestWaitingMs()) < 5000, 'what is set aside does not wait for a worker');
      await queue.add([newMessageId(Date.now() + 3_600_000)]);
      await is(40);
    });

    it('takes what was waiting before its start as so old as it is', async () => {
      await using bench = await open();
      const queue = bench.hub.queue('sanitise');
      const came = Date.now() - 7_200_000;
      const [old, later] = [newMessageId(came), newMessageId()];
      await queue.add([old, later], { sinceArrival: true });
      await queue.add([old]);
      const waits = await queue.oldestWaitingMs();
      assert.ok(waits >= 7_200_000 && waits < 7_300_000, String(waits));
      assert.equal((await queue.list('waiting', 1))[0]?.addedAt, came);
    });

    it('tells an operator how often and why a delayed message failed', async () => {
      await using bench = await open({ backoff: { baseMs: 60_000, capMs: 60_000 } });
      bench.hub.work('seal', () => Promise.reject(new Error('inner server says 451')), { concurrency: 1 });
      const queue = bench.hub.queue('seal');
      await queue.add(ids(1));
      await until('it is delayed', async () => (await queue.counts()).delayed === 1);
      const [job] = await queue.list('delayed', 1);
      assert.equal(job?.attemptsMade, 1);
      assert.equal(job.lastFailure, 'inner server says 451');
    });

    it('takes no job while paused, and goes on after', async () => {
      await using bench = await open();
      const queue = bench.hub.queue('seal');
      let runs = 0;
      bench.hub.work('seal', async () => void (runs += 1), { concurrency: 4 });
      await queue.pause(true);
      await queue.add(ids(10));
      await sleep(200);
      assert.equal(runs, 0);
      assert.equal((await queue.counts()).waiting, 10);
      await queue.pause(false);
      await until('all are handled', () => runs === 10);
    });

    it('wakes every idle worker when there is work for all', async () => {
      await using bench = await open();
      const queue = bench.hub.queue('seal');
      const gate = Promise.withResolvers<void>();
      for (let i = 0; i < 3; i++) bench.hub.work('seal', () => gate.promise, { concurrency: 1 });
      await sleep(100);
      await queue.pause(true);
      await queue.add(ids(3));
      await queue.pause(false);
      // An idle worker that is not woken looks again after 5 s only.
      await until('all are active', async () => (await queue.counts()).active === 3, 3000);
      gate.resolve();
    });

    it('waits for active handlers when closed, and leaves the rest in the queue', async () => {
      await using bench = await open();
      let begun = 0;
      let ended = 0;
      const handler = async () => {
        begun += 1;
        await sleep(200);
        ended += 1;
      };
      const worker = bench.hub.work('seal', handler, { concurrency: 2 });
      await bench.hub.queue('seal').add(ids(10));
      await until('two are active', () => begun === 2);
      await worker.close({ deadlineMs: 10_000 });
      assert.equal(begun, 2);
      assert.equal(ended, 2);
      assert.deepEqual(await bench.hub.queue('seal').counts(), { ...NONE, waiting: 8 });
      assert.deepEqual(bench.errors, []);
    });

    it('starts no handler once it is told to close, and loses none of what it had taken', async () => {
      await using bench = await open();
      const queue = bench.hub.queue('seal');
      let late = 0;
      let done = 0;
      let slowest = 0;
      for (let ticks = 0; ticks < 40; ticks++) {
        let closing = false;
        const handler = async () => {
          if (closing) late += 1;
          done += 1;
        };
        const worker = bench.hub.work('seal', handler, { concurrency: 1 });
        await sleep(5); // idle: the add below wakes it
        const added = queue.add(ids(1));
        for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
        closing = true;
        const from = performance.now();
        await worker.close({ deadlineMs: 5000 });
        slowest = Math.max(slowest, performance.now() - from);
        await added;
      }
      assert.equal(late, 0);
      const { waiting, active } = await queue.counts();
      assert.equal(waiting + active + done, 40);
      // A queue that does not answer within the grace of a close keeps the job until its lock runs out.
      if (slowest < 900) assert.equal(active, 0);
    });

    it('aborts the handlers at the deadline of a close, and counts no attempt for what they give back', async () => {
      await using bench = await open();
      let begun = 0;
      const obedient = async (_id: MessageId, _attempt: unknown, signal: AbortSignal) => {
        begun += 1;
        await sleep(60_000, undefined, { signal });
      };
      const worker = bench.hub.work('seal', obedient, { concurrency: 2 });
      await bench.hub.queue('seal').add(ids(3));
      await until('two are active', () => begun === 2);
      const from = Date.now();
      await worker.close({ deadlineMs: 150 });
      assert.ok(Date.now() - from >= 149 && Date.now() - from < 5000, `closed after ${String(Date.now() - from)} ms`);
      assert.equal(begun, 2);
      assert.deepEqual(await bench.hub.queue('seal').counts(), { ...NONE, waiting: 3 });

      const made: number[] = [];
      bench.hub.work('seal', async (_id, attempt) => void made.push(attempt.made), { concurrency: 2 });
      await until('another worker does all three', () => made.length === 3);
      assert.deepEqual(made, [0, 0, 0]);
      assert.deepEqual(bench.errors, []);
    });

    it('closes an idle hub at once', async () => {
      const bench = await open();
      bench.hub.work('seal', async () => undefined, { concurrency: 2 });
      bench.hub.work('deliver', async () => undefined, { concurrency: 2 });
      await sleep(100);
      const from = Date.now();
      await bench.hub.close();
      assert.ok(Date.now() - from < 3000, `closed after ${String(Date.now() - from)} ms`);
    });

    it('runs a job again whose worker vanished, and counts no attempt for it', async () => {
      await using bench = await open({ locks: { durationMs: 400, checkMs: 200 } });
      let runs = 0;
      const deaf = Promise.withResolvers<void>();
      const worker = bench.hub.work(
        'seal',
        async () => {
          runs += 1;
          await deaf.promise;
        },
        { concurrency: 1 },
      );
      await bench.hub.queue('seal').add(ids(1));
      await until('it is active', () => runs === 1);
      await worker.close({ deadlineMs: 0 }); // it is deaf to its signal: the job is let go with its lock
      assert.equal((await bench.hub.queue('seal').counts()).active, 1);
      const made: number[] = [];
      bench.hub.work('seal', async (_id, attempt) => void made.push(attempt.made), { concurrency: 1 });
      await until('another worker does it', () => made.length === 1);
      deaf.resolve();
      await until('nothing is left', () => isEmpty(bench));
      await sleep(100);
      assert.deepEqual(made, [0]);
      assert.deepEqual(bench.givenUp, []);
    });

    it('keeps the job of a slow handler, however short the lock', async () => {
      await using bench = await open({ locks: { durationMs: 2000, checkMs: 400 } });
      let runs = 0;
      let ended = 0;
      const slow = async () => {
        runs += 1;
        await sleep(5000);
        ended += 1;
      };
      bench.hub.work('seal', slow, { concurrency: 2 });
      bench.hub.work('seal', slow, { concurrency: 2 });
      await bench.hub.queue('seal').add(ids(1));
      await until('it ended', () => ended === 1);
      await until('nothing is left', () => isEmpty(bench));
      assert.equal(runs, 1);
    });

    it('gives up a message whose worker vanished four times', async () => {
      await using bench = await open({ locks: { durationMs: 60, checkMs: 30 } });
      await bench.hub.queue('seal').add(ids(1));
      const deaf = Promise.withResolvers<void>();
      let runs = 0;
      for (let died = 1; died <= 4; died++) {
        const worker = bench.hub.work(
          'seal',
          async () => {
            runs += 1;
            await deaf.promise;
          },
          { concurrency: 1 },
        );
        await until(`it is taken the ${String(died)}. time`, () => runs === died);
        await worker.close({ deadlineMs: 0 });
      }
      bench.hub.work('seal', async () => void (runs += 1), { concurrency: 1 });
      await until('it is given up', () => bench.givenUp.length === 1);
      deaf.resolve();
      assert.equal(runs, 4);
      const error = bench.givenUp[0]?.error;
      assert.ok(error instanceof MugaiError && error.code === 'child-failed');
    });

    it('handles thousands of ids in bounded time', async () => {
      const many = kind === 'over Redis' ? 3000 : 20_000;
      await using bench = await open();
      let done = 0;
      await bench.hub.queue('seal').add(ids(many));
      assert.equal((await bench.hub.queue('seal').counts()).waiting, many);
      bench.hub.work('seal', async () => void (done += 1), { concurrency: 16 });
      await until('all are handled', () => done === many, 200_000);
      assert.deepEqual(bench.errors, []);
    });
  });
}

describe('Redis', { timeout: 580_000 }, () => {
  it('may be killed and come back empty: work goes on, and what was lost can be added again', async () => {
    await using redis = await startRedis();
    await using bench = await openBench(redis.url);
    const seen: MessageId[] = [];
    const gate = Promise.withResolvers<void>();
    bench.hub.work(
      'seal',
      async (id) => {
        seen.push(id);
        await gate.promise;
      },
      { concurrency: 2 },
    );
    const wanted = ids(6);
    const queue = bench.hub.queue('seal');
    await queue.add(wanted);
    await until('two are active', () => seen.length === 2);
    await redis.kill();
    await assert.rejects(queue.add(ids(1)), 'an add without Redis must say so');
    await redis.start();
    gate.resolve();
    await until('adding works again', () =>
      queue.add(wanted).then(
        () => true,
        () => false,
      ),
    );
    await until('all are handled', () => new Set(seen).size === 6);
    await until('nothing is left', () => isEmpty(bench));
    assert.deepEqual([...new Set(seen)].toSorted(), wanted.toSorted());
    assert.deepEqual(bench.givenUp, []);
  });

  it('may be gone when we stop', async () => {
    await using redis = await startRedis();
    const bench = await openBench(redis.url);
    bench.hub.work('seal', async () => undefined, { concurrency: 2 });
    await bench.hub.queue('seal').add(ids(3));
    await redis.kill();
    const from = Date.now();
    await bench.hub.close();
    assert.ok(Date.now() - from < 5000, `closed after ${String(Date.now() - from)} ms`);
  });

  it('with a password is reached with it, and refused at the start without or with a wrong one', async () => {
    await using redis = await startRedis({ password: 's%cret' });
    const bench = await openBench(`redis://:s%25cret@127.0.0.1:${String(redis.port)}/2`);
    let runs = 0;
    bench.hub.work('seal', async () => void (runs += 1), { concurrency: 1 });
    await bench.hub.queue('seal').add(ids(1));
    await until('it ran', () => runs === 1);
    await bench.hub.close();
    for (const url of [redis.url, `redis://:wrong@127.0.0.1:${String(redis.port)}`]) {
      await assert.rejects(openBench(url), (error) => {
        assert.ok(error instanceof MugaiError && error.code === 'bad-config');
        assert.match(error.message, /^MUGAI_QUEUE_URL: no usable Redis at 127\.0\.0\.1:\d+: (NOAUTH|WRONGPASS)[^\n]*$/);
        assert.doesNotMatch(error.message, /:wrong@/);
        return true;
      });
    }
  });

  it('that is not there stops the start within 5 seconds with one line', async () => {
    const redis = await startRedis();
    await redis[Symbol.asyncDispose]();
    const from = Date.now();
    await assert.rejects(openBench(redis.url), (error) => {
      assert.ok(error instanceof MugaiError && error.code === 'bad-config');
      assert.match(error.message, /^MUGAI_QUEUE_URL: no usable Redis at 127\.0\.0\.1:\d+: [^\n]*ECONNREFUSED[^\n]*$/);
      return true;
    });
    assert.ok(Date.now() - from < 5000);
  });
});

describe('MUGAI_QUEUE_URL', () => {
  const refused: readonly [why: string, url: string][] = [
    ['is no URL', 'queue.example'],
    ['has the wrong scheme', 'http://127.0.0.1:6379'],
    ['has no host', 'redis:///0'],
    ['asks for options we do not read', 'redis://127.0.0.1/0?family=6'],
    ['names no database number', 'redis://127.0.0.1/mail'],
    ['is another machine without a password', 'redis://queue.example:6379'],
    ['is another machine with a user but no password', 'redis://mugai@10.0.0.5'],
    ['only looks like loopback', 'redis://127.0.0.1.evil.example'],
    ['is IPv6 beyond loopback without a password', 'redis://[2001:db8::1]:6379'],
  ];
  for (const [why, url] of refused) {
    it(`stops the start when it ${why}`, async () => {
      await assert.rejects(openBench(url), (error) => {
        assert.ok(error instanceof MugaiError && error.code === 'bad-config');
        assert.match(error.message, /^MUGAI_QUEUE_URL: [^\n]+for example redis:\/\/[^\n]+$/);
        return true;
      });
    });
  }
});
