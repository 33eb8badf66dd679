// Host side of the pixels: a strict collector of pages. Every number is checked before anything is allocated for it.
import { LIMITS } from '../message/limits.ts';
import type { Remark } from '../message/part.ts';
import { readRuns } from './page-text.ts';
import { RemarkReader } from './remark-reader.ts';
import {
  DRAWN,
  FRAME,
  FieldReader,
  LETTERS,
  PIXEL,
  WireError,
  rowBytes,
  type Frame,
  type Letters,
  type Outcome,
  type PixelFormat,
  type Run,
} from './wire.ts';

/** One page or picture: raw pixels, rows from the top, and its size in points. */
export interface RasterPage {
  readonly width: number;
  readonly height: number;
  readonly format: PixelFormat;
  readonly widthPt: number;
  readonly heightPt: number;
  /** `rowBytes(format, width) * height` bytes, owned by whoever holds the page. */
  readonly pixels: Buffer;
  /** Its text, where the child was asked for it. */
  readonly text: readonly Run[];
  /** Most of it is a picture, and its text is not what stands there. */
  readonly pictured?: boolean;
}

/** Buffers of pages that were encoded, kept for the next ones: a page is megabytes, and asking anew for each makes V8 collect. */
const spare: Buffer[] = [];
const SPARES = 4;

/** Gives the pixels of a page back. Nobody may look at them afterwards. */
export function releasePixels({ pixels }: RasterPage): void {
  if (spare.length < SPARES) spare.push(Buffer.from(pixels.buffer));
}

function takePixels(bytes: number): Buffer {
  const at = spare.findIndex((buffer) => buffer.length >= bytes && buffer.length <= 4 * bytes);
  const buffer = at === -1 ? Buffer.allocUnsafeSlow(bytes) : (spare.splice(at, 1)[0] as Buffer);
  if (at === -1 && spare.length === SPARES) spare.shift(); // of another size, it seems
  return buffer.subarray(0, bytes);
}

/** What an input gave besides its pages. */
export interface Collected {
  readonly pages: number;
  readonly findings: readonly Remark[];
  readonly losses: readonly Remark[];
}

/** What the child says of a page that was ordered. */
export interface DrawnPage {
  readonly index: number;
  readonly outcome: Outcome;
  /** Characters of its text that nobody sees. */
  readonly hidden: number;
  readonly letters: Letters;
}
/** Takes a whole page. */
export type OnPage = (page: RasterPage, drawn: DrawnPage) => void | Promise<void>;

const OUTCOMES: readonly Outcome[] = Object.values(DRAWN);
const SOURCES: readonly Letters[] = Object.values(LETTERS);
const LARGEST_PT = 1e6;
const FORMATS: ReadonlySet<number> = new Set(Object.values(PIXEL));

interface OpenPage extends Omit<RasterPage, 'text'> {
  text: readonly Run[] | undefined;
  filled: number;
}

/**
 * Takes the frames of one document or picture (`take` is a `FrameSink`). Each whole page goes to `onPage`, which is
 * awaited before the next frame is read: a slow taker slows the child. Throws `WireError` for whatever an honest child
 * does not send: a size out of bounds, pixels too few or too many, a page more than announced, a foreign frame.
 */
export class PageCollector {
  readonly #onPage: OnPage;
  readonly #maxPages: number;
  readonly #ordered: ((index: number) => boolean) | undefined;
  readonly #findings: Remark[] = [];
  readonly #losses: Remark[] = [];
  readonly #remarks = new RemarkReader({
    onFinding: (remark) => keep(this.#findings, remark),
    onLoss: (remark) => keep(this.#losses, remark),
  });
  #announced: number | undefined;
  #pages = 0;
  #pixels = 0;
  #open: OpenPage | undefined;
  #drawn: DrawnPage | undefined;

  /**
   * `maxPages` is what the child was asked for, at most `LIMITS.pages`. `ordered`, where pages are drawn on order, says
   * whether this page is the one that is due.
   */
  constructor(onPage: OnPage, maxPages: number = LIMITS.pages, ordered?: (index: number) => boolean) {
    this.#onPage = onPage;
    this.#maxPages = Math.min(maxPages, LIMITS.pages);
    this.#ordered = ordered;
  }

  /** Pages announced by the child, once it did. */
  get announced(): number | undefined {
    return this.#announced;
  }

  /** Pages that are complete. */
  get pages(): number {
    return this.#pages;
  }

  readonly take = (frame: Frame): void | Promise<void> => {
    switch (frame.type) {
      case FRAME.pages:
        return this.#announce(frame.payload);
      case FRAME.drawn:
        return this.#announcePage(frame.payload);
      case FRAME.page:
        return this.#start(frame.payload);
      case FRAME.pixels:
        return this.#fill(frame.payload);
      case FRAME.runs:
        return this.#text(frame.payload);
      case FRAME.finding:
      case FRAME.loss:
        return this.#remarks.take(frame);
      default:
        throw new WireError(`frame ${frame.type} among pages`);
    }
  };

  /** Says what came; a `WireError` when a page, its pixels or the announcement is missing. Call it when the child is done. */
  finish(): Collected {
    if (this.#announced === undefined) throw new WireError('no pages announced');
    if (this.#open !== undefined) throw new WireError(`page ${this.#pages + 1} is not complete`);
    if (this.#drawn !== undefined) throw new WireError('a page was told of and not sent');
    if (this.#ordered === undefined && this.#pages !== this.#announced)
      throw new WireError(`${this.#pages} pages of ${this.#announced}`);
    return { pages: this.#pages, ...this.remarks() };
  }

  /** Findings and losses so far; of use as well when the input was refused. */
  remarks(): Pick<Collected, 'findings' | 'losses'> {
    return { findings: this.#findings, losses: this.#losses };
  }

  #announce(payload: Buffer): void {
    if (this.#announced !== undefined) throw new WireError('pages announced twice');
    const fields = new FieldReader(payload);
    const count = fields.u32(this.#maxPages);
    fields.end();
    if (count === 0) throw new WireError('no page announced');
    this.#announced = count;
  }

  #announcePage(payload: Buffer): void {
    if (this.#ordered === undefined) throw new WireError('a page on order where none are');
    if (this.#open !== undefined || this.#drawn !== undefined) throw new WireError('page inside a page');
    const fields = new FieldReader(payload);
    const index = fields.u32(LIMITS.pages);
    const said = fields.u32();
    const outcome = OUTCOMES.find((known) => known === said);
    const hidden = fields.u32();
    const from = fields.u32();
    const letters = SOURCES.find((known) => known === from);
    fields.end();
    if (
      this.#announced === undefined ||
      index >= this.#announced ||
      outcome === undefined ||
      letters === undefined ||
      !this.#ordered(index)
    )
      throw new WireError(`page ${index} was not ordered`);
    this.#drawn = { index, outcome, hidden, letters };
  }

  #start(payload: Buffer): void {
    if (this.#open !== undefined) throw new WireError('page inside a page');
    if (this.#announced === undefined) throw new WireError('page not announced');
    if (this.#ordered === undefined ? this.#pages >= this.#announced : this.#drawn === undefined)
      throw new WireError('page not announced');
    const fields = new FieldReader(payload);
    const width = fields.u32(LIMITS.sidePixels);
    const height = fields.u32(LIMITS.sidePixels);
    const format = fields.u32();
    const widthPt = fields.f64(Number.MIN_VALUE, LARGEST_PT);
    const heightPt = fields.f64(Number.MIN_VALUE, LARGEST_PT);
    fields.end();
    // Both sides are at most 10,000: the product is exact.
    if (width === 0 || height === 0 || width * height > LIMITS.pagePixels)
      throw new WireError(`page of ${width} × ${height}`);
    if (!isFormat(format)) throw new WireError(`pixel format ${format}`);
    this.#pixels += width * height;
    if (this.#pixels > LIMITS.pixels) throw new WireError('too many pixels in all');
    const pixels = takePixels(rowBytes(format, width) * height);
    this.#open = { width, height, format, widthPt, heightPt, pixels, text: undefined, filled: 0 };
  }

  #text(payload: Buffer): void {
    const page = this.#open;
    if (page === undefined) throw new WireError('text without a page');
    if (page.text !== undefined) throw new WireError('text of a page twice');
    page.text = readRuns(payload);
  }

  #fill(payload: Buffer): void | Promise<void> {
    const page = this.#open;
    if (page === undefined) throw new WireError('pixels without a page');
    if (payload.length === 0) throw new WireError('no pixels in a frame of them');
    if (payload.length > page.pixels.length - page.filled) throw new WireError('more pixels than the page has');
    payload.copy(page.pixels, page.filled);
    page.filled += payload.length;
    if (page.filled < page.pixels.length) return undefined;
    this.#open = undefined;
    const { filled: _filled, text, ...whole } = page;
    const drawn = this.#drawn ?? { index: this.#pages, outcome: DRAWN.inked, hidden: 0, letters: LETTERS.own };
    this.#drawn = undefined;
    this.#pages += 1;
    const pictured = drawn.letters === LETTERS.beside;
    return this.#onPage({ ...whole, text: text ?? [], ...(pictured ? { pictured } : {}) }, drawn);
  }
}

function isFormat(format: number): format is PixelFormat {
  return FORMATS.has(format);
}

/** Remarks beyond the cap are let go. */
function keep(remarks: Remark[], remark: Remark): void {
  if (remarks.length < LIMITS.remarks) remarks.push(remark);
}
