// Golden pixels of Japanese writing through both office engines: vertical lines, ruby, a variant of a letter (IVS), 𠮷, ㍻, 髙﨑; and
// the widths of the fonts that stand in for ＭＳ ゴシック and ＭＳ 明朝.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { FRAME } from '../../src/sandbox/wire.ts';
import { PageCollector, type RasterPage } from '../../src/sandbox/raster-page.ts';
import { rawOf } from '../../src/sanitise/picture.ts';
import { drive } from '../support/drive-worker.ts';
import { docx, paragraph } from '../support/office-files.ts';
import { scratch } from '../support/scratch.ts';

const MS = 500_000;
const GOLDEN = new URL('../golden/', import.meta.url);
/** Difference of blurred ink that another build of an engine or a font may bring. */
const TOLERANCE = 0.25;

const face = (name: string, more = ''): string =>
  `<w:rFonts w:ascii="${name}" w:hAnsi="${name}" w:eastAsia="${name}"/>${more}`;
const ruby = (base: string, reading: string): string =>
  `<w:p><w:r><w:ruby><w:rubyPr><w:rubyAlign w:val="distributeSpace"/><w:hps w:val="12"/><w:hpsRaise w:val="22"/><w:hpsBaseText w:val="24"/><w:lid w:val="ja-JP"/></w:rubyPr><w:rt><w:r><w:rPr>${face('ＭＳ 明朝', '<w:sz w:val="12"/>')}</w:rPr><w:t>${reading}</w:t></w:r></w:rt><w:rubyBase><w:r><w:rPr>${face('ＭＳ 明朝', '<w:sz w:val="24"/>')}</w:rPr><w:t>${base}</w:t></w:r></w:rubyBase></w:ruby></w:r></w:p>`;
const large = '<w:sz w:val="28"/>';
const CASES: Readonly<Record<string, Buffer>> = {
  'office-letters': docx(
    [
      paragraph('𠮷田 髙﨑 ㍻㈱① 葛\u{E0100}葛 ｶﾅ', face('ＭＳ 明朝', large)),
      paragraph('鹿島市（令和８年）ー「、。」', face('ＭＳ ゴシック', large)),
      ruby('稟議', 'りんぎ'),
    ].join(''),
  ),
  'office-vertical': docx(
    `${paragraph('縦書きの「文書」、ー（括弧）。', face('ＭＳ 明朝', large))}<w:p><w:pPr><w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:textDirection w:val="tbRl"/></w:sectPr></w:pPr></w:p>`,
  ),
};

async function pdfBy(family: 'office' | 'office-wasm', document: Buffer): Promise<Buffer> {
  const { outcome, frames } = await drive(family, document, {}, MS);
  assert.equal(outcome.kind, 'done', JSON.stringify(outcome));
  return Buffer.concat(frames.filter(({ type }) => type === FRAME.bytes).map(({ payload }) => payload));
}

/** The ink of the first page in grey, a little blurred: a hair's breadth is no difference. */
async function inkOf(pdf: Buffer): Promise<Buffer> {
  const { frames } = await drive('pdf', pdf, { dpi: 100 }, MS);
  let first: RasterPage | undefined;
  const collector = new PageCollector((page) => void (first ??= page));
  for (const frame of frames) await collector.take(frame);
  assert.ok(first !== undefined, 'no page');
  const { width, height, channels, pixels } = rawOf(first);
  return sharp(pixels, { raw: { width, height, channels } })
    .greyscale()
    .trim({ background: '#fff', threshold: 40 })
    .png()
    .toBuffer();
}

async function blurred(png: Buffer, width: number, height: number): Promise<Buffer> {
  return sharp(png)
    .resize({ width, height, fit: 'contain', position: 'left top', background: '#fff' })
    .greyscale()
    .blur(1.5)
    .raw()
    .toBuffer();
}

for (const family of ['office', 'office-wasm'] as const) {
  describe(`${family}: Japanese writing`, () => {
    for (const [name, document] of Object.entries(CASES))
      it(`${name} is drawn as in its golden picture`, { timeout: MS }, async () => {
        const actual = await inkOf(await pdfBy(family, document));
        const path = new URL(`${name}.png`, GOLDEN);
        if (process.env['MUGAI_GOLDEN'] === 'write' && family === 'office') writeFileSync(path, actual);
        assert.ok(existsSync(path), 'no golden picture');
        const golden = readFileSync(path);
        const [a, b] = [await sharp(actual).metadata(), await sharp(golden).metadata()];
        const near = (x: number, y: number): boolean => Math.abs(x - y) <= 3 + y * 0.03;
        assert.ok(
          near(a.width, b.width) && near(a.height, b.height),
          `${a.width} × ${a.height}, not ${b.width} × ${b.height}`,
        );
        const [x, y] = [await blurred(actual, b.width, b.height), await blurred(golden, b.width, b.height)];
        let difference = 0;
        let ink = 0;
        for (let i = 0; i < y.length; i++) {
          ink += 255 - (y[i] ?? 0);
          difference += Math.abs((x[i] ?? 0) - (y[i] ?? 0));
        }
        if (difference / ink <= TOLERANCE) return;
        const folder = join(tmpdir(), 'mugai-golden');
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, `${family}-${name}.actual.png`), actual);
        writeFileSync(join(folder, `${family}-${name}.expected.png`), golden);
        assert.fail(`${name} differs by ${(difference / ink).toFixed(2)} of its ink; both lie in ${folder}`);
      });

    it('a variant of a letter (IVS) is drawn as that variant, not as the letter', { timeout: MS }, async () => {
      const line = async (text: string): Promise<Buffer> =>
        inkOf(await pdfBy(family, docx(paragraph(text, face('ＭＳ 明朝', '<w:sz w:val="144"/>')))));
      const plain = await line('葛');
      const { width, height } = await sharp(plain).metadata();
      const difference = async (other: Buffer): Promise<number> => {
        const [a, b] = [await blurred(plain, width, height), await blurred(other, width, height)];
        const ink = a.reduce((sum, value) => sum + 255 - value, 0);
        return a.reduce((sum, value, at) => sum + Math.abs(value - (b[at] ?? 0)), 0) / ink;
      };
      const variant = await difference(await line('葛\u{E0100}'));
      const same = await difference(await line('葛\u{E0101}')); // the form that the font has anyway
      assert.ok(variant > 0.1, `differs by ${variant.toFixed(3)} of its ink only`);
      assert.ok(same < 0.02, `differs by ${same.toFixed(3)} of its ink`);
    });

    it(
      'a full-width letter of ＭＳ ゴシック and ＭＳ 明朝 is as wide as two half-width ones',
      { timeout: MS },
      async () => {
        const size = '<w:sz w:val="24"/>'; // 12 points
        const lines = ['ＭＳ ゴシック', 'ＭＳ 明朝'].flatMap((name) => [
          paragraph('鹿島市役所総務課情報', face(name, size)),
          paragraph('ABCDEFGHIJKLMNOPQRST', face(name, size)),
        ]);
        const pdf = await pdfBy(family, docx(lines.join('')));
        await using folder = await scratch();
        writeFileSync(join(folder.path, 'a.pdf'), pdf);
        const boxes = execFileSync('pdftotext', ['-bbox', join(folder.path, 'a.pdf'), '-'], { encoding: 'utf8' });
        const widths = [...boxes.matchAll(/<word xMin="([\d.]+)" yMin="[\d.]+" xMax="([\d.]+)"/g)].map(
          ([, from, to]) => Number(to) - Number(from),
        );
        assert.equal(widths.length, 4, boxes);
        for (const width of widths) assert.ok(Math.abs(width - 120) < 1.5, `${width} points, not 120`);
      },
    );
  });
}
