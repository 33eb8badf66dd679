// The joints of the road in one process: what is added to which queue when a step is done, counted and told; and the scan.
import type { Lifecycle } from '../lifecycle.ts';
import type { MessageId } from '../message/id.ts';
import { reasonOf } from '../message/errors.ts';
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

/** Joins the steps that run in this process. */
export class Road {
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
