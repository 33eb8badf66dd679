// Encodes the pixels of one page for a PDF: Flate for what is drawn, JPEG for photographs.
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import sharp from 'sharp';
import { LIMITS } from '../message/limits.ts';
import type { RasterPage } from '../sandbox/raster-page.ts';
import { PIXEL, rowBytes } from '../sandbox/wire.ts';
import { isPhotoLike, rawOf } from './picture.ts';

const deflated = promisify(deflate);

/**
 * zlib level. Of grey pages 4 saves 15 % (dense text) to 55 % (a dozen words, the rest white) for 2 to 5 ms more;
 * of coloured ones, which are three times as long, it takes 10 ms more.
 */
const GREY_LEVEL = 4;
const COLOUR_LEVEL = 2;
/** JPEG of photo-like pages. Optimised Huffman tables cost three times the time for 5 to 10 %. */
const JPEG = { quality: 80, optimiseCoding: false } as const;

/** An encoded image as its dictionary tells it. */
export interface Encoded {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
  readonly filter: '/FlateDecode' | '/DCTDecode';
  readonly colours: string;
  readonly bits: 1 | 2 | 4 | 8;
}

/** Encodes on zlib's or libvips' thread. The page's pixels are free when it resolves. */
export async function encodePage(page: RasterPage): Promise<Encoded> {
  const { width, height } = page;
  const grey = page.format === PIXEL.grey4 || page.format === PIXEL.grey8;
  const colours = grey ? '/DeviceGray' : '/DeviceRGB';
  const fourBits = page.format === PIXEL.grey4 || page.format === PIXEL.rgb4;
  if (fourBits || !isPhotoLike(page)) {
    // Rows of an image end at a byte (ISO 32000-1, 8.9.3), as ours do.
    const pixels = fourBits ? page.pixels : halved(page);
    const bytes = await deflated(pixels, { level: grey ? GREY_LEVEL : COLOUR_LEVEL });
    return { width, height, bytes, filter: '/FlateDecode', colours, bits: 4 };
  }
  const raw = rawOf(page);
  const pipeline = sharp(raw.pixels, { raw, limitInputPixels: LIMITS.pagePixels });
  const jpeg = raw.channels === 1 ? pipeline.toColourspace('b-w') : pipeline;
  return { width, height, bytes: await jpeg.jpeg(JPEG).toBuffer(), filter: '/DCTDecode', colours, bits: 8 };
}

/** Flat pictures of eight bits a channel, with four: 0 to 255 → 0 to 15, rounded. */
function halved(page: RasterPage): Buffer {
  const samples = page.format === PIXEL.grey8 ? page.width : page.width * 3;
  const row = rowBytes(page.format === PIXEL.grey8 ? PIXEL.grey4 : PIXEL.rgb4, page.width);
  const packed = Buffer.alloc(row * page.height);
  for (let y = 0; y < page.height; y++) {
    for (let x = 0; x < samples; x++) {
      const value = Math.round((page.pixels[y * samples + x] as number) / 17);
      const at = y * row + (x >> 1);
      packed[at] = (packed[at] as number) | ((x & 1) === 0 ? value << 4 : value);
    }
  }
  return packed;
}
