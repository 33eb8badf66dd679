// Whether a page can be drawn in one channel: proven by a walk over its objects, never guessed. Dense text then takes 3.1
// instead of 8.5 ms (A4, 150 dpi): a quarter of the memory, and PDFium draws letters of grey bitmaps on whole pixels.
import { ANNOTATION, SEEN, type Pdfium } from './pdfium.ts';
import { mayHavePatterns } from './pdf-patterns.ts';

// Object types (fpdf_edit.h).
const TEXT = 1;
const PATH = 2;
const FORM = 5;
/** Objects looked at: a page of more is not worth the look. */
const MOST_OBJECTS = 4000;
/** Links looked at: a page of more is not worth the look, either. */
const MOST_LINKS = 200;
const APPEARANCE = 0;
const DEEPEST = 4;
/** As the packer has it: below this channels differ by the fringe of a conversion only. */
const TOLERANCE = 24;
const COLOUR_BYTES = 16;

/** Walks the pages of one document. */
export class GreyWalk {
  readonly #engine: Pdfium;
  readonly #scratch: number;
  readonly #fonts = new Map<number, boolean>();
  readonly #source: Uint8Array;
  #patterns: boolean | undefined;
  #left = 0;
  #words = new Uint32Array(0);

  /** `source`: the document's bytes. */
  constructor(engine: Pdfium, source: Uint8Array) {
    this.#engine = engine;
    this.#scratch = engine.zeroed(COLOUR_BYTES);
    this.#source = source;
  }

  /** True when nothing on the page can have a colour. False where it is not known. */
  isGrey(page: number): boolean {
    const engine = this.#engine;
    const annotations = engine.call('FPDFPage_GetAnnotCount', page);
    if (annotations > MOST_LINKS || engine.call('FPDFPage_HasTransparency', page) !== 0) return false;
    for (let i = 0; i < annotations; i++) if (!this.#isBareLink(page, i)) return false;
    const count = engine.call('FPDFPage_CountObjects', page);
    if (count > MOST_OBJECTS) return false;
    this.#left = MOST_OBJECTS;
    this.#fonts.clear(); // handles of fonts live as long as their page
    for (let i = 0; i < count; i++) if (!this.#object(engine.call('FPDFPage_GetObject', page, i), 0)) return false;
    return !(this.#patterns ??= mayHavePatterns(this.#source));
  }

  /** True for a link that shows nothing on paper: a letter with an address is full of them. */
  #isBareLink(page: number, index: number): boolean {
    const engine = this.#engine;
    const annotation = engine.call('FPDFPage_GetAnnot', page, index);
    if (annotation === 0) return false;
    const isLink = engine.call('FPDFAnnot_GetSubtype', annotation) === ANNOTATION.link;
    const isPrinted = (engine.call('FPDFAnnot_GetFlags', annotation) & SEEN.print) !== 0;
    // PDFium makes a look for a link with a frame when the page is opened.
    const bare = isLink && !(isPrinted && engine.call('EPDFAnnot_HasAppearanceStream', annotation, APPEARANCE) !== 0);
    engine.call('FPDFPage_CloseAnnot', annotation);
    return bare;
  }

  #object(object: number, depth: number): boolean {
    this.#left -= 1;
    if (object === 0 || this.#left < 0) return false;
    switch (this.#engine.call('FPDFPageObj_GetType', object)) {
      case TEXT:
        return this.#paint(object) && this.#font(this.#engine.call('FPDFTextObj_GetFont', object));
      case PATH:
        return this.#paint(object);
      case FORM: {
        if (depth >= DEEPEST) return false;
        const count = this.#engine.call('FPDFFormObj_CountObjects', object);
        for (let i = 0; i < count; i++)
          if (!this.#object(this.#engine.call('FPDFFormObj_GetObject', object, i), depth + 1)) return false;
        return count >= 0;
      }
      default:
        return false; // shadings, and pictures: to ask for the colours of a picture may take as long as to decode it
    }
  }

  /** Fill and stroke are plain and grey; a pattern has no colour to tell. */
  #paint(object: number): boolean {
    return (
      this.#isPlainGrey('FPDFPageObj_GetFillColor', object) && this.#isPlainGrey('FPDFPageObj_GetStrokeColor', object)
    );
  }

  #isPlainGrey(name: string, object: number): boolean {
    const out = this.#scratch;
    if (this.#engine.call(name, object, out, out + 4, out + 8, out + 12) === 0) return false;
    const { buffer } = this.#engine.memory;
    if (this.#words.buffer !== buffer) this.#words = new Uint32Array(buffer);
    const red = this.#words[out >> 2] as number;
    const green = this.#words[(out >> 2) + 1] as number;
    const blue = this.#words[(out >> 2) + 2] as number;
    return Math.max(red, green, blue) - Math.min(red, green, blue) <= TOLERANCE;
  }

  /** Letters of a Type 3 font bring their own colours; such a font has no name. */
  #font(font: number): boolean {
    if (font === 0) return false;
    let plain = this.#fonts.get(font);
    if (plain === undefined) {
      plain = this.#engine.call('FPDFFont_GetBaseFontName', font, 0, 0) > 1;
      this.#fonts.set(font, plain);
    }
    return plain;
  }
}
