// The shared purse of one message: everything nested in it, at any depth, spends from the same limits.
import { LIMITS } from '../message/limits.ts';
import type { Reason } from '../message/part.ts';
import type { Policy } from '../policy/policy.ts';

/** A limit of the message as a whole was reached; the part that reached it is refused. */
export class OverBudget extends Error {
  override readonly name = 'OverBudget';
  readonly reason: Reason;
  constructor(reason: Reason) {
    super(reason);
    this.reason = reason;
  }
}

/** Counts what a message has spent. */
export class Budget {
  readonly #limits: Policy['limits'];
  #parts = 0;
  #leftovers = 0;
  #bytes = 0;
  #output = 0;
  #pages = 0;
  #pixels = 0;
  #ms = 0;

  constructor(limits: Policy['limits']) {
    this.#limits = limits;
  }

  /** One more part at this depth of nesting. */
  part(depth: number): void {
    if (depth > this.#limits.depth) throw new OverBudget('too-deep');
    this.#parts += 1;
    if (this.#parts > this.#limits.parts) throw new OverBudget('too-many-parts');
  }

  /** A note of a system beside files: dropped unread, so it takes no file's place, but there are no more of them than of parts. */
  leftover(depth: number): void {
    if (depth > this.#limits.depth) throw new OverBudget('too-deep');
    this.#leftovers += 1;
    if (this.#leftovers > this.#limits.parts) throw new OverBudget('too-many-parts');
  }

  /** Bytes that came out of a container. */
  bytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > this.#limits.expandedBytes) throw new OverBudget('ratio');
  }

  /** Pages that a document may still have. */
  get pagesLeft(): number {
    return Math.max(0, this.#limits.pages - this.#pages);
  }

  pages(count: number): void {
    this.#pages += count;
  }

  /** Pixels of a page that is about to be kept. */
  pixels(count: number): void {
    this.#pixels += count;
    if (this.#pixels > this.#limits.pixels) throw new OverBudget('too-many-pixels');
  }

  /** Pixels that pages may still have. */
  get pixelsLeft(): number {
    return Math.max(0, this.#limits.pixels - this.#pixels);
  }

  /**
   * Milliseconds that children may still work for the message: what it has by itself, and more for every page that came of
   * it. Waiting for a child costs nothing.
   */
  get msLeft(): number {
    return Math.max(0, this.#limits.seconds * 1000 + this.#pages * LIMITS.documentPageMs - this.#ms);
  }

  /** Milliseconds that a child has worked. */
  ms(count: number): void {
    this.#ms += count;
  }

  /** Output bytes that may still be written. */
  get outputLeft(): number {
    return Math.max(0, this.#limits.outputBytes - this.#output);
  }

  output(count: number): void {
    this.#output += count;
    if (this.#output > this.#limits.outputBytes) throw new OverBudget('too-large');
  }
}
