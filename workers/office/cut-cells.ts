// Cells whose text is longer than what of it can be seen: the column is narrow, and the next cell holds something. On a screen one may
// click into them; on a page the rest is gone, so that they are counted and told. Widths are estimated, in half-width letters of the
// default font; what an estimate misses, the host finds by the texts of the cells, which it looks for on the pages.
import { LIMITS } from '../../src/message/limits.ts';
import { columnOf } from './cells.ts';
import type { Parts } from './package.ts';
import { readXml } from './xml-filter.ts';

/** Widths of columns that say nothing, in letters of the default font. */
const COLUMN = 8.43;
/** How much longer a text must be before it is taken to be cut: letters are narrower or wider than their average. */
const MARGIN = 1.2;
/** Half-width letters that a text may reach to the right where all is empty; what is longer is cut at the edge of the page. */
const REACH = 100;

/** What of a workbook says how wide texts are. */
export interface Texts {
  readonly shared: readonly string[];
  /** The readings (furigana) of these. */
  readonly readings: readonly string[];
  readonly formats: readonly Format[];
}

/** How a format of cells shows a text, and the cell itself. */
export interface Format {
  /** It is wrapped, or shrunk. */
  readonly fitted: boolean;
  /** Size of its letters, by that of the default font. */
  readonly scale: number;
  /** It has a line on one side at least. */
  readonly bordered: boolean;
}

const PLAIN: Format = { fitted: false, scale: 1, bordered: false };

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
  const shared: string[] = [];
  const readings: string[] = [];
  let isReading = false;
  readXml(source.get(strings ?? '') ?? EMPTY, {
    element: (local) => {
      if (local === 'si') {
        shared.push('');
        readings.push('');
      }
      if (/^(?:si|r|rPh)$/.test(local)) isReading = local === 'rPh';
      return true;
    },
    text: (piece, local) => {
      if (local === 't' && shared.length > 0) (isReading ? readings : shared)[shared.length - 1] += piece;
      return '';
    },
  });
  return { shared, readings, formats: formatsOf(source.get(styles ?? '') ?? EMPTY) };
}

const EMPTY = Buffer.from('<x/>');

function formatsOf(styles: Uint8Array): readonly Format[] {
  const sizes: number[] = [];
  const borders: boolean[] = [];
  const formats: { fitted: boolean; scale: number; bordered: boolean }[] = [];
  let list = '';
  readXml(styles, {
    element: (local, attributes) => {
      if (/^(?:fonts|borders|cellXfs|cellStyleXfs|cellStyles|dxfs)$/.test(local)) list = local;
      if (list === 'fonts' && local === 'font') sizes.push(11);
      if (list === 'fonts' && local === 'sz') sizes[sizes.length - 1] = Number(attributes['val'] ?? 11) || 11;
      if (list === 'borders' && local === 'border') borders.push(false);
      else if (list === 'borders' && (attributes['style'] ?? 'none') !== 'none') borders[borders.length - 1] = true;
      if (list === 'cellXfs' && local === 'xf')
        formats.push({
          fitted: false,
          scale: (sizes[Number(attributes['fontId'] ?? 0)] ?? 11) / (sizes[0] ?? 11),
          bordered: borders[Number(attributes['borderId'] ?? 0)] === true,
        });
      const format = formats.at(-1);
      if (list === 'cellXfs' && local === 'alignment' && format !== undefined)
        format.fitted = isOn(attributes['wrapText']) || isOn(attributes['shrinkToFit']);
      return true;
    },
  });
  return formats;
}

function isOn(attribute: string | undefined): boolean {
  return attribute === '1' || attribute === 'true';
}

interface Cell {
  readonly column: number;
  readonly format: Format;
  text: string;
  /** Numbers are rounded to their column, as everywhere: there, and not measured. */
  isNumber: boolean;
}

/** How texts of a worksheet lie over its cells. */
export interface Overflow {
  /** Cells that are cut. */
  readonly cut: number;
  /** Up to which column (counted from 1) texts reach over what is empty to their right. */
  readonly reach: number;
  /** Texts of the cells that stand on the pages. */
  readonly shown: ReadonlySet<string>;
  /** Readings that the sheet shows above the letters of such cells. */
  readonly readings: ReadonlySet<string>;
}

export function overflowOf(worksheet: Uint8Array, { shared, readings: spoken, formats }: Texts): Overflow {
  const widths = new Map<number, number>();
  const across = new Map<string, number>();
  const suspects: { readonly name: string; readonly width: number }[] = [];
  let row: Cell[] = [];
  let reach = 0;
  let rowNumber = 0;
  let isHidden = false;
  let cell: Cell | undefined;
  let kind = '';
  let isSpoken = false;
  const shown = new Set<string>();
  const readings = new Set<string>();
  const room = (from: number, to: number): number => {
    let sum = 0;
    for (let at = from; at < to; at++) sum += widths.get(at) ?? COLUMN;
    return sum;
  };
  const endRow = (): void => {
    let next: Cell | undefined;
    for (const one of row.toReversed()) {
      const { column, text, format, isNumber } = one;
      const width = widthOf(text) * format.scale;
      const space = next === undefined ? REACH : room(column, next.column);
      if (!format.fitted && width > 0)
        for (let at = column, sum = 0; sum < Math.min(width, space) && at < LIMITS.sheetColumns; at++) {
          sum += widths.get(at) ?? COLUMN;
          reach = Math.max(reach, at + 1);
        }
      if (width !== 0 || isNumber) next = one;
      if (!format.fitted && width > space * MARGIN + 1) suspects.push({ name: `${column}:${rowNumber}`, width });
      if (text !== '' && !isHidden && rowNumber <= LIMITS.sheetRows && column < LIMITS.sheetColumns)
        if (widths.get(column) !== 0) shown.add(text);
    }
    row = [];
  };
  readXml(worksheet, {
    element: (local, attributes) => {
      if (local === 'col') {
        const last = Math.min(Number(attributes['max'] ?? 0), 300);
        const width = isOn(attributes['hidden']) ? 0 : Number(attributes['width'] ?? COLUMN);
        for (let at = Number(attributes['min'] ?? 1); at <= last; at++) widths.set(at - 1, width);
      } else if (local === 'row') {
        endRow();
        rowNumber = Number(attributes['r'] ?? rowNumber + 1);
        isHidden = isOn(attributes['hidden']);
      } else if (local === 'c') {
        kind = attributes['t'] ?? '';
        isSpoken = isOn(attributes['ph']) && !isHidden;
        const column = attributes['r'] === undefined ? (row.at(-1)?.column ?? -1) + 1 : columnOf(attributes['r']);
        cell = { column, format: formats[Number(attributes['s'] ?? 0)] ?? PLAIN, text: '', isNumber: false };
        if (row.length < 1000) row.push(cell);
      } else if (local === 'mergeCell') {
        const [, first = '', line = '', last = ''] = /^([A-Z]+)(\d+):([A-Z]+)\d+$/.exec(attributes['ref'] ?? '') ?? [];
        if (first !== '')
          across.set(
            `${columnOf(first)}:${line}`,
            room(columnOf(first), Math.min(columnOf(last), LIMITS.sheetColumns) + 1),
          );
      }
      return local !== 'rPh'; // readings stand above the letters
    },
    text: (piece, local) => {
      if (cell !== undefined && local === 'v')
        if (kind === 's') {
          cell.text = shared[Number(piece)] ?? '';
          if (isSpoken) readings.add(spoken[Number(piece)] ?? '');
        } else if (kind === 'str') cell.text += piece;
        else cell.isNumber = true;
      if (cell !== undefined && local === 't') cell.text += piece;
      return '';
    },
  });
  endRow();
  const cut = suspects.filter(({ name, width }) => width > (across.get(name) ?? 0) * MARGIN + 1).length;
  return { cut, reach, shown, readings };
}
