// Office packages with a part that does not open: the rest is shown and the loss told; what holds all of it is refused.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cleanOdf } from '../../workers/office/odf.ts';
import { cleanOoxml } from '../../workers/office/ooxml.ts';
import { openPackage } from '../../workers/office/package.ts';
import { docx, paragraph, sheetData, xlsx, zipOf } from '../support/office-files.ts';

/** The package with one byte of these entries flipped, in the first of its two places for each: beside its bytes. */
function torn(bytes: Buffer, ...names: readonly string[]): Buffer {
  const broken = Buffer.from(bytes);
  for (const name of names) {
    const at = broken.indexOf(`\0\0${name}`, 'latin1');
    assert.ok(at > 0, name);
    const data = at + 2 + name.length;
    broken[data + 3] = (broken[data + 3] ?? 0) ^ 0xff;
  }
  return broken;
}
const losses = (cleaned: ReturnType<typeof cleanOoxml>): readonly unknown[] =>
  [...cleaned.report.losses.values()].map(({ code, detail }) => `${code} ${detail}`);

const CELLS = sheetData([['値', 'other']]);
const BOOK = xlsx([
  { name: 'one', xml: CELLS },
  { name: 'two', xml: CELLS },
]);
const R = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const relations = (...list: readonly (readonly [type: string, target: string])[]): string =>
  `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${list
    .map(([type, target], at) => `<Relationship Id="r${at}" Type="${R}/${type}" Target="${target}"/>`)
    .join('')}</Relationships>`;
const slide = (text: string): string => `<p:sld xmlns:p="p" xmlns:a="a"><a:t>${text.repeat(20)}</a:t></p:sld>`;
const SLIDES = zipOf({
  '[Content_Types].xml': `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/ppt/presentation.xml" ContentType="application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"/></Types>`,
  '_rels/.rels': relations(['officeDocument', 'ppt/presentation.xml']),
  'ppt/presentation.xml': '<p:presentation xmlns:p="p"/>',
  'ppt/_rels/presentation.xml.rels': relations(['slide', 'slides/slide1.xml'], ['slide', 'slides/slide2.xml']),
  'ppt/slides/slide1.xml': slide('first '),
  'ppt/slides/slide2.xml': slide('second '),
});
const LETTER = docx(
  paragraph('Text'.repeat(30)),
  [
    { id: 'r1', type: 'header', target: 'header1.xml' },
    { id: 'r2', type: 'image', target: 'media/a.png' },
    { id: 'r3', type: 'styles', target: 'styles.xml' },
  ],
  {
    'word/header1.xml': '<w:hdr xmlns:w="w"><w:p>Header of the letter</w:p></w:hdr>',
    'word/styles.xml': '<w:styles xmlns:w="w"><w:style w:styleId="a"/></w:styles>',
    'word/media/a.png': Buffer.alloc(300, 'abc'),
    'customXml/item1.xml': '<a>nobody sees this on any page</a>',
  },
);

describe('an OOXML package with a torn part', () => {
  it('is shown without it, and says so: a sheet, a slide, a header, a picture, styles', () => {
    const book = cleanOoxml(torn(BOOK, 'xl/worksheets/sheet2.xml'));
    assert.ok(openPackage(book.bytes).has('xl/worksheets/sheet1.xml'));
    assert.deepEqual(losses(book), ['damaged xl/worksheets/sheet2.xml']);
    assert.ok(book.report.cells.has('other'));
    const slides = cleanOoxml(torn(SLIDES, 'ppt/slides/slide2.xml'));
    assert.deepEqual(losses(slides), ['damaged ppt/slides/slide2.xml']);
    for (const name of ['word/header1.xml', 'word/media/a.png', 'word/styles.xml']) {
      const letter = cleanOoxml(torn(LETTER, name));
      assert.ok(openPackage(letter.bytes).has('word/document.xml'));
      assert.deepEqual(losses(letter), [`damaged ${name}`]);
    }
    const both = cleanOoxml(torn(LETTER, 'word/header1.xml', 'word/media/a.png'));
    assert.deepEqual(losses(both), ['damaged word/header1.xml, word/media/a.png']);
  });

  it('is shown without all that its torn list of relationships names', () => {
    const letter = cleanOoxml(torn(LETTER, 'word/_rels/document.xml.rels'));
    assert.deepEqual(
      [...openPackage(letter.bytes).keys()].filter((name) => name.startsWith('word/')),
      ['word/document.xml'],
    );
    assert.deepEqual(losses(letter), ['damaged word/_rels/document.xml.rels']);
  });

  it('says nothing of a part that nobody would have seen', () => {
    assert.deepEqual(losses(cleanOoxml(torn(LETTER, 'customXml/item1.xml'))), []);
    for (const whole of [BOOK, SLIDES, LETTER]) assert.deepEqual(losses(cleanOoxml(whole)), []);
  });

  it('is refused where nothing is left that could be shown', () => {
    for (const [whole, ...names] of [
      [BOOK, 'xl/workbook.xml'],
      [BOOK, 'xl/_rels/workbook.xml.rels'],
      [BOOK, 'xl/worksheets/sheet1.xml', 'xl/worksheets/sheet2.xml'],
      [SLIDES, 'ppt/_rels/presentation.xml.rels'],
      [SLIDES, 'ppt/slides/slide1.xml', 'ppt/slides/slide2.xml'],
      [LETTER, 'word/document.xml'],
      [LETTER, '_rels/.rels'],
      [LETTER, '[Content_Types].xml'],
    ] as const)
      assert.throws(() => cleanOoxml(torn(whole, ...names)), { reason: 'damaged' }, names.join());
  });
});

describe('an OpenDocument package with a torn part', () => {
  const ODT = zipOf({
    mimetype: 'application/vnd.oasis.opendocument.text',
    'content.xml': '<o:document-content xmlns:o="o" xmlns:t="t"><t:p>Words of the document</t:p></o:document-content>',
    'styles.xml': '<o:document-styles xmlns:o="o"><o:styles/></o:document-styles>',
    'Pictures/a.png': Buffer.alloc(300, 'abc'),
    'Thumbnails/t.png': Buffer.alloc(300, 'abc'),
    'META-INF/manifest.xml': '<m:manifest xmlns:m="m"/>',
  });

  it('is shown without it, and says so; without its words it is refused', () => {
    for (const name of ['styles.xml', 'Pictures/a.png']) {
      const cleaned = cleanOdf(torn(ODT, name), []);
      assert.ok(openPackage(cleaned.bytes).has('content.xml'));
      assert.deepEqual(losses(cleaned), [`damaged ${name}`]);
    }
    assert.deepEqual(losses(cleanOdf(torn(ODT, 'Thumbnails/t.png'), [])), []);
    assert.throws(() => cleanOdf(torn(ODT, 'content.xml'), []), { reason: 'damaged' });
  });
});

it('a package that an engine of ours wrote has no torn part', () => {
  assert.throws(() => openPackage(torn(BOOK, 'xl/worksheets/sheet2.xml')), { reason: 'damaged' });
});
