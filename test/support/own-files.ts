// Files as our writers make them, small enough to be mutated by the ten thousand; and the gate's word on any bytes.
import { ByteSource } from '../../src/outbox/byte-source.ts';
import { readFile } from '../../src/outbox/read-file.ts';
import type { OnPageImage } from '../../src/outbox/read-pdf.ts';
import { GateRefusal } from '../../src/outbox/refusal.ts';

import type { RasterPage } from '../../src/sandbox/raster-page.ts';
import { PIXEL, rowBytes, type PixelFormat, type Run } from '../../src/sandbox/wire.ts';
import { PagePdf } from '../../src/sanitise/page-pdf.ts';
import { encodePicture } from '../../src/sanitise/picture.ts';

/** Random numbers below `n`, the same for the same seed (mulberry32). */
export function seeded(seed: number): (n: number) => number {
  let state = seed >>> 0;
  return (n) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

/** A page of soft pixels (a photograph, so JPEG where the format has 8 bits) or of stripes. */
export function page(width: number, height: number, format: PixelFormat, soft = false, text: Run[] = []): RasterPage {
  const pixels = Buffer.alloc(rowBytes(format, width) * height);
  const row = rowBytes(format, width);
  for (let at = 0; at < pixels.length; at++)
    pixels[at] = soft ? (2 * ((at % row) + Math.floor(at / row))) & 0xff : (at >> 3) % 2 === 0 ? 0 : 0xff;
  return { width, height, format, widthPt: width / 2, heightPt: height / 3, pixels, text };
}

export const RUNS: Run[] = [
  { text: '鹿嶋市 𠮷', x: 10.5, y: 20.25, dx: 100, dy: 0, size: 12 },
  { text: 'abc', x: -3, y: 700, dx: 0, dy: 33.333, size: 0.5 },
];

export async function pdfOf(pages: readonly RasterPage[], layered = false): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const pdf = new PagePdf({ write: (chunk) => void chunks.push(Uint8Array.from(chunk)) }, { layered });
  for (const one of pages) await pdf.add(one);
  await pdf.finish();
  return Buffer.concat(chunks);
}

/** One file of each kind and form. */
export async function ownFiles(): Promise<ReadonlyMap<string, Buffer>> {
  const { grey4, rgb4, grey8, rgb8 } = PIXEL;
  return new Map([
    [
      'plain.pdf',
      await pdfOf([page(9, 7, grey4), page(8, 5, rgb4), page(20, 20, grey8, true), page(24, 16, rgb8, true)]),
    ],
    [
      'layered.pdf',
      await pdfOf([page(9, 7, grey4, false, RUNS), page(4, 4, rgb4), page(9, 3, grey4, false, RUNS)], true),
    ],
    ['empty-layer.pdf', await pdfOf([page(3, 3, grey4)], true)],
    ['grey.jpg', (await encodePicture(page(40, 30, grey8, true))).bytes],
    ['colour.jpg', (await encodePicture(page(40, 30, rgb8, true))).bytes],
    ['grey.png', (await encodePicture(page(20, 10, grey4))).bytes],
    ['colour.png', (await encodePicture(page(20, 10, rgb4))).bytes],
    ['text.txt', Buffer.from('件名: 会議のお知らせ\n\n葛\u{E0100}飾区 𠮷野家\tabc\n', 'utf8')],
  ]);
}

export async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Undefined when the gate's reader takes the file; its refusal otherwise. Any other error is thrown. */
export async function refusalOf(
  name: string,
  bytes: Buffer,
  chunk = 65_536,
  onPage?: OnPageImage,
): Promise<GateRefusal | undefined> {
  try {
    await readFile(name, new ByteSource(inChunks(bytes, chunk)), onPage);
    return undefined;
  } catch (error) {
    if (error instanceof GateRefusal) return error;
    throw error;
  }
}
