// Cells whose text is longer than what of it can be seen: the column is narrow, and the next cell holds something. On a screen one may
// click into them; on a page the rest is gone, so that they are counted and told. Widths are estimated, in half-width letters.
import { LIMITS } from '../../src/message/limits.ts';
import { columnOf } from './cells.ts';
import type { Parts } from './package.ts';
import { filterXml } from './xml-filter.ts';

/** Widths of columns that say nothing, in letters of the default font. */
const COLUMN = 8.43;
/** How much longer a text must be before it is taken to be cut: letters are narrower or wider than their average. */
const MARGIN = 1.2;
/** Half-width letters that a text may reach to the right where all is empty; what is longer is cut at the edge of the page. */
const REACH = 100;

/** What of a workbook says how wide texts are. */
export interface Texts {
  /** Width of each shared string. */
  readonly shared: readonly number[];
  /** Formats of cells that wrap their text or shrink it. */
  readonly fitted: ReadonlySet<number>;
}

/** Half-width letters that the longest line of a text is wide. */
function widthOf(text: string): number {
  let widest = 0;
  let width = 0;
  for (const letter of text) {
    if (letter === '\n') width = 0;
    else width += (letter.codePointAt(0) ?? 0) < 0x1100 ? 1 : 2;
    widest = Math.max(widest, width);
  }
  return widest;
}

export function textsOf(source: Parts, strings: string | undefined, styles: string | undefined): Texts {
  const shared: number[] = [];
  let text = '';
  let isReading = false;
  filterXml(source.get(strings ?? '') ?? EMPTY, {
    element: (local) => {
      if (local === 'si') {
        if (isReading) shared.push(widthOf(text));
        isReading = true;
        text = '';
      }
      return local !== 'rPh'; // readings stand above the letters
    },
    text: (piece, local) => {
      if (local === 't') text += piece;
      return '';
    },
  });
  if (isReading) shared.push(widthOf(text));
  return { shared, fitted: fittedFormats(source.get(styles ?? '') ?? EMPTY) };
}

const EMPTY = Buffer.from('<x/>');

function fittedFormats(styles: Uint8Array): ReadonlySet<number> {
  const fitted = new Set<number>();
  let isInside = false;
  let format = -1;
  filterXml(styles, {
    element: (local, attributes) => {
      if (/^(?:cellXfs|cellStyleXfs|cellStyles|dxfs)$/.test(local)) isInside = local === 'cellXfs';
      if (isInside && local === 'xf') format += 1;
      const isOn = (name: string): boolean => /^(?:1|true)$/.test(attributes[name] ?? '');
      if (isInside && local === 'alignment' && (isOn('wrapText') || isOn('shrinkToFit'))) fitted.add(format);
      return true;
    },
  });
  return fitted;
}

interface Cell {
  readonly column: number;
  readonly fitted: boolean;
  width: number;
}

/** How many cells of a worksheet are cut, and up to which column (counted from 1) texts reach over what is empty to their right. */
export interface Overflow {
  readonly cut: number;
  readonly reach: number;
}

export function overflowOf(worksheet: Uint8Array, { shared, fitted }: Texts): Overflow {
  const widths = new Map<number, number>();
  const across = new Map<string, number>();
  const suspects: { readonly name: string; readonly width: number }[] = [];
  let row: Cell[] = [];
  let reach = 0;
  let rowNumber = 0;
  let cell: Cell | undefined;
  let kind = '';
  const room = (from: number, to: number): number => {
    let sum = 0;
    for (let at = from; at < to; at++) sum += widths.get(at) ?? COLUMN;
    return sum;
  };
  const endRow = (): void => {
    let next: Cell | undefined;
    for (const one of row.toReversed()) {
      const { column, width, fitted: isFitted } = one;
      const space = next === undefined ? REACH : room(column, next.column);
      if (!isFitted && width > 0)
        for (let at = column, sum = 0; sum < Math.min(width, space) && at < LIMITS.sheetColumns; at++) {
          sum += widths.get(at) ?? COLUMN;
          reach = Math.max(reach, at + 1);
        }
      if (width !== 0) next = one;
      if (!isFitted && width > space * MARGIN + 1) suspects.push({ name: `${column}:${rowNumber}`, width });
    }
    row = [];
  };
  filterXml(worksheet, {
    element: (local, attributes) => {
      if (local === 'col') {
        const last = Math.min(Number(attributes['max'] ?? 0), 300);
        const width = attributes['hidden'] === '1' ? 0 : Number(attributes['width'] ?? COLUMN);
        for (let at = Number(attributes['min'] ?? 1); at <= last; at++) widths.set(at - 1, width);
      } else if (local === 'row') {
        endRow();
        rowNumber = Number(attributes['r'] ?? rowNumber + 1);
      } else if (local === 'c') {
        kind = attributes['t'] ?? '';
        const column = attributes['r'] === undefined ? (row.at(-1)?.column ?? -1) + 1 : columnOf(attributes['r']);
        cell = { column, fitted: fitted.has(Number(attributes['s'] ?? 0)), width: 0 };
        if (row.length < 1000) row.push(cell);
      } else if (local === 'mergeCell') {
        const [, first = '', line = '', last = ''] = /^([A-Z]+)(\d+):([A-Z]+)\d+$/.exec(attributes['ref'] ?? '') ?? [];
        if (first !== '')
          across.set(
            `${columnOf(first)}:${line}`,
            room(columnOf(first), Math.min(columnOf(last), LIMITS.sheetColumns) + 1),
          );
      }
      return true;
    },
    text: (piece, local) => {
      // Numbers are rounded to their column, as everywhere; a value that is none of the strings is negative: there, and not measured.
      if (cell !== undefined && local === 'v')
        cell.width = kind === 's' ? (shared[Number(piece)] ?? 0) : kind === 'str' ? widthOf(piece) : -1;
      if (cell !== undefined && local === 't') cell.width = Math.max(0, cell.width) + widthOf(piece);
      return '';
    },
  });
  endRow();
  const cut = suspects.filter(({ name, width }) => width > (across.get(name) ?? 0) * MARGIN + 1).length;
  return { cut, reach };
}
