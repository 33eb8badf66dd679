// Run lengths of bitmaps: of 4 and 8 bits ([MS-WMF] 3.1.6), of whole colours as OS/2 has them. Lines go from the lowest up.
import { Refusal } from './run.ts';

interface Runs {
  readonly from: number;
  readonly width: number;
  readonly height: number;
  readonly bits: number;
}

const ESCAPE = { line: 0, end: 1, jump: 2 } as const;

/** Gives each pixel that a run reaches: its place, its index or its colour. Throws a `Refusal` where they break off before the last line. */
export function eachOfRuns(
  bytes: Buffer,
  { from, width, height, bits }: Runs,
  give: (x: number, y: number, value: number) => void,
): void {
  let at = from;
  let x = 0;
  let y = 0;
  /** A run goes on behind the end of its line, where there are no pixels to walk. */
  const put = (count: number, value: (n: number) => number): void => {
    const most = Math.min(count, width - x);
    for (let n = 0; n < most; n++) give(x + n, y, value(n));
    x += count;
  };
  /** The value of the `n`th pixel of those whose bytes begin at `start`. */
  const value = (start: number, n: number): number => {
    if (bits === 24) return bytes.readUIntLE(start + n * 3, 3);
    if (bits === 8) return bytes.readUInt8(start + n);
    const both = bytes.readUInt8(start + (n >> 1));
    return n % 2 === 0 ? both >> 4 : both & 15;
  };
  const lengthOf = (count: number): number => (count * bits + 7) >> 3;
  const need = (count: number): void => {
    if (at + count > bytes.length) throw new Refusal('damaged', 'bitmap cut');
  };
  while (y < height) {
    if (at + 2 > bytes.length && y === height - 1 && x >= width) return; // no end is told
    need(2);
    const count = bytes.readUInt8(at);
    const code = bytes.readUInt8(at + 1);
    if (count > 0) {
      at += 1;
      need(bits === 24 ? 3 : 1);
      // A run of 4 bits takes the two halves of its byte in turn.
      put(count, (n) => value(at, bits === 4 ? n % 2 : 0));
      at += bits === 24 ? 3 : 1;
      continue;
    }
    at += 2;
    if (code === ESCAPE.end) return;
    if (code === ESCAPE.line) {
      x = 0;
      y += 1;
    } else if (code === ESCAPE.jump) {
      need(2);
      x += bytes.readUInt8(at);
      y += bytes.readUInt8(at + 1);
      at += 2;
    } else {
      const length = lengthOf(code);
      need(length);
      put(code, (n) => value(at, n));
      at += length + (length % 2);
    }
  }
}
