// Office documents through both engines, in the jail: the one of the system, and the one in WebAssembly.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FRAME, OPERATION } from '../../src/sandbox/wire.ts';
import { corpus } from '../support/attack-row.ts';
import { drive, remarksOf, type Drive } from '../support/drive-worker.ts';
import { docx, paragraph, sheetData, xlsx, zipOf } from '../support/office-files.ts';
import { scratch } from '../support/scratch.ts';

const MS = 500_000;

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

    it('draws a letter that has workbooks, drawings and comments in it as a letter', { timeout: MS }, async () => {
      const result = await drive(family, await corpus('office/poi/document-WordWithAttachments.docx'), {}, MS);
      assert.equal(result.outcome.kind, 'done', JSON.stringify(result.outcome));
      const text = await textOfPdf(pdfOf(result));
      for (const word of ['Русский', 'English', 'жадвўал', '789']) assert.ok(text.includes(word), `${word} in ${text}`);
      assert.ok(remarksOf(result.frames, FRAME.finding).some(([code]) => code === 'embedded-object'));
      assert.ok(remarksOf(result.frames, FRAME.loss).some(([code]) => code === 'comments'));
    });

    it('draws a wide sheet without a lost column or row, and not the one stray cell', { timeout: MS }, async () => {
      const rows = Array.from({ length: 120 }, (_, y) => Array.from(Array(40).keys(), (x) => `r${y}c${x}`));
      const stray = sheetData(rows).replace(
        '</sheetData>',
        '<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>',
      );
      const book = xlsx([
        { name: '名簿', xml: stray },
        { name: '秘', xml: sheetData([['hidden value']]), state: 'hidden' },
      ]);
      const result = await drive(family, book, {}, MS);
      assert.equal(result.outcome.kind, 'done', JSON.stringify(result.outcome));
      const text = await textOfPdf(pdfOf(result));
      assert.ok((text.match(/\f/g) ?? []).length <= 3, 'no page for each few columns');
      const words = new Set(text.split(/\s+/));
      const lost = rows.flat().filter((value) => !words.has(value));
      assert.deepEqual(lost, []);
      assert.ok(!text.includes('hidden value'));
      assert.deepEqual(remarksOf(result.frames, FRAME.loss), [['hidden-sheet', '秘']]);
    });

    it('never sees macros, objects, links and fields that load', { timeout: MS }, async () => {
      const field =
        '<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>DDEAUTO c:\\\\windows cmd</w:instrText><w:fldChar w:fldCharType="end"/></w:r></w:p>';
      const bytes = docx(
        `${paragraph('本文です')}${field}<w:p><w:r><w:object><o:OLEObject xmlns:o="urn:x" r:id="r2"/></w:object></w:r></w:p>`,
        [
          { id: 'r2', type: 'oleObject', target: 'embeddings/evil.bin' },
          { id: 'r3', type: 'attachedTemplate', target: 'http://203.0.113.5/evil.dotm', external: true },
          { id: 'r4', type: 'image', target: 'http://203.0.113.5/pixel.png', external: true },
          {
            id: 'r5',
            type: 'http://schemas.microsoft.com/office/2006/relationships/vbaProject',
            target: 'vbaProject.bin',
          },
        ],
        { 'word/embeddings/evil.bin': 'MZ', 'word/vbaProject.bin': 'Attribute VB_Name' },
      );
      const result = await drive(family, bytes, {}, MS);
      assert.equal(result.outcome.kind, 'done', JSON.stringify(result.outcome));
      assert.match(await textOfPdf(pdfOf(result)), /本文です/);
      const codes = remarksOf(result.frames, FRAME.finding).map(([code]) => code);
      for (const code of ['macro', 'embedded-object', 'remote-template', 'external-link', 'dde'])
        assert.ok(codes.includes(code), `${code} in ${codes.join()}`);
    });

    it(
      'tells the values of every sheet that is shown as CSV, in the order of the sheets',
      { timeout: MS },
      async () => {
        const rows = [
          ['款', '金額'],
          ['総務費', 12345],
          ['a,b', '"引用"'],
        ];
        const book = xlsx([
          { name: '予算', xml: sheetData(rows) },
          { name: 'B', xml: sheetData([['次の表']]) },
          { name: '秘', xml: sheetData([['hidden value']]), state: 'hidden' },
          { name: 'A', xml: sheetData([['最後の表', -7]]) },
        ]);
        const { outcome, frames } = await drive(family, book, { operation: OPERATION.values }, MS);
        assert.equal(outcome.kind, 'done', JSON.stringify(outcome));
        const sheets: string[] = [];
        for (const { type, payload } of frames) {
          if (type === FRAME.part) sheets.push('');
          if (type === FRAME.bytes) sheets.push((sheets.pop() ?? '') + payload.toString('utf8'));
        }
        assert.deepEqual(sheets, ['款,金額\n総務費,12345\n"a,b","""引用"""\n', '次の表\n', '最後の表,-7\n']);
        const none = await drive(family, docx(paragraph('本文')), { operation: OPERATION.values }, MS);
        assert.equal(none.outcome.kind === 'refused' && none.outcome.reason, 'unsupported-type');
      },
    );

    it('opens a file of Office 97 whose streams are named in capitals', { timeout: MS }, async () => {
      for (const [path, stream, words] of [
        ['office/poi/document-SampleDoc.doc', 'WordDocument', /I am a test document/],
        ['office/poi/spreadsheet-SampleSS.xls', 'Workbook', /Test spreadsheet/],
      ] as const) {
        const bytes = Buffer.from(await corpus(path));
        const at = bytes.indexOf(Buffer.from(`${stream}\0`, 'utf16le'));
        bytes.write(stream.toUpperCase(), at, 'utf16le');
        const result = await drive(family, bytes, {}, MS);
        assert.equal(result.outcome.kind, 'done', JSON.stringify(result.outcome));
        assert.match(await textOfPdf(pdfOf(result)), words);
      }
    });

    it('opens documents of OpenOffice.org 1, without their scripts', { timeout: MS }, async () => {
      const space = (name: string): string => `xmlns:${name}="http://openoffice.org/2000/${name}"`;
      const content = (scripts: string): string =>
        `<?xml version="1.0"?><!DOCTYPE office:document-content PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "office.dtd"><office:document-content ${['office', 'table', 'text', 'script'].map(space).join(' ')} office:class="spreadsheet" office:version="1.0">${scripts}<office:body><table:table table:name="予算"><table:table-row><table:table-cell><text:p>総務費の計</text:p></table:table-cell></table:table-row></table:table></office:body></office:document-content>`;
      const sheet = (scripts: string): Buffer =>
        zipOf({ mimetype: 'application/vnd.sun.xml.calc', 'content.xml': content(scripts) });
      const script = '<office:script><script:library-embedded script:name="x"/></office:script>';
      for (const [bytes, words, findings] of [
        [await corpus('office/tika/testStarOffice-6.0-writer.sxw'), /Example Text/, []],
        [sheet('<office:script/>'), /総務費の計/, []],
        [sheet(script), /総務費の計/, [['macro', '']]],
      ] as const) {
        const result = await drive(family, bytes, {}, MS);
        assert.equal(result.outcome.kind, 'done', JSON.stringify(result.outcome));
        assert.match(await textOfPdf(pdfOf(result)), words);
        assert.deepEqual(remarksOf(result.frames, FRAME.finding), findings);
      }
    });

    it('refuses what is no office document, instead of showing its bytes as text', { timeout: MS }, async () => {
      const { outcome } = await drive(family, Buffer.from('PK\x03\x04 nothing of the kind '.repeat(2000)), {}, MS);
      assert.ok(outcome.kind === 'refused' && /damaged|unsupported-type/.test(outcome.reason), JSON.stringify(outcome));
    });
  });
}
