// Pictures that libvips does not read here, to RGBA: HEIC by libheif as WebAssembly, BMP and ICO by hand, SVG by resvg as
// WebAssembly with our fonts and nothing it could load.
import { createRequire } from 'node:module';
import { bitmap } from './bitmap.ts';
import { checkPixels, drawSvg } from './drawing.ts';
import { jpeg2000 } from './jpeg2000.ts';
import { isJpeg2000 } from './signs.ts';
import { isPhotoshop, photoshop } from './photoshop.ts';
import { Refusal } from './run.ts';

export interface Rgba {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

interface HeifImage {
  get_width(): number;
  get_height(): number;
  display(into: { data: Uint8ClampedArray; width: number; height: number }, done: (filled: unknown) => void): void;
}

interface Libheif {
  readonly HeifDecoder: new () => { decode(bytes: Uint8Array): HeifImage[] };
}

const require = createRequire(import.meta.url);

/** The picture, or PNG bytes that stand inside an ICO; undefined for a format that is not read here. */
export async function decodeOther(bytes: Buffer): Promise<Rgba | Buffer | undefined> {
  const head = bytes.toString('latin1', 0, 4096);
  if (/^[^]{4}ftyp(?:heic|heix|heim|heis|hevc|hevx|mif1|msf1)/.test(head) && !/^[^]{4}ftyp[^]{0,40}avif/.test(head))
    return heic(bytes);
  if (isJpeg2000(bytes)) return jpeg2000(bytes);
  if (isPhotoshop(bytes)) return photoshop(bytes);
  if (head.startsWith('BM')) return bitmap(bytes, bytes.readUInt32LE(10), 14);
  if (head.startsWith('\0\0\x01\0')) return icon(bytes);
  if (/^(?:\ufeff|ï»¿)?\s*(?:<\?xml|<!--|<!DOCTYPE svg|<svg)/i.test(head) && /<svg[\s>]/i.test(head))
    return drawSvg(bytes.toString('utf8'));
  return undefined;
}

async function heic(bytes: Buffer): Promise<Rgba> {
  const libheif = require('libheif-js/wasm-bundle') as Libheif;
  const [image] = new libheif.HeifDecoder().decode(bytes);
  if (image === undefined) throw new Refusal('damaged', 'no picture in it');
  const width = image.get_width();
  const height = image.get_height();
  checkPixels(width, height);
  const data = new Uint8ClampedArray(width * height * 4);
  const filled = await new Promise((resolve) => image.display({ data, width, height }, resolve));
  if (filled === null || filled === undefined) throw new Refusal('damaged', 'HEIC');
  return { width, height, data: new Uint8Array(data.buffer) };
}

/** The largest picture of an icon: PNG as it is, or a bitmap whose height counts its mask, too. */
function icon(bytes: Buffer): Rgba | Buffer {
  const count = Math.min(bytes.readUInt16LE(4), 64);
  let best: { readonly size: number; readonly at: number; readonly bytes: number } | undefined;
  for (let i = 0; i < count && 22 + i * 16 <= bytes.length; i++) {
    const entry = 6 + i * 16;
    const size = (bytes[entry] || 256) * (bytes[entry + 1] || 256);
    if (best === undefined || size > best.size)
      best = { size, bytes: bytes.readUInt32LE(entry + 8), at: bytes.readUInt32LE(entry + 12) };
  }
  if (best === undefined || best.at + 40 > bytes.length) throw new Refusal('damaged', 'an icon without a picture');
  const inner = bytes.subarray(best.at, best.at + best.bytes);
  if (inner.subarray(0, 4).toString('latin1') === '\x89PNG') return inner;
  const header = inner.readUInt32LE(0);
  const colours = inner.readUInt16LE(14) <= 8 ? inner.readUInt32LE(32) || 1 << inner.readUInt16LE(14) : 0;
  return bitmap(inner, header + colours * 4, 0, true);
}
