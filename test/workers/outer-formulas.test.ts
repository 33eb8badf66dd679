// Cells whose formula looks into another workbook keep the value that was computed there; every other formula stays.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withoutOuterFormulas } from '../../workers/office/outer-formulas.ts';

const sheet = (cells: string): Buffer =>
  Buffer.from(
    `<worksheet><sheetData><row r="1" hidden="1"><c><f>1+1</f><v>2</v></c></row>${cells}</sheetData></worksheet>`,
  );
const without = (cells: string): string => {
  const left = Buffer.from(withoutOuterFormulas(sheet(cells))).toString('utf8');
  return left.slice(left.indexOf('</row>') + 6, left.indexOf('</sheetData>'));
};

test('the value of another workbook stays without its formula, the formulas around it stay', () => {
  assert.equal(
    without('<c><f>A1</f><v>2</v></c><c t="str"><f>[1]Uses!$A$1</f><v>Hello!</v></c><c><f>SUM(A1:A2)</f><v>4</v></c>'),
    '<c><f>A1</f><v>2</v></c><c t="str"><v>Hello!</v></c><c><f>SUM(A1:A2)</f><v>4</v></c>',
  );
  for (const formula of ["'[12]Some sheet'!B2+1", '[1]!NAME', 'SUM(2,[3]a!A1)', 'A1+<![CDATA[[1]a!B1]]>'])
    assert.equal(without(`<c><f>${formula}</f><v>1</v></c>`), '<c><v>1</v></c>', formula);
});

test('a group of shared formulas goes with its first', () => {
  assert.equal(
    without(
      '<c><f t="shared" si="0" ref="A1:A2">[1]a!A1</f><v>1</v></c><c><f t="shared" si="0"/><v>2</v></c><c><f t="shared" si="1"/><v>3</v></c>',
    ),
    '<c><v>1</v></c><c><v>2</v></c><c><f t="shared" si="1"></f><v>3</v></c>',
  );
});

test('a column of a table is no other workbook, and a sheet without such formulas is not touched', () => {
  for (const formula of ['Table1[1]', 'Table1[[#This Row],[2]]', 'A1', 'INDEX(B:B,[@Name])']) {
    const bytes = sheet(`<c><f>${formula}</f><v>1</v></c>`);
    assert.ok(Buffer.from(withoutOuterFormulas(bytes)).includes(`<f>${formula}</f>`), formula);
  }
  const bytes = sheet('<c><f>A1</f></c>');
  assert.equal(withoutOuterFormulas(bytes), bytes);
});
