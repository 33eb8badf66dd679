// What stands behind a chain besides the hashes in it: heads that its key signed, and places that somebody else knows.
import type { Position } from '../message/act.ts';
import { headHolds } from './head-key.ts';

/** A head is signed each hour: lines over a longer time without one were not written by a journal of ours. */
const UNSIGNED_MS = 2 * 3_600_000;
/** Heads before the line that names their key: each hour of more than ten years. */
const MOST_EARLY = 100_000;

interface EarlyHead {
  readonly of: Position;
  readonly seq: number;
  readonly signature: string;
}

/** Collects what a chain's lines prove while they are followed. */
export class Proof {
  /** Public keys that lines named, in their order, each once. */
  readonly keys: string[] = [];
  /** Heads whose signature was checked. */
  heads = 0;
  /** Heads that no line names a key for. */
  keyless = 0;
  /** Number of the last line that a checked head stands for. */
  signedTo: number | undefined;
  #key: string | undefined;
  /** As `signedTo`, by the key that is named first: who appends lines of his own cannot have it. */
  #firstTo = 0;
  #isUnproven = false;
  #early: EarlyHead[] = [];
  /** Number of the last line that names a key nobody had named before, though another one had signed. */
  #newKeyAt = 0;
  /** Numbers of the lines that retire others, by the position they retire up to. */
  readonly #retired = new Map<string, number>();

  /** The line with this number says that this key signs from there on. */
  opened(key: string, at: number): void {
    this.#key = key;
    if (!this.keys.includes(key)) {
      if (this.keys.length > 0) this.#newKeyAt = at;
      this.keys.push(key);
    }
    if (this.keys.length > 1 || this.#early.length === 0) return;
    // Their own key may have been another one, whose line was retired: then they stay unchecked.
    for (const { of, seq, signature } of this.#early.splice(0))
      if (headHolds(of, signature, key)) this.#count(seq, key);
  }

  /**
   * As `opened`, by the line that retires the others: whoever appends it names what key he likes. It counts where heads before it
   * are signed with that key.
   */
  named(key: string, at: number): void {
    this.opened(key, at);
    this.#isUnproven = this.#firstTo === 0;
  }

  /** Takes a head of the line with this number; false when its signature does not hold. */
  head(of: Position, seq: number, signature: string): boolean {
    if (this.#key === undefined) {
      this.keyless += 1;
      if (this.#early.length < MOST_EARLY) this.#early.push({ of, seq, signature });
      return true;
    }
    if (!headHolds(of, signature, this.#key)) return false;
    this.keyless += 1;
    this.#count(seq, this.#key);
    return true;
  }

  #count(seq: number, key: string): void {
    this.keyless -= 1;
    this.heads += 1;
    this.signedTo = seq;
    if (key === this.keys[0]) this.#firstTo = seq;
  }

  /** The line with this number says that what is up to this position was retired. */
  retire(upTo: string, seq: number): void {
    this.#retired.set(upTo, seq);
  }

  isRetired(upTo: string): boolean {
    return this.#retired.has(upTo);
  }

  /**
   * What of a chain that follows line by line is not proved all the same. `begins`: the position its first line follows, where
   * older ones are gone; `anchored`: the last number that somebody else confirms.
   */
  doubts(
    begins: Position | undefined,
    { first = '', last = '' }: { readonly first: string | undefined; readonly last: string | undefined },
    anchored: number,
  ): string[] {
    const doubts: string[] = [];
    if (this.keyless > 0) doubts.push(`${this.keyless} heads are signed with a key that no line here names`);
    const span = Date.parse(last) - Date.parse(first);
    if (this.heads + this.keyless === 0 && span > UNSIGNED_MS)
      doubts.push(`no line is signed in ${Math.floor(span / 3_600_000)} hours`);
    const retired = begins === undefined ? undefined : (this.#retired.get(begins) ?? Infinity);
    const signed = this.#isUnproven ? 0 : this.#firstTo;
    if (retired !== undefined && retired > Math.max(signed, anchored))
      doubts.push(
        'older lines are gone, and the line that retires them is not signed with the key of the lines before it',
      );
    // Nothing of a chain hands it on to another key: whoever can write here, and has lost or never had the key, goes on so.
    if (this.#newKeyAt > anchored)
      doubts.push(
        `lines from number ${this.#newKeyAt} on are signed with a key that nobody who had the one before confirms`,
      );
    return doubts;
  }
}
