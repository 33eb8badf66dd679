// The text of a drawn page as runs of characters with their places, through PDFium's text interface. A character is kept
// only where ink stands at its place: what nobody can see (white, hidden, off the page) is no text of this page.
import { LIMITS } from '../src/message/limits.ts';
import { LETTERS, READABLE_TEXT, type Letters, type Run } from '../src/sandbox/wire.ts';
import { runsInFrame } from './runs-in-frame.ts';
import { strideOf, type Drawn } from './pack.ts';
import type { PairLetter } from './pair-letters.ts';
import type { Pdfium } from './pdfium.ts';
import { unified } from './radicals.ts';
import { isPictured, outnumber, Places, type Box } from './scan-layer.ts';
import { BATCH, BOX, GENERATED, OBJECT, ORIGIN, PLACED, POINT, RECORD, fetchOf, type Fetch } from './text-records.ts';

/** A page as it was drawn. */
export interface DrawnPage extends Drawn {
  readonly handle: number;
  readonly widthPt: number;
  readonly heightPt: number;
}

/**
 * What was found: `hidden` characters were dropped; `missing` ones no font of ours has. `letters`: among those of a
 * scan are invisible ones that lie on ink, as OCR leaves them.
 */
export interface FoundText {
  readonly runs: readonly Run[];
  readonly hidden: number;
  readonly missing: readonly string[];
  /** Those of `missing` that another font may have. */
  readonly lost: readonly PairLetter[];
  /** There is more than was read. */
  readonly cut: boolean;
  readonly letters: Letters;
}

/** Characters looked at on a page: a telephone book has 20,000. */
const MOST_CHARACTERS = 60_000;
/** A channel must differ by so much for ink: #E7E7E7 on white is just seen. */
const INK_STEP = 24;
/** Smaller letters (pixels) are dust. */
const LEAST_PIXELS = 3;
/** Samples of a box, each way: one of a thousand points is not read pixel by pixel. */
const SAMPLES = 64;
/** How far (in ems) two characters of a run may be apart, and a space be wide. */
const WIDEST_GAP = 1;

/** Letters of a stamp, a page number, a fax's head. */
const FEW = 200;

/** Characters of a run: an honest line has 100. */
const LONGEST_RUN = 200;

/** Affine map: x' = a x + c y + e, y' = b x + d y + f. */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** How letters of one text object stand on the page: unit vectors along the baseline and up, the em in pixels. */
interface Style {
  readonly unseen: boolean;
  readonly em: number;
  readonly ux: number;
  readonly uy: number;
  readonly vx: number;
  readonly vy: number;
}

/** A character in pixels of the page, y downwards: its origin and the box of its font's height and its own width. */
interface Glyph extends Box {
  readonly style: Style;
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly wide: boolean;
}

/** Points at which the shape of a letter is asked for, should there be one. */
const SHAPE_SIZE = 100;
const FARTHEST_PT = 1e5;
const SCALE = 64;
const INVISIBLE = 3;
const CLIP_ONLY = 7;
const NONE: ReadonlySet<number> = new Set();

/** Reads the text of the pages of one document. */
export class TextReader {
  readonly #engine: Pdfium;
  readonly #scratch: number;
  readonly #fetch: Fetch;
  readonly #records: number;
  #buffer: ArrayBuffer | undefined;
  #floats = new Float32Array(0);
  #doubles = new Float64Array(0);
  #ints = new Int32Array(0);
  #words = new Uint32Array(0);
  #bytes = new Uint8Array(0);

  constructor(engine: Pdfium) {
    this.#engine = engine;
    this.#scratch = engine.zeroed(64);
    this.#fetch = fetchOf(engine);
    this.#records = engine.zeroed(BATCH * RECORD);
  }

  /** `put`: supplementary characters, among those of the page, that were drawn by another font. */
  read(page: DrawnPage, put: ReadonlySet<number> = NONE): FoundText {
    const handle = this.#engine.call('FPDFText_LoadPage', page.handle);
    if (handle === 0) return { runs: [], hidden: 0, missing: [], lost: [], cut: false, letters: LETTERS.own };
    try {
      return this.#glyphs(handle, page, put);
    } finally {
      this.#engine.call('FPDFText_ClosePage', handle);
    }
  }

  #glyphs(handle: number, page: DrawnPage, put: ReadonlySet<number>): FoundText {
    const engine = this.#engine;
    const toPixels = this.#mapOf(page);
    const seen = new Runs(page);
    const shown: Glyph[] = [];
    const layer = new Layer();
    const missing = new Set<string>();
    const lost: PairLetter[] = [];
    let hidden = 0;
    let object = -1;
    let style: Style | undefined;
    const all = engine.call('FPDFText_CountChars', handle);
    const count = Math.min(MOST_CHARACTERS, all);
    for (let i = 0; i < count; i++) {
      if (i % BATCH === 0) {
        this.#fetch(handle, i, Math.min(count, i + BATCH), this.#records);
        this.#look();
      }
      const record = this.#records + (i % BATCH) * RECORD;
      let point = this.#words[(record + POINT) >> 2] as number;
      // PDFium gives a supplementary character as its two halves, at one place.
      if (isHighHalf(point) && i + 1 < count)
        point = pairOf(point, engine.call('FPDFText_GetUnicode', handle, i + 1)) ?? point;
      const text = textOf(point);
      if (text === undefined) continue;
      const generated = this.#ints[(record + GENERATED) >> 2] === 1;
      if (text === ' ' || generated) {
        seen.space();
        layer.space();
        continue;
      }
      const its = this.#words[(record + OBJECT) >> 2] as number;
      if (its !== object || style === undefined) {
        object = its;
        style = this.#styleOf(handle, i, its, toPixels);
      }
      const glyph = this.#glyph(record, text, style, toPixels);
      const isPair = point > 0xffff && !put.has(i);
      // The empty place of a pair is two letters wide, and touches its neighbours' ink.
      const isLost = isPair && glyph !== undefined && !style.unseen && this.#isMissing(its, point, glyph, page);
      const inked = glyph !== undefined && !isLost && (text === '\u3000' || this.#hasInk(glyph, page));
      if (style.unseen) {
        layer.add(inked ? glyph : undefined);
        continue;
      }
      if (inked) {
        seen.add(glyph);
        shown.push(glyph);
      } else {
        seen.gap();
        if (isLost) lost.push(this.#pairLetter(handle, i, point, record));
        if (isLost || (!put.has(i) && glyph !== undefined && this.#isMissing(its, point, glyph, page)))
          missing.add(text);
        else hidden += 1;
      }
    }
    const runs = seen.finish();
    // Letters that are drawn invisibly belong to a scan when there are next to no others; else they say what nobody sees.
    const others = shown.length + hidden + missing.size;
    const isScan = layer.inked > 0 && outnumber(layer.count, others);
    const pictured = (isScan || shown.length <= FEW) && others > 0 && this.#isPictured(page, toPixels);
    if (!isScan || (others > 0 && !pictured)) {
      const letters = pictured ? LETTERS.beside : LETTERS.own;
      return {
        ...fitting(runs, all > count || seen.full),
        hidden: hidden + layer.count,
        missing: [...missing],
        lost,
        letters,
      };
    }
    const behind = layer.beside(shown, page);
    return {
      ...fitting([...runs, ...behind.runs], all > count || seen.full || behind.full),
      hidden: hidden + behind.dropped,
      missing: [...missing],
      lost,
      letters: LETTERS.scan,
    };
  }

  #isPictured(page: DrawnPage, map: Matrix): boolean {
    return isPictured(this.#engine, page.handle, page, (...corners) => boxOf(map, ...corners));
  }

  /** Where points of the page (its own space) lie in the pixels drawn: three points asked for at a fine scale. */
  #mapOf({ handle, width, height }: DrawnPage): Matrix {
    const at = (x: number, y: number): readonly [number, number] => {
      const out = this.#scratch;
      const engine = this.#engine;
      engine.call('FPDF_PageToDevice', handle, 0, 0, width * SCALE, height * SCALE, 0, x, y, out, out + 4);
      this.#look();
      return [(this.#ints[out >> 2] as number) / SCALE, (this.#ints[(out >> 2) + 1] as number) / SCALE];
    };
    const [e, f] = at(0, 0);
    const [ax, ay] = at(1000, 0);
    const [cx, cy] = at(0, 1000);
    return [(ax - e) / 1000, (ay - f) / 1000, (cx - e) / 1000, (cy - f) / 1000, e, f];
  }

  #styleOf(handle: number, index: number, object: number, [a, b, c, d]: Matrix): Style {
    const engine = this.#engine;
    const mode = object === 0 ? 0 : engine.call('FPDFTextObj_GetTextRenderMode', object);
    const size = engine.call('FPDFText_GetFontSize', handle, index);
    const out = this.#scratch;
    let [ma, mb, mc, md] = [1, 0, 0, 1];
    if (engine.call('FPDFText_GetMatrix', handle, index, out) !== 0) {
      this.#look();
      [ma = 1, mb = 0, mc = 0, md = 1] = this.#floats.subarray(out >> 2, (out >> 2) + 4);
    }
    const [ux, uy] = [a * ma + c * mb, b * ma + d * mb];
    const [vx, vy] = [a * mc + c * md, b * mc + d * md];
    const along = Math.hypot(ux, uy);
    const up = Math.hypot(vx, vy);
    return {
      unseen: mode === INVISIBLE || mode === CLIP_ONLY,
      em: Math.abs(size) * up,
      ux: ux / along,
      uy: uy / along,
      vx: vx / up,
      vy: vy / up,
    };
  }

  #pairLetter(handle: number, index: number, point: number, record: number): PairLetter {
    const engine = this.#engine;
    const size = engine.call('FPDFText_GetFontSize', handle, index);
    const isTurned = engine.call('FPDFText_GetMatrix', handle, index, this.#scratch) !== 0;
    this.#look();
    const [a = 1, b = 0, c = 0, d = 1] = isTurned
      ? this.#floats.subarray(this.#scratch >> 2, (this.#scratch >> 2) + 4)
      : [];
    return {
      index,
      point,
      object: this.#words[(record + OBJECT) >> 2] as number,
      size,
      matrix: [a, b, c, d],
      x: this.#doubles[(record + ORIGIN) >> 3] as number,
      y: this.#doubles[(record + ORIGIN + 8) >> 3] as number,
    };
  }

  #glyph(record: number, text: string, style: Style, map: Matrix): Glyph | undefined {
    if (this.#ints[(record + PLACED) >> 2] !== 1) return undefined;
    const floats = this.#floats;
    const at = (record + BOX) >> 2;
    const left = floats[at] as number;
    const top = floats[at + 1] as number;
    const right = floats[at + 2] as number;
    const bottom = floats[at + 3] as number;
    const ox = this.#doubles[(record + ORIGIN) >> 3] as number;
    const oy = this.#doubles[(record + ORIGIN + 8) >> 3] as number;
    const [a, b, c, d, e, f] = map;
    const box = boxOf(map, left, bottom, right, top);
    const glyph: Glyph = {
      style,
      text,
      x: a * ox + c * oy + e,
      y: b * ox + d * oy + f,
      left: box.left,
      top: box.top,
      right: box.right,
      bottom: box.bottom,
      wide: isWide(text),
    };
    const { em, ux, vx } = style;
    const sum = glyph.left + glyph.top + glyph.right + glyph.bottom + glyph.x + glyph.y + ux + vx;
    return Number.isFinite(sum) && em >= LEAST_PIXELS ? glyph : undefined;
  }

  /** True when not all of the box looks the same: the letter, or something, is drawn there. */
  #hasInk(glyph: Glyph, { pointer, width, height, grey }: DrawnPage): boolean {
    const left = Math.max(0, Math.floor(glyph.left) - 1);
    const top = Math.max(0, Math.floor(glyph.top) - 1);
    const right = Math.min(width, Math.ceil(glyph.right) + 1);
    const bottom = Math.min(height, Math.ceil(glyph.bottom) + 1);
    if (right - left < 1 || bottom - top < 1) return false;
    const stepX = Math.max(1, Math.floor((right - left) / SAMPLES));
    const stepY = Math.max(1, Math.floor((bottom - top) / SAMPLES));
    const pixels = grey ? this.#bytes : this.#words;
    const base = grey ? pointer : pointer >> 2;
    const stride = strideOf(width, true);
    const first = pixels[base + top * stride + left] as number;
    const rows = Math.ceil((bottom - top) / stepY);
    // From the middle on, where most letters have ink, round to the rows above it.
    for (let nth = 0, row = rows >> 1; nth < rows; nth++, row = row + 1 === rows ? 0 : row + 1) {
      const from = base + (top + row * stepY) * stride;
      for (let x = left; x < right; x += stepX) {
        const pixel = pixels[from + x] as number;
        if (pixel !== first && differs(pixel, first)) return true;
      }
    }
    return false;
  }

  /**
   * True for a letter on the page that could not be drawn: its font is not embedded, and what stands in has no shape for it.
   * PDFium asks stand-ins for the halves of a supplementary character, which none has.
   */
  #isMissing(
    object: number,
    point: number,
    { left, right, top, bottom }: Glyph,
    { width, height }: DrawnPage,
  ): boolean {
    if (right < 0 || bottom < 0 || left > width || top > height) return false;
    const engine = this.#engine;
    const font = object === 0 ? 0 : engine.call('FPDFTextObj_GetFont', object);
    if (font === 0 || engine.call('FPDFFont_GetIsEmbedded', font) !== 0) return false;
    const asked = point > 0xffff ? highHalfOf(point) : point;
    const path = engine.call('FPDFFont_GetGlyphPath', font, asked, SHAPE_SIZE);
    this.#look(); // a shape that is made for the first time takes memory
    return path === 0;
  }

  /** Renews the views when the engine's memory has grown. */
  #look(): void {
    const { buffer } = this.#engine.memory;
    if (buffer === this.#buffer) return;
    this.#buffer = buffer;
    this.#floats = new Float32Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.#ints = new Int32Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
  }
}

/** A box of the page's space in pixels: pages are turned by quarters only, but the map holds for any turn. */
function boxOf([a, b, c, d, e, f]: Matrix, left: number, bottom: number, right: number, top: number): Box {
  return {
    left: Math.min(a * left, a * right) + Math.min(c * top, c * bottom) + e,
    top: Math.min(b * left, b * right) + Math.min(d * top, d * bottom) + f,
    right: Math.max(a * left, a * right) + Math.max(c * top, c * bottom) + e,
    bottom: Math.max(b * left, b * right) + Math.max(d * top, d * bottom) + f,
  };
}

/** As many runs as a page may have and a frame holds; `cut` when that is not all, or was not before. */
function fitting(runs: readonly Run[], isCut: boolean): Pick<FoundText, 'runs' | 'cut'> {
  const most = runsInFrame(runs);
  return { runs: most, cut: isCut || most.length < runs.length };
}

function differs(a: number, b: number): boolean {
  return (
    Math.abs((a & 255) - (b & 255)) >= INK_STEP ||
    Math.abs(((a >>> 8) & 255) - ((b >>> 8) & 255)) >= INK_STEP ||
    Math.abs(((a >>> 16) & 255) - ((b >>> 16) & 255)) >= INK_STEP
  );
}

const isHighHalf = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
function pairOf(high: number, low: number): number | undefined {
  return low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00) : undefined;
}

const highHalfOf = (point: number): number => 0xd800 + ((point - 0x10000) >> 10);

const HYPHEN_MARK = 2;
const known = new Map<number, string | undefined>();
/** Characters kept in mind; a child lives for many documents. */
const KNOWN_MOST = 20_000;

/** A character as it may be sent, undefined for what is none: controls, private use, unpaired halves. */
function textOf(point: number): string | undefined {
  if (known.has(point)) return known.get(point);
  const text = lookUp(point);
  if (known.size < KNOWN_MOST) known.set(point, text);
  return text;
}

function lookUp(point: number): string | undefined {
  if (point > 0x20 && point < 0x7f) return String.fromCharCode(point);
  if (point === 0x20 || point === 0xa0 || point === 0x0a || point === 0x0d || point === 9) return ' ';
  if (point === HYPHEN_MARK || point === 0xad) return '-';
  if (point < 0x20 || point > 0x10ffff) return undefined;
  const text = String.fromCodePoint(point);
  if (!READABLE_TEXT.test(text)) return undefined;
  return unified(text);
}

/** East Asian wide characters: an em each, as a rule. */
function isWide(text: string): boolean {
  const point = text.codePointAt(0) as number;
  return point >= 0x2e80 && !(point >= 0xff61 && point <= 0xffdc);
}

/** How far a character's box reaches along its baseline. */
function advanceOf({ style, left, right, top, bottom }: Glyph): number {
  return Math.max(Math.abs(style.ux) * (right - left) + Math.abs(style.uy) * (bottom - top), 0.01 * style.em);
}

/** A run in the making: characters of one line, and whether a blank follows. */
interface Segment {
  readonly glyphs: Glyph[];
  blank: boolean;
}

/** Joins characters that follow each other on a line into runs, in points with y upwards. */
class Runs {
  readonly #page: DrawnPage;
  readonly #runs: Run[] = [];
  /** A run more than a page may have was left out. */
  full = false;
  #line: Segment[] = [];
  #last: Glyph | undefined;
  #downwards: boolean | undefined;

  constructor(page: DrawnPage) {
    this.#page = page;
  }

  add(glyph: Glyph): void {
    const last = this.#last;
    if (last !== undefined && !this.#follows(last, glyph)) this.gap();
    const segment = this.#line.at(-1);
    const goesOn =
      segment !== undefined &&
      !segment.blank &&
      segment.glyphs.length < LONGEST_RUN &&
      segment.glyphs.at(-1)?.wide === glyph.wide;
    if (goesOn) segment.glyphs.push(glyph);
    else this.#line.push({ glyphs: [glyph], blank: false });
    this.#last = glyph;
  }

  /** A blank between words, if others of the line follow. */
  space(): void {
    const segment = this.#line.at(-1);
    if (segment !== undefined) segment.blank = true;
  }

  /** The line ends here, or a character of it was left out. */
  gap(): void {
    const segments = withCompany(this.#line);
    for (const [index, segment] of segments.entries()) this.#push(segment, segments[index + 1]?.glyphs[0]);
    this.#line = [];
    this.#last = undefined;
    this.#downwards = undefined;
  }

  finish(): readonly Run[] {
    this.gap();
    return this.#runs;
  }

  /** True when `next` stands behind `last` on its line, close by: to its right, or below it in vertical writing. */
  #follows(last: Glyph, next: Glyph): boolean {
    const { ux, uy, vx, vy } = last.style;
    const em = Math.max(last.style.em, next.style.em);
    if (last.style !== next.style) {
      // Superscripts and small kana belong to their line; a heading beside a text does not.
      if (Math.min(last.style.em, next.style.em) < 0.5 * em || ux * next.style.ux + uy * next.style.uy < 0.99)
        return false;
    }
    const dx = next.x - last.x;
    const dy = next.y - last.y;
    const along = dx * ux + dy * uy;
    const up = dx * vx + dy * vy;
    const gap = WIDEST_GAP * em;
    const right = Math.abs(up) < 0.4 * em && along > -0.05 * em && along < advanceOf(last) + gap;
    const down = !right && Math.abs(along) < 0.3 * em && up < 0 && -up < em + gap;
    if (!right && !down) return false;
    if (this.#downwards !== undefined && this.#downwards !== down) return false;
    this.#downwards = down;
    return true;
  }

  /** A run of the segment, up to where `next` begins or else its own end. */
  #push({ glyphs, blank }: Segment, next: Glyph | undefined): void {
    const [first, last] = [glyphs[0], glyphs.at(-1)];
    if (first === undefined || last === undefined) return;
    this.full ||= this.#runs.length >= LIMITS.pageRuns;
    if (this.full) return;
    const { width, height, widthPt, heightPt } = this.#page;
    const [scaleX, scaleY] = [widthPt / width, heightPt / height];
    let text = '';
    for (const glyph of glyphs) text += glyph.text;
    let reach = advanceOf(last);
    if (next !== undefined && blank) text += ' ';
    // A character by itself has no direction: PDFium then takes that of most lines, and breaks the line in forms. A blank
    // behind it shows where the line goes.
    const alone = next === undefined && glyphs.length === 1 && this.#downwards !== true;
    if (alone) {
      text += ' ';
      reach *= 2;
    }
    let { x, y } = first;
    let endX = next?.x ?? last.x + reach * last.style.ux;
    let endY = next?.y ?? last.y + reach * last.style.uy;
    if (this.#downwards === true) {
      // A line from top to bottom: the run is turned, and its letters reach from a fifth of an em left of the baseline to
      // four fifths right of it.
      x = (first.left + first.right) / 2 - 0.3 * first.style.em;
      y = first.top;
      endX = x;
      endY = next?.top ?? last.bottom;
    }
    const run: Run = {
      text,
      x: x * scaleX,
      y: heightPt - y * scaleY,
      dx: (endX - x) * scaleX,
      dy: (y - endY) * scaleY,
      size: first.style.em * scaleY,
    };
    // A letter of a million points has no place of its own; the host would take it for a lie.
    const far = Math.max(Math.abs(run.x), Math.abs(run.y), Math.abs(run.dx), Math.abs(run.dy), run.size);
    if (Math.hypot(run.dx, run.dy) >= 0.01 && run.size >= 0.01 && far < FARTHEST_PT) this.#runs.push(run);
  }
}

interface LayerRuns {
  readonly runs: readonly Run[];
  readonly full: boolean;
  readonly dropped: number;
}

/** Invisible characters of a page, in their order; only where they belong to a scan are they made into runs. */
class Layer {
  readonly #marks: (Glyph | 'gap' | 'space')[] = [];
  count = 0;
  /** Those on ink. */
  inked = 0;

  add(glyph: Glyph | undefined): void {
    this.count += 1;
    if (glyph !== undefined) this.inked += 1;
    this.#marks.push(glyph ?? 'gap');
  }

  space(): void {
    if (typeof this.#marks.at(-1) === 'object') this.#marks.push('space');
  }

  /** The runs of all that stand on none of the characters `shown`, and how many do. */
  beside(shown: readonly Glyph[], page: DrawnPage): LayerRuns {
    const places = shown.length === 0 ? undefined : new Places(page.width, page.height, shown);
    const runs = new Runs(page);
    let dropped = 0;
    for (const mark of this.#marks) {
      if (mark === 'space') runs.space();
      else if (mark === 'gap') runs.gap();
      else if (places?.has(mark) === true) {
        runs.gap();
        dropped += 1;
      } else runs.add(mark);
    }
    return { runs: runs.finish(), full: runs.full, dropped };
  }
}

/** Joins a single character to its neighbour in the word, wide to narrow: see `alone` for why none should stand alone. */
function withCompany(line: readonly Segment[]): Segment[] {
  const joined: Segment[] = [];
  for (const segment of line) {
    const before = joined.at(-1);
    const joins = before !== undefined && !before.blank;
    if (joins && (segment.glyphs.length === 1 || before.glyphs.length === 1)) {
      before.glyphs.push(...segment.glyphs);
      before.blank = segment.blank;
    } else joined.push(segment);
  }
  return joined;
}
