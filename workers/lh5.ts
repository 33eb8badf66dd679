// LHA's method -lh5- without an archive around it: an 8 KiB window, blocks of static Huffman codes (as Okumura's ar002). Ichitaro's
// .jtdc and DocuWorks keep their streams so.
import { Refusal } from './run.ts';

const LITERALS = 510; // 256 bytes and lengths 3 to 256
const POSITIONS = 14;
const PRECODES = 19;

/** Unpacks `size` bytes. Throws `damaged` when the codes make no sense or end early. */
export function unpackLh5(packed: Uint8Array, size: number): Buffer {
  const out = Buffer.allocUnsafe(size);
  const bits = new Bits(packed);
  let at = 0;
  let left = 0;
  let literal = NOTHING;
  let position = NOTHING;
  while (at < size) {
    if (left === 0) {
      left = bits.take(16);
      if (left === 0) throw new Refusal('damaged', 'an empty block');
      const pre = readLengths(bits, PRECODES, 5, 3);
      literal = readLiterals(bits, pre);
      position = readLengths(bits, POSITIONS, 4, -1);
    }
    left -= 1;
    const code = literal(bits);
    if (code < 256) {
      out[at++] = code;
      continue;
    }
    const slot = position(bits);
    const back = (slot < 2 ? slot : (1 << (slot - 1)) + bits.take(slot - 1)) + 1;
    const end = Math.min(size, at + code - 253);
    // Before its start there are blanks, as in the window of the program that packed it.
    for (; at < end; at++) out[at] = at < back ? 0x20 : (out[at - back] as number);
  }
  return out;
}

class Bits {
  readonly #bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  bit(): number {
    // A few bits beyond the end are asked for by honest files; more than that is a file that was cut.
    if (this.#at > this.#bytes.length * 8 + 64) throw new Refusal('damaged', 'packed data cut');
    const bit = ((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1;
    this.#at += 1;
    return bit;
  }
  take(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + this.bit();
    return value;
  }
}

type Decode = (bits: Bits) => number;
const NOTHING: Decode = () => {
  throw new Refusal('damaged', 'no code');
};

/** The lengths of a small alphabet, three bits each and more ones; after `gapAt` of them two bits tell how many are zero. */
function readLengths(bits: Bits, alphabet: number, countBits: number, gapAt: number): Decode {
  const count = bits.take(countBits);
  if (count === 0) return constant(bits.take(countBits), alphabet);
  const lengths: number[] = [];
  while (lengths.length < count) {
    let length = bits.take(3);
    if (length === 7) while (bits.bit() === 1 && length < 17) length += 1;
    lengths.push(length);
    if (lengths.length === gapAt) for (let zeros = bits.take(2); zeros > 0; zeros--) lengths.push(0);
  }
  return decoder(lengths.slice(0, alphabet));
}

function readLiterals(bits: Bits, pre: Decode): Decode {
  const count = bits.take(9);
  if (count === 0) return constant(bits.take(9), LITERALS);
  const lengths: number[] = [];
  while (lengths.length < count) {
    const code = pre(bits);
    if (code > 2) lengths.push(code - 2);
    else {
      const zeros = code === 0 ? 1 : code === 1 ? bits.take(4) + 3 : bits.take(9) + 20;
      for (let i = 0; i < zeros; i++) lengths.push(0);
    }
  }
  return decoder(lengths.slice(0, LITERALS));
}

function constant(value: number, alphabet: number): Decode {
  if (value >= alphabet) throw new Refusal('damaged', 'a code beyond its alphabet');
  return () => value;
}

/** A canonical Huffman code from its lengths. */
function decoder(lengths: readonly number[]): Decode {
  const counts = new Uint16Array(18);
  for (const length of lengths) if (length > 0) counts[length] = (counts[length] ?? 0) + 1;
  const symbols = lengths
    .map((length, symbol) => ({ length, symbol }))
    .filter(({ length }) => length > 0)
    .toSorted((a, b) => a.length - b.length || a.symbol - b.symbol)
    .map(({ symbol }) => symbol);
  if (symbols.length === 0) return NOTHING;
  return (bits) => {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= 17; length++) {
      code = code * 2 + bits.bit();
      const count = counts[length] as number;
      if (code - first < count) return symbols[index + code - first] as number;
      index += count;
      first = (first + count) * 2;
    }
    throw new Refusal('damaged', 'no such code');
  };
}
