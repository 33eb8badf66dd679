// Tables on paper: every cell is there, formulas are text, and what is cut off is told on a page of its own.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { strFromU8, unzipSync } from 'fflate';
import { LIMITS } from '../../src/message/limits.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import { cleanOoxml } from '../../workers/office/ooxml.ts';
import { readCsv, separatorOf } from '../../workers/office/csv.ts';
import { plainMail } from '../support/gateway.ts';
import { sheetData, xlsx, zipOf } from '../support/office-files.ts';
import { readText } from '../support/page-text.ts';
import { openSanitiser } from '../support/sanitiser.ts';

const MS = 500_000;

describe('CSV', () => {
  it('is read as RFC 4180 says, with commas, semicolons or tabs', () => {
    assert.deepEqual(readCsv('a,"b ""c"", d"\r\n"two\nlines",,\n', ','), [
      ['a', 'b "c", d'],
      ['two\nlines', '', ''],
    ]);
    assert.equal(separatorOf('a;b;c\n1,5;2,5;3'), ';');
    assert.equal(separatorOf('a\tb\tc'), '\t');
    assert.deepEqual(readCsv('"never closed', ','), [['never closed']]);
  });

  it('becomes its text and the pages of a table: every cell, no formula run', { timeout: MS }, async () => {
    const rows = Array.from({ length: 30 }, (_, y) => `No${y},鹿島市${y}丁目,"=1+${y}","=cmd|' /C calc'!A${y}"`);
    await using sanitiser = await openSanitiser();
    const { parts, files } = await sanitiser.file('名簿.csv', Buffer.from(`番号,住所,式,危険\n${rows.join('\n')}\n`));
    assert.equal(parts[0]?.verdict, 'text');
    assert.equal(parts[0].outputs.length, 2);
    const pdf = [...files].find(([name]) => name.endsWith('.pdf'))?.[1];
    assert.ok(pdf !== undefined);
    const text = (await readText(pdf)).poppler.replace(/\s/g, '');
    for (let y = 0; y < 30; y++)
      for (const cell of [`No${y}`, `鹿島市${y}丁目`, `=1+${y}`, `=cmd|'/Ccalc'!A${y}`])
        assert.ok(text.includes(cell), `${cell} is not on the pages`);
  });

  it('is text alone where the policy says so', { timeout: MS }, async () => {
    await using sanitiser = await openSanitiser({ policy: readPolicy('name: p\nversion: "1"\ncsv: text\n', 'p') });
    const { parts } = await sanitiser.file('a.csv', Buffer.from('a,b\n1,2\n'));
    assert.equal(parts[0]?.outputs.length, 1);
  });

  it('keeps its text where its pages cannot be made, and says so', { timeout: MS }, async () => {
    const policy = readPolicy('name: p\nversion: "1"\nlimits: { pixels: 1 }\n', 'p');
    await using sanitiser = await openSanitiser({ policy });
    const { state, parts } = await sanitiser.file('a.csv', Buffer.from('a,b\n1,2\n'));
    assert.equal(state, 'sanitised');
    assert.deepEqual([parts[0]?.verdict, parts[0]?.outputs.length], ['text', 1]);
    assert.deepEqual(
      parts[0]?.losses.map(({ code }) => code),
      ['pages-not-shown'],
    );
  });
});

describe('a sheet that is cut', () => {
  it('says so on a last page of its own, with the name of the sheet', { timeout: MS }, async () => {
    const rows = Array.from({ length: 3 }, (_, y) => Array.from({ length: 300 }, (_cell, x) => `${y}.${x}`));
    await using sanitiser = await openSanitiser();
    const { parts, files } = await sanitiser.file('a.xlsx', xlsx([{ name: '広い表', xml: sheetData(rows) }]));
    assert.ok(parts[0]?.losses.some(({ code }) => code === 'pages-cut'));
    const [pdf] = files.values();
    assert.ok(pdf !== undefined);
    const text = (await readText(pdf)).poppler.replace(/\s/g, '');
    assert.ok(text.includes('この表には続きがあります') && text.includes('広い表:300×3'), text.slice(-300));
    assert.ok(text.includes('2.255'), text.slice(-600, -200));
    assert.ok(!text.includes('2.256'), text.slice(-600, -200));
  });

  it(
    'limit sheetRows: rows up to the limit are drawn, of one more and of a million as many, which is told; mail passes',
    { timeout: MS },
    async () => {
      await using sanitiser = await openSanitiser({}, 2);
      const last = (row: number): Buffer =>
        xlsx([
          {
            name: '長い表',
            xml: `<sheetData><row r="1"><c r="A1"><v>111</v></c></row><row r="${row}"><c r="A${row}"><v>222</v></c></row></sheetData>`,
          },
        ]);
      for (const row of [LIMITS.sheetRows, LIMITS.sheetRows + 1, 1_048_576]) {
        const [{ parts, files }, mail] = await Promise.all([
          sanitiser.file('a.xlsx', last(row)),
          sanitiser.mail(plainMail('normal')),
        ]);
        assert.equal(mail.state, 'sanitised');
        assert.equal(parts[0]?.verdict, 'pages', `${row} rows`);
        const cut = parts[0].losses.filter(({ code }) => code === 'pages-cut').map(({ detail }) => detail);
        assert.deepEqual(cut, row > LIMITS.sheetRows ? [`長い表: 1 × ${row}`] : [], `${row} rows`);
        // Pages without anything on them are left out by the engine: the first row has one, and the last one that is drawn.
        const [pdf] = files.values();
        assert.ok(pdf !== undefined);
        const text = (await readText(pdf)).poppler;
        const isCut = row > LIMITS.sheetRows;
        assert.deepEqual([text.includes('111'), text.includes('222')], [true, !isCut], `${row} rows`);
        assert.equal(text.replace(/\s/g, '').includes('この表には続きがあります'), isCut, `${row} rows`);
      }
    },
  );
});

describe('a text that is wider than its column', () => {
  const cols = '<cols><col min="1" max="3" width="6"/></cols>';

  it('is shown whole where nothing is to its right, beyond the last column, too', { timeout: MS }, async () => {
    const title = '令和八年度鹿島市補助金交付申請者一覧表（案）';
    await using sanitiser = await openSanitiser();
    const { parts, files } = await sanitiser.file(
      'a.xlsx',
      xlsx([{ name: '表', xml: cols + sheetData([[title], ['a']]) }]),
    );
    assert.ok(!parts[0]?.losses.some(({ code }) => code === 'cells-cut'));
    const [pdf] = files.values();
    assert.ok(pdf !== undefined);
    const text = (await readText(pdf)).poppler.replace(/\s/g, '');
    assert.ok(text.includes(title.normalize('NFKC')) || text.includes(title), text);
  });

  it('is told where the next cell cuts it off', async () => {
    const rows = [
      ['長い長い長い長い長い名前', '次'],
      ['短い', '次'],
    ];
    const losses = [...cleanOoxml(xlsx([{ name: '表', xml: cols + sheetData(rows) }])).report.losses.values()];
    assert.deepEqual(losses, [{ code: 'cells-cut', detail: '表: 1' }]);
  });
});

describe('formulas that nobody has computed yet', () => {
  it('show their values, beyond the last stored value and by the names of ranges, too', { timeout: MS }, async () => {
    const xml =
      '<sheetData><row r="1"><c r="A1"><v>1200</v></c></row><row r="2"><c r="A2"><v>34</v></c></row>' +
      '<row r="20"><c r="H20"><f>SUM(補助額)</f></c></row></sheetData>';
    const names = '<definedNames><definedName name="補助額">\'表 1\'!$A$1:$A$2</definedName></definedNames>';
    const plain = xlsx([{ name: '表 1', xml }]);
    const files = unzipSync(plain);
    const workbook = strFromU8(files['xl/workbook.xml'] ?? new Uint8Array());
    const named = zipOf({ ...files, 'xl/workbook.xml': workbook.replace('</workbook>', `${names}</workbook>`) });
    await using sanitiser = await openSanitiser();
    const [pdf] = (await sanitiser.file('a.xlsx', named)).files.values();
    assert.ok(pdf !== undefined);
    const text = (await readText(pdf)).poppler;
    assert.match(text, /1234/);
    assert.doesNotMatch(text, /NAME/);
  });
});
