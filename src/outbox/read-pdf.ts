// The gate's reader of a PDF as we write it. There is one form (docs/grammar.md): given the sizes and lengths it reads, every
// other byte is known beforehand and compared. No tokens, no objects, no recovery: what is not that form is refused.
import {
  CATALOG,
  CATALOG_OBJECT,
  FIRST_PAGE_OBJECT,
  FONT_OBJECT,
  FONT_OBJECTS,
  LARGEST_SIDE_PT,
  OBJECTS_PER_PAGE,
  PAGES_OBJECT,
  PDF_HEADER,
} from '../message/page-form.ts';
import { LIMITS } from '../message/limits.ts';
import type { ByteSource } from './byte-source.ts';
import { faultOfInflating, inflateUpTo } from './inflate.ts';
import { Purse } from './purse.ts';
import { readJpeg } from './read-jpeg.ts';
import { readMap, readPageText } from './read-pdf-text.ts';
import { refuse } from './refusal.ts';

/** The image of a page: where its data lies in the file and how it is read. */
export interface PageImage {
  /** From 0. */
  readonly index: number;
  readonly offset: number;
  readonly length: number;
  readonly width: number;
  readonly height: number;
  readonly bits: 1 | 2 | 4 | 8;
  readonly colours: 'grey' | 'rgb' | 'indexed';
  /** RGB triples, for `indexed`; empty otherwise. */
  readonly palette: Buffer;
  readonly filter: 'flate' | 'jpeg';
  /** Sides of the page in points. */
  readonly widthPt: number;
  readonly heightPt: number;
}

/** Of one file: those of a document, and those that say what is missing of it. */
const PAGES_MOST = LIMITS.pages + LIMITS.noticePages;
/** Bytes of a line with a dictionary; a palette of 256 colours takes 1,536. */
const LINE = 4096;
const SIDE = '[1-9]\\d{0,4}';
const LENGTH = '[1-9]\\d{0,8}';
const POSITIVE = '(?:[1-9]\\d{0,4}|0(?=\\.))(?:\\.\\d{0,3}[1-9])?';
const IMAGE = new RegExp(
  `^<< /Type /XObject /Subtype /Image /Width (${SIDE}) /Height (${SIDE}) /ColorSpace (/DeviceGray|/DeviceRGB|\\[/Indexed /DeviceRGB (\\d{1,3}) <([0-9A-F]+)>\\]) /BitsPerComponent ([1248]) /Filter /(FlateDecode|DCTDecode) /Length (${LENGTH}) >>$`,
);
const CONTENTS = new RegExp(`^<< (/Filter /FlateDecode )?/Length (${LENGTH}) >>$`);
const DRAWING = new RegExp(`^q (${POSITIVE}) 0 0 (${POSITIVE}) 0 0 cm /I Do Q$`);
const MAP = new RegExp(`^<< /Filter /FlateDecode /Length (${LENGTH}) >>$`);

/** What is known while a file is read. */
interface State {
  readonly source: ByteSource;
  readonly offsets: number[];
  readonly first: number;
  readonly purse: Purse;
  pages: number;
  /** The largest character number that a page shows. */
  characters: number;
}

/** Hears of each page; `data` holds the bytes of its image and is valid during the call. */
export type OnPageImage = (image: PageImage, data: Buffer) => void;

/** Reads a whole file. Resolves to the number of its pages. Memory: one page. */
export async function readPdf(
  source: ByteSource,
  onPage: OnPageImage = () => undefined,
  purse = new Purse(),
): Promise<number> {
  await source.expect(PDF_HEADER, 'pdf-header', 'our header');
  let begins = source.offset;
  let line = await source.line(LINE, 'pdf-object');
  const plain = line === `${FIRST_PAGE_OBJECT.plain} 0 obj`;
  if (!plain && line !== `${FIRST_PAGE_OBJECT.layered} 0 obj`) refuse('pdf-object', begins, 'not the first object');
  const first = plain ? FIRST_PAGE_OBJECT.plain : FIRST_PAGE_OBJECT.layered;
  const state: State = { source, offsets: [], first, purse, pages: 0, characters: 0 };
  const tail = plain ? PAGES_OBJECT : FONT_OBJECT;
  do {
    const number = first + OBJECTS_PER_PAGE * state.pages;
    if (line !== `${number} 0 obj`) refuse('pdf-object', begins, `not object ${number} or ${tail}`);
    if (state.pages === PAGES_MOST) refuse('pdf-pages', begins, `over ${PAGES_MOST} pages`);
    purse.page(begins);
    state.offsets[number] = begins;
    await readPage(state, number, onPage);
    state.pages += 1;
    begins = source.offset;
    line = await source.line(LINE, 'pdf-object');
  } while (line !== `${tail} 0 obj`);
  state.offsets[tail] = begins;
  if (!plain) await readFont(state);
  await readEnd(state);
  return state.pages;
}

async function object(state: State, number: number): Promise<void> {
  state.offsets[number] = state.source.offset;
  await state.source.expect(`${number} 0 obj\n`, 'pdf-object', `object ${number}`);
}

/** Image, contents and page; the number of the image has been read. */
async function readPage(state: State, number: number, onPage: OnPageImage): Promise<void> {
  const { source } = state;
  const { image, data } = await readImage(state);
  await object(state, number + 1);
  const begins = source.offset;
  const contents = CONTENTS.exec(await source.line(LINE, 'pdf-contents'));
  if (contents === null) refuse('pdf-contents', begins, 'not the dictionary of a content stream');
  const layered = state.first === FIRST_PAGE_OBJECT.layered;
  const hasText = contents[1] !== undefined;
  if (hasText && !layered) refuse('pdf-contents', begins, 'text in a file without a text layer');
  await source.expect('stream\n', 'pdf-contents', 'a stream');
  const place = source.offset;
  const length = Number(contents[2]);
  if (length > LIMITS.pageTextBytes) refuse('pdf-contents', begins, `over ${LIMITS.pageTextBytes} bytes`);
  const stream = await source.take(length, 'pdf-contents');
  let drawing: string;
  if (hasText) {
    const text = await inflateUpTo(stream, state.purse.layerLeft);
    if (typeof text === 'string') refuse('pdf-contents', place, text);
    state.purse.layer(text.length);
    const page = readPageText(text.toString('latin1'), place);
    drawing = page.drawing;
    state.characters = Math.max(state.characters, page.characters);
  } else drawing = stream.toString('latin1');
  const [, width, height] =
    DRAWING.exec(drawing) ?? refuse('pdf-contents', place, 'not the drawing of the image alone');
  const [widthPt, heightPt] = [Number(width), Number(height)];
  if (widthPt > LARGEST_SIDE_PT || heightPt > LARGEST_SIDE_PT)
    refuse('pdf-contents', place, 'a page that is too large');
  await source.expect('\nendstream\nendobj\n', 'pdf-contents', 'the end of the content stream');
  await object(state, number + 2);
  const font = hasText ? ` /Font << /F ${FONT_OBJECT} 0 R >>` : '';
  const page = `<< /Type /Page /Parent ${PAGES_OBJECT} 0 R /MediaBox [0 0 ${width} ${height}] /Resources << /XObject << /I ${number} 0 R >>${font} >> /Contents ${number + 1} 0 R >>\nendobj\n`;
  await source.expect(page, 'pdf-page', 'the page of this image');
  onPage({ ...image, widthPt, heightPt }, data);
}

async function readImage(state: State): Promise<{ image: Omit<PageImage, 'widthPt' | 'heightPt'>; data: Buffer }> {
  const { source } = state;
  const begins = source.offset;
  const found =
    IMAGE.exec(await source.line(LINE, 'pdf-image')) ?? refuse('pdf-image', begins, 'not the dictionary of an image');
  const [, wide, high, space, max, hex, bit, filtered, long] = found;
  const [width, height, length] = [Number(wide), Number(high), Number(long)];
  const bits = Number(bit) as PageImage['bits'];
  const filter = filtered === 'DCTDecode' ? 'jpeg' : 'flate';
  const colours = space === '/DeviceGray' ? 'grey' : space === '/DeviceRGB' ? 'rgb' : 'indexed';
  if (width > LIMITS.sidePixels || height > LIMITS.sidePixels || width * height > LIMITS.pagePixels)
    refuse('pdf-image-size', begins, `${width} x ${height} pixels`);
  state.purse.image(width, height, 'pdf-image-size', begins);
  const palette = colours === 'indexed' ? readPalette(max ?? '', hex ?? '', bits, begins) : Buffer.alloc(0);
  if (filter === 'jpeg' ? bits !== 8 || colours === 'indexed' : bits === 8 && colours !== 'indexed')
    refuse('pdf-image', begins, `${bits} bits ${colours} with ${filter}`);
  const row = Math.ceil((width * (colours === 'rgb' ? 3 : 1) * bits) / 8);
  // What zlib can make of it at the most (its deflateBound), and for a JPEG three bytes a pixel and its tables.
  const most = filter === 'flate' ? row * height + ((row * height) >> 9) + 1024 : width * height * 3 + 65_536;
  if (length > most) refuse('pdf-image-data', begins, `${length} bytes for ${width} x ${height} pixels`);
  await source.expect('stream\n', 'pdf-image', 'a stream');
  const offset = source.offset;
  const data = await source.takeWhole(length, 'pdf-image-data');
  await readImageData(data, offset, { width, height, filter, colours, size: row * height });
  await source.expect('\nendstream\nendobj\n', 'pdf-image', 'the end of the image');
  return { image: { index: state.pages, offset, length, width, height, bits, colours, palette, filter }, data };
}

function readPalette(max: string, hex: string, bits: number, place: number): Buffer {
  const colours = Number(max) + 1;
  if (String(colours - 1) !== max || colours > 2 ** bits || hex.length !== colours * 6)
    refuse('pdf-image', place, 'not a palette');
  return Buffer.from(hex, 'hex');
}

interface ImageForm {
  readonly width: number;
  readonly height: number;
  readonly filter: 'flate' | 'jpeg';
  readonly colours: PageImage['colours'];
  /** Bytes of all rows. */
  readonly size: number;
}

async function readImageData(data: Buffer, offset: number, form: ImageForm): Promise<void> {
  if (form.filter === 'flate') {
    const fault = await faultOfInflating(data, form.size);
    if (fault !== undefined) refuse('pdf-image-data', offset, fault);
    return;
  }
  const { width, height, components } = readJpeg(data, offset);
  if (width !== form.width || height !== form.height || components !== (form.colours === 'grey' ? 1 : 3))
    refuse('jpeg-size', offset, `${width} x ${height} in ${components} colours; the file says otherwise`);
}

/** Objects 3 to 6 of a layered file; the number of object 3 has been read. */
async function readFont(state: State): Promise<void> {
  const { source } = state;
  for (const [nth, body] of FONT_OBJECTS.entries()) {
    if (nth > 0) await object(state, FONT_OBJECT + nth);
    await source.expect(`${body}\nendobj\n`, 'pdf-font', 'our font');
  }
  await object(state, FONT_OBJECT + FONT_OBJECTS.length);
  const begins = source.offset;
  const [, length] =
    MAP.exec(await source.line(LINE, 'pdf-map')) ?? refuse('pdf-map', begins, 'not the dictionary of our map');
  if (Number(length) > LIMITS.mapBytes) refuse('pdf-map', begins, `over ${LIMITS.mapBytes} bytes`);
  await source.expect('stream\n', 'pdf-map', 'a stream');
  const place = source.offset;
  const map = await inflateUpTo(await source.take(Number(length), 'pdf-map'), LIMITS.mapBytes);
  if (typeof map === 'string') refuse('pdf-map', place, map);
  const known = readMap(map.toString('latin1'), place);
  if (state.characters > known) refuse('pdf-map', place, `character ${state.characters} is shown, ${known} are known`);
  await source.expect('\nendstream\nendobj\n', 'pdf-map', 'the end of the map');
  await object(state, PAGES_OBJECT);
}

/** The tree of pages (its number has been read), catalog, cross-reference table, trailer; all of it follows from the pages. */
async function readEnd(state: State): Promise<void> {
  const { source, offsets, first, pages } = state;
  const kids = Array.from({ length: pages }, (_, page) => `${first + OBJECTS_PER_PAGE * page + 2} 0 R`).join(' ');
  await source.expect(
    `<< /Type /Pages /Count ${pages} /Kids [${kids}] >>\nendobj\n`,
    'pdf-pages',
    'the tree of these pages',
  );
  await object(state, CATALOG_OBJECT);
  await source.expect(`${CATALOG}\nendobj\n`, 'pdf-catalog', 'our catalog');
  const table = source.offset;
  const size = offsets.length;
  let entries = `xref\n0 ${size}\n0000000000 65535 f \n`;
  for (let number = 1; number < size; number++) entries += `${String(offsets[number]).padStart(10, '0')} 00000 n \n`;
  await source.expect(entries, 'pdf-xref', 'where the objects are');
  const trailer = `trailer\n<< /Size ${size} /Root ${CATALOG_OBJECT} 0 R >>\nstartxref\n${table}\n%%EOF\n`;
  await source.expect(trailer, 'pdf-trailer', 'our trailer');
  await source.end('pdf-end');
}
