// Start in order, stop in reverse, with one deadline for the whole stop.
import { reasonOf } from './message/errors.ts';
import type { Log } from './ops/log.ts';

/** Stops a part; `leftMs` are the milliseconds that are left for this and all that stops after it. */
type Stop = (leftMs: number) => Promise<void>;

interface Part {
  readonly name: string;
  readonly stop: Stop;
}

/** Milliseconds a part may take to let go once the deadline is over. */
const GRACE_MS = 2500;

/** Remembers what was started; stops it in reverse, once. */
export class Lifecycle {
  readonly #parts: Part[] = [];
  readonly #log: Log;
  readonly #stopMs: number;
  #stopping: Promise<void> | undefined;

  /** `stopMs`: milliseconds a stop may take in all. */
  constructor(log: Log, stopMs: number) {
    this.#log = log;
    this.#stopMs = stopMs;
  }

  /** Notes a part that runs now and how to stop it. */
  started(name: string, stop: Stop): void {
    this.#parts.push({ name, stop });
  }

  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  /**
   * Stops everything in reverse order of its start, in `withinMs` when that is less than the stop may take anyway. A part
   * that fails to stop, or does not end, does not keep the others from it.
   */
  async stop(withinMs: number = this.#stopMs): Promise<void> {
    this.#stopping ??= this.#stopAll(performance.now() + Math.min(withinMs, this.#stopMs));
    return this.#stopping;
  }

  async #stopAll(deadline: number): Promise<void> {
    for (const part of this.#parts.toReversed()) {
      const leftMs = Math.max(0, deadline - performance.now());
      const late = Promise.withResolvers<never>();
      const timer = setTimeout(() => late.reject(new Error('does not end')), leftMs + GRACE_MS);
      try {
        await Promise.race([part.stop(leftMs), late.promise]);
        this.#log.debug({ part: part.name }, 'stopped');
      } catch (error) {
        this.#log.error({ part: part.name, error: reasonOf(error) }, 'did not stop cleanly');
      } finally {
        clearTimeout(timer);
      }
    }
  }
}
