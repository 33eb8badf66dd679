// Passwords as second mails tell them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CANDIDATES_MOST, passwordCandidates } from '../../src/sanitise/password-words.ts';

const PASSWORD = 'Kx7#mQ2p';

/** How it is written, and what must be among the first three. */
const WORDINGS: readonly (readonly [name: string, text: string, password?: string])[] = [
  ['colon', `パスワード：${PASSWORD}`],
  ['half-width colon and blanks', `パスワード :   ${PASSWORD}  `],
  ['full-width word and letters', 'ＰＡＳＳＷＯＲＤ：Ａｂｃ１２３４', 'Abc1234'],
  ['PW', `PW:${PASSWORD}`],
  ['P/W', `Ｐ／Ｗ＝${PASSWORD}`],
  ['brackets and a sentence', `先ほどお送りしたファイルのパスワードは「${PASSWORD}」です。`],
  ['double brackets', `解凍パスワードは『${PASSWORD}』となります。`],
  ['lenticular brackets', `パスワード【${PASSWORD}】`],
  ['a sentence without brackets', `パスワードは${PASSWORD}です。よろしくお願いいたします。`],
  ['a line break after the word', `パスワードは以下のとおりです。\n\n　${PASSWORD}\n\nよろしくお願いいたします。`],
  ['a line break after the colon', `添付ファイルの解凍パスワードをお知らせします。\n\n解凍パスワード：\n${PASSWORD}\n`],
  [
    'an automatic notice',
    `本メールは自動送信です。\n\n送信日時：2026/11/20 10:00:00\n添付ファイル名：見積書.zip\n復号パスワード：${PASSWORD}\n\n※本メールに返信しないでください。`,
  ],
  ['a list mark', `■パスワード\n　${PASSWORD}`],
  [
    'a forwarded mail',
    `FYI\n\n-----Original Message-----\n> 佐藤様\n>\n> お世話になっております。\n> 先程のファイルの展開パスワードです。\n>\n>   ${PASSWORD}\n>\n> 鈴木`,
  ],
  ['twice forwarded', `>> PW：\n>> ${PASSWORD}\n>> 以上`],
  ['English', `The password for the attached file is: ${PASSWORD}\nRegards`],
  ['English without a mark', `Password ${PASSWORD}`],
  ['digits only', 'パスワードは 20261125 です', '20261125'],
  ['解凍キー', `解凍キー → ${PASSWORD}`],
  ['a full stop behind it', `pass: ${PASSWORD}.`],
  ['a remark before the colon', `パスワード（半角英数字）：${PASSWORD}`],
  ['a remark before the colon, half-width', `パスワード(半角英数字):${PASSWORD}`],
  ['a remark before a blank', `解凍用パスワード（半角）： ${PASSWORD}`],
  ['a remark and a sentence', `パスワード〔大文字・小文字に注意〕は${PASSWORD}です`],
  ['a remark that is no short one', `パスワード（${'添付の申請書と別紙一覧の両方に'.repeat(3)}）:${PASSWORD}`],
  ['P.W.', `P.W. : ${PASSWORD}`],
  ['a password in brackets', `パスワード（${PASSWORD}）`],
  ['a password in brackets and a sentence', `パスワード（${PASSWORD}）は本日限りです`],
  ['a password that is Japanese', 'パスワードは「さくら2026」です', 'さくら2026'],
];

describe('passwords in the text of a mail', () => {
  for (const [name, text, password = PASSWORD] of WORDINGS)
    it(`are found: ${name}`, () => {
      const found = passwordCandidates(text);
      assert.ok(found.slice(0, 3).includes(password), `${password} not first in ${JSON.stringify(found)}`);
    });

  it('are none where none is spoken of', () => {
    assert.deepEqual(passwordCandidates('会議は 2026/11/25 10:00 です。\nURL: https://example.com/Ab12'), []);
    assert.deepEqual(passwordCandidates(''), []);
  });

  it('are no addresses, links, file names or rules of dashes', () => {
    const found = passwordCandidates(
      'パスワードは別のメールでお送りします。\n--------------------\nfile: 見積書2026.zip\nsato@example.com https://example.com/A1',
    );
    for (const one of found) assert.doesNotMatch(one, /@|https?:|\.zip|^-+$/);
  });

  it('are few, and quickly found, in a text made against them', () => {
    const started = process.cpuUsage();
    const found = passwordCandidates('パスワード「'.repeat(200_000) + `\n${'PW:a1b2 '.repeat(100_000)}`);
    const { user } = process.cpuUsage(started);
    assert.ok(found.length <= CANDIDATES_MOST);
    assert.ok(user < 2_000_000, `${user} µs`);
  });
});
