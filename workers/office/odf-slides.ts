// Slides of OpenDocument that are hidden, and notes to slides (ODF 1.2 part 1, §16.41, §9.1.5): told, and on no page.
import type { Report } from './cleaned.ts';
import type { Attributes } from './xml-filter.ts';

/** Follows the elements of one document: styles come before the slides that have them. */
export class OdfSlides {
  readonly #report: Report;
  readonly #hidden = new Set<string>();
  #style = '';
  #isSlide = false;
  /** Depth of the hidden slide or of the notes that were begun last; what stands deeper is in it. */
  #unseen = Number.POSITIVE_INFINITY;
  #inNotes = false;

  constructor(report: Report) {
    this.#report = report;
  }

  element(local: string, attributes: Attributes, depth: number): void {
    if (depth <= this.#unseen) this.#unseen = Number.POSITIVE_INFINITY;
    if (local === 'style') this.#style = attributes['style:name'] ?? '';
    else if (local === 'drawing-page-properties' && attributes['presentation:visibility'] === 'hidden')
      this.#hidden.add(this.#style);
    else if (local === 'page') {
      this.#isSlide = true;
      if (!this.#hidden.has(attributes['draw:style-name'] ?? '')) return;
      this.#report.loss('hidden-slide');
      this.#begin(depth, false);
    } else if (local === 'notes' && !this.#isUnder(depth)) this.#begin(depth, true);
  }

  /** True for text that stands on a page; notes that say something are told. */
  shows(text: string, depth: number): boolean {
    if (!this.#isUnder(depth)) return true;
    if (this.#inNotes && this.#isSlide && text.trim() !== '') this.#report.loss('speaker-notes');
    return false;
  }

  #isUnder(depth: number): boolean {
    return depth > this.#unseen;
  }

  #begin(depth: number, inNotes: boolean): void {
    this.#unseen = depth;
    this.#inNotes = inNotes;
  }
}
