// Office documents through both engines, in the jail: the one of the system, and the one in WebAssembly.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FRAME } from '../../src/sandbox/wire.ts';
import { drive, type Drive } from '../support/drive-worker.ts';
import { docx, paragraph } from '../support/office-files.ts';
import { scratch } from '../support/scratch.ts';

const MS = 240_000;

/** The PDF that a child answered with. */
function pdfOf({ frames }: Drive): Buffer {
  return Buffer.concat(frames.filter(({ type }) => type === FRAME.bytes).map(({ payload }) => payload));
}

async function textOfPdf(pdf: Buffer): Promise<string> {
  await using folder = await scratch();
  const file = join(folder.path, 'a.pdf');
  writeFileSync(file, pdf);
  return execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8' });
}

async function fontsOfPdf(pdf: Buffer): Promise<string> {
  await using folder = await scratch();
  const file = join(folder.path, 'a.pdf');
  writeFileSync(file, pdf);
  return execFileSync('pdffonts', [file], { encoding: 'utf8' });
}

for (const family of ['office', 'office-wasm'] as const) {
  describe(family, () => {
    it('draws a Japanese document with the fonts that stand in for those of an office', { timeout: MS }, async () => {
      const face = (name: string): string => `<w:rFonts w:ascii="${name}" w:hAnsi="${name}" w:eastAsia="${name}"/>`;
      const body = [
        paragraph('令和８年度　申請書', face('ＭＳ 明朝')),
        paragraph('氏名　𠮷田　太郎　㍻ ①㈱ 髙﨑', face('ＭＳ ゴシック')),
        paragraph('住所　鹿島市', face('ＭＳ Ｐゴシック')),
      ].join('');
      const result = await drive(family, docx(body), {}, MS);
      assert.equal(result.outcome.kind, 'done', JSON.stringify(result.outcome));
      const pdf = pdfOf(result);
      const text = await textOfPdf(pdf);
      for (const word of ['令和８年度', '申請書', '𠮷田', '太郎', '髙﨑', '鹿島市'])
        assert.ok(text.includes(word), `${word} in ${text}`);
      const fonts = await fontsOfPdf(pdf);
      for (const font of ['BIZUDMincho', 'BIZUDGothic', 'BIZUDPGothic', 'NotoSans(?:JP|CJKjp)'])
        assert.match(fonts, new RegExp(font));
    });

    it('refuses what is no office document, instead of showing its bytes as text', { timeout: MS }, async () => {
      const { outcome } = await drive(family, Buffer.from('PK\x03\x04 nothing of the kind '.repeat(2000)), {}, MS);
      assert.ok(outcome.kind === 'refused' && /damaged|unsupported-type/.test(outcome.reason), JSON.stringify(outcome));
    });
  });
}
