// Pictures that libvips does not read here, to RGBA: HEIC by libheif as WebAssembly, BMP, ICO and ICNS by hand, SVG by resvg as
// WebAssembly with our fonts and nothing it could load.
import { createRequire } from 'node:module';
import { bitmap } from './bitmap.ts';
import { decodeText } from './charset.ts';
import { checkPixels, drawSvg } from './drawing.ts';
import { jpeg2000 } from './jpeg2000.ts';
import { isJpegXl, jpegXl } from './jpegxl.ts';
import { textCharset } from './said-charset.ts';
import { isMacintoshIcon, macintoshIcon } from './macintosh-icon.ts';
import { isJpeg2000 } from './signs.ts';
import { isPhotoshop, photoshop } from './photoshop.ts';
import { Refusal } from './run.ts';

export interface Rgba {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** Pictures in its file, of which it is the first. */
  readonly frames?: number;
  /** A film, of which it is the first picture; nobody counted the others. */
  readonly isSequence?: boolean;
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

/** The picture, or bytes of a PNG that stand inside another file; undefined for a format that is not read here. */
export async function decodeOther(bytes: Buffer): Promise<Rgba | Buffer | undefined> {
  const head = bytes.toString('latin1', 0, 16);
  if (/^[^]{4}ftyp(?:heic|heix|heim|heis|hevc|hevx|mif1|msf1)/.test(head)) return heic(bytes);
  if (isJpeg2000(bytes)) return jpeg2000(bytes);
  if (isJpegXl(bytes)) return jpegXl(bytes);
  if (isPhotoshop(bytes)) return photoshop(bytes);
  if (head.startsWith('BM')) return bitmap(bytes, bytes.readUInt32LE(10), 14);
  if (head.startsWith('\0\0\x01\0')) return icon(bytes);
  if (isMacintoshIcon(bytes)) {
    const inner = macintoshIcon(bytes);
    return Buffer.isBuffer(inner) && isJpeg2000(inner) ? jpeg2000(inner) : inner;
  }
  const svg = svgOf(bytes);
  return svg === undefined ? undefined : drawSvg(svg);
}

/** An SVG as letters, by its byte order mark or by what its first line says. */
function svgOf(bytes: Buffer): string | undefined {
  const start = decodeText(bytes.subarray(0, 4096), textCharset(bytes, '')).text;
  if (!/^\s*(?:<\?xml|<!--|<!DOCTYPE svg|<svg)/i.test(start) || !/<svg[\s>]/i.test(start)) return undefined;
  return decodeText(bytes, textCharset(bytes, '')).text;
}

/**
 * AVIF under the name that libvips takes it by: a sequence, and a file that says no more of itself than that it has pictures, may
 * have one, too. Undefined for what is none.
 */
export function asAvif(bytes: Buffer): { readonly bytes: Buffer; readonly isSequence: boolean } | undefined {
  if (bytes.length < 16 || bytes.toString('latin1', 4, 8) !== 'ftyp') return undefined;
  const brand = bytes.toString('latin1', 8, 12);
  const others: readonly string[] =
    bytes.toString('latin1', 16, Math.min(bytes.readUInt32BE(0), 200)).match(/[^]{4}/g) ?? [];
  const isSequence = brand === 'avis';
  if (brand === 'avif') return { bytes, isSequence };
  if (!isSequence && !(brand === 'mif1' && others.includes('avif'))) return undefined;
  const named = Buffer.from(bytes);
  named.write('avif', 8, 'latin1');
  return { bytes: named, isSequence };
}

async function heic(bytes: Buffer): Promise<Rgba> {
  const libheif = require('libheif-js/wasm-bundle') as Libheif;
  const images = new libheif.HeifDecoder().decode(bytes);
  const [image] = images;
  if (image === undefined) throw new Refusal('damaged', 'no picture in it');
  const width = image.get_width();
  const height = image.get_height();
  checkPixels(width, height);
  const data = new Uint8ClampedArray(width * height * 4);
  const filled = await new Promise((resolve) => image.display({ data, width, height }, resolve));
  if (filled === null || filled === undefined) throw new Refusal('damaged', 'HEIC');
  return { width, height, data: new Uint8Array(data.buffer), frames: images.length };
}

/** The largest picture of an icon: PNG as it is, or a bitmap whose height counts its mask, too. */
function icon(bytes: Buffer): Rgba | Buffer {
  const count = Math.min(bytes.readUInt16LE(4), 64);
  let best: { readonly size: number; readonly at: number } | undefined;
  for (let i = 0; i < count && 22 + i * 16 <= bytes.length; i++) {
    const entry = 6 + i * 16;
    const size = (bytes[entry] || 256) * (bytes[entry + 1] || 256);
    if (best === undefined || size > best.size) best = { size, at: bytes.readUInt32LE(entry + 12) };
  }
  if (best === undefined || best.at + 40 > bytes.length) throw new Refusal('damaged', 'an icon without a picture');
  const inner = bytes.subarray(best.at); // it says itself where it ends; what its entry says is wrong in many
  if (inner.subarray(0, 4).toString('latin1') === '\x89PNG') return inner;
  const header = inner.readUInt32LE(0);
  const colours = inner.readUInt16LE(14) <= 8 ? inner.readUInt32LE(32) || 1 << inner.readUInt16LE(14) : 0;
  return bitmap(inner, header + colours * 4, 0, true);
}
