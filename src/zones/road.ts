// The joints of the road inside one zone: what is added to which queue when a step is done, counted and told; and the scan.
import type { JournalTold } from './journal.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { MessageId } from '../message/id.ts';
import { reasonOf } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import type { JobStatus, QueueStatus, RoadEvent } from '../message/status.ts';
import { forLog } from '../message/untrusted.ts';
import { Alarms } from '../ops/alarms.ts';
import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { Traces } from '../ops/traces.ts';
import type { AddOptions, QueueHub, StepName } from '../queue/queues.ts';

/** What happened to a message, for those who watch (the demo's table). */
export interface Event {
  readonly id: MessageId;
  readonly step: 'spooled' | StepName;
  readonly outcome: string;
}

/** Pause between two scans for work that no queue told of. */
export const SCAN_MS = 60_000;
/** Where the next step is in another process, its work is found by scanning: often, while there is no queue between. */
export const SCAN_APART_MS = 1000;
/** A pause is at least so many times as long as the scan before it. */
const SCAN_PAUSES = 4;
/** Messages one scan queues at most; the next one finds the rest. */
export const SCAN_MOST = 20_000;
/** Messages in a queue from which on no scan adds more: some 640 bytes each. What is left is found when there is room. */
export const QUEUED_MOST = 10 * SCAN_MOST;
/** What was done last, remembered for the console. */
const EVENTS_KEPT = 300;
/** Jobs of each queue that a status tells of. */
const JOBS_TOLD = { active: 40, delayed: 40, waiting: 20 } as const;

/** Joins the steps of one zone, or of the outer and middle zones where they share a process. */
export class Road {
  readonly metrics: Metrics;
  readonly log: Log;
  readonly #onEvent: ((event: Event) => void) | undefined;
  /** Steps whose workers this zone's queues reach. */
  readonly #steps: readonly StepName[];
  readonly #events: RoadEvent[] = [];
  /** Seconds the step that is done next took. */
  readonly #took = new Map<string, number>();
  readonly alarms: Alarms;
  /** Told of every signed head of the zone's journal. */
  onHead: JournalTold['onHead'];
  /** Where spans go; nowhere unless a collector is named. */
  traces: Traces | undefined;
  hub: QueueHub | undefined;
  /** Ends a message that failed in every attempt to sanitise it. */
  onUnsanitisable: ((id: MessageId) => Promise<void>) | undefined;
  /** Tells the inner zone of packages, where it runs in this process too; elsewhere it finds them in the outbox. */
  onSealed: ((ids: readonly MessageId[]) => void) | undefined;

  constructor(metrics: Metrics, log: Log, steps: readonly StepName[], onEvent: ((event: Event) => void) | undefined) {
    this.metrics = metrics;
    this.log = log;
    this.#steps = steps;
    this.#onEvent = onEvent;
    this.alarms = new Alarms(log, metrics);
  }

  /** Opens the queues of the zone: in Redis at `url`, or in this process. */
  async openQueues(url: string | undefined, life: Lifecycle): Promise<void> {
    const { log } = this;
    const { openQueues } = await import('../queue/queues.ts');
    const hub = await openQueues({
      url,
      attempts: LIMITS.attempts,
      traced: this.traces?.within,
      onError: (error, where) =>
        log.warn({ ...where, error: reasonOf(error) }, where.id === undefined ? 'queue' : 'attempt failed'),
      onExhausted: async (step, id, error) => {
        log.error({ step, id, error: reasonOf(error) }, 'given up; what can be tried again is found by the scan');
        this.alarms.raise('given-up', id, `${step}: ${reasonOf(error)}`);
        if (step === 'sanitise') await this.onUnsanitisable?.(id);
      },
    });
    life.started('queues', async () => hub.close());
    this.hub = hub;
  }

  /** Says that a message is ready for a step. A lost add is found by the scan. */
  next(step: StepName, ids: readonly MessageId[]): void {
    if (this.#steps.includes(step)) void this.add(step, ids);
    else if (step === 'deliver' && ids.length > 0) this.onSealed?.(ids);
  }

  /** Adds messages to a queue of this zone, and resolves when they are there, or were lost. */
  async add(step: StepName, ids: readonly MessageId[], options?: AddOptions): Promise<void> {
    if (ids.length === 0) return;
    await this.hub
      ?.queue(step)
      .add(ids, options)
      .catch((error: unknown) => this.log.error({ step, error: reasonOf(error) }, 'not queued, the scan will find it'));
  }

  /** True while each queue of this zone holds fewer messages than are kept in memory. Rejects when the queues do not answer. */
  async hasRoom(most: number = QUEUED_MOST): Promise<boolean> {
    for (const step of this.#steps) {
      const counts = await this.hub?.queue(step).counts();
      if (counts !== undefined && counts.waiting + counts.delayed >= most) return false;
    }
    return true;
  }

  done(id: MessageId, step: Event['step'], outcome: string): void {
    this.metrics.messages.inc({ stage: step, outcome });
    this.log.info({ id, step, outcome }, 'message');
    const key = `${step} ${id}`;
    const seconds = this.#took.get(key) ?? 0;
    this.#took.delete(key);
    this.#events.push({ id, step, outcome, at: new Date().toISOString(), seconds: Math.round(seconds * 1e4) / 1e4 });
    if (this.#events.length > EVENTS_KEPT) this.#events.shift();
    this.#onEvent?.({ id, step, outcome });
  }

  /** Runs a step of a message: timed, and traced where traces are wanted. */
  async timed<T>(step: StepName, id: MessageId, run: () => Promise<T>): Promise<T> {
    const end = this.metrics.stepSeconds.startTimer({ step });
    try {
      return await (this.traces === undefined ? run() : this.traces.step(id, step, run));
    } finally {
      if (this.#took.size > 10 * EVENTS_KEPT) this.#took.clear(); // of steps that failed: nobody asks for them
      this.#took.set(`${step} ${id}`, end());
    }
  }

  /** The steps whose queues are here. */
  get steps(): readonly StepName[] {
    return this.#steps;
  }

  /** What was done last, oldest first. */
  events(): RoadEvent[] {
    return [...this.#events];
  }

  /** Sets the queue gauges. Rejects when the queues do not answer. */
  async countJobs(): Promise<void> {
    if (this.hub === undefined) return;
    for (const step of this.#steps) {
      const queue = this.hub.queue(step);
      for (const [state, count] of Object.entries(await queue.counts()))
        this.metrics.queueJobs.set({ queue: step, state }, count);
      this.metrics.oldestWaiting.set({ queue: step }, (await queue.oldestMs()) / 1000);
    }
  }
}

/** What a status tells of the queues of a road. */
export interface RoadStatus {
  readonly queues: QueueStatus[];
  readonly jobs: JobStatus[];
  readonly events: RoadEvent[];
}

/** Asks the queues of a road. Rejects when they do not answer. */
export async function roadStatus(road: Road): Promise<RoadStatus> {
  const queues: QueueStatus[] = [];
  const jobs: JobStatus[] = [];
  for (const step of road.hub === undefined ? [] : road.steps) {
    const queue = road.hub?.queue(step);
    if (queue === undefined) continue;
    queues.push({ queue: step, ...(await queue.counts()), oldestSeconds: (await queue.oldestMs()) / 1000 });
    for (const state of ['active', 'delayed', 'waiting'] as const) {
      for (const { id, addedAt, attemptsMade, lastFailure } of await queue.list(state, JOBS_TOLD[state])) {
        const since = new Date(addedAt).toISOString();
        jobs.push({ id, queue: step, state, since, attempts: attemptsMade, failure: forLog(lastFailure) });
      }
    }
  }
  return { queues, jobs, events: road.events() };
}

/** Runs a scan now, and again after each pause: `everyMs`, or more where it takes so long that it would be work itself. */
export async function startScan(log: Log, life: Lifecycle, everyMs: number, scan: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const run = async (): Promise<void> => {
    const from = performance.now();
    try {
      await scan();
    } finally {
      const pause = Math.max(everyMs, SCAN_PAUSES * (performance.now() - from));
      if (!life.stopping) timer = setTimeout(again, pause);
    }
  };
  const again = (): void => {
    running = run().catch((error: unknown) => log.error({ error: reasonOf(error) }, 'scan'));
  };
  life.started('scan', async () => {
    clearTimeout(timer);
    await running;
  });
  await run();
}
