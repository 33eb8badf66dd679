// Time is linear: what is doubled takes at most two and a half times the CPU, for every bomb that mail's readers could meet.
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { test } from 'node:test';
import { mailboxesOf, namesAnother } from '../../workers/addresses.ts';
import { calendarText } from '../../workers/calendar-text.ts';
import { cardText } from '../../workers/card-text.ts';
import { decodeText } from '../../workers/charset.ts';
import { detect } from '../../workers/detect.ts';
import { enrichedText, richText } from '../../workers/enriched-text.ts';
import { extractFiles } from '../../workers/embedded-files.ts';
import { parametersOf } from '../../workers/header-params.ts';
import { decodeHeader, decodeWords } from '../../workers/header-words.ts';
import { htmlToText } from '../../workers/html-text.ts';
import { textOfLeaf } from '../../workers/leaf-text.ts';
import { mendHead } from '../../workers/mail-head.ts';
import { MimeLeaves } from '../../workers/mime-leaves.ts';
import { rtfToText } from '../../workers/rtf-text.ts';
import { flatOdfKind } from '../../workers/signs.ts';
import { withLinks } from '../../src/sanitise/links.ts';
import { saysTheSame } from '../../src/sanitise/mail-body.ts';

const form = { html: false, charset: '', flowed: false, delSp: false, cut: false, rough: false } as const;
const many = (piece: string) => (count: number) => piece.repeat(count);
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
/** UTF-8, but that what is below U+0100 is a byte. */
const mixedBytes = (text: string): Buffer =>
  Buffer.from(
    Array.from(text, (letter) => (letter < '\u0100' ? letter : Buffer.from(letter).toString('latin1'))).join(''),
    'latin1',
  );

/** Name, what is made of n pieces, who reads it, pieces at the start: enough for some 20 ms. */
const BOMBS: readonly (readonly [string, (count: number) => string, (text: string) => unknown, number])[] = [
  ['nested <div>', many('<div>'), htmlToText, 200_000],
  ['tables in tables', many('<table><tr><td>a<td>'), htmlToText, 40_000],
  ['rows of cells', (count) => `<table>${'<tr><td>あ<td>b<td>c'.repeat(count)}</table>`, htmlToText, 40_000],
  ['cells in a row', (count) => `<table><tr>${'<td>a'.repeat(count)}</table>`, htmlToText, 200_000],
  ['links', many('<a href="https://a.example/x">https://b.example</a> '), htmlToText, 4_000],
  ['open quotes', many('<a href="'), htmlToText, 200_000],
  ['sheets between elements', many('<style>.a{display:none}</style><b class=a>x</b>'), htmlToText, 10_000],
  [
    'rules of a sheet',
    (count) => `<style>${'i,.b{top:1px;display:none}'.repeat(count)}</style><b>x`,
    htmlToText,
    4_000,
  ],
  ['open blocks of a sheet', (count) => `<style>${'@media{/*'.repeat(count)}</style><b>x`, htmlToText, 10_000],
  ['entities', many('&amp;&#x3042;'), htmlToText, 100_000],
  ['uuencode beginnings', many('begin 644 a\n'), (text) => extractFiles(latin1(text), ''), 20_000],
  [
    'BinHex beginnings',
    many('(This file must be converted with BinHex 4.0)\n:'),
    (text) => extractFiles(latin1(text), ''),
    20_000,
  ],
  ['yEnc beginnings', many('=ybegin line=1 size=1 name=begin\n'), (text) => extractFiles(latin1(text), ''), 20_000],
  ['lines of base64', many(`${'A'.repeat(60)}\n`), (text) => textOfLeaf(latin1(text), form), 20_000],
  [
    'JIS escapes',
    many('\u001b$B\u001b(I\u001b$(C\u001b$(O'),
    (text) => decodeText(latin1(text), 'iso-2022-jp'),
    20_000,
  ],
  ['JIS without escapes', many('$B$"(B $B$'), (text) => decodeText(latin1(text), ''), 20_000],
  ['JIS without escapes that does not end', many('$B'), (text) => decodeText(latin1(`${text}\n(B`), ''), 100_000],
  ['commands of text/enriched', many('<param><<\n<b>'), enrichedText, 20_000],
  ['commands of text/richtext', many('<comment><lt>\n</comment>'), richText, 20_000],
  ['Korean shifts', many('\u001b$)C\u000e>H\u000f'), (text) => decodeText(latin1(text), 'iso-2022-kr'), 20_000],
  ['HZ shifts', many('~{VP~}'), (text) => decodeText(latin1(text), 'hz'), 20_000],
  [
    'lines of two charsets',
    many('会議会議\n\u0082\u00a0\n'),
    (text) => decodeText(mixedBytes(text), 'shift_jis'),
    20_000,
  ],
  ['broken EUC', many('\u00f5\u00a1\u008f'), (text) => decodeText(latin1(text), 'euc-jp'), 100_000],
  [
    'blanks in the name of a charset',
    (count) => `${' '.repeat(count)}-`,
    (text) => decodeText(latin1('\u0082'), text),
    20_000,
  ],
  ['voice marks', many('か\u3099\u3099'), (text) => decodeText(Buffer.from(text), 'utf-8'), 100_000],
  ['encoded words', many('=?UTF-8?B?44GC?= '), (text) => decodeHeader(`Subject: ${text}`), 1_500],
  ['parameters', many('; a*0*=x'), (text) => parametersOf(`Content-Type: a/b${text}`), 3_000],
  ['addresses', many('"a" <b@c>, '), (text) => mailboxesOf(`To: ${text}`), 2_500],
  ['addresses without a comma', (count) => `${'a@@b '.repeat(count)}x`, (text) => mailboxesOf(`From: ${text}`), 5_000],
  ['a name without an address', many('あ'), (text) => namesAnother({ name: text, address: 'a@b' }), 20_000],
  ['padding in an encoded word', (count) => `=?UTF-8?B?${'='.repeat(count)}?=`, (text) => decodeWords(text), 50_000],
  [
    'sizes of yEnc',
    (count) => `begin =ybegin\n=ybegin ${'size=1 '.repeat(count)}`,
    (text) => extractFiles(latin1(text), ''),
    20_000,
  ],
  ['RTF groups', many('{\\b '), (text) => rtfToText(latin1(`{\\rtf1 ${text}`)), 100_000],
  ['RTF letters', many("\\'82\\'a0\\u12354?"), (text) => rtfToText(latin1(`{\\rtf1\\ansicpg932 ${text}`)), 40_000],
  ['card lines', many('N;ENCODING=QUOTED-PRINTABLE:=\n'), cardText, 8_000],
  [
    'attendees',
    (count) => `BEGIN:VCALENDAR\nBEGIN:VEVENT\n${'ATTENDEE;CN=a:mailto:b\n'.repeat(count)}END:VEVENT\nEND:VCALENDAR\n`,
    calendarText,
    8_000,
  ],
  ['a document of one XML file with a long word', (count) => `<a:document ${'a'.repeat(count)}`, flatOdfKind, 8_000],
  ['a document of one XML file with many', (count) => `<a:document${' a:b'.repeat(count)}`, flatOdfKind, 8_000],
  ['documents of one XML file', many('<a:document '), flatOdfKind, 8_000],
  ['links to be made inert', many('http://a.b/ www. '), (text) => withLinks(text, 'removed', 'ja'), 50_000],
  ['forms to be compared', many('あい<'), (text) => saysTheSame(text, `${text}x`), 5_000],
];

/** CPU milliseconds of one reading. */
async function cost(read: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await read();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * Reads a bomb and one of twice its size in turn, and compares the least cost of each: collections, compilations and other
 * processes only ever add to it. What is not linear stays above the ratio however often it is tried.
 */
async function assertLinear(once: () => unknown, twice: () => unknown, mostMs: number): Promise<void> {
  let [one, two] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < 40; round++) {
    one = Math.min(one, await cost(once));
    two = Math.min(two, await cost(twice));
    // A few milliseconds of a busy machine are no growth.
    if (round >= 2 && two <= one * 2.5 + 15) break;
  }
  assert.ok(two <= one * 2.5 + 15, `${one.toFixed(1)} ms, then ${two.toFixed(1)} ms`);
  assert.ok(two < mostMs, `${two.toFixed(1)} ms`);
}

/** A whole mail through the splitter of the mail child, as far as its limit lets it. */
async function split(mail: string): Promise<void> {
  const { bytes } = await mendHead(Readable.from([latin1(mail)]));
  const nothing = (): void => undefined;
  const leaves = new MimeLeaves({ node: nothing, bytes: nothing, end: nothing, stray: nothing });
  leaves.resume();
  for await (const chunk of bytes) leaves.write(chunk);
  leaves.end();
  await finished(leaves).catch(nothing); // a limit that answers is an answer
}

const part = 'Content-Type: text/plain\r\n\r\na\r\n--B\r\n';
const mixed = 'Content-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\n';
const nested = (count: number): string =>
  Array.from({ length: count }, (_, at) => `Content-Type: multipart/mixed; boundary=B${at}\r\n\r\n--B${at}\r\n`).join(
    '',
  );

/** Whole mails: name, the mail of n pieces, pieces at the start. Beyond a limit the answer must come as fast. */
const MAILS: readonly (readonly [string, (count: number) => string, number])[] = [
  ['header fields', (count) => `${'X: y\r\n'.repeat(count)}\r\nbody`, 60_000],
  ['header fields beyond the limit', (count) => `${'X: y\r\n'.repeat(count)}\r\nbody`, 250_000],
  ['folds of one field', (count) => `Subject: a${'\r\n b'.repeat(count)}\r\n\r\nbody`, 60_000],
  ['lines that are no field', (count) => `From: a\r\n${'junk\r\n'.repeat(count)}Subject: x\r\n\r\nbody`, 60_000],
  ['parts', (count) => `${mixed}${part.repeat(count)}`, 400],
  ['parts beyond the limit', (count) => `${mixed}${part.repeat(count)}`, 20_000],
  ['nested multiparts', nested, 15],
  ['nested multiparts beyond the limit', nested, 5_000],
  ['boundaries without parts', (count) => `${mixed}${'--B\r\n'.repeat(count)}`, 400],
  ['lines like boundaries', (count) => `${mixed}\r\n${'--C\r\n'.repeat(count)}`, 100_000],
  ['lines of base64', (count) => `Content-Transfer-Encoding: base64\r\n\r\n${'QUJD\r\n'.repeat(count)}`, 200_000],
  [
    'lines of quoted-printable',
    (count) => `Content-Transfer-Encoding: quoted-printable\r\n\r\n${'=41=\r\n'.repeat(count)}`,
    100_000,
  ],
];

for (const [name, make, count] of MAILS) {
  void test(`a mail of ${name}: twice as many cost at most 2.5 times as much`, async () => {
    const [tenth, once, twice] = [make(Math.ceil(count / 10)), make(count), make(count * 2)];
    for (let round = 0; round < 3; round++) await split(tenth); // warm
    await assertLinear(
      async () => split(once),
      async () => split(twice),
      10_000,
    );
  });
}

const comments = (end: string) => (count: number) => `<?xml version="1.0"?>\n${'<!-- c -->\n'.repeat(count)}${end}`;

/** Files whose type is asked for; it looks at their first 16 KB as text. */
const FILES: readonly (readonly [string, (count: number) => string, number])[] = [
  ['comments before an element', comments('<config>'), 600],
  ['comments before nothing', comments(''), 600],
  ['comments that do not end', many('<!-- '), 1_500],
  ['digits of an mbox line', (count) => `From ${'1'.repeat(count)}`, 8_000],
  ['brackets', many('<'), 8_000],
  ['lines that may be mail', many('a:\n'), 2_500],
  ['quotes and commas', many('"",'), 2_500],
];

for (const [name, make, count] of FILES) {
  void test(`the type of a file of ${name}: twice as many cost at most 2.5 times as much`, async () => {
    const [once, twice] = [latin1(make(count)), latin1(make(count * 2))];
    for (let round = 0; round < 3; round++) await detect(latin1(make(Math.ceil(count / 10))), '');
    await assertLinear(
      async () => detect(once, ''),
      async () => detect(twice, ''),
      1000,
    );
  });
}

for (const [name, make, read, count] of BOMBS) {
  void test(`${name}: twice as many cost at most 2.5 times as much`, async () => {
    const [tenth, once, twice] = [make(Math.ceil(count / 10)), make(count), make(count * 2)];
    for (let round = 0; round < 3; round++) read(tenth); // warm
    await assertLinear(
      () => read(once),
      () => read(twice),
      5000,
    );
  });
}
