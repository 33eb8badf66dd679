// The flattened picture that Photoshop keeps in a PSD or PSB behind its layers (Adobe Photoshop File Formats, "Image Data").
import { checkPixels } from './drawing.ts';
import type { Rgba } from './image-formats.ts';
import { Refusal } from './run.ts';

const MODE = { grey: 1, indexed: 2, rgb: 3, cmyk: 4 } as const;

export function isPhotoshop(bytes: Buffer): boolean {
  return /^8BPS\0[\x01\x02]/.test(bytes.toString('latin1', 0, 6));
}

/** The picture of 8 or 16 bits a sample: grey, indexed, RGB, CMYK. */
export function photoshop(bytes: Buffer): Rgba {
  if (bytes.length < 26 + 12) throw new Refusal('damaged', 'PSD cut');
  const isBig = bytes.readUInt16BE(4) === 2;
  const channels = bytes.readUInt16BE(12);
  const height = bytes.readUInt32BE(14);
  const width = bytes.readUInt32BE(18);
  const depth = bytes.readUInt16BE(22);
  const mode = bytes.readUInt16BE(24);
  checkPixels(width, height);
  const wanted = { [MODE.grey]: 1, [MODE.indexed]: 1, [MODE.rgb]: 3, [MODE.cmyk]: 4 }[mode];
  if (wanted === undefined || (depth !== 8 && depth !== 16))
    throw new Refusal('unsupported-type', `PSD of mode ${mode}, ${depth} bits`);
  if (channels < wanted) throw new Refusal('damaged', `${channels} channels`);
  const palette = bytes.subarray(30, 30 + bytes.readUInt32BE(26));
  let at = 30 + palette.length;
  at = skip(bytes, at, 4); // resources: thumbnails, metadata, paths
  at = skip(bytes, at, isBig ? 8 : 4); // layers
  if (at + 2 > bytes.length) throw new Refusal('damaged', 'a PSD without its picture');
  const planes = samples(bytes, at, { channels, wanted, height, row: (width * depth) / 8, isBig });
  const step = depth / 8;
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < width * height; i++) {
    const sample = (plane: number): number => planes[plane]?.[i * step] as number;
    const to = i * 4;
    data[to + 3] = 255;
    if (mode === MODE.indexed) {
      for (let colour = 0; colour < 3; colour++) data[to + colour] = palette[sample(0) + colour * 256] ?? 0;
    } else if (mode === MODE.cmyk) {
      const black = sample(3); // kept inverted: 255 is no ink
      for (let colour = 0; colour < 3; colour++) data[to + colour] = (sample(colour) * black) / 255;
    } else for (let colour = 0; colour < 3; colour++) data[to + colour] = sample(wanted === 1 ? 0 : colour);
  }
  return { width, height, data };
}

function skip(bytes: Buffer, at: number, size: 4 | 8): number {
  if (at + size > bytes.length) throw new Refusal('damaged', 'PSD cut');
  const length = size === 4 ? bytes.readUInt32BE(at) : Number(bytes.readBigUInt64BE(at));
  if (length > bytes.length) throw new Refusal('damaged', 'PSD cut');
  return at + size + length;
}

interface Shape {
  readonly channels: number;
  readonly wanted: number;
  readonly height: number;
  /** Bytes of a row of one channel. */
  readonly row: number;
  readonly isBig: boolean;
}

/** The wanted channels, one after the other: raw, or rows in PackBits whose lengths come first. */
function samples(bytes: Buffer, start: number, { channels, wanted, height, row, isBig }: Shape): Buffer[] {
  const packing = bytes.readUInt16BE(start);
  let at = start + 2;
  if (packing === 0) {
    if (at + wanted * height * row > bytes.length) throw new Refusal('damaged', 'PSD cut');
    return Array.from({ length: wanted }, (_, n) => bytes.subarray(at + n * height * row, at + (n + 1) * height * row));
  }
  if (packing !== 1) throw new Refusal('unsupported-type', `PSD packed by method ${packing}`);
  const entry = isBig ? 4 : 2;
  const lengths = at;
  at += channels * height * entry;
  if (at > bytes.length) throw new Refusal('damaged', 'PSD cut');
  const planes: Buffer[] = [];
  for (let channel = 0; channel < wanted; channel++) {
    const plane = Buffer.alloc(height * row);
    for (let y = 0; y < height; y++) {
      const place = lengths + (channel * height + y) * entry;
      const length = isBig ? bytes.readUInt32BE(place) : bytes.readUInt16BE(place);
      if (at + length > bytes.length) throw new Refusal('damaged', 'PSD cut');
      unpackBits(bytes.subarray(at, at + length), plane.subarray(y * row, (y + 1) * row));
      at += length;
    }
    planes.push(plane);
  }
  return planes;
}

function unpackBits(packed: Buffer, row: Buffer): void {
  let to = 0;
  for (let at = 0; at < packed.length && to < row.length;) {
    const count = packed.readInt8(at++);
    if (count >= 0) {
      to += packed.copy(row, to, at, Math.min(at + count + 1, packed.length));
      at += count + 1;
    } else if (count !== -128) {
      row.fill(packed[at++] ?? 0, to, Math.min(row.length, to + 1 - count));
      to += 1 - count;
    }
  }
}
