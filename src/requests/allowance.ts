// How often passwords may be tried: guessing must stay slower than asking the sender.

/** Requests for one message within the window. */
const PER_MESSAGE = 5;
/** Requests of one person within the window. */
const PER_PERSON = 30;
const WINDOW_MS = 15 * 60_000;
/** Keys remembered at most; the oldest are forgotten first. */
const KEYS_MOST = 10_000;

/** Counts password requests by message and by person over the last quarter of an hour. */
export class PasswordAllowance {
  readonly #times = new Map<string, number[]>();

  /** True, and counted, when one more request is allowed now; false: it has to wait. */
  take(id: string, by: string, now: number = Date.now()): boolean {
    const message = this.#recent(`m ${id}`, now);
    const person = this.#recent(`p ${by}`, now);
    if (message.length >= PER_MESSAGE || person.length >= PER_PERSON) return false;
    message.push(now);
    person.push(now);
    return true;
  }

  #recent(key: string, now: number): number[] {
    const times = (this.#times.get(key) ?? []).filter((time) => now - time < WINDOW_MS);
    this.#times.delete(key); // to the end: the first of the map is the one that was quiet longest
    this.#times.set(key, times);
    if (this.#times.size > KEYS_MOST) {
      const [oldest] = this.#times.keys();
      if (oldest !== undefined) this.#times.delete(oldest);
    }
    return times;
  }
}
