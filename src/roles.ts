// Roles: which rooms run in a process, and how the steps are joined. No step calls the next; this file does.
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { Lifecycle } from './lifecycle.ts';
import { MugaiError, reasonOf } from './message/errors.ts';
import { LIMITS } from './message/limits.ts';
import type { MessageId } from './message/id.ts';
import type { Sanitised } from './message/stages.ts';
import { openFsStore, type FaultPoint } from './store/fs-store.ts';
import type { Store } from './store/store.ts';
import { Spool } from './spool/spool.ts';
import { Outbox } from './outbox/outbox.ts';
import { anyKey, generateKeys, loadPrivateKey, loadPublicKeys } from './outbox/keys.ts';
import { openQueues, RetryLater, type QueueHub, type StepName } from './queue/queues.ts';
import { builtInPolicy, loadPolicy } from './policy/policy.ts';
import { openPools } from './sanitise/pools.ts';
import { quarantine, sanitise } from './sanitise/sanitise.ts';
import { Signer, seal } from './seal/seal.ts';
import { deliver } from './deliver/deliver.ts';
import { Ledger } from './deliver/ledger.ts';
import { folderCourier } from './deliver/folder-courier.ts';
import { smtpCourier } from './deliver/smtp-courier.ts';
import { openHttpDoor } from './ingress/http-door.ts';
import { openSmtpDoor } from './ingress/smtp-door.ts';
import { openOps, type Check } from './ops/health.ts';
import type { Log } from './ops/log.ts';
import { openMetrics, type Metrics } from './ops/metrics.ts';
import { VERSION } from './version.ts';

export const ROLES = ['all', 'ingress', 'worker', 'inner'] as const;
export type Role = (typeof ROLES)[number];

/** What happened to a message, for those who watch (the demo's table). */
export interface Event {
  readonly id: MessageId;
  readonly step: 'spooled' | StepName;
  readonly outcome: string;
}

export interface Gateway {
  readonly smtpPort: number | undefined;
  readonly uploadPort: number | undefined;
  readonly opsPort: number;
  readonly spool: Spool | undefined;
  readonly outbox: Outbox | undefined;
  readonly ledger: Ledger | undefined;
  stop(): Promise<void>;
}

/** What tests and the demo may replace or watch. */
export interface Hooks {
  readonly fault?: FaultPoint;
  readonly onEvent?: (event: Event) => void;
}

const SCAN_MS = 60_000;
/** Where the next step is in another process, its work is found by scanning: often, while there is no queue between. */
const SCAN_APART_MS = 1000;
const SCAN_MOST = 20_000;
/** Longest wait between two attempts to deliver: RFC 5321 §4.5.4.1 asks for at least one each half hour or so. */
const LONGEST_RETRY_MS = 30 * 60_000;

/** Starts the rooms of a role. On any failure what was started is stopped again and the error is thrown. */
export async function startGateway(role: Role, config: Config, log: Log, hooks: Hooks = {}): Promise<Gateway> {
  const life = new Lifecycle(log);
  try {
    return await start(role, config, log, hooks, life);
  } catch (error) {
    await life.stop();
    throw error;
  }
}

async function start(role: Role, config: Config, log: Log, hooks: Hooks, life: Lifecycle): Promise<Gateway> {
  const runs = (one: Role): boolean => role === 'all' || role === one;
  const metrics = openMetrics(true);
  const checks: Check[] = [];
  if (runs('worker') || runs('inner')) await ensureKeys(config, runs('worker'), log);
  const signingKey = runs('worker') ? await loadPrivateKey(config.signingKeyFile) : undefined;
  const verifyKeys = runs('inner') ? await loadPublicKeys(config.verifyKeyFile) : undefined;

  const openStore = async (name: string) => openFsStore(join(config.dataDir, name), hooks.fault);
  const spool = runs('ingress') || runs('worker') ? new Spool(await openStore('spool')) : undefined;
  const outbox = runs('worker') || runs('inner') ? new Outbox(await openStore('outbox')) : undefined;
  const ledger = runs('inner') ? new Ledger(await openStore('inner')) : undefined;

  // The inner side finds its work in the outbox; only in one process is it told of it.
  const road = new Road(
    metrics,
    log,
    runs('inner') ? ['sanitise', 'seal', 'deliver'] : ['sanitise', 'seal'],
    hooks.onEvent,
  );
  if (role !== 'ingress' || config.queueUrl !== undefined) {
    // The inner side has a queue of its own: the middle's Redis is out of its reach.
    const url = role === 'inner' ? undefined : config.queueUrl;
    road.hub = await openQueues({
      url,
      attempts: LIMITS.attempts,
      onError: (error, where) =>
        log.warn({ ...where, error: reasonOf(error) }, where.id === undefined ? 'queue' : 'attempt failed'),
      onExhausted: async (step, id, error) => {
        log.error({ step, id, error: reasonOf(error) }, 'given up; what can be tried again is found by the scan');
        if (step === 'sanitise') await road.onUnsanitisable?.(id);
      },
    });
    const { hub } = road;
    life.started('queues', async () => hub.close());
    checks.push({
      name: 'queue',
      run: async () => {
        await hub.queue('sanitise').counts();
        return undefined;
      },
    });
  }

  if (verifyKeys !== undefined && outbox !== undefined && ledger !== undefined) {
    await startInner(role, config, log, life, road, { outbox, ledger, keys: verifyKeys, openStore });
  }
  if (signingKey !== undefined && spool !== undefined && outbox !== undefined) {
    await startWorker(role, config, log, life, road, { spool, outbox, signer: new Signer(signingKey) });
  }
  const doors = runs('ingress') && spool !== undefined ? await startIngress(config, log, life, road, spool) : undefined;

  if (spool !== undefined) checks.push({ name: 'spool', run: async () => diskFault(await spool.freeBytes()) });
  if (outbox !== undefined) checks.push({ name: 'outbox', run: async () => diskFault(await outbox.freeBytes()) });
  const ops = await openOps(config.opsListen, metrics, checks, async () => {
    for (const [name, place] of [
      ['spool', spool],
      ['outbox', outbox],
    ] as const) {
      const free = await place?.freeBytes();
      if (free !== undefined) metrics.diskFree.set({ store: name }, free);
    }
    await road.countJobs();
  }).catch((error: unknown) => {
    throw new MugaiError(
      'port-in-use',
      `operations port ${config.opsListen.host}:${config.opsListen.port} cannot be opened: ${reasonOf(error)}`,
      {
        permanent: true,
        cause: error,
      },
    );
  });
  life.started('operations', async () => ops.close());
  return {
    smtpPort: doors?.smtp.port,
    uploadPort: doors?.http.port,
    opsPort: ops.port,
    spool,
    outbox,
    ledger,
    stop: async () => life.stop(),
  };
}

/** The joints of the road: what is added to which queue when a step is done, counted and told. */
class Road {
  readonly metrics: Metrics;
  readonly log: Log;
  readonly #onEvent: ((event: Event) => void) | undefined;
  /** Steps whose workers this process's queues reach. */
  readonly #steps: readonly StepName[];
  hub: QueueHub | undefined;
  /** Ends a message that failed in every attempt to sanitise it. */
  onUnsanitisable: ((id: MessageId) => Promise<void>) | undefined;

  constructor(metrics: Metrics, log: Log, steps: readonly StepName[], onEvent: ((event: Event) => void) | undefined) {
    this.metrics = metrics;
    this.log = log;
    this.#steps = steps;
    this.#onEvent = onEvent;
  }

  /** Says that a message is ready for a step. A lost add is found by the scan. */
  next(step: StepName, ids: readonly MessageId[]): void {
    if (this.hub === undefined || ids.length === 0 || !this.#steps.includes(step)) return;
    this.hub
      .queue(step)
      .add(ids)
      .catch((error: unknown) => this.log.error({ step, error: reasonOf(error) }, 'not queued, the scan will find it'));
  }

  done(id: MessageId, step: Event['step'], outcome: string): void {
    this.metrics.messages.inc({ stage: step, outcome });
    this.log.info({ id, step, outcome }, 'message');
    this.#onEvent?.({ id, step, outcome });
  }

  async timed<T>(step: StepName, run: () => Promise<T>): Promise<T> {
    const end = this.metrics.stepSeconds.startTimer({ step });
    try {
      return await run();
    } finally {
      end();
    }
  }

  async countJobs(): Promise<void> {
    if (this.hub === undefined) return;
    for (const step of this.#steps) {
      const queue = this.hub.queue(step);
      for (const [state, count] of Object.entries(await queue.counts()))
        this.metrics.queueJobs.set({ queue: step, state }, count);
      this.metrics.oldestWaiting.set({ queue: step }, (await queue.oldestWaitingMs()) / 1000);
    }
  }
}

async function startIngress(config: Config, log: Log, life: Lifecycle, road: Road, spool: Spool) {
  const deps = {
    spool,
    log,
    metrics: road.metrics,
    domains: new Set(config.domains),
    hostname: config.domains[0] ?? 'localhost',
    onSpooled: ({ id }: { readonly id: MessageId }) => {
      road.done(id, 'spooled', 'ok');
      road.next('sanitise', [id]);
    },
  };
  const stopMs = config.stopSeconds * 1000;
  const smtp = await openSmtpDoor(config.smtpListen, deps);
  life.started('SMTP door', async () => smtp.close(stopMs));
  const http = await openHttpDoor(config.uploadListen, deps);
  life.started('HTTP door', async () => http.close(stopMs));
  return { smtp, http };
}

interface Middle {
  readonly spool: Spool;
  readonly outbox: Outbox;
  readonly signer: Signer;
}

async function startWorker(
  role: Role,
  config: Config,
  log: Log,
  life: Lifecycle,
  road: Road,
  { spool, outbox, signer }: Middle,
): Promise<void> {
  const { hub } = road;
  if (hub === undefined) throw new TypeError('a worker has queues');
  const policy = config.policyFile === undefined ? builtInPolicy() : await loadPolicy(config.policyFile);
  const pools = await openPools(config.workers, (family, cause) => {
    road.metrics.jailKills.inc({ worker: family, cause });
    log.warn({ family, cause }, 'child killed');
  });
  life.started('children', async () => pools.close());
  const deps = {
    spool,
    pools: pools.pools,
    policy,
    metrics: road.metrics,
    passwords: [],
    begin: (cap: number) => spool.begin(cap),
    version: VERSION,
  };
  const stopMs = config.stopSeconds * 1000;

  road.onUnsanitisable = async (id) => {
    const spooled = await spool.spooled(id);
    if (spooled === undefined) return;
    await quarantine(spooled, deps);
    road.done(id, 'sanitise', 'quarantined');
    road.next('seal', [id]);
  };
  const sealNow = async (sanitised: Sanitised, signal: AbortSignal): Promise<void> => {
    await road.timed('seal', async () => seal(sanitised, { spool, outbox, signer }, signal));
    road.done(sanitised.id, 'seal', 'ok');
    road.next('deliver', [sanitised.id]);
  };
  const sanitiser = hub.work(
    'sanitise',
    async (id, _attempt, signal) => {
      const spooled = await spool.spooled(id);
      if (spooled === undefined) return; // deleted meanwhile
      const sanitised = await road.timed('sanitise', async () => sanitise(spooled, deps, signal));
      road.done(id, 'sanitise', sanitised.record.state);
      // Sealing follows at once, without a turn in a queue; what fails there is tried again by its own queue's rules.
      await sealNow(sanitised, signal).catch((error: unknown) => {
        log.warn({ id, step: 'seal', error: reasonOf(error) }, 'attempt failed');
        road.next('seal', [id]);
      });
    },
    // The children are as many as the workers; more messages than that may wait for the disk meanwhile.
    { concurrency: config.workers * 4 },
  );
  life.started('sanitise', async () => sanitiser.close({ deadlineMs: stopMs }));

  const sealer = hub.work(
    'seal',
    async (id, _attempt, signal) => {
      const sanitised = await spool.sanitised(id);
      if (sanitised !== undefined) await sealNow(sanitised, signal);
    },
    { concurrency: 8 },
  );
  life.started('seal', async () => sealer.close({ deadlineMs: stopMs }));

  // Where the doors are in another process and no queue joins them: look often.
  await startScan(log, life, role === 'worker' && config.queueUrl === undefined ? SCAN_APART_MS : SCAN_MS, async () => {
    const found = await spool.unfinished(SCAN_MOST);
    road.next('sanitise', found.sanitise);
    road.next('seal', found.seal);
  });
}

interface Inner {
  readonly outbox: Outbox;
  readonly ledger: Ledger;
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly openStore: (name: string) => Promise<Store>;
}

async function startInner(
  role: Role,
  config: Config,
  log: Log,
  life: Lifecycle,
  road: Road,
  inner: Inner,
): Promise<void> {
  const { outbox, ledger, keys, openStore } = inner;
  const { hub } = road;
  if (hub === undefined) throw new TypeError('the inner side has a queue');
  const policy = config.policyFile === undefined ? builtInPolicy() : await loadPolicy(config.policyFile);
  const domain = config.domains[0] ?? 'localhost';
  const courier =
    config.innerSmtpUrl === undefined
      ? folderCourier(await openStore('delivered'))
      : smtpCourier(config.innerSmtpUrl, domain, 10);
  life.started('courier', async () => courier.close());
  const deps = {
    outbox,
    ledger,
    keys,
    courier,
    domain,
    language: policy.language,
    attachBytes: policy.attachBytes,
    giveUpMs: LIMITS.giveUpMs,
    onGateRefusal: (id: string, reason: string) => {
      road.metrics.gateRefusals.inc({ reason: reason.split(':')[0] ?? '' });
      log.error({ id, reason }, 'package refused by the gate');
    },
  };
  const worker = hub.work(
    'deliver',
    async (id, _attempt, signal) => {
      const sealed = outbox.find(id);
      if (sealed === undefined) return;
      const outcome = await road.timed('deliver', async () => deliver(sealed, deps, signal));
      if (outcome.kind === 'deferred') {
        road.done(id, 'deliver', 'deferred');
        log.warn({ id, answer: outcome.answer }, 'delivery deferred');
        throw new RetryLater(Math.min(LONGEST_RETRY_MS, Math.max(config.retrySeconds * 1000, outcome.ageMs / 2)));
      }
      road.done(id, 'deliver', outcome.delivered.record.stage);
    },
    { concurrency: 16 },
  );
  life.started('deliver', async () => worker.close({ deadlineMs: config.stopSeconds * 1000 }));
  await startScan(log, life, role === 'inner' ? SCAN_APART_MS : SCAN_MS, async () =>
    road.next('deliver', await ledger.unfinished(outbox, SCAN_MOST)),
  );
}

/** Runs a scan now, and again after each pause. */
async function startScan(log: Log, life: Lifecycle, everyMs: number, scan: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const again = (): void => {
    running = scan()
      .catch((error: unknown) => log.error({ error: reasonOf(error) }, 'scan'))
      .finally(() => {
        if (!life.stopping) timer = setTimeout(again, everyMs);
      });
  };
  life.started('scan', async () => {
    clearTimeout(timer);
    await running;
  });
  await scan();
  timer = setTimeout(again, everyMs);
}

/** Makes a pair of keys on the first start of a default set-up; a key that was named and is missing is an error. */
async function ensureKeys(config: Config, mayMake: boolean, log: Log): Promise<void> {
  if (!config.ownKeys || !mayMake || anyKey(config.signingKeyFile, config.verifyKeyFile)) return;
  const { keyId } = await generateKeys(config.signingKeyFile, config.verifyKeyFile);
  log.info({ keyId, file: config.verifyKeyFile }, 'keys made');
}

function diskFault(free: number | undefined): string | undefined {
  return free !== undefined && free < LIMITS.leastFreeBytes ? `only ${free} bytes free` : undefined;
}
