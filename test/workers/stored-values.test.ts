// Cells keep the values that are stored with them; only what has none is computed. Read through the cleaner, as a sheet is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strFromU8, unzipSync } from 'fflate';
import { cleanOoxml } from '../../workers/office/ooxml.ts';
import { storedFormulas } from '../../workers/office/stored-values.ts';
import { xlsx } from '../support/office-files.ts';

/** Rows of a sheet as they come out. */
const kept = (row: string): string => {
  const xml = `<sheetData><row r="1">${row}</row></sheetData>`;
  const { bytes } = cleanOoxml(xlsx([{ name: 'S', xml }]));
  const sheet = strFromU8(unzipSync(bytes)['xl/worksheets/sheet1.xml'] ?? new Uint8Array());
  return /<row[^>]*>(.*)<\/row>/s.exec(sheet)?.[1] ?? '';
};

test('a formula with its value goes, one without stays', () => {
  assert.equal(
    kept(
      '<c r="A1"><f>B1*2</f><v>4</v></c><c r="B1"><f>1+1</f></c><c r="C1" t="str"><f>[1]Uses!$A$1</f><v>Hello!</v></c>',
    ),
    '<c r="A1"><v>4</v></c><c r="B1"><f>1+1</f></c><c r="C1" t="str"><v>Hello!</v></c>',
  );
  assert.equal(kept('<c t="str"><f>""</f><v></v></c><c><v>7</v></c>'), '<c t="str"><v></v></c><c><v>7</v></c>');
  assert.equal(kept('<c t="e"><f>1/0</f><v>#DIV/0!</v></c>'), '<c t="e"><v>#DIV/0!</v></c>');
  assert.equal(kept('<c t="b"><f>A1</f><v>0</v></c>'), '<c t="b"><v>0</v></c>');
  assert.equal(
    kept('<c><f t="array" ref="A1:A2">B1:B2</f><v>1</v></c><c><v>2</v></c>'),
    '<c><v>1</v></c><c><v>2</v></c>',
  );
});

test('an empty value and nought are what programs write that do not compute: such a formula stays', () => {
  for (const value of ['<v></v>', '<v/>', '<v>0</v>', '<v>0.0</v>', ''])
    assert.match(kept(`<c><f>SUM(A1:A2)</f>${value}</c>`), /^<c><f>SUM\(A1:A2\)<\/f>/, value);
  assert.equal(kept('<c><f>A1</f><v>0.5</v></c><c><f>A1</f><v>-3</v></c>'), '<c><v>0.5</v></c><c><v>-3</v></c>');
});

test('a group of shared formulas stays whole where one of it is to be computed', () => {
  const group = (last: string): string =>
    `<c><f t="shared" si="0" ref="A1:A3">B1</f><v>1</v></c><c><f t="shared" si="1" ref="C1:C2">D1</f><v>5</v></c>${last}`;
  assert.equal(kept(group('<c><f t="shared" si="0"/><v>2</v></c>')), '<c><v>1</v></c><c><v>5</v></c><c><v>2</v></c>');
  assert.equal(
    kept(group('<c><f t="shared" si="0"/></c>')),
    '<c><f t="shared" si="0" ref="A1:A3">B1</f><v>1</v></c><c><v>5</v></c><c><f t="shared" si="0"></f></c>',
  );
});

test('a sheet without formulas is not read for them; one with a prefix to its names is read as well', () => {
  assert.equal(storedFormulas(Buffer.from('<a><font/><<<'))({}), false);
  const drops = storedFormulas(Buffer.from('<x:s><x:c><x:f>A1</x:f><x:v>1</x:v></x:c><x:c><x:f>A1</x:f></x:c></x:s>'));
  assert.deepEqual([drops({}), drops({})], [true, false]);
});
