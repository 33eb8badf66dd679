// Children of one family, started beforehand, lent one input at a time, replaced after anything odd.
import { MugaiError } from '../message/errors.ts';
import { JailedChild, type OnKill } from './child.ts';
import type { Family } from './families.ts';
import type { Walls } from './jail.ts';

/** How many children at once, and how many to keep ready while none is asked for. */
export interface PoolSize {
  readonly most: number;
  readonly warm: number;
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
  readonly #waiting: (() => void)[] = [];
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
    if (this.#size.warm > 0) this.#idle.push(await this.#start());
    this.#refill();
  }

  /** Lends a child to `work` and takes it back. Waits for a free place. */
  async use<T>(signal: AbortSignal, work: (child: JailedChild) => Promise<T>): Promise<T> {
    await this.#place(signal);
    let child: JailedChild | undefined;
    try {
      child = this.#ready() ?? (await this.#start());
      this.engine ||= child.engine;
      if (this.family.inputsPerChild === 1) this.#refill(); // the next one starts while this one works
      return await work(child);
    } finally {
      this.#lent -= 1;
      if (child !== undefined) this.#takeBack(child);
      this.#waiting.shift()?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map((child) => child.stop()));
    await Promise.all(this.#ending);
  }

  async #place(signal: AbortSignal): Promise<void> {
    while (this.#lent >= this.#size.most) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    signal.throwIfAborted();
    if (this.#closed) throw new MugaiError('child-failed', `${this.family.name} pool is closed`);
    this.#lent += 1;
  }

  /** An idle child that is still fit for use; one that died while idle is dropped. */
  #ready(): JailedChild | undefined {
    for (let child = this.#idle.pop(); child !== undefined; child = this.#idle.pop()) {
      if (child.usable) return child;
      this.#all.delete(child);
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
    const end = child.stop().finally(() => {
      this.#all.delete(child);
      this.#ending.delete(end);
    });
    this.#ending.add(end);
    this.#refill();
  }

  #refill(): void {
    if (this.#closed) return;
    // A child of single use will not come back; one that is lent from a pool will.
    const coming = this.family.inputsPerChild === 1 ? 0 : this.#lent;
    const missing = this.#size.warm - this.#idle.length - this.#starting - coming;
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
