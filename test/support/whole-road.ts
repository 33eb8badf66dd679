// The whole road in this process, step by step as the zones run it, with failures of every kind let loose on it.
import { generateKeyPairSync } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { openJournal } from '../../src/audit/journal.ts';
import { deliver, type DeliverOutcome } from '../../src/deliver/deliver.ts';
import { folderCourier } from '../../src/deliver/folder-courier.ts';
import { Ledger } from '../../src/deliver/ledger.ts';
import { Unrecorded } from '../../src/deliver/unrecorded.ts';
import { intake } from '../../src/ingress/intake.ts';
import { MugaiError } from '../../src/message/errors.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { untrusted } from '../../src/message/untrusted.ts';
import type { MessageId } from '../../src/message/id.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { keyId } from '../../src/outbox/manifest.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import type { Policy } from '../../src/policy/policy.ts';
import type { Bounds, ChildOutcome, FrameSink, JailedChild } from '../../src/sandbox/child.ts';
import type { ChildPool } from '../../src/sandbox/pool.ts';
import { machineJail } from '../../src/sandbox/probe.ts';
import { openPools } from '../../src/sanitise/pools.ts';
import { quarantine, sanitise } from '../../src/sanitise/sanitise.ts';
import type { Pools } from '../../src/sanitise/tools.ts';
import { Signer, seal } from '../../src/seal/seal.ts';
import { Spool } from '../../src/spool/spool.ts';
import type { FaultPoint } from '../../src/store/fs-fault.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { packageFaults, originalOf } from './checker/checker.ts';
import { mailFaults } from './checker/own-mail.ts';
import { scratch } from './scratch.ts';

/** What goes wrong with a message on its way. `after`: frames, or acts of the disk, that go well before. */
export const FAILURES = [
  'none',
  'time-out', // the child is killed by the host's clock
  'crash', // the child is killed from outside, by SIGKILL
  'abort', // the child's process dies by SIGABRT
  'out-of-memory', // the child is over its resident limit and is killed
  'cut', // the child fails after some of its frames were taken
  'disk-full',
  'sync-fails',
  'stopped', // the gateway is told to stop
] as const;
export type Failure = (typeof FAILURES)[number];
export interface Injected {
  readonly failure: Failure;
  readonly after: number;
}

export interface Sent {
  readonly faults: string[];
  readonly end: string;
  /** Why parts were held or refused. */
  readonly reasons: readonly string[];
}

export interface WholeRoad extends AsyncDisposable {
  /** Children that were killed at work, so far. */
  readonly killed: number;
  /** Sends a mail down the road; every fault of what left, and how it ended. */
  send(raw: Buffer, policy: Policy, injected: Injected): Promise<Sent>;
}

export async function openWholeRoad(): Promise<WholeRoad> {
  const folder = await scratch();
  const at = (name: string): string => join(folder.path, name);
  let fault: FaultPoint = () => undefined;
  const store = async (name: string) => openFsStore(at(name), (act, path) => fault(act, path));
  const journalFault = (what: 'write' | 'sync'): void => fault(what === 'write' ? 'write' : 'fdatasync', 'journal');
  const journal = await openJournal({ root: at('journal'), zone: 'middle', keepDays: 1, fault: journalFault });
  const spool = new Spool(await store('spool'));
  const outbox = new Outbox(await store('outbox'));
  const ledger = new Ledger(await store('inner'));
  const delivered = await store('delivered');
  const pair = generateKeyPairSync('ed25519');
  const { walls } = await machineJail();
  const opened = await openPools(2, () => undefined, walls);
  const send: WholeRoad['send'] = async (raw, policy, injected) => {
    const { failure } = injected;
    const stop = new AbortController();
    const deps = {
      spool,
      policy,
      metrics: openMetrics(false),
      passwords: [],
      begin: (cap: number) => spool.begin(cap),
      version: 'test',
      pools: failingPools(opened.pools, injected, stop),
    };
    const content = spool.begin(LIMITS.messageBytes);
    for await (const chunk of Readable.from([raw])) await content.write(chunk as Buffer);
    const arrival = {
      kind: 'mail' as const,
      name: untrusted(''),
      envelope: { from: 'sender@example.com', to: ['staff@city.example.lg.jp'] },
      peer: untrusted('test'),
    };
    const spooled = await intake(arrival, content.finish(), { spool, audit: journal, onSpooled: () => undefined });
    const { id } = spooled;
    let acts = 0;
    if (failure === 'disk-full' || failure === 'sync-fails')
      fault = (act, path) => {
        const mine = failure === 'disk-full' ? act === 'write' : act !== 'write';
        if (mine && acts++ === injected.after)
          throw Object.assign(new Error(`${failure} at ${path}`), { code: 'ENOSPC' });
      };
    const { signal } = new AbortController();
    const trouble: string[] = [];
    const step = async <T>(run: () => Promise<T>, otherwise: () => Promise<T>): Promise<T> => {
      try {
        return await run();
      } catch (error) {
        if (!(error instanceof MugaiError)) throw error;
        trouble.push(error.code);
        fault = () => undefined;
        return otherwise();
      }
    };
    // As the worker does: what fails inside us is tried again, and set aside when it fails for ever.
    const sanitised = await step(
      async () => sanitise(spooled, deps, stop.signal),
      async () => quarantine(spooled, deps),
    );
    const sealDeps = { spool, outbox, signer: new Signer(pair.privateKey), audit: journal };
    const sealing = async () => seal(sanitised, sealDeps, signal);
    const sealed = await step(sealing, sealing);
    const courier = folderCourier(delivered);
    const deliverDeps = {
      outbox,
      ledger,
      keys: new Map([[keyId(pair.publicKey), pair.publicKey]]),
      courier,
      audit: journal,
      domain: 'city.example.lg.jp',
      policyFor: (envelope: Parameters<Policy['forMessage']>[0]) => {
        const { language, mailCharset, attachBytes, archives } = policy.forMessage(envelope);
        return { language, mailCharset, attachBytes, archives, keptMs: undefined };
      },
      portalUrl: 'http://portal.example',
      unrecorded: new Unrecorded<DeliverOutcome>(),
      giveUpMs: LIMITS.giveUpMs,
      triedMs: () => 0,
      steadyNow: () => Date.now(),
      onGateRefusal: (_id: string, refusal: Error) => void trouble.push(`gate: ${refusal.message}`),
    };
    const delivering = async () => deliver(sealed, deliverDeps, signal);
    const outcome = await step(delivering, delivering);
    fault = () => undefined;
    const faults = [...(await leftBehind(folder.path, id, raw)), ...trouble.filter((one) => one.startsWith('gate'))];
    const end = outcome.kind === 'ended' ? outcome.delivered.record.stage : outcome.kind;
    const reasons = [...new Set(sanitised.record.parts.flatMap(({ reason }) => reason ?? []))].toSorted();
    const after = trouble.length > 0 ? ` after ${trouble.join(', ')}` : '';
    return { faults, end: `${sanitised.record.state} ${end}${after}`, reasons };
  };
  return {
    send,
    get killed() {
      return kills;
    },
    [Symbol.asyncDispose]: async () => {
      await opened.close();
      await journal.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Everything of a message outside the spool, through the checker: its package, its mail, its records, its journal lines. */
async function leftBehind(root: string, id: MessageId, raw: Buffer): Promise<string[]> {
  const faults: string[] = [];
  const original = originalOf(raw);
  let packages = 0;
  for (const zone of ['outbox', 'inner', 'delivered', 'journal']) {
    for (const entry of await readdir(join(root, zone), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isDirectory() && entry.name === id && zone === 'outbox') {
        packages += 1;
        faults.push(...(await packageFaults(path, raw)));
      } else if (entry.isFile() && entry.name === `${id}.eml`)
        faults.push(...mailFaults(await readFile(path), original));
      else if (entry.isFile() && /\.jsonl?$/.test(entry.name) && (zone !== 'outbox' || path.includes(id)))
        faults.push(...original.inText(await readFile(path), `${zone} ${entry.name}`));
    }
  }
  if (packages !== 1) faults.push(`${packages} packages of ${id}`);
  return faults;
}

/** The pools with children that fail as told. */
function failingPools(pools: Pools, injected: Injected, stop: AbortController): Pools {
  return Object.fromEntries(
    Object.entries(pools).map(([name, pool]) => [name, failingPool(pool, injected, stop)]),
  ) as unknown as Pools;
}

function failingPool(pool: ChildPool, injected: Injected, stop: AbortController): ChildPool {
  const family = pool.family as { rssLimit: number };
  const { rssLimit } = family;
  const use: ChildPool['use'] = async (signal, work, fresh) =>
    pool.use(
      signal,
      async (child) => {
        if (injected.failure === 'out-of-memory') family.rssLimit = 1; // a child that is up is over it at the next look
        try {
          return await work(failingChild(child, injected, stop));
        } finally {
          family.rssLimit = rssLimit;
        }
      },
      fresh,
    );
  return new Proxy(pool, { get: (target, key) => (key === 'use' ? use : bound(target, key)) });
}

/** Longer than the longest deadline below and the time between two looks. */
const SLOW_MS = 3 * LIMITS.memoryPollMs;

function failingChild(child: JailedChild, { failure, after }: Injected, stop: AbortController): JailedChild {
  let frames = 0;
  const run: JailedChild['run'] = async (request, input, sink, bounds) => {
    const failing: FrameSink = async (frame) => {
      if (frames++ === after) {
        if (failure === 'crash') killAll(child.pid, 'SIGKILL');
        if (failure === 'abort') killAll(child.pid, 'SIGABRT');
        // On a quick machine an input is done before the host looks at the clock, or hears of a death.
        if (failure === 'time-out' || failure === 'abort') await delay(SLOW_MS);
        if (failure === 'stopped') stop.abort(new MugaiError('signal', 'stopping'));
      }
      if (failure === 'cut' && frames > after) return;
      await sink(frame);
    };
    const short: Bounds =
      failure === 'time-out' ? { ...bounds, deadlineMs: 1 + 20 * after, totalMs: 1 + 20 * after } : bounds;
    const { whole: _whole, ...unchecked } = short;
    const outcome = await child.run(request, input, failing, failure === 'cut' ? unchecked : short);
    const cut: ChildOutcome = { kind: 'failed', reason: 'converter-failed', detail: 'cut', spoilt: false };
    return failure === 'cut' && frames > after ? cut : outcome;
  };
  return new Proxy(child, { get: (target, key) => (key === 'run' ? run : bound(target, key)) });
}

let kills = 0;

/** Kills a child of ours: the leader of its process group. */
function killAll(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
    kills += 1;
  } catch {
    // It has gone meanwhile: that is what was wanted.
  }
}

function bound(target: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(target, key, target);
  return typeof value === 'function' ? (value.bind(target) as unknown) : value;
}
