// What of a worksheet stands on paper: the box around its values, with the merged cells, the lines of a form, the pictures and charts
// that reach out of it.
import { LIMITS } from '../../src/message/limits.ts';
import { columnOf } from './cells.ts';
import type { Report } from './cleaned.ts';
import type { Format } from './cut-cells.ts';
import { readXml } from './xml-filter.ts';

/** Points of a column of the default width, and of one character of a width. */
export const COLUMN_PT = 48;
const CHARACTER_PT = 5.25;
/** Points of a row that says nothing: the lowest that an engine takes, so that a picture is not taken for shorter than it is. */
const ROW_PT = 12;
/** English metric units of a point (ECMA-376 §20.1.2.1). */
const EMU_PT = 12_700;
/** How far beyond the last value cells without one count: a form has blank lines, and a remark has a box of many rows. */
const BLANK_ROWS = 200;
const BLANK_COLUMNS = 50;

export interface Box {
  columns: number;
  rows: number;
  /** Points by column and by row, counted from 0. */
  readonly widths: Map<number, number>;
  readonly heights: Map<number, number>;
  rowPt: number;
}

/** The box of the cells that hold something. Hidden rows and columns are told. */
export function measure(worksheet: Uint8Array, formats: readonly Format[], report: Report, hiddenSheet: boolean): Box {
  const box: Box = { columns: 0, rows: 0, widths: new Map(), heights: new Map(), rowPt: ROW_PT };
  const blank = { columns: 0, rows: 0 };
  let row = 0;
  let column = 0;
  readXml(worksheet, {
    element: (local, attributes) => {
      const isHidden = attributes['hidden'] === '1' || attributes['hidden'] === 'true';
      if (local === 'sheetFormatPr') box.rowPt = Number(attributes['defaultRowHeight']) || ROW_PT;
      else if (local === 'col') {
        if (isHidden && !hiddenSheet) report.loss('hidden-columns');
        const width = isHidden ? 0 : Number(attributes['width'] ?? 8.43) * CHARACTER_PT;
        const last = Math.min(Number(attributes['max'] ?? 0), LIMITS.sheetColumns);
        for (let at = Number(attributes['min'] ?? 1); at <= last; at++) box.widths.set(at - 1, width);
      } else if (local === 'row') {
        row = Number(attributes['r'] ?? row + 1);
        column = 0;
        if (isHidden && !hiddenSheet) report.loss('hidden-rows');
        const height = isHidden ? 0 : Number(attributes['ht']);
        if (Number.isFinite(height) && row <= LIMITS.sheetRows) box.heights.set(row - 1, height);
      } else if (local === 'c') {
        column = attributes['r'] === undefined ? column + 1 : columnOf(attributes['r']) + 1;
        if (formats[Number(attributes['s'] ?? 0)]?.bordered !== true) return true;
        // What lies too far out is a stray cell, and takes nothing with it.
        if (column <= box.columns + BLANK_COLUMNS && row <= box.rows + BLANK_ROWS) {
          blank.columns = Math.max(blank.columns, column);
          blank.rows = Math.max(blank.rows, row);
        }
      } else if (local === 'v' || local === 'is' || local === 'f') {
        // A formula that nobody has computed yet has no value: the engine computes it.
        box.columns = Math.max(box.columns, column);
        box.rows = Math.max(box.rows, row);
      } else if (local === 'mergeCell') reach(box, attributes['ref'] ?? '', blank);
      return true;
    },
  });
  if (box.columns > 0) {
    box.columns = Math.max(box.columns, blank.columns);
    box.rows = Math.max(box.rows, blank.rows);
  }
  return box;
}

/** Merged cells that begin inside of the box may reach beyond the last value; `blank` grows. */
function reach(box: Box, merged: string, blank: { columns: number; rows: number }): void {
  const [, left = '', top = '', right = '', bottom = ''] =
    /^\$?([A-Z]{1,3})\$?(\d+):\$?([A-Z]{1,3})\$?(\d+)$/.exec(merged) ?? [];
  if (left === '' || Number(top) > box.rows || columnOf(left) >= box.columns) return;
  const rows = Number(bottom);
  if (rows > box.rows + BLANK_ROWS) return;
  blank.columns = Math.max(blank.columns, Math.min(LIMITS.sheetColumns, columnOf(right) + 1));
  blank.rows = Math.max(blank.rows, Math.min(LIMITS.sheetRows, rows));
}

interface Anchor {
  column: number;
  row: number;
  /** Points from the upper left corner of that cell to the lower right one of the picture. */
  right: number;
  below: number;
}

/** Pictures and charts count, too: their lower right corners, by the cell they end in or by their size. */
export function widen(box: Box, drawing: Uint8Array): void {
  let anchor: Anchor = { column: 0, row: 0, right: 0, below: 0 };
  let at = '';
  const points = (emu: string | undefined): number => (Number(emu) || 0) / EMU_PT;
  readXml(drawing, {
    element: (local, attributes, depth) => {
      if (local.endsWith('Anchor')) anchor = { column: 0, row: 0, right: 0, below: 0 };
      if (depth === 2 && local === 'pos') {
        anchor.right += points(attributes['x']);
        anchor.below += points(attributes['y']);
      } else if (depth === 2 && local === 'ext') {
        anchor.right += points(attributes['cx']);
        anchor.below += points(attributes['cy']);
        extend(box, anchor);
      }
      at = local;
      return true;
    },
    text: (text) => {
      const number = Number(text);
      if (text.trim() === '' || !Number.isInteger(number)) return text;
      if (at === 'col')
        box.columns = Math.max(box.columns, Math.min((anchor.column = number) + 1, LIMITS.sheetColumns));
      if (at === 'row') box.rows = Math.max(box.rows, Math.min((anchor.row = number) + 1, LIMITS.sheetRows));
      if (at === 'colOff') anchor.right += number / EMU_PT;
      if (at === 'rowOff') anchor.below += number / EMU_PT;
      return text;
    },
  });
}

/** Widens the box by a picture of a size that is told. One row and column more: engines differ in how large cells are. */
function extend(box: Box, { column, row, right, below }: Anchor): void {
  let lastColumn = column;
  for (let left = right; left > 0 && lastColumn < LIMITS.sheetColumns; lastColumn++)
    left -= box.widths.get(lastColumn) ?? COLUMN_PT;
  let lastRow = row;
  for (let left = below; left > 0 && lastRow < LIMITS.sheetRows; lastRow++)
    left -= box.heights.get(lastRow) ?? box.rowPt;
  box.columns = Math.max(box.columns, Math.min(lastColumn + 1, LIMITS.sheetColumns));
  box.rows = Math.max(box.rows, Math.min(lastRow + 1, LIMITS.sheetRows));
}
