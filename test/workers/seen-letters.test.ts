// The letters that are looked for on the pages are those that a reader of the document would see: not the readings that a workbook keeps
// for its sorting, not what hidden sheets and slides hold.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { strFromU8, unzipSync } from 'fflate';
import { cleanOoxml } from '../../workers/office/ooxml.ts';
import { openPackage } from '../../workers/office/package.ts';
import { xlsx, zipOf } from '../support/office-files.ts';

const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const relations = (...items: readonly [id: string, type: string, target: string][]): string =>
  `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${items
    .map(([id, type, target]) => `<Relationship Id="${id}" Type="${OFFICE}/${type}" Target="${target}"/>`)
    .join('')}</Relationships>`;

const STRINGS =
  '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">' +
  '<si><r><t>東京</t></r><r><t>都</t></r><rPh sb="0" eb="3"><t>トウキョウト</t></rPh></si><si><t>秘密</t></si></sst>';
const DRAWING =
  '<xdr:wsDr xmlns:xdr="x" xmlns:a="a"><xdr:twoCellAnchor><xdr:sp><a:t>裏</a:t></xdr:sp></xdr:twoCellAnchor></xdr:wsDr>';

function book(cell: string): Buffer {
  const row = (inside: string): string => `<sheetData><row r="1">${inside}</row></sheetData>`;
  return xlsx(
    [
      { name: '表', xml: row(cell) },
      { name: '秘', xml: `${row('<c r="A1" t="s"><v>1</v></c>')}<drawing r:id="d1"/>`, state: 'hidden' },
    ],
    {
      'xl/_rels/workbook.xml.rels': relations(
        ['r1', 'worksheet', 'worksheets/sheet1.xml'],
        ['r2', 'worksheet', 'worksheets/sheet2.xml'],
        ['r3', 'sharedStrings', 'sharedStrings.xml'],
      ),
      'xl/sharedStrings.xml': STRINGS,
      'xl/worksheets/_rels/sheet2.xml.rels': relations(['d1', 'drawing', '../drawings/drawing1.xml']),
      'xl/drawings/drawing1.xml': DRAWING,
    },
  );
}

test('letters of a workbook are those of its cells that are shown; readings only where the sheet shows them', () => {
  const plain = cleanOoxml(book('<c r="A1" t="s"><v>0</v></c>')).report;
  assert.equal(plain.letters, '東京都');
  assert.deepEqual([...plain.cells], ['東京都']);
  assert.equal(cleanOoxml(book('<c r="A1" t="s" ph="1"><v>0</v></c>')).report.letters, '東京都トウキョ');
});

test('letters of a slide that is hidden are none', () => {
  const types =
    '<Types><Default Extension="xml" ContentType="application/xml"/><Override PartName="/ppt/presentation.xml" ContentType="application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"/></Types>';
  const slide = (text: string, show: string): string =>
    `<p:sld xmlns:p="p" xmlns:a="a"${show}><p:cSld><a:t>${text}</a:t></p:cSld></p:sld>`;
  const { report } = cleanOoxml(
    zipOf({
      '[Content_Types].xml': types,
      '_rels/.rels': relations(['r1', 'officeDocument', 'ppt/presentation.xml']),
      'ppt/presentation.xml': '<p:presentation xmlns:p="p"/>',
      'ppt/_rels/presentation.xml.rels': relations(['r1', 'slide', 'slides/1.xml'], ['r2', 'slide', 'slides/2.xml']),
      'ppt/slides/1.xml': slide('表', ''),
      'ppt/slides/2.xml': slide('秘', ' show="0"'),
    }),
  );
  assert.equal(report.letters, '表');
});

test('what is written into a workbook is in the namespace of its root, whatever it is called', () => {
  const files = unzipSync(
    xlsx([{ name: '表', xml: '<sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData>' }]),
  );
  for (const name of ['xl/workbook.xml', 'xl/worksheets/sheet1.xml'])
    files[name] = Buffer.from(
      strFromU8(files[name] ?? new Uint8Array())
        .replace('xmlns=', 'xmlns:x=')
        .replace(/<(\/?)(?=[a-z])/gi, '<$1x:'),
    );
  const parts = openPackage(cleanOoxml(zipOf(files)).bytes);
  const [workbook, sheet] = ['xl/workbook.xml', 'xl/worksheets/sheet1.xml'].map((name) =>
    Buffer.from(parts.get(name) ?? []).toString('utf8'),
  );
  assert.match(
    workbook ?? '',
    /<x:definedNames><x:definedName name="_xlnm\.Print_Area"[^>]*>'表'![^<]*<\/x:definedName><\/x:definedNames>/,
  );
  assert.match(sheet ?? '', /<x:sheetPr><x:pageSetUpPr fitToPage="1"\/><\/x:sheetPr>/);
  assert.match(sheet ?? '', /<x:pageSetup /);
  assert.doesNotMatch(`${workbook}${sheet}`, /<\/?(?:sheetPr|pageSetup|definedName)/);
});
