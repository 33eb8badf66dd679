// Supplementary characters of a font that is not embedded: drawn where it is sure that they are seen, told to be missing elsewhere.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PageCollector, type RasterPage } from '../../src/sandbox/raster-page.ts';
import { FRAME, OPERATION } from '../../src/sandbox/wire.ts';
import { drive, remarksOf } from '../support/drive-worker.ts';
import { makePdf, stream } from '../support/make-pdf.ts';

const hex = (text: string): string => `<${Buffer.from(text, 'utf16le').swap16().toString('hex')}>`;
const line = (text: string, before = ''): string => `BT ${before} /F 20 Tf 40 200 Td ${hex(text)} Tj ET`;
/** What is seen in any case. */
const OTHER = `BT /F 20 Tf 40 300 Td ${hex('田')} Tj ET`;

interface Read {
  /** Of the first page, and of each. */
  readonly words: string;
  readonly pages: readonly string[];
  readonly pixels: Buffer;
  readonly findings: readonly string[];
  readonly missing: string | undefined;
}

async function read(content: string, annotations = '', count = 1): Promise<Read> {
  const page = `<</Type /Page /Parent 2 0 R /MediaBox [0 0 400 400] /Contents 4 0 R /Annots [${annotations}] /Resources 5 0 R>>`;
  const more = Array.from({ length: count - 1 }, (_, nth) => 14 + nth);
  const source = makePdf([
    '<</Type /Catalog /Pages 2 0 R /OCProperties <</OCGs [9 0 R] /D <</OFF [9 0 R]>>>>>>',
    `<</Type /Pages /Count ${count} /Kids [${[3, ...more].map((number) => `${number} 0 R`).join(' ')}]>>`,
    page,
    stream('', content),
    '<</Font <</F 6 0 R>> /Properties <</L 9 0 R>> /ExtGState <</T <</ca 0.5>>>> /XObject <</X 10 0 R>>>>',
    '<</Type /Font /Subtype /Type0 /BaseFont /MS-Mincho /Encoding /UniJIS-UTF16-H /DescendantFonts [7 0 R]>>',
    '<</Type /Font /Subtype /CIDFontType2 /BaseFont /MS-Mincho /CIDSystemInfo <</Registry (Adobe) /Ordering (Japan1) /Supplement 6>> /DW 1000 /FontDescriptor 8 0 R>>',
    '<</Type /FontDescriptor /FontName /MS-Mincho /Flags 6 /FontBBox [0 -136 1000 859] /ItalicAngle 0 /Ascent 859 /Descent -140 /CapHeight 769 /StemV 78>>',
    '<</Type /OCG /Name (Hidden)>>',
    stream('/Type /XObject /Subtype /Form /BBox [0 0 400 400] /Resources <</Font <</F 6 0 R>>>>', line('𠮷')),
    '<</Type /Annot /Subtype /Link /Rect [0 0 20 20] /Border [0 0 0] /A <</S /URI /URI (https://example.com/)>>>>',
    '<</Type /Annot /Subtype /Square /F 4 /Rect [300 20 380 60] /AP <</N 13 0 R>>>>',
    stream('/Type /XObject /Subtype /Form /BBox [0 0 80 40]', '0 0 80 40 re f'),
    ...more.map(() => page),
  ]);
  const { outcome, frames } = await drive('pdf', source, { operation: OPERATION.convertWithText });
  assert.deepEqual(outcome, { kind: 'done' });
  const pages: RasterPage[] = [];
  const collector = new PageCollector((one) => void pages.push(one));
  for (const frame of frames) await collector.take(frame);
  const words = pages.map(({ text }) => (text ?? []).map((run) => run.text.trim()).join(''));
  return {
    words: words[0] ?? '',
    pages: words,
    pixels: Buffer.from(pages[0]?.pixels ?? []),
    findings: remarksOf(frames, FRAME.finding).map(([code, detail]) => `${code} ${detail}`),
    missing: remarksOf(frames, FRAME.loss).find(([code]) => code === 'glyph-missing')?.[1],
  };
}

for (const [how, content, annotations] of [
  ['black', line('𠮷'), ''],
  ['coloured', line('𠮷', '1 0 0 rg'), ''],
  ['turned', `BT /F 20 Tf 0.7 0.7 -0.7 0.7 60 150 Tm ${hex('𠮷')} Tj ET`, ''],
  ['of a tagged document', `/Span <</MCID 0>> BDC ${line('𠮷')} EMC`, ''],
  ['on a page with a link', line('𠮷'), '11 0 R'],
] as const)
  test(`a supplementary character that is ${how} is drawn and found`, async () => {
    const without = await read(OTHER, annotations);
    const page = await read(`${OTHER} ${content}`, annotations);
    assert.equal(Array.from(page.words).toSorted().join(''), '田𠮷');
    assert.equal(page.missing, undefined);
    assert.ok(!page.pixels.equals(without.pixels));
  });

for (const [how, content] of [
  ['white', line('𠮷', '1 g')],
  ['under a white sheet', `${line('𠮷')} 1 g 0 180 400 60 re f`],
] as const)
  test(`one that is ${how} is neither seen nor found, and is counted as hidden`, async () => {
    const page = await read(`${OTHER} ${content}`);
    assert.equal(page.words, '田');
    assert.equal(page.missing, undefined);
    assert.deepEqual(page.findings, ['hidden-text 1 characters that nobody sees']);
    assert.ok(page.pixels.equals((await read(OTHER)).pixels));
  });

for (const [how, content, annotations] of [
  ['clipped away', `q 0 0 1 1 re W n ${line('𠮷')} Q`, ''],
  ['on a hidden layer', `/OC /L BDC ${line('𠮷')} EMC`, ''],
  ['translucent', `q /T gs ${line('𠮷')} Q`, ''],
  ['an outline', line('𠮷', '1 Tr'), ''],
  ['in a picture of its own', '/X Do', ''],
  ['on a page that annotations became part of', line('𠮷'), '12 0 R'],
] as const)
  test(`one that is ${how} is left as it is, and not found`, async () => {
    const page = await read(`${OTHER} ${content}`, annotations);
    assert.equal(page.words, '田');
    assert.equal(page.missing, '𠮷');
    assert.ok(page.pixels.equals((await read(OTHER, annotations)).pixels));
  });

test('one on each of several pages that annotations became part of is left on all of them', async () => {
  const { pages, missing } = await read(`${OTHER} ${line('𠮷')}`, '12 0 R', 4);
  assert.deepEqual(pages, ['田', '田', '田', '田']);
  assert.equal(missing, '𠮷');
});
