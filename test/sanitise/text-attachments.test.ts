// Texts that come as files of a mail: read by the charset that the mail says of them, as its body is, or that they say themselves.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readPolicy } from '../../src/policy/policy.ts';
import { encoded, sjis } from '../support/japanese.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';

let sanitiser: Sanitiser;
before(async () => {
  sanitiser = await openSanitiser({ policy: readPolicy('name: p\nversion: "1"\ncsv: text\n', 'p') });
});
after(async () => sanitiser[Symbol.asyncDispose]());

/** A mail with one file in it. */
const withFile = async (type: string, name: string, bytes: Buffer): Promise<Outcome> =>
  sanitiser.mail(
    [
      'From: a@example.com\r\nTo: staff@city.example.lg.jp\r\nSubject: s\r\nMIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b',
      `Content-Type: ${type}\r\nContent-Disposition: attachment; filename=${name}\r\nContent-Transfer-Encoding: base64\r\n`,
      `${bytes.toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n--b--\r\n`,
    ].join('\r\n'),
  );
const told = ({ parts }: Outcome): string => {
  const row = parts.at(-1);
  return [row?.declaredType, row?.detectedType, row?.verdict, ...(row?.losses ?? []).map(({ code }) => code)].join(' ');
};
const fileOf = ({ files }: Outcome): string => String([...files].find(([name]) => name !== 'message.txt')?.[1]);

const TEXTS = {
  gb2312: '关于召开第一次工作会议的通知：请各位准时参加。',
  big5: '關於會議的通知，請各位準時參加。地點為市政府三樓會議室。',
  'euc-kr': '회의 안내 드립니다. 참석 부탁드립니다.',
  'koi8-r': 'Привет, это текст письма о встрече.',
  'windows-1251': 'Просим подтвердить участие.',
  'windows-1252': 'Sehr geehrter Herr Müller, die Prüfung für Ihre Straße ist über.',
  'windows-874': 'เรียนเชิญประชุม',
} as const;

describe('a text file of a mail', () => {
  for (const [charset, text] of Object.entries(TEXTS)) {
    it(`in ${charset} is read as its mail says`, async () => {
      const lines = `${text}\n`.repeat(20);
      const outcome = await withFile(`text/plain; charset="${charset}"`, 'a.txt', encoded(charset, lines));
      assert.equal(told(outcome), 'text/plain text/plain text');
      assert.equal(fileOf(outcome).trimEnd(), lines.trimEnd());
    });
  }

  it('that says nothing of its charset, or what its bytes deny, is read by its bytes', async () => {
    const text = '会議の資料を送ります。ﾃﾞｰﾀは後日です。';
    for (const charset of ['', '; charset=us-ascii', '; charset=utf-8', '; charset=iso-8859-1']) {
      const outcome = await withFile(`text/plain${charset}`, 'a.txt', sjis(text));
      assert.equal(fileOf(outcome).trimEnd(), text, charset);
      assert.equal(told(outcome), 'text/plain text/plain text');
    }
  });

  it('in a charset of a name that nobody knows is read by its bytes, and told as a guess', async () => {
    const outcome = await withFile('text/plain; charset=x-city-9', 'a.txt', sjis('会議の資料を送ります。'));
    assert.match(fileOf(outcome), /会議の資料/);
    assert.equal(told(outcome), 'text/plain text/plain text charset-guessed');
  });

  it('that is a calendar, a table or a page is one in its charset, too', async () => {
    const summary = '关于召开第一次工作会议的通知';
    const calendar = `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:${summary}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
    const invited = await withFile('text/calendar; charset=gb2312', 'a.ics', encoded('gb2312', calendar));
    assert.equal(told(invited), 'text/calendar text/calendar text');
    assert.match(fileOf(invited), new RegExp(summary));
    assert.doesNotMatch(fileOf(invited), /BEGIN/);
    const table = await withFile('text/csv; charset=gb2312', 'a.csv', encoded('gb2312', `${summary},1\r\n`.repeat(9)));
    assert.equal(told(table), 'text/csv text/csv text');
    assert.match(fileOf(table), new RegExp(summary));
    const html = `<html><body><p>${summary}</p></body></html>`;
    const page = await withFile('text/html; charset=gb2312', 'a.html', encoded('gb2312', html));
    assert.equal(told(page), 'text/html text/html text');
    assert.equal(fileOf(page).trimEnd(), summary);
  });
});

describe('a file that says its own charset', () => {
  const words = '关于召开第一次工作会议的通知，请各位准时参加。'.repeat(9);

  it('is read so where it is XML, unless its mail says another one', async () => {
    const xml = `<?xml version="1.0" encoding="GB2312"?>\n<a>${words}</a>\n`;
    const bytes = encoded('gb2312', xml);
    for (const type of ['application/xml', 'text/xml; charset=us-ascii', 'application/octet-stream']) {
      const outcome = await withFile(type, 'a.xml', bytes);
      assert.match(told(outcome), /application\/xml text$/, type);
      assert.equal(fileOf(outcome).trimEnd(), xml.trimEnd());
    }
    const lying = encoded('big5', '<?xml version="1.0" encoding="GB2312"?>\n<a>關於會議的通知</a>\n'.repeat(9));
    assert.match(fileOf(await withFile('text/xml; charset=big5', 'a.xml', lying)), /關於會議的通知/);
  });

  it('is read so where it is HTML, and not where it is a text about it', async () => {
    const html = `<html><head><meta charset="gb2312"></head><body><p>${words}</p></body></html>`;
    const page = await withFile('application/octet-stream', 'a.html', encoded('gb2312', html));
    assert.equal(told(page), 'application/octet-stream text/html text');
    assert.equal(fileOf(page).trimEnd(), words);
    const about = `会議の資料に <meta charset="gb2312"> と書きました。\n`.repeat(9);
    assert.equal(fileOf(await withFile('text/plain', 'a.txt', sjis(about))).trimEnd(), about.trimEnd());
  });
});
