// The shared purse of one message: everything nested in it, at any depth, spends from the same limits.
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
  #bytes = 0;
  #output = 0;
  #pages = 0;

  constructor(limits: Policy['limits']) {
    this.#limits = limits;
  }

  /** One more part at this depth of nesting. */
  part(depth: number): void {
    if (depth > this.#limits.depth) throw new OverBudget('too-deep');
    this.#parts += 1;
    if (this.#parts > this.#limits.parts) throw new OverBudget('too-many-parts');
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

  /** Output bytes that may still be written. */
  get outputLeft(): number {
    return Math.max(0, this.#limits.outputBytes - this.#output);
  }

  output(count: number): void {
    this.#output += count;
    if (this.#output > this.#limits.outputBytes) throw new OverBudget('too-large');
  }
}
