// Slows guessing down, by account and by address. Attack row 114.

/** Milliseconds a wrong guess is remembered. */
const WINDOW_MS = 15 * 60_000;
/** Keys remembered at most: an attacker's made-up names must not fill the memory. */
const KEYS_MOST = 50_000;

/** Counts wrong guesses. A key that used up its guesses has to wait, whatever it says. */
export class Guesses {
  readonly #wrong = new Map<string, number[]>();
  readonly #now: () => number;
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Seconds to wait before the next guess for any of these keys; 0: go on. */
  waitSeconds(limits: readonly (readonly [key: string, most: number])[]): number {
    let wait = 0;
    for (const [key, most] of limits) {
      const times = this.#recent(key);
      const first = times.at(-most);
      if (first !== undefined) wait = Math.max(wait, Math.ceil((first + WINDOW_MS - this.#now()) / 1000));
    }
    return wait;
  }

  wrong(...keys: readonly string[]): void {
    for (const key of keys) {
      const times = this.#recent(key);
      times.push(this.#now());
      this.#wrong.delete(key); // the newest goes to the end: the oldest are dropped first
      this.#wrong.set(key, times.slice(-100));
    }
    for (const key of this.#wrong.keys()) {
      if (this.#wrong.size <= KEYS_MOST) break;
      this.#wrong.delete(key);
    }
  }

  forget(key: string): void {
    this.#wrong.delete(key);
  }

  #recent(key: string): number[] {
    const since = this.#now() - WINDOW_MS;
    return (this.#wrong.get(key) ?? []).filter((time) => time > since);
  }
}
