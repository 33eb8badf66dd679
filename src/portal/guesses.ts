// Slows guessing down, by account and by address. Attack row 114.

/** Milliseconds a wrong guess is remembered. */
const WINDOW_MS = 15 * 60_000;
/** Keys remembered at most: an attacker's made-up names must not fill the memory. */
const KEYS_MOST = 50_000;

/** Counts wrong guesses. A key that used up its guesses has to wait, whatever it says. */
export class Guesses {
  readonly #wrong = new Map<string, number[]>();
  /** Guesses whose answer is not known yet. */
  readonly #open = new Map<string, number>();
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
      else if (times.length + (this.#open.get(key) ?? 0) >= most) wait = Math.max(wait, 1);
    }
    return wait;
  }

  /** Guesses whose check takes a while count until it has ended: many at once are no more than one after another. */
  async during<T>(keys: readonly string[], check: () => Promise<T>): Promise<T> {
    for (const key of keys) this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
    try {
      return await check();
    } finally {
      for (const key of keys) {
        const left = (this.#open.get(key) ?? 1) - 1;
        if (left > 0) this.#open.set(key, left);
        else this.#open.delete(key);
      }
    }
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
