// The invisible text layer of a PDF: runs of checked characters become operators of the one form. No font program is in
// the file; characters are numbered in the order of their first use, and a map says which Unicode each number is.
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { CMAP_BLOCK, CMAP_FOOT, CMAP_HEAD, CMAP_MOST, pdfNumber } from '../message/page-form.ts';
import type { Run } from '../sandbox/wire.ts';

const deflated = promisify(deflate);
const LEVEL = 4;

/** The text of all pages of one file. */
export class TextLayer {
  readonly #numbers = new Map<number, string>();

  /**
   * The deflated content stream of a page: `drawing`, then its runs. Undefined for a page without text. Takes numbers for
   * its characters at once: call it in page order. `shrink`: of the page's sides.
   */
  content(runs: readonly Run[], shrink: number, drawing: string): Promise<Uint8Array> | undefined {
    let text = '';
    for (const run of runs) text += this.#run(run, shrink);
    return text === '' ? undefined : deflated(`${drawing}\nBT\n3 Tr\n${text}ET`, { level: LEVEL });
  }

  /** The deflated ToUnicode map (Adobe Technical Note 5411). */
  map(): Promise<Uint8Array> {
    const lines = [...this.#numbers].map(([point, number]) => `<${number}> <${utf16(point)}>\n`);
    let blocks = '';
    for (let at = 0; at < lines.length; at += CMAP_BLOCK) {
      const block = lines.slice(at, at + CMAP_BLOCK);
      blocks += `${block.length} beginbfchar\n${block.join('')}endbfchar\n`;
    }
    return deflated(`${CMAP_HEAD}${blocks}${CMAP_FOOT}`, { level: LEVEL });
  }

  #run({ text, x, y, dx, dy, size }: Run, shrink: number): string {
    let shown = '';
    let count = 0;
    for (const character of text) {
      const number = this.#number(character.codePointAt(0) as number);
      if (number === undefined) continue;
      shown += number;
      count += 1;
    }
    const length = Math.hypot(dx, dy) * shrink;
    const em = pdfNumber(size * shrink, 2);
    // All characters are an em wide (/DW 1000); Tz brings the run to the length it has on the page.
    const scale = pdfNumber((100 * length) / (count * size * shrink), 2);
    // A number of the form has seven digits at most.
    if (count === 0 || em === '0' || scale === '0' || Number(scale) >= 1e7) return '';
    const [cos, sin] = [pdfNumber((dx * shrink) / length), pdfNumber((dy * shrink) / length)];
    const minusSin = pdfNumber((-dy * shrink) / length);
    return `/F ${em} Tf ${scale} Tz ${cos} ${sin} ${minusSin} ${cos} ${pdfNumber(x * shrink, 2)} ${pdfNumber(y * shrink, 2)} Tm <${shown}> Tj\n`;
  }

  #number(point: number): string | undefined {
    const known = this.#numbers.get(point);
    if (known !== undefined || this.#numbers.size === CMAP_MOST) return known;
    const number = hex(this.#numbers.size + 1);
    this.#numbers.set(point, number);
    return number;
  }
}

const hex = (unit: number): string => unit.toString(16).toUpperCase().padStart(4, '0');

function utf16(point: number): string {
  return Array.from(String.fromCodePoint(point).split(''), (unit) => hex(unit.charCodeAt(0))).join('');
}
