// Raw pixels of the wire as a grey picture for a reader of codes: 8 bits, and no larger than the reader needs.
import { PIXEL, rowBytes, type PixelFormat } from '../src/sandbox/wire.ts';

/**
 * Pixels that are searched at most; a larger picture is halved until it fits. A4 has 2.2 million at 150 dpi, where a code of 86
 * letters is found from 10 mm on; at 200 dpi it is halved, and found from 18 mm on in a third of the time.
 */
const MOST_PIXELS = 3_100_000;

/** A grey picture, rows from the top, one byte a pixel. */
export interface Grey {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** The picture in grey; undefined when the bytes are not those of a picture of this size. */
export function greyOf(format: number, width: number, height: number, bytes: Uint8Array): Grey | undefined {
  if (!isFormat(format) || bytes.length !== rowBytes(format, width) * height) return undefined;
  let grey: Grey = { width, height, pixels: widened(format, width, height, bytes) };
  while (grey.width * grey.height > MOST_PIXELS) grey = halved(grey);
  return grey;
}

function isFormat(format: number): format is PixelFormat {
  return Object.values<number>(PIXEL).includes(format);
}

function widened(format: PixelFormat, width: number, height: number, bytes: Uint8Array): Uint8Array {
  if (format === PIXEL.grey8) return bytes;
  const row = rowBytes(format, width);
  const grey = new Uint8Array(width * height);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const start = y * row;
    for (let x = 0; x < width; x++) {
      if (format === PIXEL.grey4) grey[at++] = nibble(bytes, start, x) * 17;
      else if (format === PIXEL.rgb4) {
        const i = 3 * x;
        grey[at++] = 17 * luma(nibble(bytes, start, i), nibble(bytes, start, i + 1), nibble(bytes, start, i + 2));
      } else {
        const i = start + 3 * x;
        grey[at++] = luma(bytes[i] as number, bytes[i + 1] as number, bytes[i + 2] as number);
      }
    }
  }
  return grey;
}

/** Sample `index` of a row of 4-bit samples, high nibble first. */
function nibble(bytes: Uint8Array, start: number, index: number): number {
  const pair = bytes[start + (index >> 1)] as number;
  return (index & 1) === 0 ? pair >> 4 : pair & 15;
}

/** ITU-R BT.601. */
function luma(red: number, green: number, blue: number): number {
  return (red * 77 + green * 151 + blue * 28) >>> 8;
}

/** Each pixel the mean of four; a last odd row or column is left out. */
function halved({ width, height, pixels }: Grey): Grey {
  const [across, down] = [width >> 1, height >> 1];
  const half = new Uint8Array(across * down);
  for (let y = 0; y < down; y++) {
    let above = 2 * y * width;
    let below = above + width;
    for (let x = y * across; x < (y + 1) * across; x++) {
      half[x] =
        ((pixels[above] as number) +
          (pixels[above + 1] as number) +
          (pixels[below] as number) +
          (pixels[below + 1] as number)) >>
        2;
      above += 2;
      below += 2;
    }
  }
  return { width: across, height: down, pixels: half };
}
