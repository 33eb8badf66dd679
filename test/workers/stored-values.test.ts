// Cells keep the values that are stored with them; only what has none is computed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withStoredValues } from '../../workers/office/stored-values.ts';

const sheet = (cells: string): Buffer => Buffer.from(`<worksheet><row>${cells}</row></worksheet>`);
const kept = (cells: string): string => {
  const left = Buffer.from(withStoredValues(sheet(cells))).toString('utf8');
  return left.slice(left.indexOf('<row>') + 5, left.indexOf('</row>'));
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
  assert.equal(
    kept('<c><f t="array" ref="A1:A2">B1:B2</f><v>1</v></c><c><v>2</v></c>'),
    '<c><v>1</v></c><c><v>2</v></c>',
  );
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

test('a sheet without formulas is not touched; one with a prefix to its names is read as well', () => {
  const bytes = sheet('<c><v>1</v></c><x:font/>');
  assert.equal(withStoredValues(bytes), bytes);
  assert.equal(kept('<x:c><x:f>A1</x:f><x:v>1</x:v></x:c>'), '<x:c><x:v>1</x:v></x:c>');
});
