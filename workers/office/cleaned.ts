// What cleaning a document gives besides its bytes: what was dangerous in it, what its reader will not see, its letters.
import { LIMITS } from '../../src/message/limits.ts';

export interface Cleaned {
  readonly bytes: Buffer;
  readonly report: Report;
}

/** Collects remarks (each code and detail once) and the letters of a document. */
export class Report {
  readonly findings = new Map<string, { readonly code: string; readonly detail: string }>();
  readonly losses = new Map<string, { readonly code: string; readonly detail: string }>();
  readonly #cells = new Set<string>();
  #cellChars = 0;
  readonly #letters = new Set<string>();

  finding(code: string, detail = ''): void {
    this.findings.set(`${code} ${detail}`, { code, detail });
  }
  loss(code: string, detail = ''): void {
    this.losses.set(`${code} ${detail}`, { code, detail });
  }
  text(text: string): void {
    for (const letter of text) this.#letters.add(letter);
  }
  /** A text that stands in a cell of a sheet, in one line. What is more than a leaf's text may be is not kept. */
  cell(text: string): void {
    const one = text
      .replace(/_x([0-9A-F]{4})_/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      .replace(/\s+/g, ' ');
    if (this.#cells.has(one) || (this.#cellChars += one.length + 1) > LIMITS.textChars) return;
    this.#cells.add(one);
  }
  /** The texts of cells, each once. */
  get cells(): ReadonlySet<string> {
    return this.#cells;
  }
  /** Every code point of the document's text, once. */
  get letters(): string {
    return [...this.#letters].join('');
  }
}
