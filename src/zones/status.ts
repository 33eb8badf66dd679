// What a process tells of itself, and how that reaches the inner side: a door puts it into the spool, the worker signs what
// lies there together with its own and puts it into the outbox. No zone opens a connection to another one for it.
import { hostname } from 'node:os';
import type { Lifecycle } from '../lifecycle.ts';
import { reasonOf } from '../message/errors.ts';
import type { Alarm, ProcessStatus, Status } from '../message/status.ts';
import { forLog } from '../message/untrusted.ts';
import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import { processCodec } from '../outbox/status.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Spool } from '../spool/spool.ts';
import { VERSION } from '../version.ts';
import { roadStatus, type Road, type RoadStatus } from './road.ts';

/** Pause between two status files. */
export const STATUS_MS = 5000;
/** What is older says nothing of now. */
export const STATUS_STALE_MS = 60_000;
const STARTED = new Date(Date.now() - process.uptime() * 1000).toISOString();
const PROCESSES_MOST = 15;

/** Children of a family. */
export interface ChildLoad {
  readonly family: string;
  readonly places: number;
  readonly busy: number;
  readonly waiting: number;
}

/** What a status is gathered from. */
export interface StatusOf {
  readonly role: string;
  readonly metrics: Metrics;
  readonly roads: readonly Road[];
  readonly jail: () => string;
  /** Whether it has a malware scanner; undefined where it makes nothing harmless. */
  readonly scanner?: boolean | undefined;
  readonly children: () => readonly ChildLoad[];
  readonly stores: () => Promise<readonly { readonly store: string; readonly freeBytes: number }[]>;
  /** What is wrong, by check. */
  readonly faults: () => Promise<Readonly<Record<string, string>>>;
}

/** Name of this process in what it tells; a thread has one of its own. */
export function processName(role: string): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9_-]/g, '-')
    .slice(0, 64);
  return `${role}-${host || 'host'}-${process.pid}`;
}

/** Gathers the status now. What does not answer is missing from it, and told among its faults. */
export async function gatherStatus(of: StatusOf): Promise<ProcessStatus> {
  const faults: Record<string, string> = { ...(await of.faults()) };
  const roads: RoadStatus[] = [];
  const alarms: Alarm[] = [];
  for (const road of of.roads) {
    alarms.push(...road.alarms.recent());
    try {
      roads.push(await roadStatus(road));
    } catch (error) {
      faults['queue'] = forLog(reasonOf(error));
      roads.push({ queues: [], jobs: [], events: road.events() });
    }
  }
  const totals = await totalsOf(of.metrics);
  return {
    name: processName(of.role),
    role: of.role,
    version: VERSION,
    startedAt: STARTED,
    at: new Date().toISOString(),
    jail: forLog(of.jail()),
    ...(of.scanner === undefined ? {} : { scanner: of.scanner }),
    faults,
    queues: roads.flatMap(({ queues }) => queues),
    jobs: roads.flatMap(({ jobs }) => jobs),
    stores: (await of.stores()).map((store) => ({ ...store })),
    children: of.children().map((load) => ({ ...load, killed: killsOf(totals, load.family) })),
    totals,
    events: roads
      .flatMap(({ events }) => events)
      .toSorted((a, b) => (a.at < b.at ? -1 : 1))
      .slice(-300),
    alarms: alarms.toSorted((a, b) => (a.at < b.at ? -1 : 1)).slice(-100),
  };
}

/** Every counter as one number: its name without our prefix, then the values of its labels. */
async function totalsOf(metrics: Metrics): Promise<Record<string, number>> {
  const totals: Record<string, number> = {};
  for (const metric of await metrics.registry.getMetricsAsJSON()) {
    if (String(metric.type) !== 'counter') continue;
    const name = metric.name.replace(/^mugai_/, '').replace(/_total$/, '');
    for (const { labels, value } of metric.values as { labels: Record<string, unknown>; value: number }[]) {
      const words = Object.values(labels).map(String);
      totals[[name, ...words].join(' ').slice(0, 100)] = value;
    }
  }
  return totals;
}

function killsOf(totals: Readonly<Record<string, number>>, family: string): number {
  return Object.entries(totals)
    .filter(([name]) => name.startsWith(`jail_kills ${family} `))
    .reduce((sum, [, value]) => sum + value, 0);
}

/** Publishes a status now and every few seconds. What fails is told once until it works again. */
export function publishStatus(log: Log, life: Lifecycle, publish: () => Promise<void>): void {
  keepTelling(life, publish, (error) =>
    log.warn({ error: reasonOf(error) }, 'the status cannot be told to the inner side'),
  );
}

/** Tells something now and every few seconds; `failed` hears of the first of failures in a row. */
export function keepTelling(life: Lifecycle, tell: () => Promise<void>, failed: (error: unknown) => void): void {
  let timer: NodeJS.Timeout | undefined;
  let fails = false;
  let running: Promise<void> = Promise.resolve();
  const again = (): void => {
    running = tell()
      .then(
        () => {
          fails = false;
        },
        (error: unknown) => {
          if (!fails) failed(error);
          fails = true;
        },
      )
      .finally(() => {
        if (!life.stopping) timer = setTimeout(again, STATUS_MS);
      });
  };
  life.started('status', async () => {
    clearTimeout(timer);
    await running;
  });
  again();
}

/** A door's way: into the spool, where the worker finds it. */
export async function tellInSpool(spool: Spool, status: ProcessStatus): Promise<void> {
  await spool.status.publish(status.name, processCodec.encode(status));
}

/** The worker's way: signed, with what the doors left in the spool. A file that does not fit its schema is left out. */
export async function tellInOutbox(
  { spool, outbox, signer }: { spool: Spool; outbox: Outbox; signer: { signStatus(status: Status): Buffer } },
  own: ProcessStatus,
  log: Log,
): Promise<void> {
  const processes = new Map([[own.name, own]]);
  for (const { process: name, bytes } of await spool.status.read(STATUS_STALE_MS)) {
    if (processes.has(name) || processes.size >= PROCESSES_MOST) continue;
    try {
      const status = processCodec.decode(bytes);
      if (status.name === name) processes.set(name, status);
    } catch (error) {
      log.debug({ process: name, error: reasonOf(error) }, 'a status in the spool is none');
    }
  }
  await outbox.status.publish(own.name, signer.signStatus({ processes: [...processes.values()] }));
}
