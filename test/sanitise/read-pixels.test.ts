// Scans are read from their pixels where the policy says so: what is found can be searched, where it stands, and is told.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { lineRuns } from '../../workers/ocr-runs.ts';
import { printHtml } from '../support/chromium-print.ts';
import { likeness } from '../support/likeness.ts';
import { readText } from '../support/page-text.ts';
import { openSanitiser, type Sanitiser } from '../support/sanitiser.ts';

const LINES = [
  '令和八年度避難所運営訓練の実施について',
  '平素より市政の推進に御協力をいただき、厚く御礼申し上げます。',
  '下記のとおり実施いたしますので、御出席くださいますようお願い申し上げます。',
  '鹿嶋市役所第二庁舎三階大会議室において開催します。',
  '担当は総務部危機管理課、電話は 0299-82-2911 です。',
];

let plain: Sanitiser;
let reading: Sanitiser;
let scan: Buffer;

before(async () => {
  const builtIn = builtInPolicy();
  plain = await openSanitiser({ policy: { ...builtIn, textLayer: false } }, 1);
  reading = await openSanitiser({ policy: { ...builtIn, ocr: true } }, 1);
  // The printed page as a picture of itself is what a scanner would have made.
  const printed = printHtml(LINES.map((line) => `<p>${line}</p>`).join(''), 'body { font-size: 12pt }');
  scan = await onlyFile(plain, printed);
});
after(async () => {
  await plain[Symbol.asyncDispose]();
  await reading[Symbol.asyncDispose]();
});

async function onlyFile(sanitiser: Sanitiser, source: Buffer): Promise<Buffer> {
  const { files } = await sanitiser.file('scan.pdf', source);
  const [file] = files.values();
  assert.ok(file !== undefined && files.size === 1);
  return file;
}

test('a scan has no text where it is not read', async () => {
  const { parts, files } = await plain.file('scan.pdf', scan);
  assert.deepEqual(
    parts.map(({ verdict, findings }) => [verdict, findings]),
    [['pages', []]],
  );
  const [file] = files.values();
  assert.ok(file !== undefined);
  for (const text of Object.values(await readText(file))) assert.equal(text.trim(), '');
});

test('a scan that is read can be searched, and the reader knows where its text is from', async () => {
  const { parts, files } = await reading.file('scan.pdf', scan);
  assert.deepEqual(
    parts.map(({ findings, losses }) => [findings, losses]),
    [[[{ code: 'ocr-text', detail: '1 pages' }], []]],
  );
  const [file] = files.values();
  assert.ok(file !== undefined);
  for (const [reader, text] of Object.entries(await readText(file))) {
    const share = likeness(LINES.join(''), text);
    assert.ok(share > 0.95, `${reader} finds ${(100 * share).toFixed(1)} %: ${text}`);
  }
});

test('a page with text of its own is not read, a white one neither', async () => {
  const words = await reading.file('own.pdf', printHtml(`<p>${LINES[0] ?? ''}</p>`));
  assert.deepEqual(words.parts[0]?.findings, []);
  const white = await reading.file('white.pdf', printHtml('<p>&nbsp;</p>'));
  assert.deepEqual(white.parts[0]?.findings, []);
});

test('a line becomes runs between its wide gaps; what the engine doubts is left out', () => {
  const word = (text: string, x0: number, x1: number, confidence = 90) => ({
    text,
    confidence,
    bbox: { x0, y0: 80, x1, y1: 100 },
  });
  const words = [word('大野', 10, 50), word('地区', 50, 90), word('1,284', 200, 260), word('##', 262, 300, 12)];
  const line = { bbox: { x0: 10, y0: 80, x1: 300, y1: 100 }, text: '大野地区  1,284 ##\n', words };
  assert.deepEqual(
    lineRuns(line, 200).map(({ text, x, dx, dy, size }) => ({ text, x, dx, dy, size })),
    [
      { text: '大野地区', x: 10, dx: 80, dy: 0, size: 20 },
      { text: '1,284', x: 200, dx: 60, dy: 0, size: 20 },
    ],
  );
  const spoken = [word('at', 10, 30), word('noon', 40, 80)];
  const latin = { bbox: { x0: 10, y0: 80, x1: 80, y1: 100 }, text: 'at noon\n', words: spoken };
  assert.deepEqual(
    lineRuns(latin, 200).map(({ text }) => text),
    ['at noon'],
  );
});
