// The mail child, jailed and pooled: Japanese bodies and headers, odd structures, attacks on its time and memory.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { euc, jis, sjis, word } from '../support/japanese.ts';
import { MailBench, type ReadMail } from '../support/read-mail.ts';
import { withinQuiet } from '../support/slowness.ts';

const bench = new MailBench();
after(() => bench[Symbol.asyncDispose]());

const JA = 'こんにちは、日本語テスト。';
const join = (...parts: (string | Uint8Array)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
const HEAD = 'From: a@example.jp\r\nTo: b@example.jp\r\nSubject: test\r\nMIME-Version: 1.0\r\n';
const body = (type: string, bytes: string | Uint8Array, encoding = '8bit'): Buffer =>
  join(HEAD, `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`, bytes, '\r\n');
const mixed = (inner: string | Uint8Array, type = 'multipart/mixed; boundary=BB'): Buffer =>
  join(HEAD, `Content-Type: ${type}\r\n\r\n`, inner);
const attached = (headers: string | Uint8Array): Buffer =>
  mixed(
    join(
      '--BB\r\nContent-Type: text/plain\r\n\r\nx\r\n--BB\r\n',
      headers,
      '\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--BB--\r\n',
    ),
  );
const titled = (subject: string | Uint8Array): Buffer => join('From: a@b.c\r\nSubject: ', subject, '\r\n\r\nx\r\n');

const read = async (mail: Uint8Array | string): Promise<ReadMail> => {
  const seen = await bench.read(mail);
  assert.equal(seen.outcome.kind, 'done', JSON.stringify(seen.outcome));
  return seen;
};
const textOf = async (mail: Uint8Array | string): Promise<string> =>
  (await read(mail)).leaves
    .map((leaf) => leaf.text ?? '')
    .join('')
    .trim();
const subjectOf = async (subject: string | Uint8Array): Promise<string | undefined> =>
  (await read(titled(subject))).headers.subject;
const nameOf = async (headers: string | Uint8Array): Promise<string | undefined> =>
  (await read(attached(headers))).leaves[1]?.name;

// ── bodies ──

void test('a Japanese body is read in every charset, label or none, and its raw bytes come beside it', async () => {
  const cases: [string, Buffer, string, string?][] = [
    ['text/plain; charset=ISO-2022-JP', jis(JA), JA, '7bit'],
    ['text/plain; charset=ISO-2022-JP', jis(`ｱｲｳﾊﾟ${JA}`), `ｱｲｳﾊﾟ${JA}`, '7bit'],
    ['text/plain; charset=ISO-2022-JP', jis('①㈱'), '①㈱', '7bit'],
    ['text/plain; charset=iso-2022-jp-ms', jis(`①${JA}`), `①${JA}`, '7bit'],
    ['text/plain', jis(JA), JA, '7bit'],
    ['text/plain; charset=us-ascii', jis(JA), JA, '7bit'],
    ['text/plain; charset="iso-2022-jp"; x', jis(JA), JA, '7bit'],
    ['text/plain; charset=Shift_JIS', sjis(`${JA}①㈱髙﨑～－`), `${JA}①㈱髙﨑～－`],
    ['text/plain; charset=cp932', sjis(JA), JA],
    ['text/plain; charset=MS_Kanji', sjis(JA), JA],
    ['text/plain', sjis(JA), JA],
    ['text/plain; charset=utf-8', sjis(JA), JA],
    ['text/plain; charset=iso-8859-1', sjis(JA), JA],
    ['text/plain; charset=EUC-JP', euc(`ｱｲ${JA}`), `ｱｲ${JA}`],
    ['text/plain', euc(JA), JA],
    ['text/plain', Buffer.from(JA), JA],
    ['text/plain; charset=foobar', Buffer.from(JA), JA],
    ['text/plain; charset=gb18030', Buffer.from('bcf2cce5d6d0cec4', 'hex'), '简体中文'],
    ['text/html', join('<html><head><meta charset="shift_jis"></head><body>', sjis(JA), '</body></html>'), JA],
    [
      'text/html',
      join('<meta http-equiv="Content-Type" content="text/html; charset=euc-jp"><p>', euc('短'), '</p>'),
      '短',
    ],
  ];
  for (const [type, bytes, text, encoding] of cases) {
    const { leaves } = await read(body(type, bytes, encoding));
    assert.equal(leaves.length, 1);
    assert.deepEqual(leaves[0]?.path, [1]);
    assert.equal(leaves[0]?.text?.trim(), text, `${type} ${bytes.toString('hex', 0, 20)}`);
    assert.ok(leaves[0]?.bytes.subarray(0, bytes.length).equals(bytes), 'raw bytes');
  }
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

void test('base64 and quoted-printable bodies are decoded, however sloppy', async () => {
  assert.equal(await textOf(body('text/plain; charset=utf-8', base64(JA), ' Base64 ')), JA);
  assert.equal(await textOf(body('text/plain; charset=utf-8', base64(JA), '"base64"')), JA);
  assert.equal(await textOf(body('text/plain; charset=utf-8', 'aGVs!!bG8g\r\n-- d29y*bGQ', 'base64')), 'hello world');
  assert.equal(await textOf(body('text/plain; charset=utf-8', 'aGVsbG8=\r\nIHdvcmxk', 'base64')), 'hello world');
  assert.match(await textOf(body('text/plain; charset=utf-8', 'a=\r\nb=E3=81=82=ZZ', 'quoted-printable')), /^abあ/);
  assert.equal(
    await textOf(body('text/plain; charset=utf-16le', Buffer.from(JA, 'utf16le').toString('base64'), 'base64')),
    JA,
  );
});

void test('an unknown transfer encoding is told, and its bytes are left as they are', async () => {
  const seen = await read(body('text/plain', 'xyz', 'x-secret'));
  assert.deepEqual(seen.findings, ['unknown-encoding: x-secret']);
  assert.equal(seen.leaves[0]?.bytes.toString(), 'xyz\r\n');
});

void test('bytes that are lost and gaiji are counted as losses', async () => {
  const seen = await read(
    body('text/plain; charset=shift_jis', join(sjis(JA), Buffer.from([0xf0, 0x40, 0x81, 0x20]), sjis(JA))),
  );
  assert.deepEqual(seen.losses, ['undecodable-bytes: 1 (shift_jis)', 'gaiji: 1']);
  assert.match(seen.leaves[0]?.text ?? '', /〓/);
});

void test('format=flowed is unfolded, with delsp as Japanese needs it', async () => {
  assert.equal(
    await textOf(body('text/plain; charset=utf-8; format=flowed', 'one \r\ntwo\r\nthree')),
    'one two\nthree',
  );
  assert.equal(
    await textOf(body('text/plain; charset=utf-8; format=flowed; delsp=yes', '日本 \r\n語\r\n次')),
    '日本語\n次',
  );
  assert.equal(
    await textOf(body('text/plain; format=flowed', '> a \r\n> b\r\n>> c\r\n-- \r\nsig')),
    '> a b\n>> c\n-- \nsig',
  );
});

void test('a uuencoded file in a body is taken out and named', async () => {
  const seen = await read(body('text/plain', 'see\r\nbegin 644 evil.exe\r\n#0V%T\r\n`\r\nend\r\nbye'));
  assert.equal(seen.leaves[0]?.text?.trim(), 'see\n［uuencode: evil.exe］\nbye');
  assert.deepEqual(seen.findings, ['uuencode: evil.exe']);
});

void test('an x-uuencode part is decoded', async () => {
  const seen = await read(
    mixed(
      '--BB\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 f\r\n#0V%T\r\n`\r\nend\r\n--BB--\r\n',
    ),
  );
  assert.equal(seen.leaves[0]?.bytes.toString(), 'Cat');
});

// ── headers ──

const q = (bytes: Uint8Array): string =>
  `=?UTF-8?Q?${[...bytes].map((byte) => `=${byte.toString(16).toUpperCase()}`).join('')}?=`;

void test('a subject is read raw, encoded, and split inside a character or a shift', async () => {
  const utf8 = Buffer.from(JA);
  const cases: [string | Uint8Array, string][] = [
    [utf8, JA],
    [sjis(JA), JA],
    [sjis('見積表の件'), '見積表の件'],
    [jis(JA), JA],
    [euc(JA), JA],
    [word('ISO-2022-JP', jis(`①㈱${JA}`)), `①㈱${JA}`],
    [`${word('UTF-8', utf8.subarray(0, 10))}\r\n ${word('UTF-8', utf8.subarray(10))}`, JA],
    [`${q(utf8.subarray(0, 10))} ${q(utf8.subarray(10))}`, JA],
    [`${word('ISO-2022-JP', jis(JA).subarray(0, 11))}\r\n ${word('ISO-2022-JP', jis(JA).subarray(11))}`, JA],
    [`${word('ISO-2022-JP', jis('日本'))}\r\n ${word('ISO-2022-JP', jis('語'))}`, '日本語'],
    [`${word('Shift_JIS', sjis(JA).subarray(0, 5))} ${word('Shift_JIS', sjis(JA).subarray(5))}`, JA],
    ['=?UTF-8?Q?a b=E3=81=82?=', 'a bあ'],
    ['Re: =?UTF-8*ja?B?44GC?= x =?utf-8?q?=E3=81=84?=', 'Re: あ x い'],
    ['=?UTF-8?B?PT9VVEYtOD9CPzQ0R0M/PQ==?=', '=?UTF-8?B?44GC?='],
  ];
  for (const [raw, text] of cases) assert.equal(await subjectOf(raw), text, raw.toString());
});

void test('an encoded line end or NUL in a header does not come through', async () => {
  assert.equal(await subjectOf('=?UTF-8?Q?a=0D=0ABcc:_evil@x.y?='), 'a Bcc: evil@x.y');
  assert.equal(await subjectOf('=?UTF-8?Q?a=00b?='), 'ab');
});

void test('addresses are told apart before their names are decoded, so that a name makes no address', async () => {
  const name = word('UTF-8', Buffer.from('市長 <mayor@city.example>, x'));
  const seen = await read(`From: ${name} <x@evil.example>\r\nTo: "山田, 太郎" <t@b.jp>, c@d.jp (佐藤)\r\n\r\nx`);
  assert.equal(seen.headers.from, '"市長 <mayor@city.example>, x" <x@evil.example>');
  assert.equal(seen.headers.to, '"山田, 太郎" <t@b.jp>, 佐藤 <c@d.jp>');
  assert.deepEqual(seen.findings, ['name-spoof: 市長 <mayor@city.example>, x']);
});

void test('raw Shift_JIS and JIS names keep their quotes and brackets apart from their letters', async () => {
  const seen = await read(join('From: "', sjis('表ソ能'), '" <a@b.jp>\r\nTo: ', jis('佐藤'), ' <s@b.jp>\r\n\r\nx'));
  assert.equal(seen.headers.from, '表ソ能 <a@b.jp>');
  assert.equal(seen.headers.to, '佐藤 <s@b.jp>');
});

void test('no From, two From fields and two addresses in one are told', async () => {
  assert.deepEqual((await read('Subject: x\r\n\r\nx')).findings, ['from-count: 0']);
  const two = await read('From: a@b.c\r\nFrom: d@e.f\r\nSubject: x\r\n\r\nx');
  assert.deepEqual(two.findings, ['from-count: 2', 'duplicate-header: from']);
  assert.equal(two.headers.from, 'a@b.c, d@e.f');
  assert.deepEqual((await read('From: a@b.c, d@e.f\r\n\r\nx')).findings, ['from-count: 2']);
});

const dateOf = async (date: string): Promise<string | undefined> =>
  (await read(`From: a@b.c\r\nDate: ${date}\r\n\r\nx`)).headers.date;

void test('a date becomes ISO 8601 in UTC, or nothing', async () => {
  assert.equal(await dateOf('Mon, 1 Jun 2026 10:00:00 +0900 (JST)'), '2026-06-01T01:00:00.000Z');
  assert.equal(await dateOf('1 Jun 26 10:00 GMT'), '2026-06-01T10:00:00.000Z');
  assert.equal(await dateOf('yesterday'), '');
});

// ── file names ──

void test('a file name is read in each of the forms that mailers write', async () => {
  const encoded = encodeURIComponent('見積書.pdf');
  const percent = [...jis('見積書')].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const pdf = 'Content-Type: application/pdf\r\nContent-Disposition: attachment;';
  const cases: [string | Uint8Array, string][] = [
    [`${pdf} filename*=UTF-8''${encoded}`, '見積書.pdf'],
    [`${pdf}\r\n filename*0*=UTF-8''${encoded.slice(0, 12)};\r\n filename*1*=${encoded.slice(12)}`, '見積書.pdf'],
    [`${pdf}\r\n filename*1=df; filename*0=p`, 'pdf'],
    [`${pdf} filename*=ISO-2022-JP''${percent}.pdf`, '見積書.pdf'],
    [`${pdf} filename="${word('UTF-8', Buffer.from('見積書.pdf'))}"`, '見積書.pdf'],
    [
      `${pdf}\r\n filename="${word('ISO-2022-JP', jis('見積'))}\r\n ${word('ISO-2022-JP', jis('書.pdf'))}"`,
      '見積書.pdf',
    ],
    [join(`${pdf} filename="`, '見積書.pdf', '"'), '見積書.pdf'],
    [join(`${pdf} filename="`, sjis('見積表.pdf'), '"'), '見積表.pdf'],
    [join(`${pdf} filename="`, sjis('見積表'), '"; size=4'), '見積表'],
    [
      `Content-Type: application/pdf; name="${word('UTF-8', Buffer.from('見積書.pdf'))}"\r\nContent-Disposition: attachment`,
      '見積書.pdf',
    ],
    [`${pdf} filename="x.pdf"; filename*=UTF-8''${encoded}`, '見積書.pdf'],
    [`${pdf} filename="a\\"b.pdf"`, 'a"b.pdf'],
    [`${pdf} filename=plain.pdf`, 'plain.pdf'],
  ];
  for (const [headers, name] of cases) assert.equal(await nameOf(headers), name, headers.toString());
});

void test('bidi controls in a file name are a finding', async () => {
  const seen = await read(
    attached("Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*=UTF-8''a%E2%80%AEfdp.exe"),
  );
  assert.match(seen.findings.join(), /bidi-name/);
  assert.equal(seen.leaves[1]?.name, 'afdp.exe');
});

// ── structure ──

void test('the tree comes in order with IMAP part numbers, multiparts included', async () => {
  const inner =
    '--BB\r\nContent-Type: multipart/alternative; boundary=CC\r\n\r\n--CC\r\n\r\nT\r\n--CC\r\nContent-Type: text/html\r\n\r\n<b>H</b>\r\n--CC--\r\n';
  const seen = await read(
    mixed(
      `${inner}--BB\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n--BB\r\nContent-Type: image/png\r\nContent-ID: <c1@x>\r\nContent-Disposition: inline\r\n\r\np\r\n--BB--\r\n`,
    ),
  );
  assert.deepEqual(
    seen.nodes.map((node) => `${node.path.join('.')} ${node.kind} ${node.type}`),
    [
      ' multipart multipart/mixed',
      '1 multipart multipart/alternative',
      '1.1 leaf text/plain',
      '1.2 leaf text/html',
      '2 leaf text/calendar',
      '3 leaf image/png',
    ],
  );
  assert.deepEqual(
    seen.leaves.map((leaf) => leaf.text),
    ['T', 'H', 'BEGIN:VCALENDAR', undefined],
  );
  assert.equal(seen.leaves[3]?.contentId, 'c1@x');
  assert.equal(seen.leaves[3]?.disposition, 'inline');
});

void test('a mail inside a mail is handed out whole, whatever its disposition', async () => {
  for (const disposition of [
    '',
    'Content-Disposition: inline\r\n',
    'Content-Disposition: attachment; filename=f.eml\r\n',
  ]) {
    const inner = 'Subject: inner\r\nContent-Type: multipart/mixed; boundary=CC\r\n\r\n--CC\r\n\r\ninner\r\n--CC--\r\n';
    const seen = await read(
      mixed(`--BB\r\n\r\nouter\r\n--BB\r\nContent-Type: message/rfc822\r\n${disposition}\r\n${inner}\r\n--BB--\r\n`),
    );
    assert.equal(seen.leaves.length, 2);
    assert.equal(seen.leaves[1]?.bytes.toString(), inner);
    assert.equal(seen.leaves[1]?.text, undefined);
  }
});

void test('a text with a file name is an attachment, not a body', async () => {
  const seen = await read(
    mixed(
      '--BB\r\n\r\nbody\r\n--BB\r\nContent-Type: text/plain; name=a.txt\r\n\r\nfile\r\n--BB\r\nContent-Type: text/html\r\nContent-Disposition: attachment\r\n\r\nfile\r\n--BB--\r\n',
    ),
  );
  assert.deepEqual(
    seen.leaves.map((leaf) => leaf.text),
    ['body', undefined, undefined],
  );
});

void test('a missing last boundary, LF lines, CR lines and one boundary used twice lose no text', async () => {
  const open = await read(
    mixed(
      '--BB\r\n\r\nhello\r\n--BB\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAAAAAA\r\n',
    ),
  );
  assert.deepEqual(
    open.leaves.map((leaf) => leaf.bytes.length),
    [5, 6],
  );
  assert.equal(
    await textOf('Subject: lf\nContent-Type: multipart/mixed; boundary=BB\n\n--BB\n\nhello\n--BB--\n'),
    'hello',
  );
  const cr = await read('Subject: cr\rFrom: a@b.c\rContent-Type: text/plain\r\rhello\rworld\r');
  assert.equal(cr.headers.subject, 'cr');
  assert.equal(cr.leaves[0]?.text?.trim(), 'hello\nworld');
  assert.match(
    await textOf(
      mixed('--BB\r\nContent-Type: multipart/mixed; boundary=BB\r\n\r\n--BB\r\n\r\nin\r\n--BB--\r\n--BB--\r\n'),
    ),
    /in/,
  );
});

void test('a multipart without its boundary is delivered as text, without the files that hide in it', async () => {
  const payload = Buffer.alloc(600, 'MZ payload ').toString('base64').replace(/.{76}/g, '$&\r\n');
  const inner = `--XX\r\n\r\nhello\r\n--XX\r\nContent-Transfer-Encoding: base64\r\n\r\n${payload}\r\n--XX--\r\n`;
  for (const type of ['multipart/mixed', 'multipart/mixed; boundary=ZZ', 'text/plain; boundary=XX']) {
    const seen = await read(mixed(inner, type));
    const text = seen.leaves.map((leaf) => leaf.text).join('');
    assert.match(text, /hello/, type);
    assert.match(text, /［符号化されたデータ］/);
    assert.ok(!text.includes(payload.slice(0, 64)));
    assert.deepEqual(seen.findings, ['odd-structure: boundary']);
  }
});

void test('text before the first and after the last part is told, the usual notice is not', async () => {
  const seen = await read(mixed('Click here\r\n--BB\r\n\r\nx\r\n--BB--\r\nfooter\r\n'));
  assert.deepEqual(seen.losses, ['preamble: Click here', 'epilogue: footer']);
  const usual =
    'This is a multi-part message in MIME format.\r\n--BB\r\nContent-Type: multipart/alternative; boundary=CC\r\n\r\n--CC\r\n\r\nx\r\n--CC--\r\n\r\n--BB--\r\n\r\n';
  assert.deepEqual((await read(mixed(usual))).losses, []);
});

void test('duplicate structural headers are told', async () => {
  const seen = await read(`${HEAD}Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n<b>x</b>\r\n`);
  assert.deepEqual(seen.findings, ['duplicate-header: content-type']);
  const twice = await read(mixed('--BB\r\n\r\nx\r\n--BB--\r\n', 'multipart/mixed; boundary=BB; boundary=CC'));
  assert.deepEqual(twice.findings, ['duplicate-header: boundary']);
});

void test('where the header ends is one rule: no header, no end, junk between, a blank in the blank line', async () => {
  assert.equal(await textOf('just text\r\n\r\nmore'), 'just text\n\nmore');
  const cut = await read('From: a@b.c\r\nSubject: s\r\nThis is text\r\nNote: more\r\n\r\nend');
  assert.equal(cut.headers.subject, 's');
  assert.equal(cut.leaves[0]?.text, 'This is text\nNote: more\n\nend');
  const junk = await read('From: a@b.c\r\njunk line\r\nSubject: s\r\nContent-Type: text/html\r\n\r\n<b>x</b>');
  assert.equal(junk.headers.subject, 's');
  assert.equal(junk.leaves[0]?.text, 'x');
  assert.deepEqual(junk.findings, ['odd-structure: malformed-header']);
  assert.equal(await textOf('From: a@b.c\r\n \r\nbody only\r\n'), 'body only');
  const parts = await read(
    `${HEAD}Content-Type: multipart/mixed; boundary=BB\r\n \r\n--BB\r\nContent-Type: text/plain\r\n\r\nx\r\n--BB\r\n\r\ny\r\n--BB--\r\n`,
  );
  assert.deepEqual(
    parts.leaves.map(({ text }) => text),
    ['x', 'y'],
  );
  assert.equal((await read('\r\n\r\nFrom: a@b.c\r\nSubject: late\r\n\r\nx')).headers.subject, 'late');
  assert.equal(
    (await read('From a@b.c Mon Jun  1 10:00:00 2026\nFrom: a@b.c\nSubject: mbox\n\nx')).headers.subject,
    'mbox',
  );
});

void test('a mail without a body, without a part, or of no bytes is no fault', async () => {
  assert.equal((await read('From: a@b.c\r\nSubject: x\r\n\r\n')).leaves.length, 1);
  assert.equal((await read('From: a@b.c\r\nSubject: x')).headers.subject, 'x');
  await read(mixed('--BB--\r\n'));
  await read('');
});

void test('NUL bytes come through neither in headers nor in text', async () => {
  const seen = await read('From: a@b.c\r\nSubject: a\0b\r\n\r\nx\0y\r\n');
  assert.equal(seen.headers.subject, 'ab');
  assert.equal(seen.leaves[0]?.text?.trim(), 'xy');
});

void test('an HTML body is delivered as text with what it tried', async () => {
  const seen = await read(
    body(
      'text/html; charset=utf-8',
      '<script>x</script><img src="https://t.example/p.gif"><p style="display:none">hidden</p><a href="http://evil.example/">www.bank.example</a><form></form>',
    ),
  );
  assert.equal(seen.leaves[0]?.text, 'www.bank.example <http://evil.example>');
  assert.deepEqual(
    seen.findings.map((finding) => finding.split(':')[0] ?? '').toSorted((a, b) => (a < b ? -1 : 1)),
    ['form', 'hidden-text', 'link-mismatch', 'remote-content', 'script'],
  );
});

void test('a delivery report is read as text', async () => {
  const seen = await read(
    mixed(
      '--BB\r\n\r\nsorry\r\n--BB\r\nContent-Type: message/delivery-status\r\n\r\nStatus: 5.1.1\r\n--BB--\r\n',
      'multipart/report; boundary=BB',
    ),
  );
  assert.equal(seen.leaves[1]?.text, 'Status: 5.1.1');
});

// ── attacks on time and memory: each is answered well within a mail's deadline, by the same child ──

const many = (count: number, make: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => make(index)).join('');

const STRESS: readonly [string, () => string, string][] = [
  [
    '40 nested multiparts',
    () => HEAD + many(40, (i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`),
    'refused too-deep',
  ],
  [
    '10,000 nested multiparts',
    () => HEAD + many(10_000, (i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`),
    'refused too-many-parts',
  ],
  [
    '100,000 parts',
    () =>
      `${HEAD}Content-Type: multipart/mixed; boundary=BB\r\n\r\n${'--BB\r\nContent-Type: application/x\r\n\r\ny\r\n'.repeat(100_000)}--BB--\r\n`,
    'refused too-many-parts',
  ],
  [
    '2,000 nested mails',
    () => `${HEAD}${'Content-Type: message/rfc822\r\n\r\nSubject: x\r\n'.repeat(2000)}\r\nx\r\n`,
    'done',
  ],
  ['100,000 headers', () => `Subject: t\r\n${many(100_000, (i) => `X-H${i}: v\r\n`)}\r\nx\r\n`, 'refused too-large'],
  ['a 10 MB header line', () => `Subject: ${'x'.repeat(1e7)}\r\n\r\nx\r\n`, 'refused too-large'],
  [
    '200,000 encoded words',
    () => `Subject: ${'=?UTF-8?B?44GC?=\r\n '.repeat(200_000)}x\r\n\r\nx\r\n`,
    'refused too-large',
  ],
  ['16,000 encoded words', () => `Subject: ${'=?UTF-8?B?44GC?=\r\n '.repeat(16_000)}x\r\n\r\nx\r\n`, 'done'],
  [
    '16,000 addresses',
    () => `From: a@b.c\r\nTo: ${many(16_000, (i) => `u${i}@example.com,\r\n `)}\r\n\r\nx\r\n`,
    'done',
  ],
  ['nested comments', () => `From: ${'('.repeat(900_000)}a@b.c\r\n\r\nx\r\n`, 'done'],
  ['quotes and backslashes', () => `From: "${'\\"'.repeat(400_000)}" <a@b.c>\r\n\r\nx\r\n`, 'done'],
  ['colons', () => `From: ${'a:'.repeat(400_000)}\r\n\r\nx\r\n`, 'done'],
  ['16,000 parameters', () => `Content-Type: text/plain; ${many(16_000, (i) => `p${i}=v;\r\n `)}\r\n\r\nx\r\n`, 'done'],
  [
    '60,000 pieces of a name',
    () => `Content-Type: text/plain; ${many(60_000, (i) => `name*${i}*=v;`)}\r\n\r\nx\r\n`,
    'done',
  ],
  ['a piece numbered 10⁹', () => "Content-Type: text/plain; name*1000000000*=v; name*0*=utf-8''a\r\n\r\nx\r\n", 'done'],
  ['5 MB of nested <div>', () => `Content-Type: text/html\r\n\r\n${'<div>'.repeat(1e6)}x\r\n`, 'done'],
  ['5 MB of <', () => `Content-Type: text/html\r\n\r\n${'<'.repeat(5e6)}\r\n`, 'done'],
  ['50,000 nested tables', () => `Content-Type: text/html\r\n\r\n${'<table><tr><td>'.repeat(50_000)}x\r\n`, 'done'],
  ['20 MB of blank lines', () => `Content-Type: text/plain\r\n\r\n${'\r\n'.repeat(1e7)}`, 'done'],
  [
    '5 MB of flowed lines',
    () => `Content-Type: text/plain; format=flowed\r\n\r\n${'a \r\n'.repeat(1_250_000)}`,
    'done',
  ],
  ['a 5 MB line', () => `Content-Type: text/plain\r\n\r\n${'x'.repeat(5e6)}`, 'done'],
  [
    '50 MB of base64 text',
    () =>
      `Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n${`${'A'.repeat(76)}\r\n`.repeat(640_000)}`,
    'done',
  ],
];

for (const [name, make, ends] of STRESS) {
  void test(`${name}: ${ends}, in bounded time, and the child lives`, async () => {
    const before = bench.starts;
    const seen = await bench.read(make(), 400_000);
    const outcome = seen.outcome.kind === 'done' ? 'done' : `${seen.outcome.kind} ${seen.outcome.reason}`;
    assert.equal(outcome, ends, JSON.stringify(seen.outcome));
    assert.ok(withinQuiet(seen.ms, 20_000), `${Math.round(seen.ms)} ms`); // what the gateway grants 20 MB
    assert.equal(await textOf(body('text/plain', 'still here')), 'still here');
    assert.ok(bench.starts <= before + 1);
  });
}

void test('text beyond the limit is cut with a loss, the bytes come whole', async () => {
  const size = LIMITS.textChars + 1000;
  const seen = await read(`${HEAD}\r\n${`${'a'.repeat(99)}\n`.repeat(size / 100)}`);
  assert.equal(seen.leaves[0]?.text?.length, LIMITS.textChars);
  assert.deepEqual(seen.losses, [`text-cut: ${LIMITS.textChars}`]);
  assert.ok((seen.leaves[0]?.bytes.length ?? 0) > LIMITS.textChars);
});

void test('one mail leaves nothing behind for the next in the same child', async () => {
  await read(body('text/plain; charset=iso-2022-jp', Buffer.from('\u001b$BF|', 'latin1')));
  await bench.read(`${HEAD}${many(40, (i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`)}`);
  const seen = await read(body('text/plain', JA));
  assert.equal(seen.leaves[0]?.text?.trim(), JA);
  assert.deepEqual([...seen.findings, ...seen.losses], []);
});
