// JPEG XL (ISO/IEC 18181: bare codestreams, and containers of boxes) through libjxl as WebAssembly.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { checkPixels } from './drawing.ts';
import type { Rgba } from './image-formats.ts';
import { Refusal } from './run.ts';

interface Decoder {
  decode(
    bytes: Uint8Array,
  ): { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray } | null;
}

type Start = (options: object) => Promise<Decoder>;

const require = createRequire(import.meta.url);
const CODEC = '@jsquash/jxl/codec/dec/jxl_dec';
/** Some 50 bytes of memory each while it decodes. */
const PIXELS_MOST = 18_000_000;

const CONTAINER = Buffer.from('0000000c4a584c200d0a870a', 'hex');
const isCodestream = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0x0a;

export function isJpegXl(bytes: Buffer): boolean {
  return isCodestream(bytes) || bytes.subarray(0, CONTAINER.length).equals(CONTAINER);
}

/** The picture, or the first of a film. Throws a `Refusal`; what libjxl throws otherwise ends the process. */
export async function jpegXl(bytes: Buffer): Promise<Rgba> {
  const head = headOf(codestreamOf(bytes));
  checkPixels(head.width, head.height);
  if (head.width * head.height > PIXELS_MOST)
    throw new Refusal('too-many-pixels', `${head.width} × ${head.height} pixels`);
  const { default: start } = (await import(`${CODEC}.js`)) as { default: Start };
  const wasmBinary = readFileSync(require.resolve(`${CODEC}.wasm`));
  const decoder = await start({ wasmBinary, print: () => undefined, printErr: () => undefined });
  const picture = decoder.decode(bytes);
  if (picture === null) throw new Refusal('damaged', 'JPEG XL that libjxl does not decode');
  const { width, height, data } = picture;
  if (data.length !== width * height * 4) throw new Refusal('damaged', 'JPEG XL without a picture');
  return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.length), isSequence: head.isFilm };
}

/** The codestream, or the first piece of it, of a container (18181-2, 9.1). */
function codestreamOf(bytes: Buffer): Buffer {
  if (isCodestream(bytes)) return bytes;
  for (let at = 0; at + 8 <= bytes.length;) {
    const short = bytes.readUInt32BE(at);
    const isLong = short === 1 && at + 16 <= bytes.length;
    const head = isLong ? 16 : 8;
    const size = isLong ? Number(bytes.readBigUInt64BE(at + 8)) : short === 0 ? bytes.length - at : short;
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (size < head) break;
    const content = bytes.subarray(at + head, at + size);
    if (type === 'jxlc') return content;
    if (type === 'jxlp') return content.subarray(4); // behind its number
    at += size;
  }
  throw new Refusal('damaged', 'JPEG XL without a codestream');
}

/** Bits of a length by its selector; ratios of width to height (18181-1, D.2); the same of a preview, with the least (D.3). */
const LENGTH_BITS = [9, 13, 18, 30];
const RATIOS = [undefined, [1, 1], [12, 10], [4, 3], [3, 2], [16, 9], [5, 4], [2, 1]] as const;
const PREVIEW_EIGHTHS = [
  [0, 16],
  [0, 32],
  [5, 1],
  [9, 33],
] as const;
const PREVIEW_LENGTHS = [
  [6, 1],
  [8, 65],
  [10, 321],
  [12, 1345],
] as const;

/** What the head of a codestream says: its sides, and whether it is a film (SizeHeader, ImageMetadata). */
function headOf(codestream: Buffer): { readonly width: number; readonly height: number; readonly isFilm: boolean } {
  if (!isCodestream(codestream)) throw new Refusal('damaged', 'JPEG XL without a codestream');
  let bit = 16;
  const take = (bits: number): number => {
    let value = 0;
    for (let nth = 0; nth < bits; nth++, bit++) value += (((codestream[bit >> 3] ?? 0) >> (bit & 7)) & 1) * 2 ** nth;
    return value;
  };
  const sides = (length: () => number): { readonly width: number; readonly height: number } => {
    const height = length();
    const ratio = RATIOS[take(3)];
    return { width: ratio === undefined ? length() : Math.floor((height * ratio[0]) / ratio[1]), height };
  };
  const size = (): { readonly width: number; readonly height: number } => {
    const isSmall = take(1) === 1;
    return sides(() => (isSmall ? 8 * (take(5) + 1) : take(LENGTH_BITS[take(2)] ?? 0) + 1));
  };
  const whole = size();
  const hasMore = take(1) === 0 && take(1) === 1;
  if (!hasMore) return { ...whole, isFilm: false };
  take(3); // which way up it is
  if (take(1) === 1) size(); // as it is meant to be shown
  if (take(1) === 1) {
    const isSmall = take(1) === 1;
    sides(() => {
      const [bits, least] = (isSmall ? PREVIEW_EIGHTHS : PREVIEW_LENGTHS)[take(2)] as readonly [number, number];
      return take(bits) + least;
    });
  }
  return { ...whole, isFilm: take(1) === 1 };
}
