// The queues between the steps: message ids wait here, in this process or in Redis. The spool is the truth, this an
// index: whatever is lost here is added again by the next scan.
import { Queue, type IQueueBackend, type JobsOptions, type Telemetry } from 'bullmq';
import { parseMessageId, timeOf, type MessageId } from '../message/id.ts';
import { embeddedEngine, redisEngine, type Engine } from './engine.ts';
import { startWorker, type Handler, type StepName, type WorkerHandle, type WorkRules } from './step-worker.ts';
import { within } from './within.ts';

export { RetryLater, type Attempt, type Handler, type StepName, type WorkerHandle } from './step-worker.ts';

/** Jobs by state: `waiting` may be taken at once, `delayed` when its time comes; `failed` stays 0 (see `onExhausted`). */
export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly failed: number;
}

/** One job as an operator sees it; `addedAt` in milliseconds since the epoch. */
export interface QueuedJob {
  readonly id: string;
  readonly addedAt: number;
  /** Failed attempts so far, and why the last one failed (empty: none did). */
  readonly attemptsMade: number;
  readonly lastFailure: string;
}

/** How messages are added. `sinceArrival`: they have waited since they came, by their numbers, and not just since now. */
export interface AddOptions {
  readonly delayMs?: number;
  readonly sinceArrival?: boolean;
}

/** The queue of one step. */
export interface StepQueue {
  /**
   * Adds messages, to be taken at once or after `delayMs`. An id that is waiting, delayed or active is left as it is;
   * one that completed or was given up runs again. Rejects when Redis does not answer: the next scan adds them.
   */
  add(ids: readonly MessageId[], options?: AddOptions): Promise<void>;
  counts(): Promise<QueueCounts>;
  /**
   * Age of the oldest message that waits or is delayed, by its number, milliseconds; 0 when there is none. A restart does not
   * make it younger. Of more than 10,000 in one state those next in line are looked at.
   */
  oldestMs(): Promise<number>;
  /** How long the next in line has waited since it was first added, milliseconds; 0 when none waits: how far the workers are behind. */
  oldestWaitingMs(): Promise<number>;
  /**
   * How long the longest of the next in line has been here that were set aside by `RetryLater` and failed in no attempt, milliseconds:
   * how long the step has had trouble that is no message's.
   */
  setAsideMs(): Promise<number>;
  /** Up to `limit` jobs of one state, next in line first. */
  list(state: 'waiting' | 'active' | 'delayed', limit: number): Promise<readonly QueuedJob[]>;
  /** Stops or resumes the taking of jobs by every worker of this queue, on all machines. */
  pause(paused: boolean): Promise<void>;
  /** Lets a delayed message be taken at once; false when it was not delayed. */
  hurry(id: MessageId): Promise<boolean>;
}

/** All queues of one process. */
export interface QueueHub extends AsyncDisposable {
  queue(step: StepName): StepQueue;
  /** Starts a worker: `handler` runs for up to `concurrency` messages at once. A step may have several. */
  work(step: StepName, handler: Handler, options: { readonly concurrency: number }): WorkerHandle;
  /** Closes the workers, leaving active handlers `deadlineMs` (0: they are aborted at once), then the queues. */
  close(options?: { readonly deadlineMs?: number }): Promise<void>;
}

export interface QueueOptions extends WorkRules {
  /** `redis://…`, `rediss://…`, or one with `+sentinel` or `+cluster`; undefined: in this process. */
  readonly url: string | undefined;
  /** Runs an add as part of a message's trace; where it is given, BullMQ tells OpenTelemetry what it does. */
  readonly traced?: (<T>(id: MessageId, run: () => T) => T) | undefined;
}

/** Jobs per round trip: one addBulk of 100,000 would hold Redis for seconds. */
const ADD_BATCH = 1000;
/** Jobs set aside that are looked at. */
const SET_ASIDE = 100;
/** Jobs of a state whose age is looked at. */
const LOOKED_AT = 10_000;
/** The same trouble with a queue is told once in this time: a lost Redis is tried several times a second. */
const REPEAT_MS = 10_000;
/** Milliseconds a queue has to close its connection. */
const CLOSE_MS = 1000;

type Data = { id: string };
type JobQueue = Queue<Data, void, string, Data, void, string, IQueueBackend>;

/** Opens the queues; with a URL, waits for Redis. Throws `bad-config` when the URL is wrong or nothing answers there. */
export async function openQueues(options: QueueOptions): Promise<QueueHub> {
  const engine = options.url === undefined ? embeddedEngine() : await redisEngine(options.url);
  const telemetry = options.traced === undefined ? undefined : await bullTelemetry();
  const rules: WorkRules = { ...options, onError: onceInAWhile(options.onError), telemetry };
  const queues = new Map<StepName, JobQueue>();
  const workers: WorkerHandle[] = [];
  const close = async ({ deadlineMs = 0 }: { readonly deadlineMs?: number } = {}) => {
    await Promise.all(workers.map((worker) => worker.close({ deadlineMs })));
    await Promise.all([...queues.values()].map(closeQueue));
    engine.close();
  };
  return {
    queue: (step) => {
      const queue = queues.get(step) ?? openQueue(step, rules, engine);
      queues.set(step, queue);
      return stepQueue(step, queue, options.traced);
    },
    work: (step, handler, { concurrency }) => {
      const worker = startWorker({ step, handler, concurrency, rules, engine });
      workers.push(worker);
      return worker;
    },
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

function openQueue(step: StepName, rules: WorkRules, engine: Engine): JobQueue {
  const defaultJobOptions = {
    attempts: rules.attempts,
    backoff: { type: 'doubling' }, // `waitAfter` in step-worker.ts
    // A finished job that is kept would silently block the next add of its id. How a message ended stands in its
    // records, not here.
    removeOnComplete: true,
    removeOnFail: true,
    stackTraceLimit: 1,
  };
  const connection = engine.connection('queue');
  const { telemetry } = rules;
  const traced = telemetry === undefined ? {} : { telemetry };
  const options = { connection, prefix: engine.prefix, defaultJobOptions, ...traced };
  const queue: JobQueue = new Queue(step, options, engine.backend);
  queue.on('error', (error) => rules.onError(error, { step }));
  return queue;
}

async function closeQueue(queue: JobQueue): Promise<void> {
  const closed = within(CLOSE_MS, queue.close()).catch(() => false);
  // Without Redis neither ends: ioredis drops a connection it was about to retry without a word.
  if (!(await closed)) await within(CLOSE_MS, queue.disconnect());
}

/** BullMQ's spans by bullmq-otel; loaded only where traces are wanted. */
async function bullTelemetry(): Promise<Telemetry> {
  const { BullMQOtel } = await import('bullmq-otel');
  return new BullMQOtel({ tracerName: 'mugai-queue' });
}

function stepQueue(step: StepName, queue: JobQueue, traced: QueueOptions['traced']): StepQueue {
  const one = <T>(id: MessageId | undefined, run: () => T): T =>
    id === undefined || traced === undefined ? run() : traced(id, run);
  return {
    add: async (ids, { delayMs = 0, sinceArrival = false } = {}) => {
      const optionsOf = (id: MessageId): JobsOptions => ({
        jobId: `${step}-${id}`,
        delay: delayMs,
        ...(sinceArrival && { timestamp: timeOf(id) }),
      });
      for (let from = 0; from < ids.length; from += ADD_BATCH) {
        const batch = ids.slice(from, from + ADD_BATCH);
        await one(batch.length === 1 ? batch[0] : undefined, async () =>
          queue.addBulk(batch.map((id) => ({ name: step, data: { id }, opts: optionsOf(id) }))),
        );
      }
    },
    counts: async () => {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
      const of = (state: keyof QueueCounts) => counts[state] ?? 0;
      return { waiting: of('waiting'), active: of('active'), delayed: of('delayed'), failed: of('failed') };
    },
    oldestMs: async () => {
      const jobs = await queue.getRanges(['waiting', 'delayed'], 0, LOOKED_AT - 1, true);
      const times = jobs.flatMap((job) => parseMessageId(job.slice(step.length + 1)) ?? []).map(timeOf);
      return Math.max(0, Date.now() - times.reduce((least, time) => Math.min(least, time), Infinity));
    },
    oldestWaitingMs: async () => {
      const [next] = await queue.getJobs(['waiting'], 0, 0, true);
      return next === undefined ? 0 : Math.max(0, Date.now() - next.timestamp);
    },
    setAsideMs: async () => {
      // One that is being tried again at this moment was set aside a moment ago.
      const jobs = await queue.getJobs(['delayed', 'active'], 0, SET_ASIDE - 1, true);
      const since = jobs.filter(({ attemptsMade }) => attemptsMade === 0).map(({ timestamp }) => timestamp);
      return Math.max(0, Date.now() - since.reduce((least, time) => Math.min(least, time), Infinity));
    },
    list: async (state, limit) => {
      const jobs = await queue.getJobs([state], 0, limit - 1, true);
      return jobs.map(({ data, timestamp, attemptsMade, failedReason }) => {
        const lastFailure: string | undefined = failedReason; // BullMQ says string; undefined before the first failure.
        return { id: data.id, addedAt: timestamp, attemptsMade, lastFailure: lastFailure ?? '' };
      });
    },
    pause: (paused) => (paused ? queue.pause() : queue.resume()),
    hurry: async (id) => {
      const job = await queue.getJob(`${step}-${id}`);
      if (job === undefined || (await job.getState()) !== 'delayed') return false;
      await job.promote();
      return true;
    },
  };
}

/** Passes failures of messages on at once, and the same trouble with a queue once in a while. */
function onceInAWhile(onError: WorkRules['onError']): WorkRules['onError'] {
  const saidAt = new Map<string, number>();
  return (error, where) => {
    if (where.id === undefined) {
      const key = `${where.step} ${String(error)}`;
      const now = Date.now();
      if (now - (saidAt.get(key) ?? 0) < REPEAT_MS) return;
      if (saidAt.size > 100) saidAt.clear();
      saidAt.set(key, now);
    }
    onError(error, where);
  };
}
