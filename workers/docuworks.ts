// Scanned pages of a DocuWorks file: pages that are one JPEG, and pages that are nothing but JPEG strips placed on them. Any other
// page is a drawing in calls of Windows with private records that nobody else draws: the file is then held, and its sender asked for PDF.
import sharp from 'sharp';
import { LIMITS } from '../src/message/limits.ts';
import { fields, readDocuWorks, signed, type DocuFile, type DocuRecord } from './docuworks-file.ts';
import { unpackLh5 } from './lh5.ts';
import { Refusal } from './run.ts';

const KIND = { page: 0x1301, content: 0x8010, firstNote: 0x8011, lastNote: 0x80ff } as const;
const ATTRIBUTE = { drawing: 7, number: 3, rotation: 61, pictures: 300 } as const;
const DRAWING = { emf: 4, jpeg: 5 } as const;
/** EMF records that draw nothing by themselves ([MS-EMF] 2.1.1): header, end, and what sets or selects. */
const SILENT = new Set([
  1, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 24, 25, 33, 34, 35, 36, 37, 38, 39, 40, 48, 58, 75, 98, 115,
]);
const COMMENT = 70;

/** A page as a picture, made when it is asked for. Throws a `Refusal`. */
export type DocuPage = () => Promise<Buffer>;

/** JPEG pages of a document, in order. */
export interface DocuPages {
  readonly pages: readonly DocuPage[];
  /** Sticky notes, stamps and other things laid upon the pages, which are not shown. */
  readonly notes: number;
}

/** The pages; `unsupported-type` when one of them is no scan. */
export function docuPages(bytes: Buffer): DocuPages {
  const file = readDocuWorks(bytes);
  const pages: { readonly number: number; readonly nth: number; content: DocuRecord | undefined }[] = [];
  let notes = 0;
  for (const record of file.records) {
    if (record.kind === KIND.page)
      pages.push({ number: numberOf(record, ATTRIBUTE.number), nth: pages.length, content: undefined });
    else if (record.kind === KIND.content) {
      const page = pages.at(-1);
      if (page !== undefined) page.content ??= record;
    } else if (
      record.kind >= KIND.firstNote &&
      record.kind <= KIND.lastNote &&
      record.attributes.has(ATTRIBUTE.drawing)
    )
      notes += 1;
  }
  if (pages.length === 0) throw new Refusal('damaged', 'no page');
  if (pages.length > LIMITS.pages) throw new Refusal('too-many-pages', `${pages.length} pages`);
  const inOrder = pages.toSorted((a, b) => a.number - b.number || a.nth - b.nth);
  return { pages: inOrder.map(({ content }) => pageOf(content, file)), notes };
}

/** Numbers are lists of a length byte and so many bytes. */
function numberOf(record: DocuRecord, attribute: number): number {
  const value = record.attributes.get(attribute)?.value;
  return value === undefined || value.length < 2 ? 0 : signed(value.subarray(1, 1 + value.readUInt8(0)));
}

function reference(file: DocuFile, value: Buffer): Buffer | undefined {
  const index = fields(value).find(({ tag }) => tag === 0x81);
  return index === undefined ? undefined : file.entry(signed(index.value));
}

/** What is no scan holds the whole document; what is damaged costs its page. */
function pageOf(content: DocuRecord | undefined, file: DocuFile): DocuPage {
  let scan: DocuPage;
  try {
    scan = scanOf(content, file);
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason === 'unsupported-type') throw error;
    return async () => Promise.reject(error);
  }
  return async () => {
    try {
      return await scan();
    } catch (error) {
      if (error instanceof Refusal) throw error;
      throw new Refusal('damaged', error instanceof Error ? error.message : String(error)); // a decoder's own words
    }
  };
}

function scanOf(content: DocuRecord | undefined, file: DocuFile): DocuPage {
  const drawing = content?.attributes.get(ATTRIBUTE.drawing);
  if (content === undefined || drawing === undefined) throw new Refusal('unsupported-type', 'a page that is no scan');
  const body = drawing.isReference ? reference(file, drawing.value) : drawing.value;
  if (body === undefined) throw new Refusal('damaged', 'a page without its drawing');
  const of = new Map(fields(body).map(({ tag, value }) => [tag, value]));
  const kind = signed(of.get(0x80));
  const data = of.get(0x86) ?? Buffer.alloc(0);
  const picture =
    kind === DRAWING.jpeg
      ? async () => data
      : kind === DRAWING.emf
        ? fromStrips(expanded(data, of), content, file)
        : undefined;
  if (picture === undefined) throw new Refusal('unsupported-type', 'a page that is no scan');
  const angle = numberOf(content, ATTRIBUTE.rotation);
  return angle % 90 === 0 && angle % 360 !== 0
    ? async () =>
        sharp(await picture(), { failOn: 'error' })
          .rotate(angle)
          .png()
          .toBuffer()
    : picture;
}

function expanded(data: Buffer, of: ReadonlyMap<number, Buffer>): Buffer {
  const size = signed(of.get(0x81));
  const isPacked = of.has(0x8a) ? signed(of.get(0x8a)) === 1 : size > data.length;
  if (!isPacked) return data;
  if (size <= 0 || size > LIMITS.expandedBytes) throw new Refusal('damaged', `${size} bytes`);
  return unpackLh5(data, size);
}

interface Strip {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A page drawn by nothing but DWb (the next picture) and DWc (draw it here); undefined for any other. */
function fromStrips(emf: Buffer, content: DocuRecord, file: DocuFile): DocuPage | undefined {
  const strips: Strip[] = [];
  for (let at = 0; at + 8 <= emf.length;) {
    const type = emf.readUInt32LE(at);
    const length = emf.readUInt32LE(at + 4);
    if (length < 8 || at + length > emf.length) return undefined;
    if (type === COMMENT) {
      const strip = stripOf(emf.subarray(at + 12, at + length));
      if (strip === 'other') return undefined;
      if (strip !== undefined) strips.push(strip);
    } else if (!SILENT.has(type)) return undefined;
    if (type === 14) break;
    at += length;
  }
  const pictures = strips.map((_, nth) => pictureOf(content.attributes.get(ATTRIBUTE.pictures + 1 + nth)?.value, file));
  const [first] = pictures;
  if (first === undefined || pictures.some((one) => one === undefined)) return undefined;
  return pictures.length === 1 ? async () => first : async () => compose(strips, pictures as Buffer[]);
}

/** DWb and everything that shows nothing: undefined. */
function stripOf(comment: Buffer): Strip | undefined | 'other' {
  if (comment.toString('latin1', 0, 2) !== 'DW')
    return comment.toString('latin1', 0, 4) === 'EMF+' ? 'other' : undefined;
  const op = comment.toString('latin1', 2, 3);
  if (op === 'b' || comment.toString('latin1', 2, 4) === '01') return undefined;
  if (op !== 'c' || comment.length < 4 + 13 * 4) return 'other';
  // bounds (4), xDest, yDest, xSrc, ySrc, cxSrc, cySrc, usage, rop, cxDest, cyDest
  const number = (index: number): number => comment.readInt32LE(4 + index * 4);
  return {
    x: number(4),
    y: number(5),
    width: number(12),
    height: comment.length >= 4 + 14 * 4 ? number(13) : number(9),
  };
}

/** A raw entry: four words, then the JPEG. */
function pictureOf(value: Buffer | undefined, file: DocuFile): Buffer | undefined {
  const raw = value === undefined ? undefined : reference(file, value);
  return raw !== undefined && raw.subarray(16, 19).equals(Buffer.from('ffd8ff', 'hex')) ? raw.subarray(16) : undefined;
}

/** The strips on one page, as large as the first one's pixels say. */
async function compose(strips: readonly Strip[], pictures: readonly Buffer[]): Promise<Buffer> {
  const left = Math.min(...strips.map(({ x }) => x));
  const top = Math.min(...strips.map(({ y }) => y));
  const scale =
    ((await sharp(pictures[0], { failOn: 'error' }).metadata()).width ?? 1) / Math.max(1, strips[0]?.width ?? 1);
  const width = Math.round((Math.max(...strips.map((strip) => strip.x + strip.width)) - left) * scale);
  const height = Math.round((Math.max(...strips.map((strip) => strip.y + strip.height)) - top) * scale);
  if (!(width > 0 && height > 0) || width * height > LIMITS.pagePixels) throw new Refusal('too-many-pixels', 'a page');
  const placed = await Promise.all(
    strips.map(async (strip, nth) => ({
      input: await sharp(pictures[nth], { failOn: 'error' }).png({ compressionLevel: 0 }).toBuffer(),
      left: Math.max(0, Math.round((strip.x - left) * scale)),
      top: Math.max(0, Math.round((strip.y - top) * scale)),
    })),
  );
  return sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
    .composite(placed)
    .png({ compressionLevel: 0 })
    .toBuffer();
}
