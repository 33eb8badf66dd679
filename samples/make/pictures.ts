// Pictures of our own. Containers are written by hand or by pure JavaScript, so that every machine makes the same bytes.
import { crc32 } from 'node:zlib';
import { PDFContext } from 'pdf-lib';
import sharp from 'sharp';

/** A bilevel drawing: a ruled form with a round seal, rows padded to bytes, 1 is white. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly bits: Buffer;
}

/** Draws the form. `turn` moves the seal, so that pages differ. */
export function drawing(width: number, height: number, turn = 0): Drawing {
  const row = (width + 7) >> 3;
  const bits = Buffer.alloc(row * height, 0xff);
  const ink = (x: number, y: number): void => {
    const at = y * row + (x >> 3);
    bits[at] = (bits[at] ?? 0xff) & ~(0x80 >> (x & 7));
  };
  const sealX = width * (0.72 - 0.2 * turn);
  const sealY = height * 0.16;
  const radius = width * 0.08;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = x > width * 0.1 && x < width * 0.9 && y > height * 0.3 && y < height * 0.9;
      const ruled = inside && (y % Math.round(height / 24) < 2 || Math.abs((x % (width / 4)) - width / 8) < 1);
      const title = y > height * 0.08 && y < height * 0.12 && x > width * 0.1 && x < width * 0.5 && (x >> 3) % 3 !== 0;
      const ring = Math.abs(Math.hypot(x - sealX, y - sealY) - radius) < 3;
      const dust = (x * 7919 + y * 104_729) % 9973 === 0;
      if (ruled || title || ring || dust) ink(x, y);
    }
  }
  return { width, height, bits };
}

/** A colour drawing: sky, hill and sun, 8-bit RGB. */
function landscape(width: number, height: number): Buffer {
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const hill = y > height * (0.65 + 0.15 * Math.sin((x / width) * Math.PI * 2));
      const sun = Math.hypot(x - width * 0.75, y - height * 0.25) < height * 0.12;
      const shade = Math.round((y / height) * 90);
      const colour = sun ? [240, 60, 50] : hill ? [60, 150 - (shade >> 1), 70] : [120 + shade, 170 + (shade >> 1), 235];
      pixels.set(colour, (y * width + x) * 3);
    }
  }
  return pixels;
}

// zlib's bytes differ between processors; pdf-lib's deflate is plain JavaScript.
function deflated(bytes: Uint8Array): Uint8Array {
  return PDFContext.create().flateStream(bytes).getContents();
}

/** A PNG; `pixels` hold its rows without filter bytes. */
export function png(width: number, height: number, kind: { readonly depth: number; readonly colour: number }, pixels: Uint8Array): Buffer {
  const row = pixels.length / height;
  const filtered = new Uint8Array((row + 1) * height);
  for (let y = 0; y < height; y++) filtered.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = kind.depth;
  header[9] = kind.colour;
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflated(filtered)),
    chunk('IEND', new Uint8Array()),
  ]);
}

function chunk(name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** The picture that mails carry. */
export function mapPng(): Buffer {
  return png(240, 160, { depth: 8, colour: 2 }, landscape(240, 160));
}

export async function pictures(): Promise<Map<string, Buffer>> {
  const bomb = { width: 30_000, height: 30_000 };
  return new Map([
    ['file/案内図.png', mapPng()],
    ['file/rotated-gps.jpg', await rotatedJpeg()],
    ['file/fax.tif', tiff([drawing(432, 572), drawing(432, 572, 1), drawing(432, 572, 2)])],
    // 900 million pixels of one bit: 112 MB once decoded.
    ['file/bomb.png', png(bomb.width, bomb.height, { depth: 1, colour: 0 }, new Uint8Array((bomb.width / 8) * bomb.height))],
  ]);
}

/** A photograph held upright by its Exif orientation only, with the place where it was taken. */
async function rotatedJpeg(): Promise<Buffer> {
  const [width, height] = [200, 320];
  return sharp(landscape(width, height), { raw: { width, height, channels: 3 } })
    .rotate(270)
    .withExif({
      IFD0: { Make: 'Example', Model: 'Sample camera', Software: 'samples/make.ts', Orientation: '6' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '35/1 41/1 22/1', GPSLongitudeRef: 'E', GPSLongitude: '139/1 41/1 30/1' },
    })
    .withMetadata({ orientation: 6 })
    .jpeg({ quality: 90 })
    .toBuffer();
}

/** A bilevel TIFF of several pages, uncompressed, 50 dpi, as a fax server hands it out. */
function tiff(pages: readonly Drawing[]): Buffer {
  const ENTRIES = 11;
  const directory = 2 + ENTRIES * 12 + 4;
  const parts: Buffer[] = [Buffer.from([0x49, 0x49, 0x2a, 0, 8, 0, 0, 0])];
  let at = 8;
  for (const [index, page] of pages.entries()) {
    const resolution = at + directory;
    const strip = resolution + 8;
    const next = index + 1 < pages.length ? strip + page.bits.length : 0;
    const bytes = Buffer.alloc(directory + 8);
    bytes.writeUInt16LE(ENTRIES, 0);
    const SHORT = 3;
    const LONG = 4;
    const RATIONAL = 5;
    const rows: readonly (readonly [tag: number, type: number, value: number])[] = [
      [256, LONG, page.width],
      [257, LONG, page.height],
      [258, SHORT, 1],
      [259, SHORT, 1],
      [262, SHORT, 1], // 0 is black
      [273, LONG, strip],
      [277, SHORT, 1],
      [278, LONG, page.height],
      [279, LONG, page.bits.length],
      [282, RATIONAL, resolution],
      [283, RATIONAL, resolution],
    ];
    for (const [entry, [tag, type, value]] of rows.entries()) {
      const place = 2 + entry * 12;
      bytes.writeUInt16LE(tag, place);
      bytes.writeUInt16LE(type, place + 2);
      bytes.writeUInt32LE(1, place + 4);
      bytes.writeUInt32LE(value, place + 8);
    }
    bytes.writeUInt32LE(next, directory - 4);
    bytes.writeUInt32LE(50, directory);
    bytes.writeUInt32LE(1, directory + 4);
    parts.push(bytes, page.bits);
    at = strip + page.bits.length;
  }
  return Buffer.concat(parts);
}
