// What others say of a chain's lines, compared with them; and who is wrong where the two differ. A place that a package names
// is as true as whoever holds the sealing key: an honest chain is not broken because a package says so.
import type { Position } from '../message/act.ts';
import { parsePosition, type Head } from './line.ts';
import type { Anchor, Break, Hashes } from './verify-chain.ts';

/** A package, or another line of a journal, that names a line which never was. */
export interface Lie {
  readonly position: Position;
  /** The line that repeats it. */
  readonly from: string;
  readonly message: string | undefined;
  /** How it is known. */
  readonly why: string;
}

interface Known {
  readonly seq: number;
  readonly from: string;
}

interface Dispute {
  readonly anchor: Anchor;
  readonly place: Head & { readonly chain: string };
}

/**
 * Compares places one after the other, as the chains that tell of them have them. Who had named a later line of the chain as
 * it is, before somebody named an earlier one otherwise, had seen the chain that is here: the other place never was.
 */
export class Witnesses {
  readonly lies: Lie[] = [];
  /** The last line of a chain that somebody names as it is. */
  readonly anchored = new Map<string, Known>();
  readonly #hashes: ReadonlyMap<string, Hashes>;
  /** As `anchored`, of what each chain told so far. */
  readonly #told = new Map<string, Known>();
  readonly #disputes: Dispute[] = [];

  constructor(hashes: ReadonlyMap<string, Hashes>) {
    this.#hashes = hashes;
  }

  /** Compares a place that a line or a package names; false: its chain is not known (yet). */
  hear(anchor: Anchor): boolean {
    const place = parsePosition(anchor.position);
    if (place === undefined) return true;
    const holds = this.#holds(place);
    if (holds === 'unknown') return false;
    const by = `${anchor.chain ?? anchor.from} ${place.chain}`;
    const before = this.#told.get(by);
    if (holds === true) {
      raise(this.#told, by, { seq: place.seq, from: anchor.from });
      raise(this.anchored, place.chain, { seq: place.seq, from: anchor.from });
    } else if (holds === false) {
      if (before !== undefined && before.seq >= place.seq) this.#lies(anchor, before);
      else this.#disputes.push({ anchor, place });
    }
    return true;
  }

  #holds(place: Dispute['place']): boolean | undefined | 'unknown' {
    const hashes = this.#hashes.get(place.chain);
    return hashes === undefined ? 'unknown' : hashes.holds(place.seq, place.hash);
  }

  #lies({ position, from, message }: Anchor, { seq, from: other }: Known): void {
    this.lies.push({ position, from, message, why: `${other} names number ${seq} of that chain as it is` });
  }

  /** What breaks chains, once all that is known for certain (`firm`: a print-out, syslog) was compared. */
  judge(firm: readonly Anchor[]): ReadonlyMap<string, Break> {
    const breaks = new Map<string, Break>();
    const certain = new Map<string, Known>();
    for (const { position, from } of firm) {
      const place = parsePosition(position);
      if (place === undefined) continue;
      const holds = this.#holds(place);
      if (holds === true) {
        raise(certain, place.chain, { seq: place.seq, from });
        raise(this.anchored, place.chain, { seq: place.seq, from });
      } else if (holds === false && !breaks.has(place.chain)) {
        const why = `${from} has another line here: the chain was cut or written anew`;
        breaks.set(place.chain, { file: '', line: 0, seq: place.seq, why });
      }
    }
    for (const { anchor, place } of this.#disputes) {
      const known = certain.get(place.chain);
      if (known !== undefined && known.seq >= place.seq) this.#lies(anchor, known);
      else if (!breaks.has(place.chain)) {
        const or = anchor.message === undefined ? '' : `, or the package of ${anchor.message} lies`;
        const why = `${anchor.from} has another line here: the chain was cut or written anew${or}`;
        breaks.set(place.chain, { file: '', line: 0, seq: place.seq, why });
      }
    }
    return breaks;
  }
}

function raise(known: Map<string, Known>, key: string, one: Known): void {
  if (one.seq > (known.get(key)?.seq ?? 0)) known.set(key, one);
}
