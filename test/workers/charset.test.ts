// Bytes to text: what Japanese mail holds under right, wrong and no labels.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { charsetOf, decodeText } from '../../workers/charset.ts';
import { encoded, euc, jis, sjis } from '../support/japanese.ts';

const JA = 'こんにちは、日本語テスト。';
const VENDOR = '①㈱髙﨑～－';
const KANA = 'ｱｲｳﾊﾟ';

const reads = (bytes: Uint8Array, label: string, text: string, charset?: string): void => {
  const decoded = decodeText(bytes, label);
  assert.equal(decoded.text, text, label);
  assert.equal(decoded.undecodable, 0);
  if (charset !== undefined) assert.equal(decoded.charset, charset);
};

void test('Shift_JIS is read under each of its names, with the characters of NEC and IBM', () => {
  for (const label of ['Shift_JIS', 'x-sjis', 'sjis', 'cp932', 'CP932', 'windows-31j', 'MS_Kanji', 'csShiftJIS']) {
    reads(sjis(JA + VENDOR), label, JA + VENDOR, 'shift_jis');
  }
});

void test('Shift_JIS without a label, or called UTF-8, Latin-1 or ASCII, is still read', () => {
  for (const label of ['', 'utf-8', 'iso-8859-1', 'us-ascii', 'foobar', 'windows-1252'])
    reads(sjis(JA), label, JA, 'shift_jis');
});

void test('EUC-JP is read with a label, under another label and without one', () => {
  for (const label of ['EUC-JP', 'x-euc-jp', 'eucjp-ms', 'cp51932', '', 'utf-8', 'iso-8859-1', 'shift_jis']) {
    reads(euc(JA), label, JA, 'euc-jp');
  }
  reads(euc(`ｱｲ${JA}`), 'euc-jp', `ｱｲ${JA}`);
});

void test('no label that is known makes bytes of any kind throw', () => {
  const labels = [
    'iso-2022-kr',
    'iso-2022-cn',
    'iso-2022-cn-ext',
    'hz-gb-2312',
    'utf-7',
    'replacement',
    'x-user-defined',
  ];
  const more = ['utf-16', 'utf-32be', 'euc-jis-2004', 'shift_jis-2004', 'cp437', 'cp866', 'macintosh', 'iso-8859-8-i'];
  const noise = Buffer.from(Array.from({ length: 300 }, (_, nth) => (nth * 167) & 0xff));
  for (const label of [...labels, ...more])
    for (const bytes of [sjis(JA), Buffer.from('plain'), noise, Buffer.concat([sjis(JA), Buffer.alloc(9)])])
      assert.ok(decodeText(bytes, label).text.isWellFormed(), label);
});

void test('eight bits under a name of seven bits are read as the charset whose letters those hold, and told as a guess', () => {
  for (const [label, charset, text] of [
    ['iso-2022-kr', 'euc-kr', '회의 안내 드립니다.'],
    ['hz-gb-2312', 'gb2312', '关于召开会议的通知'],
    ['iso-2022-cn', 'gb2312', '关于召开会议的通知'],
  ] as const) {
    const decoded = decodeText(encoded(charset, text), label);
    assert.equal(decoded.text, text);
    assert.equal(decoded.guessed, label);
  }
});

void test('Japanese under the name of a charset that it cannot be is read by its bytes, and told as a guess', () => {
  const text = '会議の資料を送ります。データは後日お送りいたします。よろしくお願いいたします。';
  for (const [bytes, label] of [
    [sjis(text), 'big5'],
    [sjis(text), 'utf-32'],
    [euc(text), 'utf-32'],
    [sjis(text), 'iso-8859-8'],
  ] as const) {
    const decoded = decodeText(bytes, label);
    assert.equal(decoded.text, text, label);
    assert.equal(decoded.guessed, label);
    for (const cut of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from([0xff]), bytes])])
      assert.equal(decodeText(cut, label).guessed, label, 'cut inside a letter, or with a bad byte');
  }
  for (const list of ['佐藤太郎　鹿島市宮中一丁目', 'サトウタロウ　カシマシ　ミヤナカ　データ'])
    for (const label of ['big5', 'utf-32', 'iso-8859-8'])
      assert.equal(
        decodeText(sjis(`${list}\n`.repeat(5)), label).text,
        `${list}\n`.repeat(5),
        `${list} under ${label}`,
      );
  for (const [charset, korean] of [
    ['euc-kr', '회의 안내 드립니다. 참석 부탁드립니다.'],
    ['gb2312', '关于召开第一次工作会议的通知：请各位准时参加。'],
  ] as const)
    assert.equal(decodeText(encoded(charset, korean), 'iso-8859-8').guessed, undefined, charset);
  // What is no Japanese stays what its label says, faults and all.
  const big5 = encoded('big5', '關於會議的通知，請各位準時參加。');
  const torn = Buffer.concat([big5, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])]);
  assert.equal(decodeText(torn, 'big5').charset, 'big5');
});

void test('JIS escapes are read under any label: half-width kana, NEC and IBM rows, JIS X 0212', () => {
  for (const label of [
    'ISO-2022-JP',
    'iso-2022-jp-ms',
    'csISO2022JP',
    'cp50221',
    '',
    'us-ascii',
    'utf-8',
    'shift_jis',
  ]) {
    reads(jis(KANA + JA + VENDOR.slice(0, 2)), label, KANA + JA + VENDOR.slice(0, 2), 'iso-2022-jp');
  }
  reads(Buffer.from('\u001b$B|b\u001b(B', 'latin1'), 'iso-2022-jp', '髙');
  reads(Buffer.from('\u001b$(D0!\u001b(B', 'latin1'), 'iso-2022-jp', '丂');
});

void test('two escapes in a row, as joined subject words leave them, are no fault', () => {
  reads(Buffer.concat([jis('日本'), jis('語')]), 'iso-2022-jp', '日本語');
  reads(Buffer.from('\u001b$B\u001b(B\u001b$B\u001b(Bx', 'latin1'), 'iso-2022-jp', 'x');
});

void test('a line end shuts a JIS shift that was left open', () => {
  reads(Buffer.from('\u001b$BF|\nabc', 'latin1'), 'iso-2022-jp', '日\nabc');
});

void test('terminal escapes are not taken for JIS', () => {
  assert.equal(decodeText(Buffer.from('\u001b[31mred'), '').charset, 'us-ascii');
});

void test('UTF-8 is read under any label but loses to a charset whose bytes it only resembles', () => {
  for (const label of ['', 'utf-8', 'foobar', 'iso-8859-1', 'shift_jis', 'euc-kr'])
    reads(Buffer.from(JA), label, JA, 'utf-8');
  reads(sjis('ﾃｽ'), 'shift_jis', 'ﾃｽ', 'shift_jis'); // C3 BD: valid UTF-8 for one letter
  reads(Buffer.from([0xc1, 0xaa, 0xcd, 0xa8]), 'gbk', '联通'); // the famous Notepad case
});

void test('Chinese, Korean, Cyrillic and Western mail is read by its label', () => {
  reads(Buffer.from('bcf2cce5d6d0cec4', 'hex'), 'gb2312', '简体中文');
  reads(Buffer.from('a4a4a4e5', 'hex'), 'big5', '中文');
  reads(Buffer.from('c7d1b1db', 'hex'), 'ks_c_5601-1987', '한글');
  reads(Buffer.from('f0d2c9d7c5d4', 'hex'), 'koi8-r', 'Привет');
  reads(Buffer.from('cff0e8e2e5f2', 'hex'), 'windows-1251', 'Привет');
  reads(Buffer.from('636166e9', 'hex'), 'iso-8859-1', 'café');
  reads(
    Buffer.from('Voilà, déjà vu: l’été', 'latin1'),
    'iso-8859-1',
    Buffer.from('Voilà, déjà vu: l’été', 'latin1').toString('latin1'),
  );
});

void test('UTF-16 and UTF-32 are read by their mark, by their label, and UTF-16 by its zeros', () => {
  const le = Buffer.from(`﻿${JA}`, 'utf16le');
  reads(le, '', JA, 'utf-16le');
  reads(Buffer.from(le).swap16(), 'utf-8', JA, 'utf-16be');
  reads(Buffer.from(JA, 'utf16le'), 'utf-16le', JA);
  reads(Buffer.from('plain text, no mark', 'utf16le'), '', 'plain text, no mark', 'utf-16le');
  reads(Buffer.from([0, 0, 0xfe, 0xff, 0, 1, 0xf6, 0]), '', '😀', 'utf-32be');
});

void test('UTF-7 stays undecoded: it hides markup from every filter before it', () => {
  const decoded = decodeText(Buffer.from('+ADw-script+AD4-'), 'utf-7');
  assert.equal(decoded.text, '+ADw-script+AD4-');
  assert.equal(decoded.charset, 'utf-7');
  for (const label of ['unicode-1-1-utf-7', 'UTF7', 'x-unicode-2-0-utf-7']) assert.equal(charsetOf(label), 'utf-7');
});

void test('private characters (gaiji) become a geta mark and are counted', () => {
  const decoded = decodeText(Buffer.from('f040f941', 'hex'), 'shift_jis');
  assert.deepEqual([decoded.text, decoded.gaiji], ['〓〓', 2]);
  assert.equal(decodeText(Buffer.from('ab\u{f0000}'), '').gaiji, 1);
});

void test('bytes that no charset explains are replaced and counted, never dropped', () => {
  const decoded = decodeText(Buffer.concat([sjis(JA), Buffer.from([0x81, 0x20]), sjis(JA)]), 'shift_jis');
  assert.equal(decoded.undecodable, 1);
  assert.ok(decoded.text.includes('\ufffd'));
});

void test('UTF-8 with one bad byte stays UTF-8', () => {
  const decoded = decodeText(Buffer.concat([Buffer.from(JA), Buffer.from([0xff]), Buffer.from(JA)]), 'utf-8');
  assert.deepEqual([decoded.charset, decoded.undecodable], ['utf-8', 1]);
});

void test('NUL never comes through', () => {
  assert.equal(decodeText(Buffer.from('a\0b'), '').text, 'ab');
  assert.equal(decodeText(Buffer.from('あ\0い'), '').text, 'あい');
});

void test('any bytes under any label give well-formed text without a throw', () => {
  const label = fc.oneof(
    fc.constantFrom(
      '',
      'utf-8',
      'iso-2022-jp',
      'shift_jis',
      'euc-jp',
      'utf-16',
      'utf-32',
      'utf-7',
      'gbk',
      'replacement',
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), label, (bytes, said) => {
      const { text } = decodeText(bytes, said);
      assert.ok(text.isWellFormed() && !text.includes('\0'));
    }),
    { numRuns: 2000 },
  );
});

void test('Japanese in each of the four charsets comes back as it was, unlabelled, from 8 letters on', () => {
  const letter = fc.constantFrom(
    ...Array.from('あいうえおかきくけこさしすせそたちつてとアイウエオ日本語市役所御中申請書提出期限、。'),
  );
  fc.assert(
    fc.property(fc.array(letter, { minLength: 8, maxLength: 80 }), (letters) => {
      const text = letters.join('');
      for (const encode of [sjis, euc, jis, (plain: string) => Buffer.from(plain)])
        assert.equal(decodeText(encode(text), '').text, text);
    }),
    { numRuns: 500 },
  );
});

void test('a 4 KB text costs less than a millisecond in any Japanese charset', () => {
  const text = JA.repeat(110);
  for (const bytes of [Buffer.from(text), sjis(text), euc(text), jis(text)]) {
    for (let warm = 0; warm < 200; warm++) decodeText(bytes, '');
    // The least of several, in CPU: collections, compilations and a busy machine only ever add.
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 10 && least >= 1; round++) {
      const before = process.cpuUsage();
      for (let run = 0; run < 100; run++) decodeText(bytes, '');
      least = Math.min(least, process.cpuUsage(before).user / 1000 / 100);
    }
    assert.ok(least < 1, `${least.toFixed(2)} ms`);
  }
});
