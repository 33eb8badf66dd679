// Start in order, stop in reverse, with a deadline for each stop.
import { reasonOf } from './message/errors.ts';
import type { Log } from './ops/log.ts';

interface Part {
  readonly name: string;
  readonly stop: () => Promise<void>;
}

/** Remembers what was started; stops it in reverse, once. */
export class Lifecycle {
  readonly #parts: Part[] = [];
  readonly #log: Log;
  #stopping: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Notes a part that runs now and how to stop it. */
  started(name: string, stop: () => Promise<void>): void {
    this.#parts.push({ name, stop });
  }

  get stopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Stops everything in reverse order of its start. A part that fails to stop does not keep the others from it. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const part of this.#parts.toReversed()) {
      try {
        await part.stop();
        this.#log.debug({ part: part.name }, 'stopped');
      } catch (error) {
        this.#log.error({ part: part.name, error: reasonOf(error) }, 'did not stop cleanly');
      }
    }
  }
}
