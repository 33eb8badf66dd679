// Roles: which zones run in a process. Each zone is loaded only where it runs: the doors do not carry a PDF writer about.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { Lifecycle } from './lifecycle.ts';
import { MugaiError, reasonOf } from './message/errors.ts';
import { LIMITS } from './message/limits.ts';
import { holdAlone } from './store/alone.ts';
import type { FaultPoint } from './store/fs-fault.ts';
import { openSharedStore, type SharedStore } from './store/open-store.ts';
import { makeFolder } from './store/fs-sync.ts';
import { Spool } from './spool/spool.ts';
import { Outbox } from './outbox/outbox.ts';
import { anyKey, completePair, generateKeys, loadPrivateKey, loadPublicKeys, watchKeys } from './outbox/keys.ts';
import { keyId } from './outbox/manifest.ts';
import { anyRequestKey, completeRequestPair, generateRequestKeys, loadRequestKey } from './requests/keys.ts';
import { RequestReader } from './requests/requests.ts';
import type { Ledger } from './deliver/ledger.ts';
import { faultsOf, inTime, openOps, type Check } from './ops/health.ts';
import type { Log } from './ops/log.ts';
import { exposition, openMetrics, type MetricsSnapshot } from './ops/metrics.ts';
import type { StdoutLines } from './ops/stdout-lines.ts';
import { Syslog } from './ops/syslog.ts';
import { VERSION } from './version.ts';
import type { ProcessStatus } from './message/status.ts';
import { diskChecks, disksOf, storeCheck } from './zones/disks.ts';
import type { Inner } from './zones/inner.ts';
import { gatherStatus, publishStatus, tellInOutbox, tellInSpool } from './zones/status.ts';
import type { RunningWorker } from './zones/worker.ts';
import { countLog, countSyslog, headSender, startTraces } from './zones/watching.ts';
import type { Declared } from './portal/pages.ts';
import type { PortalPlace } from './zones/inner-thread.ts';
import { Road, type Event } from './zones/road.ts';

export type { Event } from './zones/road.ts';

export const ROLES = ['all', 'ingress', 'worker', 'inner'] as const;
export type Role = (typeof ROLES)[number];

export interface Gateway {
  readonly smtpPort: number | undefined;
  readonly uploadPort: number | undefined;
  readonly opsPort: number;
  readonly portal: PortalPlace | undefined;
  /** The portal's pages and who may open them; undefined where it runs in another thread or process. */
  readonly pages: readonly Declared[] | undefined;
  /** Routes of the HTTP door, `METHOD /path`; undefined where no door runs in this process. */
  readonly doorRoutes: readonly string[] | undefined;
  readonly spool: Spool | undefined;
  readonly outbox: Outbox | undefined;
  readonly ledger: Ledger | undefined;
  /** How well the children of this process are held, in one line; undefined where there are none. */
  readonly jail: string | undefined;
  stop(): Promise<void>;
}

/** What the commands, tests and the demo may choose, replace or watch. */
export interface Hooks {
  readonly fault?: FaultPoint;
  readonly onEvent?: (event: Event) => void;
  /** Runs the inner zone in a thread of its own where all zones share a process; `fault` and `onEvent` do not reach it. */
  readonly innerThread?: boolean;
  /** Mail address offered to the portal's first administrator; not in the thread. */
  readonly firstAddress?: string;
  /** The sender to the syslog collector that the log goes to, too: its lines are counted. */
  readonly syslog?: Syslog | undefined;
  /** Where the log goes on stdout: its lines are counted. */
  readonly lines?: StdoutLines;
}

/** Starts the rooms of a role. On any failure what was started is stopped again and the error is thrown. */
export async function startGateway(role: Role, config: Config, log: Log, hooks: Hooks = {}): Promise<Gateway> {
  const life = new Lifecycle(log, config.stopSeconds * 1000);
  await openDataDir(config.dataDir);
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
  // Where the log does not go to the collector (tests, the demo), the heads of the journals do.
  const syslog = hooks.syslog ?? (config.syslog === undefined ? undefined : new Syslog(config.syslog, VERSION));
  if (hooks.syslog === undefined) life.started('syslog', async (leftMs) => syslog?.close(Math.min(leftMs, 3000)));
  countSyslog(syslog, metrics);
  countLog(hooks.lines, metrics);
  const traces = await startTraces(config, role, life);
  const checks: Check[] = [];
  const counted: (() => Promise<MetricsSnapshot>)[] = [];
  if (runs('worker') || runs('inner')) await ensureKeys(config, runs('worker'), log);
  const signingKey = runs('worker') ? await loadPrivateKey(config.signingKeyFile) : undefined;

  if (role === 'all' && signingKey !== undefined) {
    const id = keyId(signingKey);
    if (!(await loadPublicKeys(config.verifyKeyFile)).has(id)) {
      const why = `MUGAI_VERIFY_KEY_FILE ${config.verifyKeyFile} does not hold the public key of ${config.signingKeyFile}`;
      throw new MugaiError('bad-config', `${why}: nothing that is sealed would be delivered`, { permanent: true });
    }
  }

  // Without Redis the queues of the middle are in this process, and the inner side's always are: a second gateway on the
  // same folders would do the same work again.
  const alone = [
    ...(runs('worker') && config.queueUrl === undefined ? ['spool'] : []),
    ...(runs('inner') ? ['inner'] : []),
  ];
  for (const name of alone) {
    const release = await holdAlone(join(config.dataDir, name));
    life.started(`hold on ${name}`, release);
  }

  const openStore = async (name: SharedStore) => openSharedStore(config, name, { fault: hooks.fault });
  const spool =
    runs('ingress') || runs('worker')
      ? new Spool(await openStore('spool'), role === 'all' ? LIMITS.freshChars : 0)
      : undefined;
  const made = runs('worker') ? new Outbox(await openStore('outbox')) : undefined;

  const road = new Road(metrics, log, ['sanitise', 'seal'], hooks.onEvent);
  const innerRoad = new Road(role === 'inner' ? metrics : openMetrics(false), log, ['deliver'], hooks.onEvent);
  for (const one of [road, innerRoad]) {
    one.traces = traces;
    one.onHead = headSender(syslog, hooks.syslog === undefined ? undefined : log);
    life.started('alarms', async () => one.alarms.close());
  }
  let inner: Inner | undefined;
  let portal: PortalPlace | undefined;
  let threadStatus: (() => Promise<ProcessStatus>) | undefined;
  if (role === 'all' && hooks.innerThread === true) {
    const { startInnerThread } = await import('./zones/inner-thread.ts');
    const thread = await startInnerThread(life);
    road.onSealed = thread.tell;
    portal = thread.portal;
    threadStatus = thread.status;
    counted.push(thread.metrics);
    checks.push({ name: 'inner', run: async () => thread.metrics().then(() => undefined) });
    checks.push({ name: 'portal', run: async () => thread.portalFault() });
  } else if (runs('inner')) {
    const { startInner } = await import('./zones/inner.ts');
    inner = await startInner(config, log, life, innerRoad, role === 'all', hooks);
    portal = inner.portal.portal;
    const { fault } = inner.portal;
    threadStatus = inner.status;
    if (role === 'all') counted.push(async () => innerRoad.metrics.registry.getMetricsAsJSON());
    checks.push({ name: 'portal', run: async () => fault() });
    road.onSealed = inner.tell;
  }
  if (runs('worker') || (runs('ingress') && config.queueUrl !== undefined)) {
    await road.openQueues(config.queueUrl, life);
  }
  const countJobs = async (): Promise<undefined> => {
    await road.countJobs();
    await innerRoad.countJobs();
  };
  checks.push({ name: 'queue', run: countJobs });
  let jail: string | undefined;
  let children: RunningWorker['children'] = () => [];
  let tell: ((status: ProcessStatus) => Promise<void>) | undefined;
  if (signingKey !== undefined && spool !== undefined && made !== undefined) {
    const { startWorker } = await import('./zones/worker.ts');
    const { Signer } = await import('./seal/seal.ts');
    const apart = role === 'worker' && config.queueUrl === undefined;
    const signer = new Signer(signingKey);
    const unwatch = watchKeys(config.signingKeyFile, LIMITS.signingKeyLookMs, async () => {
      const before = signer.keyId;
      signer.use(await loadPrivateKey(config.signingKeyFile));
      if (signer.keyId !== before) log.info({ keyId: signer.keyId }, 'another key signs from now on');
    });
    life.started('signing key', async () => unwatch());
    const middle = { spool, outbox: made, signer };
    tell = async (status) => tellInOutbox(middle, status, log);
    ({ jail, children } = await startWorker(apart, config, log, life, road, {
      spool,
      outbox: made,
      signer,
      requests: new RequestReader(await openStore('requests')),
      requestKey: await loadRequestKey(config.requestKeyFile),
    }));
  }
  let doors: Awaited<ReturnType<typeof import('./zones/ingress.ts').startIngress>> | undefined;
  if (runs('ingress') && spool !== undefined) {
    const { keepHeapSmall, startIngress } = await import('./zones/ingress.ts');
    if (role === 'ingress') keepHeapSmall();
    tell ??= async (status) => tellInSpool(spool, status);
    doors = await startIngress(config, log, life, road, spool);
  }

  const outbox = made ?? inner?.outbox;
  const writers = (['ingress', 'worker', 'inner'] as const).filter(runs);
  if (spool !== undefined) checks.push(storeCheck('spool', spool));
  if (outbox !== undefined) checks.push(storeCheck('outbox', outbox));
  checks.push(...diskChecks(writers, config));
  const scrape = async (): Promise<string> => {
    for (const { store, freeBytes } of await disksOf(writers, config)) metrics.diskFree.set({ store }, freeBytes);
    // What does not answer is left out: the numbers that are there matter most while something is not.
    const [, ...parts] = await Promise.allSettled([inTime(countJobs()), ...counted.map(async (count) => count())]);
    return exposition(
      metrics,
      parts.flatMap((part) => (part.status === 'fulfilled' ? [part.value] : [])),
    );
  };
  const status = async (): Promise<ProcessStatus[]> => {
    const own = await gatherStatus({
      role,
      metrics,
      roads: [road],
      jail: () => jail ?? '',
      scanner: runs('worker') ? config.clamd !== undefined : undefined,
      children,
      stores: async () =>
        disksOf(
          writers.filter((one) => one !== 'inner'), // it tells its own
          config,
        ),
      faults: async () => faultsOf(checks),
    });
    return [...(role === 'inner' ? [] : [own]), ...(threadStatus === undefined ? [] : [await threadStatus()])];
  };
  if (tell !== undefined) {
    const telling = tell;
    publishStatus(log, life, async () => {
      const [own] = await status();
      if (own !== undefined) await telling(own);
    });
  }
  const ops = await openOps(config.opsListen, { checks, scrape, status }, jail === undefined ? {} : { jail }).catch(
    (error: unknown) => {
      const { host, port } = config.opsListen;
      const why = `operations port ${host}:${port} cannot be opened: ${reasonOf(error)}`;
      throw new MugaiError('port-in-use', why, { permanent: true, cause: error });
    },
  );
  life.started('operations', async () => ops.close());
  return {
    smtpPort: doors?.smtp.port,
    uploadPort: doors?.http.port,
    opsPort: ops.port,
    portal,
    pages: inner?.portal.portal.pages.declared,
    doorRoutes: doors?.http.routes,
    spool,
    outbox,
    ledger: inner?.ledger,
    jail,
    stop: async () => life.stop(),
  };
}

/** A data folder that is none, or cannot be made, is told by the key that names it. */
async function openDataDir(path: string): Promise<void> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  await makeFolder(path).catch((error: unknown) => {
    const why = `MUGAI_DATA_DIR is "${path}", which cannot be used: ${reasonOf(error)}; for example /var/lib/mugai`;
    throw new MugaiError('bad-config', why, { permanent: true, cause: error });
  });
}

/** Makes a pair of keys on the first start of a default set-up; a key that was named and is missing is an error. */
async function ensureKeys(config: Config, mayMake: boolean, log: Log): Promise<void> {
  const { requestKeyFile, sealingKeyFile } = config;
  if (config.ownRequestKeys && mayMake) {
    await completeRequestPair(requestKeyFile, sealingKeyFile);
    if (!anyRequestKey(requestKeyFile, sealingKeyFile)) await generateRequestKeys(requestKeyFile, sealingKeyFile);
  }
  if (!config.ownKeys || !mayMake) return;
  await completePair(config.signingKeyFile, config.verifyKeyFile);
  if (anyKey(config.signingKeyFile, config.verifyKeyFile)) return;
  const made = await generateKeys(config.signingKeyFile, config.verifyKeyFile);
  log.info({ keyId: made.keyId, file: config.verifyKeyFile }, 'keys made');
}
