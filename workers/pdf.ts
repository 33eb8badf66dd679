// Jailed child of the pdf family: hostile PDF in, pixels out, page by page. Nothing else of the document leaves.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LIMITS } from '../src/message/limits.ts';
import { OPERATION, type Run } from '../src/sandbox/wire.ts';
import { FACE_NAMES } from './fonts.ts';
import { Packer, whitePage, type Packed } from './pack.ts';
import { PageNotices, noticeDocument } from './pdf-notices.ts';
import { TextReader } from './pdf-text.ts';
import {
  compilePdfium,
  isTrap,
  LOAD_ERROR,
  OutOfMemory,
  Pdfium,
  pdfiumVersion,
  type Document,
  type PointSize,
} from './pdfium.ts';
import { Refusal, serve, whole, type Job, type Out } from './run.ts';

const POINTS_PER_INCH = 72;
/** Where a page has no usable size: A4. */
const A4: PointSize = { widthPt: 595, heightPt: 842 };
const LARGEST_PT = 1e6;
const SMALLEST_PT = 0.01;
/** Fonts named in losses. */
const FONTS_TOLD = 20;
/** Exit code the host reads as out-of-memory: the engine is unusable and its memory is better given back at once. */
const EXIT_OUT_OF_MEMORY = 134;

/**
 * V8 does not hurry to free the memory of a dead instance: after twelve documents of 190 MB a child held 910 MB, and an
 * innocent document would have been killed for it. So a large one is collected before the next begins (20 ms).
 */
const LARGE_ENGINE = 64 * 1024 * 1024;
let lastEngineBytes = 0;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function collectDead(): Promise<void> {
  if (lastEngineBytes <= LARGE_ENGINE) return;
  collect();
  await new Promise((resolve) => setImmediate(resolve)); // finalizers of the first round hold the memory until they ran
  collect();
}

/** Compiles the engine and starts it once for nothing: V8 keeps the first instance for ever, so that is a small one. */
async function prepare(): Promise<Awaited<ReturnType<typeof compilePdfium>>> {
  const module = await compilePdfium();
  await Pdfium.start(module);
  return module;
}

const prepared = prepare();
// A rejection is met by the first document, which waits for it.
prepared.catch(() => undefined);

serve(pdfiumVersion(), async (job, out) => {
  const bytes = await whole(job);
  if (bytes.length === 0) throw new Refusal('empty', 'no bytes');
  await collectDead();
  const engine = await Pdfium.start(await prepared);
  try {
    await convert(engine, bytes, job, out);
  } catch (error) {
    if (error instanceof OutOfMemory) throw new Refusal('out-of-memory', error.message);
    // A trap after a refusal of memory is PDFium's own way to give up; any other trap is unknown and ends the process too.
    if (isTrap(error) && engine.refused > 0) process.exit(EXIT_OUT_OF_MEMORY);
    throw error;
  } finally {
    lastEngineBytes = engine.memory.buffer.byteLength;
  }
});

async function convert(engine: Pdfium, bytes: Uint8Array, job: Job, out: Out): Promise<void> {
  const document = engine.open(bytes, job.password);
  if (typeof document === 'number') throw refusalOf(document, job.password);
  const counted = document.pageCount;
  if (counted === 0) throw new Refusal('damaged', 'no page');
  const wanted = Math.min(counted, job.maxPages === 0 ? LIMITS.pages : Math.min(job.maxPages, LIMITS.pages));
  noticeDocument(engine, document, bytes, out);
  out.pages(wanted);
  if (wanted < counted) out.loss('pages-cut', `${wanted} of ${counted} pages`);
  const reader = job.operation === OPERATION.convertWithText ? new TextReader(engine) : undefined;
  const renderer = new Renderer(engine, document, job.dpi === 0 ? LIMITS.dpi : job.dpi, reader);
  await renderAll(renderer, wanted, out);
  renderer.tellText(out);
  tellFonts(engine, out);
}

function refusalOf(error: number, password: string): Refusal {
  switch (error) {
    case LOAD_ERROR.password:
      return password === ''
        ? new Refusal('password-needed', 'encrypted, a password is needed')
        : new Refusal('password-wrong', 'the password does not open it');
    case LOAD_ERROR.security:
      return new Refusal('encrypted', 'unknown encryption');
    default:
      return new Refusal('damaged', `PDFium error ${error}`);
  }
}

/** A page ready for the wire, or why there is none. */
interface Sheet extends PointSize {
  readonly width: number;
  readonly height: number;
  /** Undefined for a page that failed: a white one of its size takes its place. */
  readonly packed: Packed | undefined;
  readonly runs: readonly Run[];
}

async function renderAll(renderer: Renderer, pages: number, out: Out): Promise<void> {
  const notices = new PageNotices(out);
  const send = (sheet: Sheet): void => {
    const { width, height, widthPt, heightPt, runs } = sheet;
    out.page({ width, height, widthPt, heightPt, runs, ...(sheet.packed ?? whitePage(width, height)) });
  };
  // Failed pages before the first good one wait: if none is good, the document is refused and no white paper sent.
  const waiting: Sheet[] = [];
  let good = 0;
  let inked = false;
  let reason = 'damaged';
  for (let index = 0; index < pages; index++) {
    await out.drained(); // the host encodes page n while page n + 1 is drawn; the packer's buffer is free again
    const sheet = renderer.render(index, notices);
    if (sheet.packed === undefined) {
      if (renderer.failure !== 'damaged') reason = renderer.failure;
      out.loss('page-failed', `page ${index + 1}: ${renderer.failure}`);
      if (good === 0) waiting.push(sheet);
      else send(sheet);
      continue;
    }
    for (const failed of waiting.splice(0)) send(failed);
    good += 1;
    inked ||= hasInk(sheet.packed);
    send(sheet);
  }
  // PDFium draws what it can of a damaged file, if need be nothing: say so, the reader cannot tell it from a blank sheet.
  if (good > 0 && !inked) out.loss('blank', 'nothing is drawn on any page');
  if (good === 0) throw new Refusal(reason, `none of ${pages} pages could be drawn`);
}

/** White is all bits set in every format. */
function hasInk(packed: Packed): boolean {
  return packed.pixels.some((byte) => byte !== 0xff);
}

/** Draws the pages of one document. */
class Renderer {
  readonly #engine: Pdfium;
  readonly #document: Document;
  readonly #dpi: number;
  readonly #packer: Packer;
  readonly #reader: TextReader | undefined;
  #hidden = 0;
  #unseenPages = 0;
  /** Reason of the last page that failed. */
  failure: 'damaged' | 'out-of-memory' = 'damaged';

  /** `reader`: where the text of pages is wanted. */
  constructor(engine: Pdfium, document: Document, dpi: number, reader: TextReader | undefined) {
    this.#engine = engine;
    this.#document = document;
    this.#dpi = dpi;
    this.#packer = new Packer(engine);
    this.#reader = reader;
  }

  /** Says what text was left out, and which was kept unread. */
  tellText(out: Out): void {
    if (this.#hidden > 0) out.finding('hidden-text', `${this.#hidden} characters that nobody sees`);
    if (this.#unseenPages > 0)
      out.finding('scan-text', `text of ${this.#unseenPages} scanned pages, as it came with them`);
  }

  render(index: number, notices: PageNotices): Sheet {
    const refused = this.#engine.refused;
    const page = this.#document.openPage(index);
    if (page === 0) {
      this.failure = this.#engine.refused > refused ? 'out-of-memory' : 'damaged';
      return this.#fit(this.#document.sizeOf(index));
    }
    const sheet = this.#fit(this.#document.pageSize(page));
    try {
      const pixels = this.#document.draw(page, sheet.width, sheet.height);
      const runs = this.#read(page, pixels, sheet);
      const packed = this.#packer.pack(pixels, sheet.width, sheet.height);
      notices.look(this.#engine, this.#document, page);
      return { ...sheet, packed, runs };
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      this.failure = 'out-of-memory';
      return sheet;
    } finally {
      this.#document.closePage(page);
    }
  }

  #read(handle: number, pixels: number, { width, height, widthPt, heightPt }: Sheet): readonly Run[] {
    if (this.#reader === undefined) return [];
    const found = this.#reader.read({ handle, pixels, width, height, widthPt, heightPt });
    this.#hidden += found.hidden;
    if (found.unseen) this.#unseenPages += 1;
    return found.runs;
  }

  /** Pixels for a page size: at the asked resolution, scaled down to the caps; the size in points stays as it is. */
  #fit(size: PointSize): Sheet {
    const usable = size.widthPt > 0 && size.heightPt > 0; // false for NaN as well
    const widthPt = usable ? Math.min(LARGEST_PT, Math.max(SMALLEST_PT, size.widthPt)) : A4.widthPt;
    const heightPt = usable ? Math.min(LARGEST_PT, Math.max(SMALLEST_PT, size.heightPt)) : A4.heightPt;
    const width = (widthPt * this.#dpi) / POINTS_PER_INCH;
    const height = (heightPt * this.#dpi) / POINTS_PER_INCH;
    const shrink = Math.min(
      1,
      LIMITS.sidePixels / width,
      LIMITS.sidePixels / height,
      Math.sqrt(LIMITS.pagePixels / (width * height)),
    );
    const round = shrink < 1 ? Math.floor : Math.round;
    return {
      width: Math.max(1, round(width * shrink)),
      height: Math.max(1, round(height * shrink)),
      widthPt,
      heightPt,
      packed: undefined,
      runs: [],
    };
  }
}

// The 14 standard fonts (ISO 32000-1, 9.6.2.2) are never embedded by right: PDFium's faces have their widths.
const STANDARD_FONT =
  /^(Helvetica|Courier)(-(Bold|Oblique|BoldOblique))?$|^Times-(Roman|Bold|Italic|BoldItalic)$|^(Symbol|ZapfDingbats)$/;

function tellFonts(engine: Pdfium, out: Out): void {
  const missed = [...engine.missedFonts.values()].filter(({ name }) => !STANDARD_FONT.test(name));
  for (const { name, face } of missed.slice(0, FONTS_TOLD)) {
    out.loss('font-substituted', `${name || 'unnamed'} → ${face === undefined ? 'a built-in face' : FACE_NAMES[face]}`);
  }
}
