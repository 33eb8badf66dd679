// The text layer: what a person reads on the page can be searched and copied, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PageCollector, type RasterPage } from '../../src/sandbox/raster-page.ts';
import { FRAME, OPERATION, WireError, fieldsFrame, type Field, type Run } from '../../src/sandbox/wire.ts';
import { readRuns } from '../../src/sandbox/page-text.ts';
import { PagePdf } from '../../src/sanitise/page-pdf.ts';
import { printHtml } from '../support/chromium-print.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { unified } from '../../workers/radicals.ts';
import { runsInFrame } from '../../workers/runs-in-frame.ts';
import { drive, remarksOf } from '../support/drive-worker.ts';
import { makePdf, onePage, stream } from '../support/make-pdf.ts';
import { readText } from '../support/page-text.ts';

interface Layered {
  readonly file: Buffer;
  readonly pages: readonly RasterPage[];
  readonly findings: readonly [string, string][];
  readonly losses: readonly [string, string][];
}

async function layered(source: Uint8Array): Promise<Layered> {
  const { outcome, frames } = await drive('pdf', source, { operation: OPERATION.convertWithText });
  assert.deepEqual(outcome, { kind: 'done' });
  const chunks: Uint8Array[] = [];
  const pages: RasterPage[] = [];
  const pdf = new PagePdf({ write: (chunk) => void chunks.push(chunk) }, { layered: true });
  const collector = new PageCollector(async (page) => {
    pages.push(page);
    await pdf.add(page);
  });
  for (const frame of frames) await collector.take(frame);
  collector.finish();
  await pdf.finish();
  const [findings, losses] = [remarksOf(frames, FRAME.finding), remarksOf(frames, FRAME.loss)];
  return { file: Buffer.concat(chunks), pages, findings, losses };
}

/** What the layer of a one-page source holds. */
async function wordsOf(source: Uint8Array): Promise<Pick<Layered, 'findings' | 'losses'> & { words: string }> {
  const { pages, findings, losses } = await layered(source);
  return { words: pages.flatMap(({ text }) => text.map((run) => run.text)).join('|'), findings, losses };
}

/** Every line is found whole by each of the three readers. */
async function assertReadable(file: Uint8Array, lines: readonly string[]): Promise<void> {
  for (const [reader, text] of Object.entries(await readText(file))) {
    for (const line of lines) assert.ok(text.includes(line), `${reader} does not find "${line}" in:\n${text}`);
  }
}

const LINES = [
  '請求番号 R8-2026-001174',
  '請求金額 ￥1,234,567円（消費税10％を含む）',
  '髙橋 﨑子 様',
  '渡邉 齋藤 邊見 草彅 辻󠄀',
  '𠮷野 𩸽 𠀋',
  '〒260-0013 千葉県千葉市中央区中央3丁目10番8号',
  'TEL 043-201-3790 Mail: koho@city.example.lg.jp',
  'ﾊﾝｶｸｶﾅ ｱｲｳｴｵ ガギグゲゴ',
  '①②③ ㈱無害 №5 ℡ ㍻',
  '令和８年１１月２５日（水）午前１０時３０分',
  '（甲）は、「乙」に対し——これを支払う。',
  'The quick brown fox jumps over the lazy dog. 0123456789',
];

test('Japanese names and numbers of a printed document come back exactly, in poppler, pdf.js and PDFium', async () => {
  const body = LINES.map((line, i) => `<p style="font-family: ${i % 2 === 0 ? 'mincho' : 'gothic'}">${line}</p>`);
  const { file } = await layered(printHtml(body.join('\n')));
  await assertReadable(file, LINES);
});

test('a form with cells, large and small letters comes back cell by cell', async () => {
  const cells = Array.from({ length: 30 }, (_, i) => [
    `氏名${i}`,
    `山田${i}太郎`,
    `${i}${i}-${1000 + i}`,
    `${i * 37},000円`,
  ]);
  const rows = cells.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('');
  const style = 'table { font: 8pt gothic; border-collapse: collapse } td { border: 1px solid; padding: 2px 12px }';
  const { file } = await layered(printHtml(`<h1>申請書一覧</h1><table>${rows}</table>`, style));
  await assertReadable(file, ['申請書一覧', ...cells.flat()]);
});

test('vertical writing comes back in its lines', async () => {
  const lines = ['春は、あけぼの。', '吾輩は猫である。名前はまだ無い。'];
  const style = 'body { writing-mode: vertical-rl; font-size: 14pt }';
  const { file } = await layered(printHtml(lines.map((line) => `<p>${line}</p>`).join(''), style));
  await assertReadable(file, lines);
});

test('the layer lies on the letters: on turned pages, cropped ones, and those of a shifted box', async () => {
  const font = '/Font <</F 5 0 R>>';
  const helvetica = '<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>';
  for (const [rotate, x, y, dx, dy] of [
    [0, 72, 100, 1, 0],
    [90, 100, 528, 0, -1],
    [180, 528, 692, -1, 0],
    [270, 692, 72, 0, 1],
  ] as const) {
    const entries = `/Rotate ${rotate} /CropBox [1000 500 1600 1292]`;
    const source = onePage('0 0 5000 5000', 'BT /F 24 Tf 1072 600 Td (Kasumigaseki) Tj ET', font, [helvetica], entries);
    const { pages, file } = await layered(source);
    const [run] = pages[0]?.text ?? [];
    assert.ok(run !== undefined && run.text === 'Kasumigaseki', `turned by ${rotate}`);
    assert.ok(Math.abs(run.x - x) < 1 && Math.abs(run.y - y) < 1, `turned by ${rotate}: at ${run.x}, ${run.y}`);
    const length = Math.hypot(run.dx, run.dy);
    assert.ok(Math.abs(length - 149.4) < 1, `${length} long`); // the widths of Helvetica, 24 points
    assert.ok(Math.abs(run.dx / length - dx) < 0.01 && Math.abs(run.dy / length - dy) < 0.01);
    assert.ok(Math.abs(run.size - 24) < 0.1);
    await assertReadable(file, ['Kasumigaseki']);
  }
});

const HELVETICA = ['<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>'];
const show = (content: string): Buffer => onePage('0 0 400 400', content, '/Font <</F 5 0 R>>', HELVETICA);

test('white, tiny, covered, far-off and invisible letters are left out and counted', async () => {
  const seen = 'BT /F 20 Tf 20 300 Td (Seen) Tj ET';
  for (const [how, hidden] of [
    ['white on white', '1 g BT /F 20 Tf 20 200 Td (Secret) Tj ET'],
    ['all but white', '0.95 g BT /F 20 Tf 20 200 Td (Secret) Tj ET'],
    ['black on black', '0 g 0 150 400 100 re f BT /F 20 Tf 20 200 Td (Secret) Tj ET'],
    ['covered', 'BT /F 20 Tf 20 200 Td (Secret) Tj ET 1 g 0 150 400 100 re f'],
    ['tiny', 'BT /F 0.5 Tf 20 200 Td (Secret) Tj ET'],
    ['off the page', 'BT /F 20 Tf 20 -300 Td (Secret) Tj ET'],
    ['invisible', 'BT 3 Tr /F 20 Tf 20 200 Td (Secret) Tj ET'],
    ['invisible over letters that are seen', 'BT 3 Tr /F 20 Tf 20 300 Td (Wzwzwz) Tj ET'],
    ['clipped away', 'q 0 0 5 5 re W n BT /F 20 Tf 20 200 Td (Secret) Tj ET Q'],
  ] as const) {
    const { words, findings } = await wordsOf(show(`${seen} ${hidden}`));
    assert.equal(words, 'Seen', how);
    const told = findings.find(([code]) => code === 'hidden-text');
    assert.match(told?.[1] ?? '', /^6 characters/, how);
  }
});

test('letters in colour, on colour and on pictures are seen', async () => {
  for (const content of [
    '1 1 0 rg BT /F 20 Tf 20 200 Td (Seen) Tj ET',
    '0 0 1 rg 0 150 400 100 re f 1 g BT /F 20 Tf 20 200 Td (Seen) Tj ET',
    '0.5 g BT /F 6 Tf 20 200 Td (Seen) Tj ET',
  ]) {
    const { words, findings } = await wordsOf(show(content));
    assert.equal(words, 'Seen');
    assert.deepEqual(findings, []);
  }
});

test('what stands in form fields and annotations comes back, and what of them is not on paper does not', async () => {
  const font = '/Resources <</Font <</F 5 0 R>>>>';
  const shown = (text: string): string =>
    stream(`/Type /XObject /Subtype /Form /BBox [0 0 300 20] ${font}`, `BT /F 14 Tf 2 5 Td (${text}) Tj ET`);
  const field = '/Type /Annot /Subtype /Widget /FT /Tx /DA (/F 14 Tf 0 g) /F 4';
  const source = makePdf([
    '<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [6 0 R 7 0 R] /NeedAppearances true /DR <</Font <</F 5 0 R>>>> /DA (/F 14 Tf 0 g)>>>>',
    '<</Type /Pages /Count 1 /Kids [3 0 R]>>',
    `<</Type /Page /Parent 2 0 R /MediaBox [0 0 400 400] ${font} /Contents 4 0 R /Annots [6 0 R 7 0 R 9 0 R 11 0 R]>>`,
    stream('', 'BT /F 14 Tf 20 350 Td (Printed) Tj ET'),
    ...HELVETICA,
    `<<${field} /T (typed) /V (Typed) /Rect [20 300 320 320]>>`,
    `<<${field} /T (drawn) /V (Drawn) /Rect [20 250 320 270] /AP <</N 8 0 R>>>>`,
    shown('Drawn'),
    '<</Type /Annot /Subtype /FreeText /F 4 /Contents (Noted) /DA (/F 14 Tf 0 g) /Rect [20 200 320 220] /AP <</N 10 0 R>>>>',
    shown('Noted'),
    '<</Type /Annot /Subtype /FreeText /F 2 /Contents (Hidden) /DA (/F 14 Tf 0 g) /Rect [20 150 320 170] /AP <</N 12 0 R>>>>',
    shown('Hidden'),
  ]);
  const { pages, findings } = await layered(source);
  const runs = pages[0]?.text ?? [];
  const placed = runs.map(({ text, y }) => `${text.trim()} ${Math.round(y / 50) * 50}`);
  assert.deepEqual(placed.toSorted(), ['Drawn 250', 'Noted 200', 'Printed 350', 'Typed 300']);
  assert.ok(!findings.some(([code]) => code === 'hidden-text'));
});

test('words of a field that is not to be printed are drawn and found; a remark that is not is told', async () => {
  const font = '/Resources <</Font <</F 5 0 R>>>>';
  const shown = (text: string): string =>
    stream(`/Type /XObject /Subtype /Form /BBox [0 0 300 20] ${font}`, `BT /F 14 Tf 2 5 Td (${text}) Tj ET`);
  const remark = '/Type /Annot /Subtype /FreeText /DA (/F 14 Tf 0 g)';
  const source = makePdf([
    '<</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [6 0 R] /DR <</Font <</F 5 0 R>>>> /DA (/F 14 Tf 0 g)>>>>',
    '<</Type /Pages /Count 1 /Kids [3 0 R]>>',
    `<</Type /Page /Parent 2 0 R /MediaBox [0 0 400 400] ${font} /Contents 4 0 R /Annots [6 0 R 8 0 R 9 0 R 10 0 R]>>`,
    stream('', ''),
    ...HELVETICA,
    '<</Type /Annot /Subtype /Widget /FT /Tx /DA (/F 14 Tf 0 g) /T (typed) /V (Typed) /Rect [20 300 320 320] /AP <</N 7 0 R>>>>',
    shown('Typed'),
    `<<${remark} /Contents (Noted) /Rect [20 200 320 220] /AP <</N 7 0 R>>>>`,
    `<<${remark} /F 2 /Contents (Hidden) /Rect [20 150 320 170] /AP <</N 7 0 R>>>>`,
    `<<${remark} /F 4 /Contents (Drawn) /Rect [20 100 320 120] /AP <</N 11 0 R>>>>`,
    shown('Drawn'),
  ]);
  const { words, findings, losses } = await wordsOf(source);
  assert.equal(words, 'Typed|Drawn');
  assert.deepEqual(findings, []);
  assert.deepEqual(losses, [['not-printed', '1 annotations that are not to be printed']]);
});

test('the invisible letters of a scan are kept, and told to be unread', async () => {
  const image = stream(
    '/Type /XObject /Subtype /Image /Width 100 /Height 100 /ColorSpace /DeviceGray /BitsPerComponent 8',
    '\x00\xff'.repeat(5000),
  );
  const content = 'q 400 0 0 400 0 0 cm /I Do Q BT 3 Tr /F 20 Tf 20 200 Td (Scanned) Tj ET';
  const source = onePage('0 0 400 400', content, '/Font <</F 5 0 R>> /XObject <</I 6 0 R>>', [...HELVETICA, image]);
  const { words, findings } = await wordsOf(source);
  assert.equal(words, 'Scanned');
  assert.deepEqual(
    findings.map(([code]) => code),
    ['scan-text'],
  );
});

const STRIPES = stream(
  '/Type /XObject /Subtype /Image /Width 100 /Height 100 /ColorSpace /DeviceGray /BitsPerComponent 8',
  '\x00\xff'.repeat(5000),
);
/** A page with a striped picture of `side` points, invisible words on it, and `more`. */
function scanned(side: number, more: string): Buffer {
  const lines = [200, 170, 140].map((y) => `BT 3 Tr /F 20 Tf 20 ${y} Td (Scanned words) Tj ET`).join(' ');
  const content = `q ${side} 0 0 ${side} 0 100 cm /I Do Q ${lines} ${more}`;
  return onePage('0 0 400 600', content, '/Font <</F 5 0 R>> /XObject <</I 6 0 R>>', [...HELVETICA, STRIPES]);
}

test('a printed stamp beside a scan does not cost it its text', async () => {
  const { words, findings } = await wordsOf(scanned(400, 'BT 0 Tr /F 12 Tf 20 550 Td (Page 1) Tj ET'));
  assert.equal(words, 'Page |1 |Scanned |words|Scanned |words|Scanned |words');
  assert.deepEqual(
    findings.map(([code]) => code),
    ['scan-text'],
  );
});

test('invisible letters are hidden where they lie on seen ones, on no picture, and beside as many seen ones', async () => {
  const over = '1 g 0 190 400 40 re f 0 g BT 0 Tr /F 20 Tf 20 200 Td (Painted words) Tj ET';
  const covered = await wordsOf(scanned(400, over));
  assert.equal(covered.words, 'Painted |words|Scanned |words|Scanned |words');
  assert.deepEqual(
    covered.findings.map(([code]) => code),
    ['hidden-text', 'scan-text'],
  );
  const small = await wordsOf(scanned(200, 'BT 0 Tr /F 12 Tf 20 550 Td (Page 1) Tj ET'));
  assert.equal(small.words, 'Page |1 ');
  const seen = await wordsOf(scanned(400, 'BT 0 Tr /F 12 Tf 20 550 Td (A letter with words of its own) Tj ET'));
  assert.match(seen.words, /^A |letter/);
  assert.doesNotMatch(seen.words, /Scanned/);
});

test('text without its font has its layer all the same', async () => {
  const font = '<</Type /Font /Subtype /Type0 /BaseFont /MS-Mincho /Encoding /90ms-RKSJ-H /DescendantFonts [6 0 R]>>';
  const cid =
    '<</Type /Font /Subtype /CIDFontType2 /BaseFont /MS-Mincho /CIDSystemInfo <</Registry (Adobe) /Ordering (Japan1) /Supplement 2>> /DW 1000 /FontDescriptor 7 0 R>>';
  const descriptor =
    '<</Type /FontDescriptor /FontName /MS-Mincho /Flags 6 /FontBBox [0 -136 1000 859] /ItalicAngle 0 /Ascent 859 /Descent -140 /CapHeight 769 /StemV 78>>';
  // 市役所 御中 2026, in Shift_JIS.
  const content = 'BT /F 14 Tf 20 200 Td <8e7396f08f8a208ce49286> Tj 0 -30 Td <32303236> Tj ET';
  const { file } = await layered(onePage('0 0 400 400', content, '/Font <</F 5 0 R>>', [font, cid, descriptor]));
  await assertReadable(file, ['市役所', '御中', '2026']);
});

/** A page of one line in a font that is not embedded, written in UTF-16. */
function without(name: string, encoding: string, ordering: string, text: string): Buffer {
  const hex = Buffer.from(text, 'utf16le').swap16().toString('hex');
  return unembedded(name, encoding, ordering, `BT /F 14 Tf 20 200 Td <${hex}> Tj ET`);
}

/** A page in a font that is not embedded, by its operators. */
function unembedded(name: string, encoding: string, ordering: string, content: string): Buffer {
  return onePage('0 0 400 400', content, '/Font <</F 5 0 R>>', [
    `<</Type /Font /Subtype /Type0 /BaseFont /${name} /Encoding /${encoding} /DescendantFonts [6 0 R]>>`,
    `<</Type /Font /Subtype /CIDFontType2 /BaseFont /${name} /CIDSystemInfo <</Registry (Adobe) /Ordering (${ordering}) /Supplement 2>> /DW 1000 /FontDescriptor 7 0 R>>`,
    `<</Type /FontDescriptor /FontName /${name} /Flags 6 /FontBBox [0 -136 1000 859] /ItalicAngle 0 /Ascent 859 /Descent -140 /CapHeight 769 /StemV 78>>`,
  ]);
}

for (const [name, encoding, ordering, text] of [
  ['Batang', 'UniKS-UCS2-H', 'Korea1', '김영희 漢字 대한민국'],
  ['Dotum', 'UniKS-UTF16-H', 'Korea1', '김영희 漢字 대한민국'],
  ['SimHei', 'UniGB-UTF16-H', 'GB1', '北京市东城区'],
  ['PMingLiU', 'UniCNS-UTF16-H', 'CNS1', '臺北市陳麗的'],
  ['MS-Mincho', 'UniJIS-UTF16-H', 'Japan1', '𠮷野𩸽'],
  ['MS-Gothic', 'UniJIS-UTF16-V', 'Japan1', '𠮷野𩸽鷗'],
] as const) {
  test(`words of a font that is not embedded are drawn and found: ${name}`, async () => {
    const { words, findings, losses } = await wordsOf(without(name, encoding, ordering, text));
    assert.equal(words.replaceAll(/[| ]/g, ''), text.replaceAll(' ', ''));
    assert.deepEqual(findings, []);
    assert.ok(!losses.some(([code]) => code === 'glyph-missing'));
  });
}

test('letters that a Latin font lacks are drawn from another', async () => {
  const greek = '/Encoding <</BaseEncoding /WinAnsiEncoding /Differences [65 /Alpha /afii10017]>>';
  const font = `<</Type /Font /Subtype /TrueType /BaseFont /Arial ${greek}>>`;
  const source = onePage('0 0 400 400', 'BT /F 20 Tf 20 200 Td (AB) Tj ET', '/Font <</F 5 0 R>>', [font]);
  const { words, findings } = await wordsOf(source);
  assert.equal(words.replaceAll(/[| ]/g, ''), 'ΑА');
  assert.deepEqual(findings, []);
});

for (const [name, encoding, ordering, text, seen, lost] of [
  ['SimSun', 'UniGB-UCS2-H', 'GB1', '张伟东们中', '中', '张伟东们'],
  ['MS-Mincho', 'UniJIS-UTF16-H', 'Japan1', '𠀀野𪚥', '野', '𠀀𪚥'],
  ['MS-Gothic', 'UniJIS-UTF16-H', 'Japan1', '𠀀野𪚥鷗', '野鷗', '𠀀𪚥'],
] as const) {
  test(`letters that no font of ours has are told by name, and not called hidden: ${name}`, async () => {
    const { words, findings, losses } = await wordsOf(without(name, encoding, ordering, text));
    assert.equal(words.replaceAll(/[| ]/g, ''), seen);
    assert.deepEqual(findings, []);
    assert.deepEqual(
      losses.find(([code]) => code === 'glyph-missing'),
      ['glyph-missing', lost],
    );
  });
}

test('white letters that stand-ins are asked for one by one are counted, though the engine takes memory meanwhile', async () => {
  const letters = Array.from({ length: 6000 }, (_, i) => String.fromCharCode(0x4e00 + i));
  const lines = Array.from({ length: 60 }, (_, row) => letters.slice(100 * row, 100 * row + 100).join(''));
  const shown = (line: string): string => `0 -3 Td <${Buffer.from(line, 'utf16le').swap16().toString('hex')}> Tj`;
  const { words, findings } = await wordsOf(
    unembedded('MS-Mincho', 'UniJIS-UTF16-H', 'Japan1', `1 g BT /F 3 Tf 20 390 Td ${lines.map(shown).join(' ')} ET`),
  );
  assert.equal(words, '');
  assert.match(String(findings.find(([code]) => code === 'hidden-text')?.[1]), /^\d{4} characters/);
});

test('radicals that a font put where characters are meant are found as these', () => {
  for (const [radicals, meant] of [
    ['⻑谷川', '長谷川'],
    ['⼭⽥', '山田'],
    ['⻘⽊', '青木'],
    ['⻄⺠⻝⻁⺟', '西民食虎母'],
    ['⺀⺚a長', '⺀⺚a長'],
  ] as const)
    assert.equal(Array.from(radicals).map(unified).join(''), meant);
});

test('a page of text in a bomb of characters is bounded, and told to be cut', async () => {
  const line = `(${'a'.repeat(2000)}) Tj `;
  const { pages, losses } = await layered(show(`BT /F 5 Tf 20 200 Td ${line.repeat(100)} ET`));
  assert.equal(pages.length, 1);
  assert.deepEqual(
    losses.map(([code]) => code),
    ['text-cut'],
  );
});

test('runs beyond those that one frame holds, or a page may have, are left', () => {
  const run = { text: 'a', x: 0, y: 0, dx: 1, dy: 0, size: 1 };
  const several = (count: number, text: string): Run[] => Array.from({ length: count }, () => ({ ...run, text }));
  const few = several(3, 'a');
  assert.equal(runsInFrame(few), few);
  assert.equal(runsInFrame(several(LIMITS.pageRuns + 1, 'a')).length, LIMITS.pageRuns);
  const long = runsInFrame(several(10_000, 'a'.repeat(200)));
  const frame = fieldsFrame(FRAME.runs, [
    long.length,
    ...long.flatMap((each): Field[] => [each.text, ...place(each.x, each.y, each.dx, each.dy, each.size)]),
  ]);
  assert.ok(frame.length <= LIMITS.frameBytes + 6 && frame.length > LIMITS.frameBytes - 300, `${frame.length}`);
});

const runsPayload = (runs: readonly Field[][]): Buffer =>
  fieldsFrame(FRAME.runs, [runs.length, ...runs.flat()]).subarray(6);
const place = (...numbers: number[]): Field[] => numbers.map((f64) => ({ f64 }));

for (const [lie, payload] of [
  ['a number that is none', runsPayload([['a', ...place(Number.NaN, 0, 1, 0, 1)]])],
  ['an endless place', runsPayload([['a', ...place(0, Number.POSITIVE_INFINITY, 1, 0, 1)]])],
  ['no length', runsPayload([['a', ...place(0, 0, 0, 0, 1)]])],
  ['no size', runsPayload([['a', ...place(0, 0, 1, 0, 0)]])],
  ['a size below nothing', runsPayload([['a', ...place(0, 0, 1, 0, -5)]])],
  ['no characters', runsPayload([['', ...place(0, 0, 1, 0, 1)]])],
  ['a control character', runsPayload([['a\u0000b', ...place(0, 0, 1, 0, 1)]])],
  ['a line end', runsPayload([['a\nb', ...place(0, 0, 1, 0, 1)]])],
  ['letters turned around', runsPayload([['a\u202Eb', ...place(0, 0, 1, 0, 1)]])],
  ['a character of no width', runsPayload([['a\u200Bb', ...place(0, 0, 1, 0, 1)]])],
  ['private characters', runsPayload([['\uE000', ...place(0, 0, 1, 0, 1)]])],
  ['fewer runs than it says', fieldsFrame(FRAME.runs, [2, 'a', ...place(0, 0, 1, 0, 1)]).subarray(6)],
  ['bytes behind the last run', Buffer.concat([runsPayload([['a', ...place(0, 0, 1, 0, 1)]]), Buffer.alloc(1)])],
] as const) {
  test(`a child whose text has ${lie} is caught`, () => {
    assert.throws(() => readRuns(payload), WireError);
  });
}

test('letters of a million points, which have no place on the page, cost it nothing', async () => {
  const { pages } = await layered(show('BT /F 20 Tf 20 300 Td (Seen) Tj /F 2000000 Tf (Huge) Tj ET'));
  assert.equal(pages.length, 1);
  assert.ok(pages[0]?.text.some((run) => run.text === 'Seen'));
});
