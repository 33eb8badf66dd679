// Roles: which zones run in a process. Each zone is loaded only where it runs: the doors do not carry a PDF writer about.
import { join } from 'node:path';
import type { Config } from './config.ts';
import { Lifecycle } from './lifecycle.ts';
import { MugaiError, reasonOf } from './message/errors.ts';
import { LIMITS } from './message/limits.ts';
import { openFsStore, type FaultPoint } from './store/fs-store.ts';
import { Spool } from './spool/spool.ts';
import { Outbox } from './outbox/outbox.ts';
import { anyKey, generateKeys, loadPrivateKey, loadPublicKeys } from './outbox/keys.ts';
import { Ledger } from './deliver/ledger.ts';
import { openOps, type Check } from './ops/health.ts';
import type { Log } from './ops/log.ts';
import { openMetrics } from './ops/metrics.ts';
import { Road, type Event } from './zones/road.ts';

export type { Event } from './zones/road.ts';

export const ROLES = ['all', 'ingress', 'worker', 'inner'] as const;
export type Role = (typeof ROLES)[number];

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

  const openStore = async (name: string, access: 'write' | 'read' = 'write') =>
    openFsStore(join(config.dataDir, name), hooks.fault, access);
  const spool = runs('ingress') || runs('worker') ? new Spool(await openStore('spool')) : undefined;
  const outbox =
    runs('worker') || runs('inner')
      ? new Outbox(await openStore('outbox', runs('worker') ? 'write' : 'read'))
      : undefined;
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
    const { openQueues } = await import('./queue/queues.ts');
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
    const { startInner } = await import('./zones/inner.ts');
    await startInner(role === 'inner', config, log, life, road, { outbox, ledger, keys: verifyKeys, openStore });
  }
  if (signingKey !== undefined && spool !== undefined && outbox !== undefined) {
    const { startWorker } = await import('./zones/worker.ts');
    const { Signer } = await import('./seal/seal.ts');
    const apart = role === 'worker' && config.queueUrl === undefined;
    await startWorker(apart, config, log, life, road, { spool, outbox, signer: new Signer(signingKey) });
  }
  let doors: Awaited<ReturnType<typeof import('./zones/ingress.ts').startIngress>> | undefined;
  if (runs('ingress') && spool !== undefined) {
    const { keepHeapSmall, startIngress } = await import('./zones/ingress.ts');
    if (role === 'ingress') keepHeapSmall();
    doors = await startIngress(config, log, life, road, spool);
  }

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

/** Makes a pair of keys on the first start of a default set-up; a key that was named and is missing is an error. */
async function ensureKeys(config: Config, mayMake: boolean, log: Log): Promise<void> {
  if (!config.ownKeys || !mayMake || anyKey(config.signingKeyFile, config.verifyKeyFile)) return;
  const { keyId } = await generateKeys(config.signingKeyFile, config.verifyKeyFile);
  log.info({ keyId, file: config.verifyKeyFile }, 'keys made');
}

function diskFault(free: number | undefined): string | undefined {
  return free !== undefined && free < LIMITS.leastFreeBytes ? `only ${free} bytes free` : undefined;
}
