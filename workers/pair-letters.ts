// Supplementary characters (𠮷) of a font that is not embedded: PDFium asks a stand-in for each half of one by itself, and draws
// nothing. They are put on their page as letters of a font of ours, each right above the text that it belongs to, while it is drawn.
import { fontFile, glyphOf } from './fonts.ts';
import type { Document, Pdfium } from './pdfium.ts';

/** Such a character where it could not be drawn; its place and matrix are of the page's own space. */
export interface PairLetter {
  /** Among the characters of the page. */
  readonly index: number;
  readonly point: number;
  readonly object: number;
  readonly size: number;
  readonly matrix: readonly [a: number, b: number, c: number, d: number];
  readonly x: number;
  readonly y: number;
}

/** What stands on a page for now. */
export interface PutLetters {
  /** The characters, among those of the page. */
  readonly indices: ReadonlySet<number>;
  /** Takes them away again. */
  remove(): void;
}

const FACE = 'han';
/** Letters put on one page, and objects of it that are looked through for theirs. */
const MOST_LETTERS = 500;
const MOST_OBJECTS = 20_000;
// fpdf_edit.h
const TRUETYPE = 2;
const FILLED = 0;
const MARKS = 100;
const MARK_BYTES = 64;
/** The mark of what may be hidden (ISO 32000-1, 8.11.3.2). */
const OPTIONAL = 'OC';
/** Six f32. */
const MATRIX_BYTES = 24;

/** Puts them on the pages of one document. */
export class PairLetters {
  readonly #engine: Pdfium;
  readonly #document: Document;
  /** Our font in this document, once it is wanted; 0 where there is no memory for it. */
  #font: number | undefined;

  constructor(engine: Pdfium, document: Document) {
    this.#engine = engine;
    this.#document = document;
  }

  /** Those of which it is sure how they would be seen: the text is filled, opaque, clipped by nothing and on no layer. */
  put(page: number, letters: readonly PairLetter[]): PutLetters {
    const engine = this.#engine;
    const places = this.#placesOf(page, new Set(letters.map(({ object }) => object)));
    const put: number[] = [];
    const indices = new Set<number>();
    const wanted = letters.filter(({ object }) => places.has(object)).slice(0, MOST_LETTERS);
    const placeOf = ({ object }: PairLetter): number => places.get(object) ?? 0;
    // From the last to the first, so that the places of those before stay what they are.
    for (const letter of wanted.toSorted((one, other) => placeOf(other) - placeOf(one))) {
      const made = this.#make(letter);
      if (made === 0) continue;
      if (engine.call('FPDFPage_InsertObjectAtIndex', page, made, placeOf(letter) + 1) === 0) {
        engine.call('FPDFPageObj_Destroy', made);
        continue;
      }
      put.push(made);
      indices.add(letter.index);
    }
    const remove = (): void => {
      for (const object of put.splice(0))
        if (engine.call('FPDFPage_RemoveObject', page, object) !== 0) engine.call('FPDFPageObj_Destroy', object);
    };
    return { indices, remove };
  }

  /** Where plain objects of text stand on the page, in the order in which they are drawn. */
  #placesOf(page: number, objects: ReadonlySet<number>): Map<number, number> {
    const engine = this.#engine;
    const places = new Map<number, number>();
    const count = Math.min(engine.call('FPDFPage_CountObjects', page), MOST_OBJECTS);
    for (let at = 0; at < count && places.size < objects.size; at++) {
      const object = engine.call('FPDFPage_GetObject', page, at);
      if (objects.has(object) && this.#isPlain(object)) places.set(object, at);
    }
    return places;
  }

  #isPlain(object: number): boolean {
    const engine = this.#engine;
    if (engine.call('FPDFTextObj_GetTextRenderMode', object) !== FILLED) return false;
    if (engine.call('FPDFPageObj_HasTransparency', object) !== 0) return false;
    const clip = engine.call('FPDFPageObj_GetClipPath', object);
    if (clip !== 0 && engine.call('FPDFClipPath_CountPaths', clip) > 0) return false;
    const marks = engine.call('FPDFPageObj_CountMarks', object);
    if (marks < 0 || marks > MARKS) return false;
    for (let at = 0; at < marks; at++) {
      const name = this.#nameOf(engine.call('FPDFPageObj_GetMark', object, at));
      if (name === undefined || name === OPTIONAL) return false;
    }
    return true;
  }

  /** Undefined for a name that cannot be read. */
  #nameOf(mark: number): string | undefined {
    const engine = this.#engine;
    const buffer = engine.zeroed(MARK_BYTES + 4);
    try {
      if (engine.call('FPDFPageObjMark_GetName', mark, buffer, MARK_BYTES, buffer + MARK_BYTES) === 0) return undefined;
      const length = engine.view.getUint32(buffer + MARK_BYTES, true);
      if (length > MARK_BYTES) return '';
      return Buffer.from(engine.bytes.subarray(buffer, buffer + length))
        .toString('utf16le')
        .replace(/\0$/, '');
    } finally {
      engine.free(buffer);
    }
  }

  /** The letter as an object of no page yet; 0 where our font has none, or PDFium no colour for it. */
  #make({ point, object, size, matrix, x, y }: PairLetter): number {
    const engine = this.#engine;
    const glyph = glyphOf(fontFile(FACE), point);
    const font = glyph === 0 ? 0 : this.#ourFont();
    if (font === 0) return 0;
    const out = engine.zeroed(MATRIX_BYTES);
    const made = engine.call('FPDFPageObj_CreateTextObj', this.#document.handle, font, size);
    try {
      if (made === 0) return 0;
      const [red, green, blue, alpha] = [out, out + 4, out + 8, out + 12];
      let isMade = engine.call('FPDFPageObj_GetFillColor', object, red, green, blue, alpha) !== 0;
      const colour = [red, green, blue, alpha].map((at) => engine.view.getUint32(at, true));
      isMade &&= engine.call('FPDFPageObj_SetFillColor', made, ...colour) !== 0;
      engine.view.setUint32(out, glyph, true);
      isMade &&= engine.call('FPDFText_SetCharcodes', made, out, 1) !== 0;
      for (const [nth, value] of [...matrix, x, y].entries()) engine.view.setFloat32(out + 4 * nth, value, true);
      isMade &&= engine.call('FPDFPageObj_SetMatrix', made, out) !== 0;
      if (isMade) return made;
      engine.call('FPDFPageObj_Destroy', made);
      return 0;
    } finally {
      engine.free(out);
    }
  }

  #ourFont(): number {
    if (this.#font !== undefined) return this.#font;
    const engine = this.#engine;
    const bytes = fontFile(FACE);
    const data = engine.malloc(bytes.length);
    if (data === 0) return (this.#font = 0);
    engine.bytes.set(bytes, data);
    this.#font = engine.call('FPDFText_LoadFont', this.#document.handle, data, bytes.length, TRUETYPE, 1);
    engine.free(data); // PDFium has a copy of its own
    return this.#font;
  }
}
