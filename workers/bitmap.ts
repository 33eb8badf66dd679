// A device-independent bitmap to RGBA: 1, 2, 4, 8, 16, 24, 32 bits, with or without masks of its colours, or of run lengths; those
// of OS/2, and those of icons with what they show through.
import { eachOfRuns } from './bitmap-runs.ts';
import { checkPixels } from './drawing.ts';
import type { Rgba } from './image-formats.ts';
import { Refusal } from './run.ts';

/** Masks of red, green, blue where the file has none ([MS-WMF] 2.2.2.9 and before). */
const USUAL = { 16: [0x7c00, 0x3e0, 0x1f], 32: [0xff0000, 0xff00, 0xff] } as const;

/** How pixels are kept. */
type Kept = 'plain' | 'masks' | 'runs';

interface Header {
  readonly at: number;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
  readonly isUpsideDown: boolean;
  readonly bits: number;
  readonly kept: Kept;
  /** Of OS/2 1.x: colours of three bytes. */
  readonly isShort: boolean;
}

/** `head`: where its header begins; `halved`: its height counts a mask, too, as in an icon. Throws a `Refusal`. */
export function bitmap(bytes: Buffer, pixelsAt: number, head: number, halved = false): Rgba {
  const header = headerOf(bytes, head, halved);
  const { width, height, bits } = header;
  if (header.kept === 'runs') return fromRuns(bytes, pixelsAt, header);
  const row = rowBytes(width, bits);
  if (pixelsAt + row * height > bytes.length) throw new Refusal('damaged', 'bitmap cut');
  const put = painter(bytes, header);
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const from = pixelsAt + (header.isUpsideDown ? y : height - 1 - y) * row;
    for (let x = 0; x < width; x++) {
      const to = (y * width + x) * 4;
      data[to + 3] = 255;
      put(data, to, from, x);
    }
  }
  if (halved) showThrough(data, bytes, pixelsAt, header);
  return { width, height, data };
}

function headerOf(bytes: Buffer, at: number, halved: boolean): Header {
  const size = at + 12 <= bytes.length ? bytes.readUInt32LE(at) : 0;
  const isShort = size === 12;
  if (!isShort && (size < 16 || at + 16 > bytes.length)) throw new Refusal('unsupported-type', 'an old bitmap');
  // Headers of OS/2 2.x end where they like: what is not there is zero.
  const word = (offset: number): number =>
    offset + 4 <= size && at + offset + 4 <= bytes.length ? bytes.readUInt32LE(at + offset) : 0;
  const width = isShort ? bytes.readUInt16LE(at + 4) : word(4) | 0;
  const signed = isShort ? bytes.readUInt16LE(at + 6) : word(8) | 0;
  const height = halved ? Math.abs(signed) >> 1 : Math.abs(signed);
  const bits = bytes.readUInt16LE(at + (isShort ? 10 : 14));
  const compression = isShort ? 0 : word(16);
  checkPixels(width, height);
  const kept = keptAs(compression, bits, size);
  if (kept === undefined) throw new Refusal('unsupported-type', `bitmap compression ${compression}`);
  if (![1, 2, 4, 8, 16, 24, 32].includes(bits)) throw new Refusal('unsupported-type', `bitmap of ${bits} bits`);
  return { at, bytes: size, width, height, isUpsideDown: signed < 0, bits, kept, isShort };
}

/** [MS-WMF] 2.1.1.7; in a header of OS/2 2.x 4 is of run lengths of whole colours, and 3 is a fax, which nobody makes. */
function keptAs(compression: number, bits: number, size: number): Kept | undefined {
  const isOs2 = size < 40 || size === 64;
  if (compression === 0) return 'plain';
  if (compression === 3 && !isOs2 && (bits === 32 || bits === 16)) return 'masks';
  const runs = (compression === 1 && bits === 8) || (compression === 2 && bits === 4);
  return runs || (isOs2 && compression === 4 && bits === 24) ? 'runs' : undefined;
}

function rowBytes(width: number, bits: number): number {
  return ((width * bits + 31) >> 5) << 2;
}

function fromRuns(bytes: Buffer, pixelsAt: number, header: Header): Rgba {
  const { width, height, bits } = header;
  const data = new Uint8Array(width * height * 4); // what no run reaches is not there
  const palette = bits === 24 ? undefined : paletteOf(bytes, header);
  eachOfRuns(bytes, { from: pixelsAt, width, height, bits }, (x, y, value) => {
    const to = ((height - 1 - y) * width + x) * 4;
    data[to + 3] = 255;
    if (palette !== undefined) return palette(data, to, value);
    data[to] = (value >> 16) & 255;
    data[to + 1] = (value >> 8) & 255;
    data[to + 2] = value & 255;
  });
  return { width, height, data };
}

/** Writes the colour of an index. */
function paletteOf(bytes: Buffer, header: Header): (data: Uint8Array, to: number, index: number) => void {
  const palette = header.at + header.bytes;
  const step = header.isShort ? 3 : 4;
  return (data, to, index) => copyColour(bytes, data, to, palette + index * step);
}

function copyColour(bytes: Buffer, data: Uint8Array, to: number, at: number): void {
  data[to] = bytes[at + 2] ?? 0;
  data[to + 1] = bytes[at + 1] ?? 0;
  data[to + 2] = bytes[at] ?? 0;
}

/** What an icon shows through: by the fourth byte of its colours where any says something, otherwise by the mask behind them. */
function showThrough(data: Uint8Array, bytes: Buffer, pixelsAt: number, header: Header): void {
  const { width, height, bits } = header;
  const row = rowBytes(width, bits);
  const maskAt = pixelsAt + row * height;
  const maskRow = rowBytes(width, 1);
  let hasAlpha = false;
  for (let at = pixelsAt + 3; bits === 32 && at < maskAt && !hasAlpha; at += 4) hasAlpha = bytes[at] !== 0;
  for (let y = 0; y < height; y++) {
    const line = header.isUpsideDown ? y : height - 1 - y;
    for (let x = 0; x < width; x++) {
      const masked = ((bytes[maskAt + line * maskRow + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1;
      const alpha = hasAlpha ? bytes[pixelsAt + line * row + x * 4 + 3] : masked === 1 ? 0 : 255;
      data[(y * width + x) * 4 + 3] = alpha ?? 255;
    }
  }
}

/** Writes the pixel `x` of the row that begins at `from`. */
type Painter = (data: Uint8Array, to: number, from: number, x: number) => void;

function painter(bytes: Buffer, header: Header): Painter {
  const { bits, at: head } = header;
  if (bits === 24) return (data, to, from, x) => copyColour(bytes, data, to, from + x * 3);
  if (bits === 16 || bits === 32) {
    const isMasked = header.kept === 'masks';
    if (isMasked && head + 52 > bytes.length) throw new Refusal('damaged', 'bitmap cut');
    // Behind a header of 40 bytes, or within a longer one: the same place.
    const masks = isMasked ? [40, 44, 48].map((at) => bytes.readUInt32LE(head + at)) : USUAL[bits];
    const channels = masks.map(channelOf);
    return (data, to, from, x) => {
      const value = bits === 16 ? bytes.readUInt16LE(from + x * 2) : bytes.readUInt32LE(from + x * 4);
      for (let colour = 0; colour < 3; colour++) data[to + colour] = channels[colour]?.(value) ?? 0;
    };
  }
  const put = paletteOf(bytes, header);
  const most = (1 << bits) - 1;
  return (data, to, from, x) => {
    const byte = bytes[from + ((x * bits) >> 3)] ?? 0;
    put(data, to, (byte >> (8 - bits - ((x * bits) & 7))) & most);
  };
}

/** The bits of a mask as 0 to 255. */
function channelOf(mask: number): (value: number) => number {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  return (value) => Math.round((((value & mask) >>> shift) * 255) / most);
}
