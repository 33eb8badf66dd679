// Jailed child of the pdf family: hostile PDF in, pixels out, page by page. Nothing else of the document leaves.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LIMITS } from '../src/message/limits.ts';
import { DRAWN, LETTERS, OPERATION, isOnOrder, type Letters, type Outcome, type Run } from '../src/sandbox/wire.ts';
import { FACE_NAMES } from './fonts.ts';
import { Packer, whitePage, type Packed } from './pack.ts';
import { GreyWalk } from './pdf-grey.ts';
import { PairLetters } from './pair-letters.ts';
import { PageNotices, noticeDocument } from './pdf-notices.ts';
import { TextReader, type DrawnPage, type FoundText } from './pdf-text.ts';
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
import type { Module } from './pdfium-instance.ts';
import { Refusal, serve, whole, type Job, type Out } from './run.ts';

const POINTS_PER_INCH = 72;
/** Where a page has no usable size: A4. */
const A4: PointSize = { widthPt: 595, heightPt: 842 };
const LARGEST_PT = 1e6;
const SMALLEST_PT = 0.01;
/** Fonts named in losses. */
const FONTS_TOLD = 20;
/** Letters named that no font has. */
const LETTERS_TOLD = 60;
/** Exit code the host reads as out-of-memory: the engine is unusable and its memory is better given back at once. */
const EXIT_OUT_OF_MEMORY = 134;

/**
 * V8 does not hurry to free the memory of a dead instance: after twelve documents of 190 MB a child held 910 MB, and an
 * innocent document would have been killed for it. So a large one is collected before the next begins (20 ms).
 */
const LARGE_ENGINE = 64 * 1024 * 1024;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function collectDead(): Promise<void> {
  collect();
  await new Promise((resolve) => setImmediate(resolve)); // finalizers of the first round hold the memory until they ran
  collect();
}

/** Compiles the engine and starts it once for nothing: V8 keeps the first instance for ever, so that is a small one. */
async function prepare(): Promise<Module> {
  const module = await compilePdfium();
  void new Pdfium(module);
  return module;
}

const prepared = prepare();
let next = prepared.then((module) => new Pdfium(module));
// A rejection is met by the first document, which waits for it.
next.catch(() => undefined);

/** The engine of the document after this one, an instance of its own: started when the host has been told of this one's end. */
async function following(engineBytes: number): Promise<Pdfium> {
  const module = await prepared;
  await new Promise((resolve) => setImmediate(resolve));
  if (engineBytes > LARGE_ENGINE) await collectDead();
  return new Pdfium(module);
}

serve(pdfiumVersion(), async (job, out) => {
  const bytes = await whole(job);
  if (bytes.length === 0) throw new Refusal('empty', 'no bytes');
  const engine = await next;
  try {
    await convert(engine, bytes, job, out);
  } catch (error) {
    if (error instanceof OutOfMemory) throw new Refusal('out-of-memory', error.message);
    // A trap after a refusal of memory is PDFium's own way to give up; any other trap is unknown and ends the process too.
    if (isTrap(error) && engine.refused > 0) process.exit(EXIT_OUT_OF_MEMORY);
    throw error;
  } finally {
    next = following(engine.memory.buffer.byteLength);
    next.catch(() => undefined);
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
  const withText = job.operation === OPERATION.convertWithText || job.operation === OPERATION.pagesWithText;
  const look = { ...resolutionOf(job.dpi, wanted), inColour: job.operation === OPERATION.pagesInColour };
  const renderer = new Renderer(engine, document, look, withText, new GreyWalk(engine, bytes));
  if (isOnOrder(job.operation)) await drawOrdered(renderer, job.orders, wanted, out);
  else await drawAll(renderer, wanted, out);
  if (renderer.cutPages > 0) out.loss('text-cut', `${renderer.cutPages} pages have more text than can be searched`);
  tellFonts(engine, renderer.missing, out);
}

/** Dots per inch of pages that are known to be grey (text, lines), and of all others. */
interface Resolution {
  readonly grey: number;
  readonly coloured: number;
}

/** How pages are drawn; `inColour`: in all their colours, whatever stands on them. */
interface Look extends Resolution {
  readonly inColour: boolean;
}

/** As asked for, or what suits the document: short ones get sharper text, which costs less in grey than colour at 150. */
function resolutionOf(asked: number, pages: number): Resolution {
  if (asked !== 0) return { grey: asked, coloured: asked };
  return { grey: pages <= LIMITS.sharpPages ? LIMITS.sharpDpi : LIMITS.dpi, coloured: LIMITS.dpi };
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
  readonly failure: 'damaged' | 'out-of-memory';
  readonly runs: readonly Run[];
  /** Characters of its text that nobody sees. */
  readonly hidden: number;
  readonly letters: Letters;
}

function send({ width, height, widthPt, heightPt, runs, packed }: Sheet, out: Out): void {
  out.page({ width, height, widthPt, heightPt, runs, ...(packed ?? whitePage(width, height)) });
}

/** Draws what is asked for; the host judges the document by what it hears of its pages. */
async function drawOrdered(renderer: Renderer, orders: AsyncIterable<number>, pages: number, out: Out): Promise<void> {
  const notices = new PageNotices(out);
  for await (const index of orders) {
    if (index >= pages) throw new RangeError(`page ${index} of ${pages}`);
    await out.drained(); // the packer's buffer is free again
    const sheet = renderer.render(index, notices);
    out.drawn({ index, outcome: outcomeOf(sheet), hidden: sheet.hidden, letters: sheet.letters });
    send(sheet, out);
  }
  notices.end();
}

function outcomeOf({ packed, failure }: Sheet): Outcome {
  if (packed !== undefined) return hasInk(packed) ? DRAWN.inked : DRAWN.blank;
  return failure === 'out-of-memory' ? DRAWN.outOfMemory : DRAWN.damaged;
}

/** Draws all pages in their order. */
async function drawAll(renderer: Renderer, pages: number, out: Out): Promise<void> {
  const notices = new PageNotices(out);
  // Failed pages before the first good one wait: if none is good, the document is refused and no white paper sent.
  const waiting: Sheet[] = [];
  let good = 0;
  let inked = false;
  let hidden = 0;
  let scans = 0;
  let reason = 'damaged';
  for (let index = 0; index < pages; index++) {
    await out.drained(); // the host encodes page n while page n + 1 is drawn; the packer's buffer is free again
    const sheet = renderer.render(index, notices);
    if (sheet.packed === undefined) {
      if (sheet.failure !== 'damaged') reason = sheet.failure;
      out.loss('page-failed', `page ${index + 1}: ${sheet.failure}`);
      if (good === 0) waiting.push(sheet);
      else send(sheet, out);
      continue;
    }
    for (const failed of waiting.splice(0)) send(failed, out);
    good += 1;
    inked ||= hasInk(sheet.packed);
    hidden += sheet.hidden;
    if (sheet.letters === LETTERS.scan) scans += 1;
    send(sheet, out);
  }
  notices.end();
  // PDFium draws what it can of a damaged file, if need be nothing: say so, the reader cannot tell it from a blank sheet.
  if (good > 0 && !inked) out.loss('blank', 'nothing is drawn on any page');
  if (good === 0) throw new Refusal(reason, `none of ${pages} pages could be drawn`);
  if (hidden > 0) out.finding('hidden-text', `${hidden} characters that nobody sees`);
  if (scans > 0) out.finding('scan-text', `text of ${scans} scanned pages, as it came with them`);
}

/** White is all bits set in every format. */
function hasInk(packed: Packed): boolean {
  return packed.pixels.some((byte) => byte !== 0xff);
}

/** Draws the pages of one document. */
class Renderer {
  readonly #engine: Pdfium;
  readonly #document: Document;
  readonly #look: Look;
  readonly #packer: Packer;
  readonly #walk: GreyWalk;
  readonly #reader: TextReader | undefined;
  readonly #pairs: PairLetters;
  /** Pages with more text than was read. */
  cutPages = 0;
  /** Letters of its text that could not be drawn. */
  readonly missing = new Set<string>();

  constructor(engine: Pdfium, document: Document, look: Look, withText: boolean, walk: GreyWalk) {
    this.#engine = engine;
    this.#document = document;
    this.#look = look;
    this.#packer = new Packer(engine);
    this.#walk = walk;
    this.#reader = withText ? new TextReader(engine) : undefined;
    this.#pairs = new PairLetters(engine, document);
  }

  render(index: number, notices: PageNotices): Sheet {
    const refused = this.#engine.refused;
    let handle = this.#document.openPage(index);
    let isAnew = false;
    if (handle === 0) {
      const failure = this.#engine.refused > refused ? 'out-of-memory' : 'damaged';
      return { ...this.#fit(this.#document.sizeOf(index), this.#look.coloured), failure };
    }
    const grey = !this.#look.inColour && this.#walk.isGrey(handle);
    const sheet = this.#fit(this.#document.pageSize(handle), grey ? this.#look.grey : this.#look.coloured);
    const { width, height, widthPt, heightPt } = sheet;
    try {
      const drawn = this.#document.draw(handle, width, height, grey);
      notices.look(this.#engine, this.#document, handle);
      if (this.#reader !== undefined) ({ handle, isAnew } = this.#document.flattened(handle, index));
      let found = handle === 0 ? undefined : this.#reader?.read({ ...drawn, handle, widthPt, heightPt });
      // What became part of the page anew would be drawn twice.
      if (found !== undefined && found.lost.length > 0 && !isAnew)
        found = this.#withPairs(found, { ...drawn, handle, widthPt, heightPt });
      if (found?.cut === true) this.cutPages += 1;
      for (const letter of found?.missing ?? []) if (this.missing.size < LETTERS_TOLD) this.missing.add(letter);
      const packed = this.#packer.pack(drawn, this.#look.inColour);
      return found === undefined
        ? { ...sheet, packed }
        : { ...sheet, packed, runs: found.runs, hidden: found.hidden, letters: found.letters };
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      return { ...sheet, failure: 'out-of-memory' };
    } finally {
      if (handle !== 0) this.#document.closePage(handle);
    }
  }

  /**
   * Draws the page again with the supplementary characters that could not be drawn, as far as our font has them. Without the memory
   * for that it is as it was.
   */
  #withPairs(found: FoundText, page: DrawnPage): FoundText {
    const draw = (): unknown => this.#document.draw(page.handle, page.width, page.height, page.grey);
    try {
      const put = this.#pairs.put(page.handle, found.lost);
      if (put.indices.size === 0) return found;
      try {
        draw();
      } finally {
        put.remove();
      }
      return this.#reader?.read(page, put.indices) ?? found;
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      draw();
      return found;
    }
  }

  /** Pixels for a page size: at the resolution, scaled down to the caps; the size in points stays as it is. */
  #fit(size: PointSize, dpi: number): Sheet {
    const usable = size.widthPt > 0 && size.heightPt > 0; // false for NaN as well
    const widthPt = usable ? Math.min(LARGEST_PT, Math.max(SMALLEST_PT, size.widthPt)) : A4.widthPt;
    const heightPt = usable ? Math.min(LARGEST_PT, Math.max(SMALLEST_PT, size.heightPt)) : A4.heightPt;
    const width = (widthPt * dpi) / POINTS_PER_INCH;
    const height = (heightPt * dpi) / POINTS_PER_INCH;
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
      failure: 'damaged',
      runs: [],
      hidden: 0,
      letters: LETTERS.own,
    };
  }
}

// The 14 standard fonts (ISO 32000-1, 9.6.2.2) are never embedded by right: PDFium's faces have their widths.
const STANDARD_FONT =
  /^(Helvetica|Courier)(-(Bold|Oblique|BoldOblique))?$|^Times-(Roman|Bold|Italic|BoldItalic)$|^(Symbol|ZapfDingbats)$/;

function tellFonts(engine: Pdfium, missing: ReadonlySet<string>, out: Out): void {
  if (missing.size > 0) out.loss('glyph-missing', [...missing].join(''));
  const missed = [...engine.missedFonts.values()].filter(({ name }) => !STANDARD_FONT.test(name));
  for (const { name, face } of missed.slice(0, FONTS_TOLD)) {
    out.loss('font-substituted', `${name || 'unnamed'} → ${face === undefined ? 'a built-in face' : FACE_NAMES[face]}`);
  }
}
