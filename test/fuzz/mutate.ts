// Inputs that are almost right: seeded changes to bytes and to lines. The same seed gives the same inputs.
import { seeded } from '../support/attack-row.ts';

const ODD_BYTES = [
  0x00, 0x0a, 0x0d, 0x09, 0x1b, 0x20, 0x22, 0x26, 0x27, 0x2d, 0x2e, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x5c, 0x7f, 0x80,
  0xe3, 0xff,
];
const ODD_NUMBERS = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];
const MOST_BYTES = 64 * 1024;

/** Seeded choices. */
export class Dice {
  readonly #next: () => number;
  constructor(seed: number) {
    this.#next = seeded(seed);
    for (let i = 0; i < 8; i++) this.#next(); // neighbouring seeds begin alike
  }
  /** A whole number from 0 to below `most`. */
  below(most: number): number {
    return Math.floor(this.#next() * most);
  }
  of<T>(all: readonly T[]): T {
    return all[this.below(all.length)] as T;
  }
}

/** A few changes to a copy of `bytes`; `words` are pieces of the language that is spoken. */
export function mutate(bytes: Buffer, dice: Dice, words: readonly string[] = []): Buffer {
  let out: Buffer = Buffer.from(bytes.subarray(0, MOST_BYTES));
  for (let changes = 1 + dice.below(6); changes > 0; changes--) out = change(out, dice, words);
  return out.subarray(0, MOST_BYTES);
}

function change(bytes: Buffer, dice: Dice, words: readonly string[]): Buffer {
  const at = dice.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + dice.below(dice.of([4, 64, 1024])));
  const splice = (middle: Buffer, end = at): Buffer =>
    Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(end)]);
  switch (dice.below(8)) {
    case 0:
      return splice(Buffer.from([dice.of(ODD_BYTES)]), Math.min(bytes.length, at + 1));
    case 1:
      return splice(Buffer.from([dice.of(ODD_BYTES)]));
    case 2:
      return splice(Buffer.alloc(0), to);
    case 3:
      return splice(Buffer.concat([bytes.subarray(at, to), bytes.subarray(at, to)]), to);
    case 4: {
      const number = Buffer.alloc(4);
      number.writeUInt32BE(dice.of(ODD_NUMBERS) >>> 0, 0);
      return splice(number, Math.min(bytes.length, at + 4));
    }
    case 5:
      return words.length === 0
        ? splice(Buffer.alloc(1 + dice.below(300), dice.of(ODD_BYTES)))
        : splice(Buffer.from(dice.of(words)));
    case 6:
      return words.length === 0
        ? bytes.subarray(0, at)
        : splice(Buffer.from(dice.of(words).repeat(1 + dice.below(200))));
    default: {
      const from = dice.below(bytes.length + 1);
      return splice(bytes.subarray(from, from + dice.below(512)));
    }
  }
}
