// Children of one family, started beforehand, lent one input at a time, replaced after anything odd.
import { MugaiError } from '../message/errors.ts';
import { JailedChild, type OnKill } from './child.ts';
import type { Family } from './families.ts';
import type { Walls } from './jail.ts';

/** How many children at once, and how many to keep ready while none is asked for. */
export interface PoolSize {
  readonly most: number;
  readonly warm: number;
  /** None is started before the first is asked for. */
  readonly lazy?: boolean;
}

/** A bounded set of children. */
export class ChildPool implements AsyncDisposable {
  readonly family: Family;
  /** What parses in the children, as the first one said. */
  engine = '';
  readonly #size: PoolSize;
  readonly #onKill: OnKill;
  readonly #walls: Walls | undefined;
  readonly #idle: JailedChild[] = [];
  readonly #all = new Set<JailedChild>();
  readonly #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  readonly #ending = new Set<Promise<void>>();
  #lent = 0;
  #starting = 0;
  #closed = false;

  /** `walls`: those of this machine unless given. */
  constructor(family: Family, size: PoolSize, onKill: OnKill, walls?: Walls) {
    this.family = family;
    this.#size = size;
    this.#onKill = onKill;
    this.#walls = walls;
  }

  /** Starts the warm children; throws when the first cannot start. */
  async warm(): Promise<void> {
    if (this.#size.lazy === true) return;
    if (this.#size.warm > 0) this.#idle.push(await this.#start());
    this.#refill();
  }

  /** Places that nobody has or waits for, and whether a child is idle for one of them. */
  get free(): { readonly places: number; readonly ready: boolean } {
    const places = this.#closed ? 0 : Math.max(0, this.#size.most - this.#lent);
    return { places, ready: places > 0 && this.#idle.some((child) => child.usable) };
  }

  /** How busy it is: places in all, lent ones, and who waits for one. */
  get load(): { readonly places: number; readonly busy: number; readonly waiting: number } {
    return { places: this.#size.most, busy: this.#lent, waiting: this.#waiting.length };
  }

  /** True while somebody waits for a place. */
  get crowded(): boolean {
    return this.#waiting.length > 0;
  }

  /** Lends a child to `work` and takes it back; `fresh`: one that had no input yet. Waits for a free place. */
  async use<T>(signal: AbortSignal, work: (child: JailedChild) => Promise<T>, fresh = false): Promise<T> {
    await this.#place(signal);
    let child: JailedChild | undefined;
    try {
      child = this.#ready(fresh) ?? (await this.#start());
      this.engine ||= child.engine;
      if (this.family.inputsPerChild === 1) this.#refill(); // the next one starts while this one works
      return await work(child);
    } finally {
      this.#leave();
      if (child !== undefined) this.#takeBack(child);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const place of this.#waiting.splice(0)) place.reject(this.#isClosed());
    await Promise.all([...this.#all].map((child) => child.stop()));
    await Promise.all(this.#ending);
  }

  /** Takes a place. Whoever waits is handed the place of one that leaves, in the order of asking. */
  async #place(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#closed) throw this.#isClosed();
    if (this.#lent < this.#size.most) {
      this.#lent += 1;
      return;
    }
    const place = Promise.withResolvers<void>();
    this.#waiting.push(place);
    const giveUp = (): void => {
      const index = this.#waiting.indexOf(place);
      if (index < 0) return; // the place was handed over already
      this.#waiting.splice(index, 1);
      place.reject(signal.reason as Error);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      await place.promise;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#lent -= 1;
    else next.resolve();
  }

  #isClosed(): MugaiError {
    return new MugaiError('child-failed', `${this.family.name} pool is closed`);
  }

  /** An idle child that is still fit for use; one that died while idle is dropped. */
  #ready(fresh: boolean): JailedChild | undefined {
    for (let at = this.#idle.length - 1; at >= 0; at--) {
      const child = this.#idle[at] as JailedChild;
      if (fresh && child.usable && !child.fresh) continue;
      this.#idle.splice(at, 1);
      if (child.usable) return child;
      this.#end(child);
    }
    return undefined;
  }

  async #start(): Promise<JailedChild> {
    this.#starting += 1;
    try {
      const child = await JailedChild.start(this.family, this.#onKill, this.#walls);
      this.#all.add(child);
      return child;
    } finally {
      this.#starting -= 1;
    }
  }

  #takeBack(child: JailedChild): void {
    if (child.usable && !this.#closed) {
      this.#idle.push(child);
      return;
    }
    this.#end(child);
    this.#refill();
  }

  #end(child: JailedChild): void {
    const end = child.stop().finally(() => {
      this.#all.delete(child);
      this.#ending.delete(end);
    });
    this.#ending.add(end);
  }

  #refill(): void {
    if (this.#closed) return;
    // A child of single use will not come back; one that is lent from a pool will.
    const coming = this.family.inputsPerChild === 1 ? 0 : this.#lent;
    const ready = this.#idle.filter((child) => child.usable).length; // one may have died idle
    const missing = this.#size.warm - ready - this.#starting - coming;
    for (let i = 0; i < missing; i++) {
      this.#start().then(
        (child) => {
          if (this.#closed) void child.stop();
          else this.#idle.push(child);
        },
        () => undefined, // whoever asks next starts one itself and hears why it fails
      );
    }
  }
}
