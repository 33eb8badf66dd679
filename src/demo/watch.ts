// Follows messages by the gateway's events: where each is, and when its road ended.
import type { MessageId } from '../message/id.ts';
import type { Event } from '../roles.ts';

/** How a message's road ended, and the milliseconds from the door's yes to its end. */
export interface Ended {
  readonly outcome: string;
  readonly ms: number;
}

const WORDS = { spooled: 'sanitising', sanitise: 'sealing', seal: 'delivering', deliver: 'done' } as const;

/** Hears every event. An end may come before anybody asks for it. */
export class Watch {
  readonly #started = new Map<MessageId, number>();
  readonly #at = new Map<MessageId, Event['step']>();
  readonly #ends = new Map<MessageId, Ended>();
  readonly #waiting = new Map<MessageId, (ended: Ended) => void>();
  /** Called at each step of any message. */
  onStep: () => void = () => undefined;
  /** Called at each end nobody waits for. */
  onStranger: (id: MessageId, ended: Ended) => void = () => undefined;

  readonly hear = ({ id, step, outcome }: Event): void => {
    const now = performance.now();
    if (step === 'spooled') this.#started.set(id, now);
    if (step === 'deliver' && outcome !== 'deferred') {
      const ended = { outcome, ms: Math.round(now - (this.#started.get(id) ?? now)) };
      this.#at.delete(id);
      const waiter = this.#waiting.get(id);
      this.#waiting.delete(id);
      this.#ends.set(id, ended);
      if (waiter === undefined) this.onStranger(id, ended);
      else waiter(ended);
    } else this.#at.set(id, step);
    this.onStep();
  };

  /** Resolves when the message's road has ended; undefined when that takes more than `mostMs` or `signal` ends it. */
  async end(id: MessageId, mostMs: number, signal: AbortSignal): Promise<Ended | undefined> {
    const known = this.#ends.get(id);
    if (known !== undefined) return known;
    const limit = AbortSignal.any([signal, AbortSignal.timeout(mostMs)]);
    if (limit.aborted) return undefined;
    return new Promise((resolve) => {
      const give = (): void => {
        this.#waiting.delete(id);
        resolve(undefined);
      };
      limit.addEventListener('abort', give, { once: true });
      this.#waiting.set(id, (ended) => {
        limit.removeEventListener('abort', give);
        resolve(ended);
      });
    });
  }

  /** Where the messages under way are: `2 sanitising, 1 delivering`. */
  words(): string {
    const counts = new Map<string, number>();
    for (const step of this.#at.values()) counts.set(WORDS[step], (counts.get(WORDS[step]) ?? 0) + 1);
    return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
  }
}
