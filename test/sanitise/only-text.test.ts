// A document asked for as its words: all that stands on its pages is given, however small, and whoever put it there.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { LIMITS } from '../../src/message/limits.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { builtInPolicy } from '../../src/policy/policy.ts';
import { FRAME, WireError } from '../../src/sandbox/wire.ts';
import { convertToText } from '../../src/sanitise/only-text.ts';
import { openPools } from '../../src/sanitise/pools.ts';
import { Tools } from '../../src/sanitise/tools.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { printHtml } from '../support/chromium-print.ts';
import { makePdf, onePage, stream } from '../support/make-pdf.ts';
import { scratch } from '../support/scratch.ts';
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

/** Seven pages, a line of text on the odd ones, on the others a square that might be a picture of some. */
function half(): Buffer {
  const kids = Array.from({ length: 7 }, (_, i) => `${4 + 2 * i} 0 R`).join(' ');
  return makePdf([
    '<</Type /Catalog /Pages 2 0 R>>',
    `<</Type /Pages /Count 7 /Kids [${kids}]>>`,
    ...HELVETICA,
    ...Array.from({ length: 7 }, (_, i) => [
      `<</Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Resources <</Font <</F 3 0 R>>>> /Contents ${5 + 2 * i} 0 R>>`,
      stream('', i % 2 === 0 ? `BT /F 20 Tf 20 40 Td (Page ${i + 1}) Tj ET` : '50 50 90 90 re f'),
    ]).flat(),
  ]);
}

for (const [name, given] of [
  ['not a page', 0],
  ['only the first page', 1],
] as const) {
  test(`words that were found stay where the pages cannot be drawn anew to be read: ${name}`, async () => {
    await using folder = await scratch();
    const store = await openFsStore(folder.path);
    const pools = await openPools(1, () => undefined);
    try {
      const begin = (cap: number) => store.begin(cap);
      const shared = { pools: pools.pools, policy: builtInPolicy(), metrics: openMetrics(false), passwords: [], begin };
      const tools = new Tools(shared, new AbortController().signal);
      const run = tools.run.bind(tools);
      let left: number = given;
      tools.run = async (leaf, ask, onChild) =>
        run(leaf, ask, (child) => {
          const take = onChild(child);
          return (frame) => {
            if (ask.dpi === LIMITS.sharpDpi && frame.type === FRAME.page && left-- <= 0) throw new WireError('no page');
            return take(frame);
          };
        });
      const writer = store.begin(1 << 20);
      await writer.write(half());
      const leaf = { path: '1', depth: 0, name: 'half.pdf', declaredType: '', content: writer.finish() };
      const { verdict, outputs, findings, losses } = await convertToText(leaf, 'application/pdf', 'text', tools);
      assert.equal(verdict, 'text');
      const [content] = outputs.map((output) => output.content);
      assert.ok(content !== undefined && 'open' in content);
      let text = '';
      for await (const chunk of content.open()) text += Buffer.from(chunk).toString();
      assert.deepEqual(text.match(/Page \d/g), ['Page 1', 'Page 3', 'Page 5', 'Page 7']);
      assert.deepEqual({ findings, losses }, { findings: [], losses: [{ code: 'ocr-failed', detail: '3 pages' }] });
    } finally {
      await pools.close();
    }
  });
}
