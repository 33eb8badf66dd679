// The values of each sheet as they are shown, out of the OpenDocument that either engine writes: CSV (RFC 4180). The engines'
// own CSV export is no common ground: the embedded one drops the options that ask for more than the first sheet.
import { SaxesParser } from 'saxes';
import { LIMITS } from '../../src/message/limits.ts';
import { Refusal } from '../run.ts';
import { openPackage } from './package.ts';

/** A sheet's values. */
export interface Sheet {
  readonly name: string;
  readonly csv: Uint8Array;
}

/** Characters of all sheets together: repeated rows and cells make much out of little. */
const CHARS = 4 * LIMITS.textChars;
/** Rows of nothing that are kept between two that hold something. */
const EMPTY_ROWS = 1000;
/** Columns of a sheet. */
const COLUMNS = 16_384;

/** Sheets that are shown, with their rows and columns that are shown. Throws `damaged`, and `too-large` beyond `CHARS`. */
export function sheetValues(ods: Buffer): Sheet[] {
  const content = openPackage(ods).get('content.xml');
  if (content === undefined) throw new Refusal('damaged', 'no content.xml');
  const reader = new SheetReader();
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw new Refusal('damaged', error.message.slice(0, 100));
  });
  parser.on('opentag', ({ name, attributes }) => reader.open(name, attributes));
  parser.on('closetag', ({ name }) => reader.close(name));
  parser.on('text', (text) => reader.text(text));
  parser.write(Buffer.from(content).toString('utf8')).close();
  return reader.sheets;
}

type Attributes = Readonly<Record<string, string>>;

/** Follows the elements of a content.xml. */
class SheetReader {
  readonly sheets: Sheet[] = [];
  readonly #hiddenTables = new Set<string>();
  /** The style that is being read, when it is one of tables. */
  #style = '';
  #table: { readonly name: string; readonly shown: boolean } | undefined;
  #rows: string[][] = [];
  /** Rows of nothing since the last that holds something. */
  #emptyRows = 0;
  readonly #hiddenColumns = new Set<number>();
  #row: string[] = [];
  #repeatRow = 1;
  #rowShown = true;
  /** The next column, and how many before it are shown. */
  #column = 0;
  #shown = 0;
  /** Paragraphs of the cell that is open; undefined outside of one. */
  #cell: string[] | undefined;
  #repeatCell = 1;
  /** Elements that are open within the cell; its own paragraphs are the first of them, others are of shapes and comments. */
  #depth = 0;
  #inParagraph = false;
  #chars = 0;

  open(name: string, attributes: Attributes): void {
    if (this.#cell !== undefined) this.#openInCell(name, attributes);
    else if (name === 'style:style')
      this.#style = attributes['style:family'] === 'table' ? (attributes['style:name'] ?? '') : '';
    else if (name === 'style:table-properties' && attributes['table:display'] === 'false')
      this.#hiddenTables.add(this.#style);
    else if (name === 'table:table') this.#openTable(attributes);
    else if (this.#table === undefined) return;
    else if (name === 'table:table-column') this.#columns(attributes);
    else if (name === 'table:table-row') this.#openRow(attributes);
    else if (name === 'table:table-cell' || name === 'table:covered-table-cell') {
      [this.#cell, this.#depth, this.#repeatCell] = [[], 0, repeats(attributes, 'columns')];
    }
  }

  text(text: string): void {
    if (this.#inParagraph) this.#cell?.push((this.#cell.pop() ?? '') + text);
  }

  close(name: string): void {
    if (this.#cell !== undefined && this.#depth > 0) {
      this.#depth -= 1;
      if (this.#depth === 0) this.#inParagraph = false;
    } else if (name === 'table:table-cell') this.#endCell((this.#cell ?? []).join('\n'));
    else if (name === 'table:covered-table-cell') this.#endCell('');
    else if (name === 'table:table-row') this.#endRow();
    else if (name === 'table:table') this.#endTable();
  }

  #openTable(attributes: Attributes): void {
    const shown = !this.#hiddenTables.has(attributes['table:style-name'] ?? '');
    this.#table = { name: attributes['table:name'] ?? '', shown };
    this.#hiddenColumns.clear();
    [this.#rows, this.#emptyRows, this.#column] = [[], 0, 0];
  }

  #columns(attributes: Attributes): void {
    const end = Math.min(COLUMNS, this.#column + repeats(attributes, 'columns'));
    if (isHidden(attributes)) for (let at = this.#column; at < end; at++) this.#hiddenColumns.add(at);
    this.#column = end;
  }

  #openRow(attributes: Attributes): void {
    [this.#row, this.#column, this.#shown] = [[], 0, 0];
    [this.#repeatRow, this.#rowShown] = [repeats(attributes, 'rows'), !isHidden(attributes)];
  }

  #openInCell(name: string, attributes: Attributes): void {
    this.#depth += 1;
    if (this.#depth === 1 && name === 'text:p') {
      this.#inParagraph = true;
      this.#cell?.push('');
    } else if (name === 'text:s') this.text(' '.repeat(Math.min(Number(attributes['text:c'] ?? 1) || 1, 1000)));
    else if (name === 'text:tab') this.text('\t');
    else if (name === 'text:line-break') this.text('\n');
  }

  #endCell(value: string): void {
    this.#cell = undefined;
    const end = Math.min(COLUMNS, this.#column + this.#repeatCell);
    if (value === '' && this.#hiddenColumns.size === 0) {
      this.#shown += end - this.#column; // every row ends with thousands of these
      this.#column = end;
    }
    for (; this.#column < end; this.#column++) {
      if (this.#hiddenColumns.has(this.#column)) continue;
      if (value !== '') {
        while (this.#row.length < this.#shown) this.#row.push('');
        this.#row.push(value);
      }
      this.#shown += 1;
    }
  }

  #endRow(): void {
    if (!this.#rowShown) return;
    if (this.#row.length === 0) {
      this.#emptyRows += this.#repeatRow;
      return;
    }
    this.#count(this.#repeatRow * this.#row.reduce((sum, { length }) => sum + length + 1, 0));
    for (let n = Math.min(this.#emptyRows, EMPTY_ROWS); n > 0; n--) this.#rows.push([]);
    for (let n = 0; n < this.#repeatRow; n++) this.#rows.push(this.#row);
    this.#emptyRows = 0;
  }

  #endTable(): void {
    const table = this.#table;
    this.#table = undefined;
    if (table === undefined || !table.shown || this.#rows.length === 0) return;
    const width = this.#rows.reduce((most, { length }) => Math.max(most, length), 0);
    this.#count(this.#rows.reduce((sum, { length }) => sum + width - length, 0));
    const lines = this.#rows.map(
      (row) => `${row.map(quoted).join(',')}${','.repeat(width - Math.max(1, row.length))}\n`,
    );
    this.sheets.push({ name: table.name, csv: Buffer.from(lines.join(''), 'utf8') });
  }

  #count(chars: number): void {
    this.#chars += chars;
    if (this.#chars > CHARS) throw new Refusal('too-large', `sheets of more than ${CHARS} characters`);
  }
}

function isHidden(attributes: Attributes): boolean {
  return ['collapse', 'filter'].includes(attributes['table:visibility'] ?? '');
}

function repeats(attributes: Attributes, of: 'rows' | 'columns'): number {
  const count = Number(attributes[`table:number-${of}-repeated`] ?? 1);
  return Number.isInteger(count) && count > 0 ? count : 1;
}

function quoted(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
