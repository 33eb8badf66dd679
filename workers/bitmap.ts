// A device-independent bitmap without compression, to RGBA: 1, 4, 8, 16, 24, 32 bits, with or without masks of its colours.
import { checkPixels } from './drawing.ts';
import type { Rgba } from './image-formats.ts';
import { Refusal } from './run.ts';

const COMPRESSION = { none: 0, masks: 3 } as const;
/** Masks of red, green, blue where the file has none ([MS-WMF] 2.2.2.9 and before). */
const USUAL = { 16: [0x7c00, 0x3e0, 0x1f], 32: [0xff0000, 0xff00, 0xff] } as const;

/** `head`: where its header begins; `halved`: its height counts a mask, too, as in an icon. Throws a `Refusal`. */
export function bitmap(bytes: Buffer, pixelsAt: number, head: number, halved = false): Rgba {
  if (bytes.length < head + 40 || bytes.readUInt32LE(head) < 40) throw new Refusal('unsupported-type', 'an old bitmap');
  const width = bytes.readInt32LE(head + 4);
  const signed = bytes.readInt32LE(head + 8);
  const height = halved ? Math.abs(signed) >> 1 : Math.abs(signed);
  const bits = bytes.readUInt16LE(head + 14);
  const compression = bytes.readUInt32LE(head + 16);
  checkPixels(width, height);
  const isMasked = compression === COMPRESSION.masks && (bits === 32 || bits === 16);
  if (compression !== COMPRESSION.none && !isMasked)
    throw new Refusal('unsupported-type', `bitmap compression ${compression}`);
  if (![1, 2, 4, 8, 16, 24, 32].includes(bits)) throw new Refusal('unsupported-type', `bitmap of ${bits} bits`);
  const row = ((width * bits + 31) >> 5) << 2;
  if (pixelsAt + row * height > bytes.length) throw new Refusal('damaged', 'bitmap cut');
  const put = painter(bytes, bits, head, isMasked);
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const from = pixelsAt + (signed < 0 ? y : height - 1 - y) * row;
    for (let x = 0; x < width; x++) {
      const to = (y * width + x) * 4;
      data[to + 3] = 255;
      put(data, to, from, x);
    }
  }
  return { width, height, data };
}

/** Writes the pixel `x` of the row that begins at `from`. */
type Painter = (data: Uint8Array, to: number, from: number, x: number) => void;

function painter(bytes: Buffer, bits: number, head: number, isMasked: boolean): Painter {
  const copy = (data: Uint8Array, to: number, at: number): void => {
    data[to] = bytes[at + 2] ?? 0;
    data[to + 1] = bytes[at + 1] ?? 0;
    data[to + 2] = bytes[at] ?? 0;
  };
  if (bits === 24) return (data, to, from, x) => copy(data, to, from + x * 3);
  if (bits === 16 || bits === 32) {
    if (isMasked && head + 52 > bytes.length) throw new Refusal('damaged', 'bitmap cut');
    // Behind a header of 40 bytes, or within a longer one: the same place.
    const masks = isMasked ? [40, 44, 48].map((at) => bytes.readUInt32LE(head + at)) : USUAL[bits];
    const channels = masks.map(channelOf);
    return (data, to, from, x) => {
      const value = bits === 16 ? bytes.readUInt16LE(from + x * 2) : bytes.readUInt32LE(from + x * 4);
      for (let colour = 0; colour < 3; colour++) data[to + colour] = channels[colour]?.(value) ?? 0;
    };
  }
  const palette = head + bytes.readUInt32LE(head);
  const most = (1 << bits) - 1;
  return (data, to, from, x) => {
    const byte = bytes[from + ((x * bits) >> 3)] ?? 0;
    copy(data, to, palette + ((byte >> (8 - bits - ((x * bits) & 7))) & most) * 4);
  };
}

/** The bits of a mask as 0 to 255. */
function channelOf(mask: number): (value: number) => number {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const most = mask >>> shift;
  return (value) => Math.round((((value & mask) >>> shift) * 255) / most);
}
