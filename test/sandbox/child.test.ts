// One child, directly: whatever it does, its outcome is clear, nothing of it lives on, and nothing it says after its end is heard.
// test/sandbox/hostile.test.ts takes the same lies through the readers and the road.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../../src/message/limits.ts';
import { JailedChild, type Bounds, type ChildOutcome } from '../../src/sandbox/child.ts';
import { FAMILIES, type Family } from '../../src/sandbox/families.ts';
import { FRAME, OPERATION } from '../../src/sandbox/wire.ts';
import { until } from '../support/scratch.ts';
import { ATTACKS } from './hostile-worker.ts';

const MIB = 1024 * 1024;
const HOSTILE: Family = {
  ...FAMILIES.mail,
  entry: fileURLToPath(new URL('./hostile-worker.ts', import.meta.url)),
  readable: ['test/sandbox/hostile-worker.ts'],
  heapMiB: 64,
  rssLimit: 300 * MIB,
};
/** Of what only its deadline ends. Whatever else ends has the time that a busy machine needs for it. */
const DEADLINE_MS = 1500;
const PATIENCE_MS = 30_000;
const never = new AbortController().signal;

interface Ran {
  readonly outcome: ChildOutcome;
  /** Types of the frames that were heard. */
  readonly heard: readonly number[];
}

async function run(
  child: JailedChild,
  name: string,
  { family = 'mail', input = Buffer.from('x'), ...more }: Partial<Bounds> & { family?: string; input?: Buffer } = {},
): Promise<Ran> {
  const heard: number[] = [];
  const request = { operation: OPERATION.convert, dpi: 0, maxPages: 0, declaredType: family, name, password: '' };
  const bounds = { deadlineMs: PATIENCE_MS, totalMs: PATIENCE_MS, signal: never, ...more };
  const outcome = await child.run(request, input, ({ type }) => void heard.push(type), bounds);
  return { outcome, heard };
}

const start = async (family: Family = HOSTILE, kills: string[] = []): Promise<JailedChild> =>
  JailedChild.start(family, (_name, cause) => void kills.push(cause));
const isGone = (pid: number | undefined): boolean => !existsSync(`/proc/${pid}`);

/** How the lies end that are not `converter-failed`. `done`: the answer stood before the lie. */
const ENDS: { readonly [name: string]: string } = {
  'half a frame, then silence': 'timeout',
  silence: 'timeout',
  'a busy loop': 'timeout',
  'a busy loop that ignores SIGTERM': 'timeout',
  'an abort': 'out-of-memory',
  'a heap without end': 'out-of-memory',
  'memory outside the heap without end': 'out-of-memory',
  'a remark that is not UTF-8': 'timeout', // frames are the sink's to judge, and this sink takes all of them
  'a remark with a code that is none': 'timeout',
  'a frame of the host': 'timeout',
  'frame type 0': 'timeout',
  'frame type 255': 'timeout',
  'ready once more': 'timeout',
  'the end, and exits at once': 'done',
  'the end, and exits late': 'done',
  'the end, and dies of it': 'done',
  'the end, and eats memory': 'done',
  'the end twice': 'done',
  'a frame after the end': 'done',
  'a frame long after the end': 'done',
};

/** A lie that shows when the next input is opened. */
const FOR_NEXT = 'the end, and words for the next input';

/** Most of a lie's time is waiting for its deadline. */
describe('a child alone', { concurrency: 4 }, () => {
  let honest: JailedChild;
  let turn: Promise<unknown> = Promise.resolve();
  before(async () => {
    honest = await start();
  });
  after(async () => honest.stop());
  /** An honest input in a child of its own, one after the other. */
  const passes = async (): Promise<Ran> => {
    const mine = turn.then(async () => run(honest, 'honest'));
    turn = mine;
    return mine;
  };

  for (const name of ATTACKS.any.filter((one) => one !== FOR_NEXT)) {
    it(`that does ${name} has one clear end, is never used again, and is gone; another passes meanwhile`, async () => {
      const child = await start();
      const ms = ENDS[name] === 'timeout' || name === 'remarks without end' ? DEADLINE_MS : PATIENCE_MS;
      const [{ outcome, heard }, beside] = await Promise.all([
        run(child, name, { deadlineMs: ms, totalMs: ms }),
        passes(),
      ]);
      assert.equal(beside.outcome.kind, 'done');
      const end = outcome.kind === 'done' ? 'done' : outcome.reason;
      // Whether their number or the time stops small frames depends on the machine.
      const either = name === 'remarks without end' && end === 'timeout';
      if (!either) assert.equal(end, ENDS[name] ?? 'converter-failed', JSON.stringify(outcome));
      assert.ok(outcome.kind !== 'failed' || !outcome.spoilt, 'its first input: nothing before is to blame');
      await until(() => !child.usable && isGone(child.pid), 60_000, 'it is gone');
      if (end === 'done') assert.deepEqual(heard, [], 'nothing after the end was heard');
      await assert.rejects(run(child, 'honest'), /taken twice/);
      await child.stop();
    });
  }

  it(`that does ${FOR_NEXT} is found out by that one, which hears none of them`, async () => {
    const child = await start();
    const first = await run(child, FOR_NEXT);
    assert.equal(first.outcome.kind, 'done');
    const next = await run(child, 'honest');
    assert.equal(next.outcome.kind === 'failed' ? next.outcome.reason : 'done', 'converter-failed');
    assert.deepEqual([...first.heard, ...next.heard], []);
    await until(() => !child.usable && isGone(child.pid), 60_000, 'it is gone');
    await child.stop();
  });

  it('takes one input at a time', async () => {
    const child = await start();
    const first = run(child, 'milliseconds 300', { family: 'text' });
    await assert.rejects(run(child, 'honest'), /taken twice/);
    assert.equal((await first).outcome.kind, 'done');
    assert.equal((await run(child, 'honest')).outcome.kind, 'done');
    await child.stop();
  });

  it('that failed in its second input and gave nothing of it is said to be spoilt: a first input may be to blame', async () => {
    for (const how of ['exit 1', 'an abort']) {
      const child = await start();
      assert.equal((await run(child, 'honest')).outcome.kind, 'done');
      const { outcome } = await run(child, how);
      assert.ok(outcome.kind === 'failed' && outcome.spoilt, how);
      await child.stop();
    }
  });

  it('whose input the host stops is killed at once', async () => {
    const child = await start();
    const stop = new AbortController();
    const running = run(child, 'a busy loop', { signal: stop.signal, deadlineMs: 60_000, totalMs: 60_000 });
    const asked = performance.now();
    stop.abort();
    assert.equal((await running).outcome.kind, 'failed');
    assert.ok(performance.now() - asked < 10_000);
    await until(() => isGone(child.pid), 60_000, 'it is gone');
  });

  it('that is killed by somebody else says so: its input is not to blame', async () => {
    const child = await start();
    const running = run(child, 'silence', { deadlineMs: 30_000, totalMs: 30_000 });
    setTimeout(() => process.kill(child.pid ?? 0, 'SIGKILL'), 200);
    const { outcome } = await running;
    assert.ok(outcome.kind === 'failed' && outcome.outside === true, JSON.stringify(outcome));
  });

  it('that is killed by somebody else in the middle of a frame is no liar', async () => {
    for (let round = 0; round < 3; round++) {
      const child = await start();
      const running = run(child, 'half a frame, then silence', { deadlineMs: 30_000, totalMs: 30_000 });
      setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 300);
      const { outcome } = await running;
      assert.ok(outcome.kind === 'failed' && outcome.outside === true, JSON.stringify(outcome));
    }
  });

  it('whose end comes while a frame of its is taken is over only when that was taken', async () => {
    const child = await start();
    let taken = 0;
    const request = {
      operation: OPERATION.convert,
      dpi: 0,
      maxPages: 0,
      declaredType: 'mail',
      name: 'honest',
      password: '',
    };
    const slow = async (): Promise<void> => {
      if (taken === 0) process.kill(-(child.pid ?? 0), 'SIGKILL');
      await sleep(2 * LIMITS.sweepMs);
      taken += 1;
    };
    const bounds = { deadlineMs: 30_000, totalMs: 30_000, signal: never };
    const outcome = await child.run(request, Buffer.from('x'), slow, bounds);
    assert.equal(outcome.kind, 'failed');
    assert.equal(taken, 1);
  });

  it('that has ended is not killed again by its number, which may be another’s', async (context) => {
    const child = await start();
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await until(() => !child.usable && isGone(child.pid), 60_000, 'it is gone');
    await sleep(2 * LIMITS.sweepMs);
    const kill = context.mock.method(process, 'kill');
    await child.stop();
    assert.deepEqual(
      kill.mock.calls.map(({ arguments: said }) => said),
      [],
    );
  });

  it('a fault of ours while its frames are taken is thrown to us, and the child ends', async () => {
    const child = await start();
    const request = {
      operation: OPERATION.convert,
      dpi: 0,
      maxPages: 0,
      declaredType: 'mail',
      name: 'honest',
      password: '',
    };
    const fault = new TypeError('ours');
    const bounds = { deadlineMs: 20_000, totalMs: 20_000, signal: never };
    const throwing = (): never => {
      throw fault;
    };
    await assert.rejects(child.run(request, Buffer.from('x'), throwing, bounds), fault);
    await until(() => isGone(child.pid), 60_000, 'it is gone');
  });

  it('an input that cannot be read to its end is thrown to us, and the child ends', async () => {
    const child = await start();
    const request = {
      operation: OPERATION.convert,
      dpi: 0,
      maxPages: 0,
      declaredType: 'mail',
      name: 'honest',
      password: '',
    };
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x');
      throw new TypeError('disk');
    }
    const bounds = { deadlineMs: 20_000, totalMs: 20_000, signal: never };
    await assert.rejects(
      child.run(request, broken(), () => undefined, bounds),
      /disk/,
    );
    await until(() => isGone(child.pid), 60_000, 'it is gone');
  });
});

describe('the life of a child', () => {
  it('limits messagesPerChild and documentsPerChild: it is used so often, and not once more', async () => {
    for (const [name, most] of [
      ['mail', LIMITS.messagesPerChild],
      ['text', LIMITS.messagesPerChild],
      ['pdf', LIMITS.documentsPerChild],
      ['archive', LIMITS.documentsPerChild],
      ['image', 1],
      ['office', 1],
      ['office-wasm', 1],
    ] as const)
      assert.equal(FAMILIES[name].inputsPerChild, most, name);
    const child = await start({ ...HOSTILE, inputsPerChild: 3 });
    for (let input = 0; input < 3; input++) assert.equal((await run(child, 'honest')).outcome.kind, 'done');
    assert.equal(child.usable, false);
    await assert.rejects(run(child, 'honest'), /taken twice/);
    await child.stop();
  });

  it('limit childBusyMs: it is used no more when it has worked for so long', async () => {
    const child = await start({ ...HOSTILE, busyMs: 2000 });
    assert.equal((await run(child, 'honest')).outcome.kind, 'done');
    assert.equal(child.usable, true);
    assert.equal((await run(child, 'milliseconds 2200', { family: 'text' })).outcome.kind, 'done');
    assert.equal(child.usable, false);
    await child.stop();
    assert.equal(FAMILIES.mail.busyMs, LIMITS.childBusyMs);
  });

  it('limit idlePollMs: one that grows after its end, while it has no input, is found and killed', async () => {
    const kills: string[] = [];
    const child = await start(HOSTILE, kills);
    assert.equal((await run(child, 'the end, and eats memory')).outcome.kind, 'done');
    await until(() => isGone(child.pid), 60_000, 'it is gone');
    assert.deepEqual(kills, ['out-of-memory']);
    assert.equal(child.usable, false);
  });

  it('limit stderrBytes: of what it writes to stderr the start is kept, cleaned', async () => {
    const child = await start();
    await run(child, `stderr ${LIMITS.stderrMost - 1}`, { family: 'text' });
    assert.equal(child.stderr.length <= LIMITS.stderrBytes, true, `${child.stderr.length}`);
    assert.match(child.stderr, /^A+/);
    await child.stop();
  });

  it('a child that ends before it is ready, and one that says something else first, is an error with its words', async () => {
    for (const more of [{ readable: [] }, { nodeFlags: ['--no-such-flag'] }])
      await assert.rejects(start({ ...HOSTILE, ...more }), /mail child did not start: /);
  });

  it('limits parseBaseMs, parsePerMiBMs, pageMs and documentMs: a long input has its time, progress earns more, a total ends it', async () => {
    const child = await start();
    // 10 × 200 ms, each within its deadline and each proven: longer than one deadline, within the total that grows.
    let heard = 0;
    const request = {
      operation: OPERATION.convert,
      dpi: 0,
      maxPages: 0,
      declaredType: 'text',
      name: 'ticks 10',
      password: '',
    };
    const tick = (): void => {
      heard += 1;
      child.touch(1500, 250);
    };
    const outcome = await child.run(request, Buffer.from('x'), tick, {
      deadlineMs: 1500,
      totalMs: 1500,
      signal: never,
    });
    assert.deepEqual([outcome.kind, heard], ['done', 10]);
    // The same without what progress earns: the total ends it, however often it moves.
    const slow = await child.run({ ...request, name: 'ticks 1000' }, Buffer.from('x'), () => child.touch(1500), {
      deadlineMs: 1500,
      totalMs: 2000,
      signal: never,
    });
    assert.ok(slow.kind === 'failed' && slow.reason === 'timeout');
  });
});

it('frames are heard in their order, between open and done, and no other', async () => {
  const child = await start();
  const { heard } = await run(child, 'honest');
  assert.deepEqual(heard, [FRAME.header, FRAME.part, FRAME.text, FRAME.partEnd]);
  await child.stop();
});
