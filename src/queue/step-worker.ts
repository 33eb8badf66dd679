// One worker of one step: the rules for trying again, giving up and stopping, around the handler.
import {
  DelayedError,
  UnrecoverableError,
  WaitingError,
  Worker,
  type IQueueBackend,
  type Job,
  type Telemetry,
} from 'bullmq';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { parseMessageId, type MessageId } from '../message/id.ts';
import type { Engine } from './engine.ts';
import { within } from './within.ts';

/** The steps that are driven by a queue. */
export type StepName = 'sanitise' | 'seal' | 'deliver';

/** Which attempt this is: how many have failed before, and whether the message is given up if this one fails too. */
export interface Attempt {
  readonly made: number;
  readonly last: boolean;
}

/**
 * The work of a step on one message. Resolves when done; throws to be tried again, or `RetryLater`. It may be called
 * again for work already done. `signal` aborts when the process must stop: what is thrown then is no failed attempt.
 */
export type Handler = (id: MessageId, attempt: Attempt, signal: AbortSignal) => Promise<void>;

/** The rules of all workers of a process, and who hears what. */
export interface WorkRules {
  /** Failed attempts until a message is given up. */
  readonly attempts: number;
  /** Hears of failed attempts (with the id) and of trouble with the queue itself (without); must not throw. */
  readonly onError: (error: unknown, where: { readonly step: StepName; readonly id?: MessageId }) => void;
  /**
   * Called when a message is given up: after the last attempt, a permanent `MugaiError`, or when its worker vanished
   * too often. The job ends only after this resolves; when it rejects (or we crash in it), the message comes back.
   */
  readonly onExhausted: (step: StepName, id: MessageId, error: unknown) => Promise<void>;
  /** Waits between attempts double from `baseMs` (1 s) to `capMs` (5 min), each shortened by up to half at random. */
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
  /** How long a silent worker keeps its job, and how often such jobs are looked for (30 s each); shorter in tests. */
  readonly locks?: { readonly durationMs: number; readonly checkMs: number };
  /** What BullMQ tells of its own work; nothing unless given. */
  readonly telemetry?: Telemetry | undefined;
}

/** A running worker. */
export interface WorkerHandle {
  /**
   * Takes no more jobs, waits for the active handlers, aborts their signals after `deadlineMs`, and lets go of those
   * that do not end within another second: their jobs run again when the lock ends.
   */
  close(options: { readonly deadlineMs: number }): Promise<void>;
}

/** Thrown by a handler that wants its message back later without it counting as an attempt: a deferred delivery. */
export class RetryLater extends Error {
  override readonly name = 'RetryLater';
  readonly delayMs: number;
  constructor(delayMs: number) {
    super(`again in ${String(delayMs)} ms`);
    this.delayMs = boundedDelay(delayMs);
  }
}

/** Sooner, BullMQ could take the job again before it has let go of the attempt that asked for it. */
const SHORTEST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 30 * 60_000;

/** A delay that BullMQ can keep: to it NaN is none at all, and a job that comes back at once takes the others' turns. */
function boundedDelay(delayMs: number): number {
  if (!Number.isFinite(delayMs)) return LONGEST_DELAY_MS;
  return Math.min(LONGEST_DELAY_MS, Math.max(SHORTEST_DELAY_MS, delayMs));
}

/** What a worker is made of. */
export interface WorkerParts {
  readonly step: StepName;
  readonly handler: Handler;
  /** Handlers that run at once. */
  readonly concurrency: number;
  readonly rules: WorkRules;
  readonly engine: Engine;
}

const BACKOFF = { baseMs: 1000, capMs: 5 * 60_000 };
const LOCKS = { durationMs: 30_000, checkMs: 30_000 };
/** How often a message may lose its worker (a crash, a machine gone); once more and it is given up. */
const VANISHED_TIMES = 3;
/** Milliseconds an aborted handler has to end, and the connections to close. */
const GRACE_MS = 1000;

/** Starts taking jobs. */
export function startWorker(parts: WorkerParts): WorkerHandle {
  const { step, rules, engine } = parts;
  const { durationMs, checkMs } = rules.locks ?? LOCKS;
  const active = new ActiveHandlers();
  const worker = new Worker<{ id: string }, void, string, IQueueBackend>(
    step,
    (job, token) => runJob(parts, active, { job, token: token ?? '' }),
    {
      connection: engine.connection('worker'),
      prefix: engine.prefix,
      concurrency: parts.concurrency,
      lockDuration: durationMs,
      stalledInterval: checkMs,
      // BullMQ would end such a job without asking us; `runJob` counts instead, so that onExhausted hears of it.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      settings: { backoffStrategy: (made) => waitAfter(made, rules) },
      ...(rules.telemetry === undefined ? {} : { telemetry: rules.telemetry }),
    },
    engine.backend,
  );
  worker.on('error', (error) => rules.onError(error, { step }));
  let closed: Promise<void> | undefined;
  return { close: ({ deadlineMs }) => (closed ??= stop(worker, active, deadlineMs)) };
}

/** Milliseconds until the next attempt after `made` failed ones. */
function waitAfter(made: number, { backoff = BACKOFF }: WorkRules): number {
  const full = Math.min(backoff.capMs, backoff.baseMs * 2 ** (made - 1));
  return Math.ceil(full * (0.5 + Math.random() / 2));
}

/** The handlers that are running. */
class ActiveHandlers {
  readonly #controllers = new Set<AbortController>();
  #idle = Promise.withResolvers<void>();
  /** Set when the worker stops: jobs taken from then on are given back. */
  stopping = false;

  get size(): number {
    return this.#controllers.size;
  }

  start(): AbortController {
    const controller = new AbortController();
    this.#controllers.add(controller);
    return controller;
  }

  end(controller: AbortController): void {
    this.#controllers.delete(controller);
    if (this.#controllers.size === 0) this.#idle.resolve();
  }

  abort(): void {
    const reason = new MugaiError('signal', 'the process is stopping');
    for (const controller of this.#controllers) controller.abort(reason);
  }

  /** Waits up to `ms` until none runs. */
  async idle(ms: number): Promise<void> {
    if (this.#controllers.size === 0) return;
    this.#idle = Promise.withResolvers<void>();
    await within(ms, this.#idle.promise);
  }
}

/** What stopping needs of BullMQ's Worker. */
type Closing = Pick<Worker, 'pause' | 'close'>;

async function stop(worker: Closing, active: ActiveHandlers, deadlineMs: number): Promise<void> {
  active.stopping = true;
  const quiet = worker.pause().then(
    () => true,
    () => false, // Redis is gone
  );
  await active.idle(deadlineMs);
  active.abort();
  await active.idle(GRACE_MS);
  // BullMQ's patient close would never end while a handler is deaf to its signal, or while Redis is gone.
  const patient = active.size === 0 && (await within(GRACE_MS, quiet)) && (await quiet);
  await within(GRACE_MS, worker.close(!patient));
}

/** A job as BullMQ hands it out, with the lock that is needed to move it. */
interface Held {
  readonly job: Job<{ id: string }, void>;
  readonly token: string;
}

async function runJob(parts: WorkerParts, active: ActiveHandlers, held: Held): Promise<void> {
  const { step, rules, handler } = parts;
  const { job } = held;
  const id = parseMessageId(job.data.id);
  if (id === undefined) throw new UnrecoverableError('not a message id'); // Someone else writes to our Redis.
  if (active.stopping) return giveBack(held);
  const last = job.attemptsMade + 1 >= (job.opts.attempts ?? rules.attempts);
  const running = active.start();
  try {
    if (job.stalledCounter > VANISHED_TIMES) throw vanished();
    await handler(id, { made: job.attemptsMade, last }, running.signal);
  } catch (error) {
    if (error instanceof RetryLater) return await comeBack(held, error.delayMs);
    if (running.signal.aborted) return await giveBack(held);
    rules.onError(error, { step, id });
    if (!last && !isPermanent(error)) throw error instanceof Error ? error : new Error(reasonOf(error));
    await giveUp(parts, held, { id, error });
  } finally {
    active.end(running);
  }
}

function vanished(): MugaiError {
  const times = String(VANISHED_TIMES + 1);
  return new MugaiError('child-failed', `its worker vanished ${times} times`, { permanent: true });
}

function isPermanent(error: unknown): boolean {
  return error instanceof MugaiError && error.permanent;
}

/** Ends the job once the caller has dealt with the message; if that fails too, the message comes back much later. */
async function giveUp(parts: WorkerParts, held: Held, what: { id: MessageId; error: unknown }): Promise<never> {
  const { step, rules } = parts;
  try {
    await rules.onExhausted(step, what.id, what.error);
  } catch (error) {
    rules.onError(error, { step, id: what.id });
    return comeBack(held, (rules.backoff ?? BACKOFF).capMs);
  }
  throw new UnrecoverableError(reasonOf(what.error));
}

/** Sets the job aside without counting an attempt. */
async function comeBack({ job, token }: Held, delayMs: number): Promise<never> {
  await job.moveToDelayed(Date.now() + boundedDelay(delayMs), token);
  throw new DelayedError();
}

/** Puts the job back at the head of the line without counting an attempt. */
async function giveBack({ job, token }: Held): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}
