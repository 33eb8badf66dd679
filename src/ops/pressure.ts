// Backpressure: when the house is too full to promise anything new, the doors say "later". What was accepted always goes on.
import type { Gauge } from 'prom-client';
import { LIMITS } from '../message/limits.ts';

/** What is watched, with the mark at which the doors close and the one at which they open again (hysteresis). */
export interface Mark {
  readonly reason: 'disk' | 'queue' | 'memory';
  /** The present value, undefined when it cannot be told (then it closes nothing). */
  readonly read: () => Promise<number | undefined>;
  readonly closeAt: number;
  readonly openAt: number;
  /** Whether a high value is bad (age, bytes in use) or a low one (bytes free). */
  readonly bad: 'high' | 'low';
  /** Seconds until it is worth coming again, by the present value; absent: nobody can tell. */
  readonly retryAfterSeconds?: (value: number) => number;
}

/** Why the doors are closed, and when it is worth coming again. */
export interface Closed {
  readonly reason: Mark['reason'];
  readonly retryAfterSeconds: number;
}

export interface PressureTold {
  readonly gauge: Gauge<'reason'>;
  /** Told of every change. */
  readonly onChange: (reason: Mark['reason'], closed: boolean, value: number) => void;
}

/** Looks at the marks now and then; answers the doors at once. */
export class Pressure {
  readonly #marks: readonly Mark[];
  readonly #told: PressureTold;
  /** Why the doors are closed, with the seconds that each will take as far as one can tell. */
  readonly #closed = new Map<Mark['reason'], number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(marks: readonly Mark[], told: PressureTold) {
    this.#marks = marks;
    this.#told = told;
    for (const { reason } of marks) told.gauge.set({ reason }, 0);
  }

  /** Why nothing new may be taken at this moment; undefined while the doors are open. */
  fault(): Closed | undefined {
    const [longest] = [...this.#closed].toSorted(([, a], [, b]) => b - a);
    return longest === undefined ? undefined : { reason: longest[0], retryAfterSeconds: longest[1] };
  }

  /** Looks at every mark once. */
  async look(): Promise<void> {
    for (const mark of this.#marks) {
      const value = await mark.read().catch(() => undefined); // trouble of its own is told by /readyz
      if (value === undefined) continue;
      const sign = mark.bad === 'high' ? 1 : -1;
      const was = this.#closed.has(mark.reason);
      const is = sign * value >= sign * (was ? mark.openAt : mark.closeAt) && !(was && value === mark.openAt);
      if (is) this.#closed.set(mark.reason, secondsOf(mark, value));
      if (is === was) continue;
      if (!is) this.#closed.delete(mark.reason);
      this.#told.gauge.set({ reason: mark.reason }, is ? 1 : 0);
      this.#told.onChange(mark.reason, is, value);
    }
  }

  /** Looks again every `everyMs`. */
  start(everyMs: number): void {
    const again = (): void => {
      void this.look().finally(() => {
        this.#timer = setTimeout(again, everyMs).unref();
      });
    };
    again();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function secondsOf({ retryAfterSeconds }: Mark, value: number): number {
  if (retryAfterSeconds === undefined) return LIMITS.retryAfterSeconds;
  const seconds = Math.ceil(retryAfterSeconds(value));
  return Math.min(LIMITS.retryAfterMostSeconds, Math.max(LIMITS.retryAfterLeastSeconds, seconds));
}
