// The inner zone in a thread of its own, where one process runs all zones: gate and courier work beside the doors and
// the sanitising, not in turn with them. It shares nothing with them but the outbox on disk and the ids it is told of.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Lifecycle } from '../lifecycle.ts';
import type { MessageId } from '../message/id.ts';
import { MugaiError, type ErrorCode } from '../message/errors.ts';
import type { ProcessStatus } from '../message/status.ts';
import type { MetricsSnapshot } from '../ops/metrics.ts';

/** What the thread is told. */
export type ToThread =
  | { readonly kind: 'sealed'; readonly ids: readonly MessageId[] }
  | { readonly kind: 'count' }
  | { readonly kind: 'status' }
  | { readonly kind: 'stop'; readonly leftMs: number };

/** What the thread says. */
export type FromThread =
  | { readonly kind: 'ready'; readonly portal: PortalPlace }
  /** It ends now, or is ended: a connection on which an inner server is silent would keep it alive for minutes. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: 'status'; readonly status: ProcessStatus }
  | {
      readonly kind: 'counted';
      readonly metrics: MetricsSnapshot;
      readonly fault: string;
      readonly portalFault: string;
    };

/** Where the portal listens, and the code of its first administrator while nobody has signed in yet. */
export interface PortalPlace {
  readonly port: number;
  readonly firstCode: string | undefined;
}

export interface InnerThread {
  /** Tells it of packages that are in the outbox. */
  readonly tell: (ids: readonly MessageId[]) => void;
  /** Its metrics, with its queue counted. Rejects when it does not answer. */
  readonly metrics: () => Promise<MetricsSnapshot>;
  readonly portal: PortalPlace;
  /** What it tells of itself. Rejects when it does not answer. */
  readonly status: () => Promise<ProcessStatus>;
  /** What was wrong with the portal when its metrics were asked for last. */
  readonly portalFault: () => string | undefined;
}

/** Milliseconds the thread has to count its queue. */
const ANSWER_MS = 2500;
/** Milliseconds beyond its deadline until a thread that does not end is ended. */
const GRACE_MS = 2000;

/** Starts the thread and waits until it delivers. It reads the same configuration. Throws what its start threw. */
export async function startInnerThread(life: Lifecycle): Promise<InnerThread> {
  const thread = new Worker(new URL('./inner-thread-main.ts', import.meta.url));
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const say = (message: ToThread): void => thread.postMessage(message);
  const exited = once(thread, 'exit');
  let portalFault = '';
  const counting = new Question<MetricsSnapshot>(() => say({ kind: 'count' }));
  const asking = new Question<ProcessStatus>(() => say({ kind: 'status' }));
  const started = Promise.withResolvers<PortalPlace>();
  thread.on('message', (message: FromThread) => {
    switch (message.kind) {
      case 'ready':
        return started.resolve(message.portal);
      case 'stopped':
        return void thread.terminate();
      case 'failed':
        return started.reject(new MugaiError(message.code, message.message, { permanent: true }));
      case 'counted':
        portalFault = message.portalFault;
        return message.fault === '' ? counting.answer(message.metrics) : counting.fail(new Error(message.fault));
      case 'status':
        return asking.answer(message.status);
      default:
        return message satisfies never;
    }
  });
  const portal = await started.promise;
  let stopping = false;
  thread.once('exit', () => {
    // A zone that is gone leaves a gateway that takes mail and delivers none: end loudly, the supervisor starts anew.
    if (!stopping) throw new Error('the inner zone ended by itself');
  });
  life.started('inner zone', async (leftMs) => {
    stopping = true;
    say({ kind: 'stop', leftMs });
    const late = setTimeout(() => void thread.terminate(), leftMs + GRACE_MS);
    await exited;
    clearTimeout(late);
  });
  let waiting: MessageId[] = [];
  return {
    portal,
    portalFault: () => (portalFault === '' ? undefined : portalFault),
    tell: (ids) => {
      if (waiting.length === 0)
        setImmediate(() => {
          say({ kind: 'sealed', ids: waiting });
          waiting = [];
        });
      waiting.push(...ids);
    },
    metrics: async () => counting.ask(),
    status: async () => asking.ask(),
  };
}

/** A question to the thread. Several that ask at once get one answer. */
class Question<T> {
  readonly #say: () => void;
  #asked: PromiseWithResolvers<T> | undefined;

  constructor(say: () => void) {
    this.#say = say;
  }

  async ask(): Promise<T> {
    if (this.#asked !== undefined) return this.#asked.promise;
    const asked = Promise.withResolvers<T>();
    this.#asked = asked;
    const timer = setTimeout(() => asked.reject(new Error('the inner zone does not answer')), ANSWER_MS);
    this.#say();
    return asked.promise.finally(() => {
      clearTimeout(timer);
      this.#asked = undefined;
    });
  }

  answer(value: T): void {
    this.#asked?.resolve(value);
  }

  fail(error: Error): void {
    this.#asked?.reject(error);
  }
}
