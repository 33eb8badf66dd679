// Encodes one checked raster as a picture file: JPEG for photographs, PNG for the rest, no metadata in either.
import sharp from 'sharp';
import { LIMITS } from '../message/limits.ts';
import type { RasterPage } from '../sandbox/raster-page.ts';
import { PIXEL } from '../sandbox/wire.ts';

/** A picture file of our own making. */
export interface Picture {
  readonly bytes: Buffer;
  readonly ext: 'jpg' | 'png';
}

const JPEG_QUALITY = 85;
// As workers/pack.ts measures it: pixels that differ by 1 to 12 from the next one, right and down, make gradients and photographs.
const SOFT_STEP = 12;
const SOFT_SHARE = 0.04;
const SOFT_ROWS = 4;

/** Encodes a page of any format; libvips writes no metadata unless asked. */
export async function encodePicture(page: RasterPage): Promise<Picture> {
  const raw = rawOf(page);
  const pipeline = sharp(raw.pixels, { raw, limitInputPixels: LIMITS.pagePixels });
  const image = raw.channels === 1 ? pipeline.toColourspace('b-w') : pipeline;
  if (isPhotoLike(page)) return { bytes: await image.jpeg({ quality: JPEG_QUALITY }).toBuffer(), ext: 'jpg' };
  return { bytes: await image.png({ compressionLevel: 6, adaptiveFiltering: false }).toBuffer(), ext: 'png' };
}

/** Raw 8-bit pixels as sharp takes them. */
export interface Raw {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly pixels: Buffer;
}

/** The page with 8 bits a channel; 4-bit formats are widened (15 → 255). */
export function rawOf(page: RasterPage): Raw {
  const { width, height } = page;
  switch (page.format) {
    case PIXEL.grey8:
      return { width, height, channels: 1, pixels: page.pixels };
    case PIXEL.rgb8:
      return { width, height, channels: 3, pixels: page.pixels };
    case PIXEL.grey4:
      return { width, height, channels: 1, pixels: widen(page, width) };
    case PIXEL.rgb4:
      return { width, height, channels: 3, pixels: widen(page, width * 3) };
    default:
      return page.format satisfies never;
  }
}

function widen(page: RasterPage, samples: number): Buffer {
  const wide = Buffer.allocUnsafe(samples * page.height);
  const row = (samples + 1) >> 1;
  let at = 0;
  for (let y = 0; y < page.height; y++) {
    for (let x = 0; x < samples; x++) {
      const pair = page.pixels[y * row + (x >> 1)] as number;
      wide[at++] = ((x & 1) === 0 ? pair >> 4 : pair & 15) * 17;
    }
  }
  return wide;
}

/** True when the page is soft (photograph, gradient): JPEG is leaner there, and its ringing is not seen. */
export function isPhotoLike(page: RasterPage): boolean {
  if (page.format === PIXEL.grey4 || page.format === PIXEL.rgb4) return false; // the worker found it flat
  const channels = page.format === PIXEL.grey8 ? 1 : 3;
  const { width, height, pixels } = page;
  const away = (width + 1) * channels;
  const enough = width * Math.ceil((height - 1) / SOFT_ROWS) * SOFT_SHARE;
  let soft = 0;
  for (let y = 0; y + 1 < height && soft <= enough; y += SOFT_ROWS) {
    const end = ((y + 1) * width - 1) * channels;
    for (let i = y * width * channels; i < end; i += channels) {
      let step = 0;
      for (let c = i; c < i + channels; c++) {
        step = Math.max(step, Math.abs((pixels[c] as number) - (pixels[c + away] as number)));
      }
      if (step > 0 && step <= SOFT_STEP) soft += 1;
    }
  }
  return soft > enough;
}
