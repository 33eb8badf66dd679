// The joints of the road inside one zone: what is added to which queue when a step is done, counted and told; and the scan.
import type { Lifecycle } from '../lifecycle.ts';
import type { MessageId } from '../message/id.ts';
import { reasonOf } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { QueueHub, StepName } from '../queue/queues.ts';

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
/** Messages one scan queues at most; the next one finds the rest. */
export const SCAN_MOST = 20_000;

/** Joins the steps of one zone, or of the outer and middle zones where they share a process. */
export class Road {
  readonly metrics: Metrics;
  readonly log: Log;
  readonly #onEvent: ((event: Event) => void) | undefined;
  /** Steps whose workers this zone's queues reach. */
  readonly #steps: readonly StepName[];
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
  }

  /** Opens the queues of the zone: in Redis at `url`, or in this process. */
  async openQueues(url: string | undefined, life: Lifecycle): Promise<void> {
    const { log } = this;
    const { openQueues } = await import('../queue/queues.ts');
    const hub = await openQueues({
      url,
      attempts: LIMITS.attempts,
      onError: (error, where) =>
        log.warn({ ...where, error: reasonOf(error) }, where.id === undefined ? 'queue' : 'attempt failed'),
      onExhausted: async (step, id, error) => {
        log.error({ step, id, error: reasonOf(error) }, 'given up; what can be tried again is found by the scan');
        if (step === 'sanitise') await this.onUnsanitisable?.(id);
      },
    });
    life.started('queues', async () => hub.close());
    this.hub = hub;
  }

  /** Says that a message is ready for a step. A lost add is found by the scan. */
  next(step: StepName, ids: readonly MessageId[]): void {
    if (ids.length === 0) return;
    if (!this.#steps.includes(step)) {
      if (step === 'deliver') this.onSealed?.(ids);
      return;
    }
    this.hub
      ?.queue(step)
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

  /** Sets the queue gauges. Rejects when the queues do not answer. */
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

/** Runs a scan now, and again after each pause. */
export async function startScan(log: Log, life: Lifecycle, everyMs: number, scan: () => Promise<void>): Promise<void> {
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
