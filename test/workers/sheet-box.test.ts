// The print area of a sheet holds all that a reader would see on it: merged boxes, the lines of a form, pictures whatever anchors them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strFromU8, unzipSync } from 'fflate';
import { cleanOoxml } from '../../workers/office/ooxml.ts';
import { sheetData, xlsx } from '../support/office-files.ts';

const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const relations = (...items: readonly [id: string, type: string, target: string][]): string =>
  `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${items
    .map(([id, type, target]) => `<Relationship Id="${id}" Type="${OFFICE}/${type}" Target="${target}"/>`)
    .join('')}</Relationships>`;

/** The print area of a workbook of one sheet, without its signs. */
function areaOf(xml: string, more: { readonly [name: string]: string } = {}): string {
  const { bytes } = cleanOoxml(xlsx([{ name: 'a', xml }], more));
  const workbook = strFromU8(unzipSync(bytes)['xl/workbook.xml'] ?? new Uint8Array());
  return (/_xlnm\.Print_Area[^>]*>'a'!([^<]*)</.exec(workbook)?.[1] ?? '').replaceAll('$', '');
}

const merged = (...refs: readonly string[]): string =>
  `<mergeCells>${refs.map((ref) => `<mergeCell ref="${ref}"/>`).join('')}</mergeCells>`;

/** A drawing beside three rows of two columns. */
function drawn(anchor: string): string {
  const xml = `<sheetFormatPr defaultRowHeight="15"/>${sheetData([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ])}<drawing r:id="d1"/>`;
  return areaOf(xml, {
    'xl/worksheets/_rels/sheet1.xml.rels': relations(['d1', 'drawing', '../drawings/drawing1.xml']),
    'xl/drawings/drawing1.xml': `<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">${anchor}</xdr:wsDr>`,
  });
}

const place = (name: string, column: number, row: number): string =>
  `<xdr:${name}><xdr:col>${column}</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>${row}</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:${name}>`;
const PICTURE = '<xdr:pic><xdr:spPr><a:xfrm><a:ext cx="99999999" cy="99999999"/></a:xfrm></xdr:spPr></xdr:pic>';

test('a merged box that begins at a value stands in the print area with all of its rows and columns', () => {
  const rows = sheetData([['表題', 1], ['甲', 2], ['備考：長い文']]);
  assert.equal(areaOf(rows), 'A1:B3');
  assert.equal(areaOf(rows + merged('A3:H14')), 'A1:H14');
  assert.equal(areaOf(rows + merged('A3:H14', 'D10:E90')), 'A1:H14'); // begins outside of what holds values
  assert.equal(areaOf(rows + merged('A1:XFD1048576')), 'A1:B3');
});

test('blank lines of a form stand in the print area, a stray line far below does not', () => {
  const styles = `<styleSheet><borders count="2"><border><left/><right/></border><border><left style="thin"/><right/></border></borders><cellXfs><xf borderId="0"/><xf borderId="1"/></cellXfs></styleSheet>`;
  const more = {
    'xl/styles.xml': styles,
    'xl/_rels/workbook.xml.rels': relations(
      ['r1', 'worksheet', 'worksheets/sheet1.xml'],
      ['r2', 'styles', 'styles.xml'],
    ),
  };
  const blank = (row: number, style: number): string =>
    `<row r="${row}"><c r="A${row}" s="${style}"/><c r="F${row}" s="${style}"/></row>`;
  const form = (style: number): string =>
    sheetData([['氏名', 1]]).replace(
      '</sheetData>',
      `${Array.from({ length: 30 }, (_, n) => blank(n + 2, style)).join('')}${blank(90_000, style)}</sheetData>`,
    );
  assert.equal(areaOf(form(1), more), 'A1:F31');
  assert.equal(areaOf(form(0), more), 'A1:B1');
});

test('a picture stands in the print area whole: between two cells, of a size from a cell, of a size from a place', () => {
  assert.equal(
    drawn(`<xdr:twoCellAnchor>${place('from', 2, 1)}${place('to', 5, 20)}${PICTURE}</xdr:twoCellAnchor>`),
    'A1:F21',
  );
  // 300 × 300 points: 7 columns of 48 from C, 20 rows of 15 from the second on, and one of each more.
  const size = `<xdr:ext cx="${300 * 12700}" cy="${300 * 12700}"/>`;
  assert.equal(drawn(`<xdr:oneCellAnchor>${place('from', 2, 1)}${size}${PICTURE}</xdr:oneCellAnchor>`), 'A1:J22');
  const pos = `<xdr:pos x="${96 * 12700}" y="${30 * 12700}"/>`;
  assert.equal(drawn(`<xdr:absoluteAnchor>${pos}${size}${PICTURE}</xdr:absoluteAnchor>`), 'A1:J23');
});
