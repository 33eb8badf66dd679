// Values parted by commas (RFC 4180, or by semicolons or tabs) as a workbook of our own making: every cell a text, so that `=cmd|…` is four
// letters and a bar, never a formula.
import { LIMITS } from '../../src/message/limits.ts';
import { columnName } from './cells.ts';
import { writePackage } from './package.ts';

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONSHIPS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
/** Widest column, in half-width letters; longer texts are wrapped. */
const WIDEST = 60;
/** Letters of a cell: what Excel takes. */
const CELL_CHARS = 32_767;

/** The rows of a text; a quote that is never closed ends with the text. One row and column more than are drawn are kept, so that a cut is seen. */
export function readCsv(text: string, separator: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let quoted = false;
  const endCell = (): void => {
    if (row.length <= LIMITS.sheetColumns) row.push(cell.slice(0, CELL_CHARS));
    cell = '';
  };
  for (let at = 0; at < text.length && rows.length <= LIMITS.sheetRows; at++) {
    const sign = text[at] as string;
    if (quoted) {
      if (sign !== '"') cell += sign;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (sign === '"' && cell === '') quoted = true;
    else if (sign === separator) endCell();
    else if (sign === '\n') {
      endCell();
      rows.push(row);
      row = [];
    } else if (sign !== '\r') cell += sign;
  }
  if (cell !== '' || row.length > 0) {
    endCell();
    rows.push(row);
  }
  return rows;
}

/** What parts the values: whichever sign the first lines have most of. */
export function separatorOf(text: string): string {
  const head = text.slice(0, 4000);
  const count = (sign: string): number => head.split(sign).length;
  return ['\t', ';'].reduce((best, sign) => (count(sign) > count(best) ? sign : best), ',');
}

/** A workbook of one sheet with these cells. */
export function workbookOf(text: string): Buffer {
  const rows = readCsv(text.replace(/^\ufeff/, ''), separatorOf(text));
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, at) => (widths[at] = Math.min(WIDEST, Math.max(widths[at] ?? 4, widthOf(cell) + 2))));
  const columns = widths.map(
    (width, at) => `<col min="${at + 1}" max="${at + 1}" width="${width}" customWidth="1" style="1"/>`,
  );
  const cells = rows.map((row, y) => {
    const written = row.map((cell, x) =>
      cell === ''
        ? ''
        : `<c r="${columnName(x)}${y + 1}" s="1" t="inlineStr"><is><t xml:space="preserve">${escape(cell)}</t></is></c>`,
    );
    return `<row r="${y + 1}">${written.join('')}</row>`;
  });
  const part = (body: string): Buffer => Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${body}`, 'utf8');
  const kind = (name: string): string => `application/vnd.openxmlformats-officedocument.spreadsheetml.${name}+xml`;
  return writePackage(
    new Map([
      [
        '[Content_Types].xml',
        part(
          `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="${kind('sheet.main')}"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${kind('worksheet')}"/><Override PartName="/xl/styles.xml" ContentType="${kind('styles')}"/></Types>`,
        ),
      ],
      [
        '_rels/.rels',
        part(
          `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${RELATIONSHIPS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
        ),
      ],
      [
        'xl/workbook.xml',
        part(
          `<workbook xmlns="${MAIN}" xmlns:r="${RELATIONSHIPS}"><sheets><sheet name="CSV" sheetId="1" r:id="r1"/></sheets></workbook>`,
        ),
      ],
      [
        'xl/_rels/workbook.xml.rels',
        part(
          `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${RELATIONSHIPS}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="${RELATIONSHIPS}/styles" Target="styles.xml"/></Relationships>`,
        ),
      ],
      [
        'xl/styles.xml',
        part(
          `<styleSheet xmlns="${MAIN}"><fonts count="1"><font><sz val="10"/><name val="ＭＳ Ｐゴシック"/></font></fonts><fills count="1"><fill><patternFill patternType="none"/></fill></fills><borders count="2"><border/><border><left style="hair"/><right style="hair"/><top style="hair"/><bottom style="hair"/></border></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf/><xf numFmtId="49" borderId="1" applyBorder="1" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf></cellXfs></styleSheet>`,
        ),
      ],
      [
        'xl/worksheets/sheet1.xml',
        part(
          `<worksheet xmlns="${MAIN}"><cols>${columns.join('')}</cols><sheetData>${cells.join('')}</sheetData></worksheet>`,
        ),
      ],
    ]),
  );
}

/** Half-width letters that a text is wide, the widest of its lines. */
function widthOf(text: string): number {
  let widest = 0;
  let width = 0;
  for (const letter of text.slice(0, 1000)) {
    if (letter === '\n') width = 0;
    else width += (letter.codePointAt(0) ?? 0) < 0x1100 ? 1 : 2;
    widest = Math.max(widest, width);
  }
  return widest;
}

function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
