// The delivered mail as another program reads it (Python's email package): names, subject, text, line lengths, both charsets.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import type { OutgoingMail } from '../../src/deliver/courier.ts';
import { toJisWords } from '../../src/deliver/encoded-words.ts';
import { toIso2022Jp } from '../../src/deliver/iso-2022-jp.ts';
import fc from 'fast-check';
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import { nodemailerOptions, toBytes } from '../../src/deliver/nodemailer-options.ts';
import { forLine } from '../../src/message/untrusted.ts';

const READER = `
import email, email.policy, json, sys
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
body = mail.get_body(('plain',))
print(json.dumps({
  'subject': mail['subject'], 'from': str(mail['from']), 'charset': body.get_content_charset(), 'text': body.get_content(),
  'names': [part.get_filename() for part in mail.iter_attachments()],
  'typed': [part.get_param('name') for part in mail.iter_attachments()],
}))
`;

const MAIL: OutgoingMail = {
  id: '01m89hvd2vnzqmynkhmbdmh7rw',
  messageId: '01m89hvd2vnzqmynkhmbdmh7rw@city.example.lg.jp',
  envelope: { from: 'a@example.com', to: ['staff@city.example.lg.jp'] },
  from: { name: '佐藤 太郎（総務課）', address: 'a@example.com' },
  to: [{ name: '担当者', address: 'staff@city.example.lg.jp' }],
  cc: [],
  subject: '会議資料の送付について（ご確認ください）、長い件名が続くときの折り返しのようす',
  date: new Date(0),
  headers: { 'X-Mugai-Id': '01m89hvd2vnzqmynkhmbdmh7rw' },
  text: `本文です。９～１７時－\n${'長い一行。'.repeat(400)}\n.\n終わり\n`,
  charset: 'utf-8',
  attachments: [
    {
      filename: '01-御見積書（事務用椅子）第二版の長い名前のファイル.pdf',
      contentType: 'application/pdf',
      content: Buffer.from('%PDF'),
    },
    { filename: '02-メモ.txt', contentType: 'text/plain; charset=utf-8', content: Buffer.from('メモ') },
  ],
};

interface Read {
  readonly subject: string;
  readonly from: string;
  readonly charset: string;
  readonly text: string;
  readonly names: readonly string[];
  readonly typed: readonly string[];
}

async function read(mail: OutgoingMail): Promise<Read> {
  const bytes = await toBytes(mail);
  const text = bytes.toString('latin1');
  assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n/, 'a bare line end');
  assert.doesNotMatch(text, /[^\r\n]{999}/, 'a line over 998');
  assert.doesNotMatch(text, /[^\x00-\x7f]/, 'a byte over 7 bits');
  for (const line of text.slice(0, text.indexOf('\r\n\r\n')).split('\r\n')) assert.ok(line.length <= 78, line);
  const python = spawnSync('python3', ['-c', READER], { input: bytes, encoding: 'utf8' });
  assert.equal(python.status, 0, python.stderr);
  return JSON.parse(python.stdout) as Read;
}

void test('names, subject and text are what they were, in UTF-8; names in both forms', async () => {
  const seen = await read(MAIL);
  assert.equal(seen.charset, 'utf-8');
  assert.equal(seen.subject, MAIL.subject);
  assert.match(seen.from, /佐藤 太郎（総務課）.*<a@example\.com>/);
  assert.equal(seen.text.replaceAll('\r\n', '\n'), MAIL.text);
  assert.deepEqual(
    seen.names,
    MAIL.attachments.map(({ filename }) => filename),
  );
  const raw = (await toBytes(MAIL)).toString('latin1');
  assert.equal(raw.match(/filename\*0\*=utf-8''/g)?.length, 2, 'RFC 2231');
  assert.equal(raw.match(/name="=\?UTF-8\?B\?/g)?.length, 2, 'the form of older programs');
});

void test('ISO-2022-JP where the policy asks for it: text and subject, read by another program', async () => {
  const seen = await read({ ...MAIL, charset: 'iso-2022-jp' });
  assert.equal(seen.charset, 'iso-2022-jp');
  assert.equal(seen.subject, MAIL.subject);
  // JIS X 0208 has one wave dash and one minus; Python gives Unicode's own names for them.
  assert.equal(seen.text.replaceAll('\r\n', '\n').replace('〜', '～').replace('−', '－'), MAIL.text);
});

void test('a letter that JIS X 0208 lacks takes the whole mail to UTF-8', async () => {
  for (const text of ['①', '㈱', '髙橋', 'ｱｲｳ', '葛󠄀城', '🍣', '〓①']) {
    const seen = await read({ ...MAIL, text, charset: 'iso-2022-jp' });
    assert.equal(seen.charset, 'utf-8', text);
    assert.equal(seen.text.trim(), text);
  }
  assert.equal((await read({ ...MAIL, subject: '①の件', charset: 'iso-2022-jp' })).charset, 'utf-8');
});

void test('encoded words of ISO-2022-JP start and end in ASCII and stay within 75 letters', () => {
  const words = toJisWords('あ'.repeat(100))?.split(' ') ?? [];
  assert.ok(words.length > 5);
  for (const word of words) {
    assert.ok(word.length <= 75, word);
    const bytes = Buffer.from(word.slice(16, -2), 'base64').toString('latin1');
    assert.match(bytes, /^\u001b\$B.*\u001b\(B$/);
  }
  assert.equal(toIso2022Jp('漢A')?.toString('latin1'), '\u001b$B4A\u001b(BA');
});

test('a mail of text alone is written byte for byte as nodemailer writes it', async () => {
  const words = fc.string({ unit: 'binary', maxLength: 300 });
  const lines = fc.array(fc.oneof(words, fc.constantFrom('.', '', 'From x', '本文です。'.repeat(60))), {
    maxLength: 20,
  });
  await fc.assert(
    fc.asyncProperty(lines, fc.string({ unit: 'grapheme', maxLength: 80 }), async (text, subject) => {
      const mail = { ...MAIL, attachments: [], text: text.join('\n'), subject: forLine(subject) };
      const theirs = await new MailComposer(nodemailerOptions(mail)).compile().build();
      assert.equal((await toBytes(mail)).toString('latin1'), theirs.toString('latin1'));
    }),
  );
});

void test('words in a decoded subject or name are not decoded a second time', async () => {
  const hidden = '=?UTF-8?B?4oCu?= 会議';
  const from = { name: '=?UTF-8?B?4oCu?=', address: 'a@example.com' };
  for (const subject of [hidden, `Re: ${'x'.repeat(200)} =?UTF-8?B?4oCu?=`]) {
    const seen = await read({ ...MAIL, subject, from });
    assert.equal(seen.subject, subject);
    assert.equal(seen.from, '=？UTF-8?B?4oCu?= <a@example.com>');
  }
  const inJis = await read({ ...MAIL, text: '本文', charset: 'iso-2022-jp', subject: '=?UTF-8?B?4oCu?=', from });
  assert.equal(inJis.subject, '=?UTF-8?B?4oCu?=');
});

void test('a word of ISO-2022-JP with many shifts is no longer than 75 letters', async () => {
  const subject = '第1回2部3章4節5項6目7号8番9枝';
  for (const word of (toJisWords(subject) ?? '').split(' ')) assert.ok(word.length <= 75, word);
  assert.equal((await read({ ...MAIL, charset: 'iso-2022-jp', text: '本文', subject })).subject, subject);
});
