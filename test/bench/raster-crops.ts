// The pictures of docs/raster.md: the same piece of a scan, a photograph and a drawing at 100 %, ours above the peers'. Made anew
// only where they are asked for: `npm run bench -- raster crops`.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PDFDocument, StandardFonts, rgb } from 'pdf-lib';
import sharp from 'sharp';
import { printHtml } from '../support/chromium-print.ts';
import { partOf } from './lines.ts';
import { OpenPage } from './page-pixels.ts';
import { startOurs, type Converter, type Peer } from './raster-converters.ts';
import { BenchRefused } from './refused.ts';

const DOCS = fileURLToPath(new URL('../../docs/raster/', import.meta.url));
const BESIDE = 150;
const SHARP = 200;
/** Pixels of the piece at `BESIDE` dpi, and between pieces. */
const PIECE = { width: 420, height: 130 } as const;
const GAP = 6;

interface Piece {
  readonly name: string;
  readonly pdf: Uint8Array;
  /** Where it begins, in points from the upper left corner. */
  readonly from: readonly [number, number];
}

export async function benchCrops(folder: string, peers: readonly Peer[]): Promise<void> {
  const shown = peers.filter(({ name }) => name !== 'render-only');
  const missing = shown.filter(({ start }) => start === undefined).map(({ name }) => name);
  if (missing.length > 0) throw new BenchRefused(`the pictures show every peer; missing: ${missing.join(', ')}`, 1);
  const pieces: Piece[] = [
    { name: 'scan', pdf: await scan(), from: [48, 60] },
    { name: 'photo', pdf: await photo(), from: [60, 100] },
    { name: 'vector', pdf: await vector(), from: [40, 40] },
  ];
  await mkdir(DOCS, { recursive: true });
  for (const piece of pieces) {
    const path = join(folder, `${piece.name}.pdf`);
    await writeFile(path, piece.pdf);
    const rows = [await pieceOf(startOurs(folder, { dpi: 0 }), path, piece)];
    for (const { start } of shown) if (start !== undefined) rows.push(await pieceOf(start('0'), path, piece));
    if (partOf(2) === 2) await writeFile(join(DOCS, `${piece.name}.png`), await stacked(rows));
  }
}

/** The piece as one program made it, a pixel for a pixel. */
async function pieceOf(converter: Converter, path: string, { from }: Piece): Promise<Buffer> {
  const keep = `${path}.out`;
  const { error } = await converter.convert(path, keep).finally(() => converter.stop());
  if (error !== undefined) throw new Error(error);
  const pdf = await readFile(keep);
  const dpi = dpiOf(pdf);
  const { width, height, data } = new OpenPage(pdf).at(dpi);
  const scale = dpi / 72;
  const [left, top] = [Math.round(from[0] * scale), Math.round(from[1] * scale)];
  const zoom = dpi / BESIDE;
  const piece = {
    left,
    top,
    width: Math.min(Math.round(PIECE.width * zoom), width - left),
    height: Math.min(Math.round(PIECE.height * zoom), height - top),
  };
  return sharp(data, { raw: { width, height, channels: 3 } })
    .extract(piece)
    .png()
    .toBuffer();
}

/** Ours says in each page how many pixels it has; the peers' pages are as they were asked for. */
function dpiOf(pdf: Buffer): number {
  const width = Number(/\/Subtype \/Image \/Width (\d+)/.exec(pdf.subarray(0, 4096).toString('latin1'))?.[1]);
  const { widthPt } = new OpenPage(pdf).size;
  return Math.abs((width * 72) / widthPt - SHARP) < 1 ? SHARP : BESIDE;
}

async function stacked(rows: readonly Buffer[]): Promise<Buffer> {
  const sizes = await Promise.all(rows.map(async (row) => sharp(row).metadata()));
  const width = Math.max(...sizes.map((size) => size.width)) + 2 * GAP;
  let top = GAP;
  const layers = rows.map((input, at) => {
    const layer = { input, left: GAP, top };
    top += (sizes[at]?.height ?? 0) + GAP;
    return layer;
  });
  return sharp({ create: { width, height: top, channels: 3, background: '#adadad' } })
    .composite(layers)
    .png({ palette: true, colours: 256 })
    .toBuffer();
}

/** A page as a scanner gives it: a little turned, with the grain of paper, as a JPEG of 200 dpi. */
async function scan(): Promise<Uint8Array> {
  const words = '市長の決裁を受けた申請書は、総務課において五年間保存する。　令和８年度　第12号';
  const printed = printHtml(`<p>${words}</p>`.repeat(12), 'body { font: 10.5pt mincho }');
  const { width, height, data } = new OpenPage(printed).at(SHARP);
  const grain = noise(7);
  for (let at = 0; at < data.length; at += 3) {
    const grey = Math.min(255, Math.max(0, (data[at] as number) * 0.86 + 24 + (grain() - 0.5) * 22));
    data[at] = data[at + 1] = data[at + 2] = grey;
  }
  const picture = await sharp(data, { raw: { width, height, channels: 3 } })
    .rotate(0.5, { background: '#f4f4f4' })
    .blur(0.6)
    .resize(width, height, { fit: 'cover' })
    .jpeg({ quality: 75 })
    .toBuffer();
  return pageWith(picture, { x: 0, y: 0, width: 595, height: 842 });
}

/** Soft shades, fine grain and hard edges, as a photograph has them; made here, so that it may be shown. */
async function photo(): Promise<Uint8Array> {
  const [width, height] = [900, 320];
  const data = Buffer.alloc(width * height * 3);
  const grain = noise(11);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = [(x % 150) - 75, (y % 160) - 80];
      const inside = 1 - (u * u + v * v) / 4900;
      const light = inside > 0 ? Math.max(0.08, (0.75 * Math.sqrt(inside) * 70 - 0.4 * u - 0.5 * v) / 90) : 0;
      const sky = [90 + y / 3, 140 + y / 4, 200 - y / 5];
      const ball = [230 - x / 5, 90 + x / 9, 60 + y / 3];
      const line = inside <= 0 && (x + y) % 23 === 0 ? -50 : 0;
      for (let channel = 0; channel < 3; channel++) {
        const value = inside > 0 ? light * (ball[channel] ?? 0) : (sky[channel] ?? 0) + line;
        data[(y * width + x) * 3 + channel] = Math.min(255, Math.max(0, value + (grain() - 0.5) * 14));
      }
    }
  const picture = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 92 })
    .toBuffer();
  return pageWith(picture, { x: 48, y: 600, width: 432, height: 153.6 });
}

async function pageWith(
  jpeg: Buffer,
  place: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  document.addPage([595, 842]).drawImage(await document.embedJpg(jpeg), place);
  return document.save();
}

/** The same numbers from 0 to 1 each time. */
function noise(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff;
}

/** A drawing of fine lines, curves and small letters, as a plan has them. */
async function vector(): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const font = await document.embedFont(StandardFonts.Helvetica);
  const page = document.addPage([595, 842]);
  for (let at = 0; at < 40; at++) {
    const thickness = 0.1 + (at % 8) * 0.1;
    page.drawLine({ start: { x: 48, y: 790 - at * 3 }, end: { x: 148, y: 796 - at * 4 }, thickness });
    page.drawLine({ start: { x: 50 + at * 2.5, y: 690 }, end: { x: 50 + at * 2.5, y: 730 }, thickness: 0.25 });
  }
  for (const [at, size] of [28, 22, 16, 10].entries())
    page.drawEllipse({
      x: 190,
      y: 765,
      xScale: size,
      yScale: size * 0.8,
      borderWidth: 0.3 + at * 0.3,
      borderColor: rgb(at === 1 ? 0.8 : 0, 0.1, at === 2 ? 0.8 : 0.1),
    });
  for (const [at, size] of [9, 7, 6, 5, 4].entries())
    page.drawText(`No. ${at + 1}  12.50 m / 0.75 ha  (1:2500)`, { x: 160, y: 728 - at * 9, size, font });
  return document.save();
}
