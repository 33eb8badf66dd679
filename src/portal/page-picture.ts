// A page's image as a browser takes it: PNG from the pixels of a Flate image, the JPEG itself of a DCT image.
import { crc32, deflate, inflate } from 'node:zlib';
import { promisify } from 'node:util';
import { MugaiError } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import type { PageImage } from '../outbox/read-pdf.ts';

const inflated = promisify(inflate);
const deflated = promisify(deflate);

export interface Picture {
  readonly type: 'image/png' | 'image/jpeg';
  readonly bytes: Buffer;
}

/** The picture of a page; `stored` are the image's bytes in the PDF. Throws `bad-package` when they are not what they say. */
export async function pictureOf(image: PageImage, stored: Buffer): Promise<Picture> {
  if (image.filter === 'jpeg') return { type: 'image/jpeg', bytes: stored };
  const indexed = image.colours === 'indexed';
  const components = image.colours === 'rgb' ? 3 : 1;
  const row = Math.ceil((image.width * components * image.bits) / 8);
  const size = row * image.height;
  if (image.width * image.height > LIMITS.pagePixels) throw odd('more pixels than a page may have');
  const pixels = await inflated(stored, { maxOutputLength: size + 1 }).catch((error: unknown) => {
    throw new MugaiError('bad-package', 'page preview: the image does not inflate', { permanent: true, cause: error });
  });
  if (pixels.length !== size) throw odd('the image has another size');
  // PNG has no RGB of less than 8 bits a component (RFC 2083, 2.4).
  const wide = components === 3 && image.bits === 4;
  const rows = wide ? widen(pixels, image.width * 3, image.height) : pixels;
  const rowBytes = wide ? image.width * 3 : row;
  const filtered = Buffer.alloc((rowBytes + 1) * image.height); // a filter byte, 0, before each row
  for (let y = 0; y < image.height; y++) rows.copy(filtered, y * (rowBytes + 1) + 1, y * rowBytes, (y + 1) * rowBytes);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(image.width, 0);
  head.writeUInt32BE(image.height, 4);
  head[8] = wide ? 8 : image.bits;
  head[9] = indexed ? 3 : components === 3 ? 2 : 0;
  const bytes = Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    ...(indexed ? [chunk('PLTE', image.palette)] : []),
    chunk('IDAT', await deflated(filtered, { level: 1 })), // a page is looked at once: time counts, not bytes
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return { type: 'image/png', bytes };
}

/** Four bits a component to eight, rows ended at a byte before. */
function widen(pixels: Buffer, perRow: number, height: number): Buffer {
  const from = Math.ceil(perRow / 2);
  const wide = Buffer.alloc(perRow * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < perRow; x++) {
      const byte = pixels[y * from + (x >> 1)] ?? 0;
      wide[y * perRow + x] = ((x & 1) === 0 ? byte >> 4 : byte & 15) * 17;
    }
  }
  return wide;
}

function chunk(name: string, content: Buffer): Buffer {
  const bytes = Buffer.alloc(content.length + 12);
  bytes.writeUInt32BE(content.length, 0);
  bytes.write(name, 4, 'latin1');
  content.copy(bytes, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, content.length + 8)), content.length + 8);
  return bytes;
}

function odd(why: string): MugaiError {
  return new MugaiError('bad-package', `page preview: ${why}`, { permanent: true });
}
