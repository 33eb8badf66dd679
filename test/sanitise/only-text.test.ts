// A document asked for as its words: all that stands on its pages is given, however small, and whoever put it there.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { printHtml } from '../support/chromium-print.ts';
import { onePage } from '../support/make-pdf.ts';
import { openSanitiser, type Sanitiser } from '../support/sanitiser.ts';

const HELVETICA = ['<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>'];

let words: Sanitiser;

before(async () => {
  words = await openSanitiser({ only: { as: 'text', part: '1' } }, 1);
});
after(async () => {
  await words[Symbol.asyncDispose]();
});

/** A scan of a printed page, with a line that a fax machine set on it. */
async function faxOf(html: string, head: string): Promise<Buffer> {
  await using plain = await openSanitiser({ policy: { ...builtInPolicy(), textLayer: false } }, 1);
  const { files } = await plain.file('scan.pdf', printHtml(html, 'body { font-size: 12pt }'));
  const [scan] = files.values();
  assert.ok(scan !== undefined);
  const pdf = await PDFDocument.load(scan);
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  const page = pdf.getPage(0);
  page.drawText(head, { x: 60, y: page.getHeight() - 30, size: 10, font });
  return Buffer.from(await pdf.save());
}

test('a scan with one printed line is read, and the line is there once', async () => {
  const fax = await faxOf('<p>令和八年度避難所運営訓練の実施について</p>', 'FAX 03-1234-5678');
  const { parts, files } = await words.file('fax.pdf', fax);
  const [text] = files.values();
  const found = String(text).replaceAll(/[^\S\n]/g, '');
  assert.match(found, /避難所運営訓練/);
  assert.equal(found.split('03-1234-5678').length, 2, found);
  assert.deepEqual(
    parts[0]?.findings.map(({ code }) => code),
    ['ocr-text'],
  );
});

test('small print is among the words, and is not called hidden', async () => {
  const sizes = [12, 5, 4, 3, 2];
  const lines = sizes.map((size, i) => `BT /F ${size} Tf 20 ${300 - 40 * i} Td (Clause of ${size} points) Tj ET`);
  const source = onePage('0 0 595 842', lines.join('\n'), '/Font <</F 5 0 R>>', HELVETICA);
  const { parts, files } = await words.file('small.pdf', source);
  const [text] = files.values();
  assert.deepEqual(
    String(text).trim().split('\n'),
    sizes.map((size) => `Clause of ${size} points`),
  );
  assert.deepEqual(parts[0]?.findings, []);
});
