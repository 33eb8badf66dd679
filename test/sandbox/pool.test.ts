// Children in a pool: a liar costs its own input and nobody else's, places are handed on in order, and nothing outlives the pool.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MugaiError } from '../../src/message/errors.ts';
import type { ChildOutcome, JailedChild } from '../../src/sandbox/child.ts';
import { FAMILIES, type Family } from '../../src/sandbox/families.ts';
import { ChildPool, type PoolSize } from '../../src/sandbox/pool.ts';
import { OPERATION } from '../../src/sandbox/wire.ts';
import { until } from '../support/scratch.ts';
import { ATTACKS } from './hostile-worker.ts';

const HOSTILE: Family = {
  ...FAMILIES.mail,
  entry: fileURLToPath(new URL('./hostile-worker.ts', import.meta.url)),
  readable: ['test/sandbox/hostile-worker.ts'],
  heapMiB: 64,
  rssLimit: 300 * 1024 * 1024,
};
const never = new AbortController().signal;
const isGone = (pid: number): boolean => !existsSync(`/proc/${pid}`);

/** A pool that notes every child it lent. */
function watched(size: PoolSize, family: Family = HOSTILE) {
  const pool = new ChildPool(family, size, () => undefined);
  const pids = new Set<number>();
  const use = async (name: string, ms = 30_000, signal = never, fresh = false): Promise<ChildOutcome> => {
    const work = async (child: JailedChild): Promise<ChildOutcome> => {
      pids.add(child.pid ?? 0);
      const request = { operation: OPERATION.convert, dpi: 0, maxPages: 0, declaredType: 'mail', name, password: '' };
      const bounds = { deadlineMs: ms, totalMs: ms, signal: never };
      return child.run(request, Buffer.from('x'), () => undefined, bounds);
    };
    return pool.use(signal, work, fresh);
  };
  return { pool, pids, use, [Symbol.asyncDispose]: async () => pool[Symbol.asyncDispose]() };
}

describe('a pool', () => {
  it('has a spare again after its only child was killed at work, or died idle', async () => {
    await using held = watched({ most: 1, warm: 1 });
    const { pool, pids, use } = held;
    await pool.warm();
    await pool.use(never, async (child) => child.stop());
    await until(() => pool.free.ready, 60_000, 'a spare');
    assert.equal((await use('honest')).kind, 'done');
    process.kill(-([...pids].at(-1) ?? 0), 'SIGKILL');
    await until(() => !pool.free.ready, 60_000, 'the pool knows');
    assert.equal((await use('honest')).kind, 'done');
    await until(() => pool.free.ready, 60_000, 'a spare');
  });

  it('tells that no child can be started for want of descriptors, and goes on when there are some', async () => {
    const code = `
      const { ChildPool } = await import(${JSON.stringify(new URL('../../src/sandbox/pool.ts', import.meta.url).href)});
      const { FAMILIES } = await import(${JSON.stringify(new URL('../../src/sandbox/families.ts', import.meta.url).href)});
      const { machineJail } = await import(${JSON.stringify(new URL('../../src/sandbox/probe.ts', import.meta.url).href)});
      const { openSync, closeSync } = await import('node:fs');
      const { walls } = await machineJail();
      const pool = new ChildPool(FAMILIES.text, { most: 1, warm: 0 }, () => undefined, walls);
      const open = [];
      for (;;) try { open.push(openSync('/dev/null')); } catch { break; }
      for (let nth = 0; nth < 3; nth++) closeSync(open.pop());
      const { signal } = new AbortController();
      const first = await pool.use(signal, async () => 'started').catch((error) => error.code);
      for (const fd of open) closeSync(fd);
      const second = await pool.use(signal, async () => 'started').catch((error) => error.code);
      await pool[Symbol.asyncDispose]();
      process.stdout.write([first, second].join(' '));
    `;
    const args = ['--nofile=128', process.execPath, '--input-type=module', '-e', code];
    const { stdout } = await promisify(execFile)('prlimit', args, { timeout: 580_000 });
    assert.equal(stdout, 'no-child started');
  });

  it('goes on after every kind of liar: each next input passes, and no liar is lent again or lives on', async () => {
    await using held = watched({ most: 4, warm: 1 });
    const { pool, pids, use } = held;
    await pool.warm();
    const liars = ATTACKS.any.values();
    /** One liar after the other, each followed by an honest input; three such lanes at once. */
    const lane = async (): Promise<void> => {
      for (const name of liars) {
        const lied = await use(name, /heap|memory/.test(name) ? 30_000 : 1500);
        assert.ok(lied.kind === 'failed' || name.startsWith('the end') || name.startsWith('a frame'), name);
        // A liar that says it is done and dies a moment later is lent once more: that input is told to be innocent.
        let next = await use('honest');
        if (next.kind === 'failed' && next.spoilt) next = await use('honest', 30_000, never, true);
        assert.equal(next.kind, 'done', name);
      }
    };
    await Promise.all([lane(), lane(), lane()]);
    assert.deepEqual(pool.free.places, 4);
    await pool[Symbol.asyncDispose]();
    await until(() => [...pids].every(isGone), 60_000, 'all are gone');
    assert.ok(pids.size > ATTACKS.any.length / 2);
  });

  it('lends no more children than it may, hands places on in the order of asking, and forgets who gave up', async () => {
    await using held = watched({ most: 1, warm: 1 });
    const { pool } = held;
    await pool.warm();
    const order: string[] = [];
    const hold = Promise.withResolvers<void>();
    const first = pool.use(never, async () => hold.promise);
    const gone = new AbortController();
    const leaving = assert.rejects(
      pool.use(gone.signal, async () => void order.push('who gave up')),
      /gave up/,
    );
    const others = ['second', 'third'].map(async (name) => pool.use(never, async () => void order.push(name)));
    assert.deepEqual([pool.free, pool.crowded], [{ places: 0, ready: false }, true]);
    gone.abort(new Error('gave up'));
    await leaving;
    hold.resolve();
    await Promise.all([first, ...others]);
    assert.deepEqual(order, ['second', 'third']);
    assert.deepEqual([pool.free.places, pool.crowded], [1, false]);
  });

  it('gets its place back when the work throws, and when no child starts', async () => {
    await using held = watched({ most: 1, warm: 1 });
    const { pool, use } = held;
    await assert.rejects(
      pool.use(never, async () => {
        throw new TypeError('ours');
      }),
      /ours/,
    );
    assert.equal((await use('honest')).kind, 'done');
    await using broken = new ChildPool({ ...HOSTILE, readable: [] }, { most: 1, warm: 1 }, () => undefined);
    for (let i = 0; i < 2; i++)
      await assert.rejects(
        broken.use(never, async () => undefined),
        (error) => error instanceof MugaiError && error.code === 'no-child',
      );
    assert.equal(broken.free.places, 1);
  });

  it('replaces a child that has had its inputs, and lends one of single use once', async () => {
    for (const [inputsPerChild, children] of [
      [1, 4],
      [2, 2],
      [100, 1],
    ] as const) {
      await using held = watched({ most: 1, warm: 1 }, { ...HOSTILE, inputsPerChild });
      const { pool, pids, use } = held;
      await pool.warm();
      for (let input = 0; input < 4; input++) assert.equal((await use('honest')).kind, 'done');
      assert.equal(pids.size, children, `${inputsPerChild} inputs a child`);
    }
  });

  it('starts the next child of single use while one works: nobody waits for a start', async () => {
    await using held = watched({ most: 2, warm: 1 }, { ...HOSTILE, inputsPerChild: 1 });
    const { pool } = held;
    await pool.warm();
    await pool.use(never, async (child) => {
      await until(() => pool.free.ready, 60_000, 'a spare is ready');
      assert.ok(child.fresh);
    });
  });

  it('drops a child that died while nobody had it', async () => {
    await using held = watched({ most: 1, warm: 1 });
    const { pool, use } = held;
    let idle: JailedChild | undefined;
    await pool.use(never, async (child) => void (idle = child));
    process.kill(-(idle?.pid ?? 0), 'SIGKILL');
    await until(() => idle?.usable === false, 60_000, 'it is gone');
    assert.equal(pool.free.ready, false);
    assert.equal((await use('honest')).kind, 'done');
  });

  it('that closes ends the children at work, turns away who waits, and starts no other', async () => {
    const { pool, pids, use } = watched({ most: 1, warm: 1 });
    await pool.warm();
    const working = use('silence');
    await until(() => pids.size === 1, 60_000, 'it works');
    const waiting = assert.rejects(use('honest'), /closed/);
    await pool[Symbol.asyncDispose]();
    assert.equal((await working).kind, 'failed');
    await waiting;
    await assert.rejects(use('honest'), /closed/);
    await sleep(200);
    await until(() => [...pids].every(isGone), 60_000, 'all are gone');
  });
});
