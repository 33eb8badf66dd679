// Whether the text of each cell of a workbook stands on its pages whole: the engine cuts what is wider than its column off at the next
// cell, and shows ### for a number that has no room. Only the pages know: fonts and widths are the engine's.
import { LIMITS } from '../message/limits.ts';
import type { Remark } from '../message/part.ts';

/** Steps that are looked for the cells of one workbook, and what a character of the pages and a piece of a text take. */
const STEPS = 100_000_000;
const STEPS_CHARACTER = 2;
const STEPS_PIECE = 20;
/** A text is put together of the lines that it was broken into only up to this length. */
const BROKEN = 4000;
/** As many as there is room for. */
const NUMBER_CUT = /^#+$/;

/** Takes the texts of cells, then of the pages as they are drawn, and tells how many cells are not there. */
export class CellCheck {
  #cells = '';
  readonly #lines = new Set<string>();
  readonly #pages: string[] = [];
  #chars = 0;
  #numbersCut = 0;
  #longest = 0;

  /** A piece of the texts of cells. */
  cells(piece: string): void {
    this.#cells += piece;
  }

  /** Lines of a page, in the order in which they were drawn. */
  page(lines: readonly string[]): void {
    if (this.#cells === '' || this.#chars > 2 * LIMITS.textChars) return;
    for (const line of lines) {
      for (const word of line.split(/\s+/)) if (NUMBER_CUT.test(word)) this.#numbersCut += 1;
      const text = inked(line);
      this.#lines.add(text);
      this.#longest = Math.max(this.#longest, text.length);
      this.#pages.push(text);
      this.#chars += text.length;
    }
  }

  /** `undrawn`: letters that stand on no page, which is told elsewhere. */
  losses(undrawn: ReadonlySet<string>): Remark[] {
    const all = this.#pages.join('');
    let at = 0;
    let left = STEPS;
    const find = (text: string, from: number): number => {
      const found = all.indexOf(text, from);
      left -= STEPS_CHARACTER * ((found === -1 ? all.length : found) - from);
      return found;
    };
    const isThere = (text: string): boolean => {
      if (text === '' || this.#lines.has(text) || left <= 0) return true;
      left -= STEPS_PIECE * text.length * Math.min(text.length, this.#longest);
      if (text.length <= BROKEN && this.#isOfLines(text)) return true;
      // Cells come in the order of the sheet, as the lines of its pages do.
      const next = find(text, at);
      const found = next === -1 ? find(text, 0) : next;
      if (found !== -1) at = found;
      return found !== -1;
    };
    // What lacks nothing but letters that are told stands there without them.
    const isToldAlready = (text: string): boolean => {
      const drawn = [...undrawn].reduce((rest, letter) => rest.replaceAll(letter, ''), text);
      return drawn.length < text.length && isThere(drawn);
    };
    const texts = this.#cells.split('\n');
    const cut = texts.map(inked).filter((text) => !isThere(text) && !isToldAlready(text)).length;
    const numbers = texts.some((text) => text.split(/\s+/).some((word) => NUMBER_CUT.test(word)))
      ? 0
      : this.#numbersCut;
    return cut + numbers === 0 ? [] : [{ code: 'cells-cut', detail: `${cut + numbers}` }];
  }

  /** Whether a text is made of whole lines of the pages, between which other cells may have been drawn. */
  #isOfLines(text: string): boolean {
    const reached = new Set([0]);
    for (const from of reached)
      for (let to = from + 1; to <= Math.min(text.length, from + this.#longest); to++)
        if (this.#lines.has(text.slice(from, to))) reached.add(to);
    return reached.has(text.length);
  }
}

/** What leaves ink, in one form: what looks the same is the same (NFKC). */
function inked(text: string): string {
  return text.normalize('NFKC').replace(/[^\p{L}\p{N}\p{P}\p{S}]/gu, '');
}
