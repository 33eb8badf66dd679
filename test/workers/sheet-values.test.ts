// The values of sheets out of an OpenDocument: what is shown, as CSV, and no more of it than fits.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writePackage } from '../../workers/office/package.ts';
import { sheetValues } from '../../workers/office/sheet-values.ts';
import { Refusal } from '../../workers/run.ts';

function told(body: string, styles = ''): [string, string][] {
  const names = ['office', 'style', 'table', 'text', 'draw'].map((name) => `xmlns:${name}="urn:${name}"`).join(' ');
  const content = `<?xml version="1.0"?><office:document-content ${names}><office:automatic-styles>${styles}</office:automatic-styles><office:body><office:spreadsheet>${body}</office:spreadsheet></office:body></office:document-content>`;
  const ods = writePackage(new Map([['content.xml', Buffer.from(content)]]));
  return sheetValues(ods).map(({ name, csv }) => [name, Buffer.from(csv).toString()]);
}

const cell = (text: string, more = ''): string =>
  `<table:table-cell ${more}><text:p>${text}</text:p></table:table-cell>`;
const row = (cells: string, more = ''): string => `<table:table-row ${more}>${cells}</table:table-row>`;
const table = (rows: string, more = 'table:name="表"'): string => `<table:table ${more}>${rows}</table:table>`;
const end = '<table:table-cell table:number-columns-repeated="16380"/>';

describe('the values of sheets', () => {
  it('are quoted where they must be, in rows of one width, without what is empty at the end', () => {
    const rows = [
      row(cell('款') + cell('金,額') + end),
      row(`<table:table-cell/>${cell('「&quot;」')}${end}`),
      row(end, 'table:number-rows-repeated="2"'),
      row(cell('終') + end),
      row(end, 'table:number-rows-repeated="1048570"'),
    ];
    assert.deepEqual(told(table(rows.join(''))), [['表', '款,"金,額"\n,"「""」"\n,\n,\n終,\n']]);
  });

  it('repeat as they do, with the spaces, tabs and lines of a cell, and without its comments and shapes', () => {
    const rows = [
      row(cell('a', 'table:number-columns-repeated="3"'), 'table:number-rows-repeated="2"'),
      row(cell('x<text:s text:c="2"/>y<text:tab/><text:span>z</text:span>')),
      row(
        '<table:table-cell><office:annotation><text:p>comment</text:p></office:annotation><text:p>1</text:p><text:p>2</text:p><draw:frame><text:p>shape</text:p></draw:frame></table:table-cell>',
      ),
      row(`${cell('merged')}<table:covered-table-cell><text:p>below</text:p></table:covered-table-cell>${cell('c')}`),
    ];
    assert.deepEqual(told(table(rows.join(''))), [['表', 'a,a,a\na,a,a\nx  y\tz,,\n"1\n2",,\nmerged,,c\n']]);
  });

  it('are those of sheets, rows and columns that are shown', () => {
    const styles =
      '<style:style style:name="ta1" style:family="table"><style:table-properties table:display="true"/></style:style><style:style style:name="ta2" style:family="table"><style:table-properties table:display="false"/></style:style>';
    const columns =
      '<table:table-column/><table:table-column table:visibility="collapse" table:number-columns-repeated="2"/><table:table-column/>';
    const rows = [
      row(cell('a') + cell('b') + cell('c') + cell('d') + end),
      row(cell('hidden row'), 'table:visibility="collapse"'),
      row(cell('filtered row'), 'table:visibility="filter"'),
      row(`<table:table-cell table:number-columns-repeated="3"/>${cell('e')}`),
    ];
    const sheets = [
      table(columns + rows.join(''), 'table:name="見" table:style-name="ta1"'),
      table(row(cell('hidden sheet')), 'table:name="秘" table:style-name="ta2"'),
      table(row(end), 'table:name="空" table:style-name="ta1"'),
      table(row(cell('last')), 'table:name="末"'),
    ];
    assert.deepEqual(told(sheets.join(''), styles), [
      ['見', 'a,d\n,e\n'],
      ['末', 'last\n'],
    ]);
  });

  it('are refused when little says that it is much, and when they are no XML', () => {
    const bomb = table(
      row(cell('x'.repeat(1000), 'table:number-columns-repeated="16384"'), 'table:number-rows-repeated="1048576"'),
    );
    const code = (body: string): string => {
      try {
        told(body);
      } catch (error) {
        return error instanceof Refusal ? error.reason : String(error);
      }
      return 'none';
    };
    assert.equal(code(bomb), 'too-large');
    assert.equal(code('<table:table>'), 'damaged');
  });
});
