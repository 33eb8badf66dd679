// Subjects, senders and file names: encoded words in every mixture, RFC 2231, and what mailers write instead.
import {
  attached,
  expect,
  head,
  join,
  multi,
  percent,
  single,
  textPart,
  word,
  type Bytes,
  type Case,
  type Encode,
} from './case.ts';

const JA = '会議資料の送付について（ご確認ください）';
const NAME = '見積書（第２版）.txt';

export function headers(enc: Encode): readonly Case[] {
  return [...subjects(enc), ...names(enc)];
}

function subjects(enc: Encode): Case[] {
  const cases: Case[] = [];
  const add = (name: string, raw: Bytes, subject: string, losses: string[] = []): void => {
    cases.push(
      expect('subject', name, single('text/plain; charset=utf-8', '本文', '8bit', { subject: raw }), {
        text: '本文',
        subject,
        losses,
      }),
    );
  };
  const utf8 = Buffer.from(JA);
  const jis = enc('iso2022_jp', JA);
  const sjis = enc('cp932', JA);
  add('UTF-8, B', word('UTF-8', utf8), JA);
  add('UTF-8, Q', word('UTF-8', utf8, 'Q'), JA);
  add('ISO-2022-JP, B', word('ISO-2022-JP', jis), JA);
  add('ISO-2022-JP, Q', word('ISO-2022-JP', jis, 'Q'), JA);
  add(
    'ISO-2022-JP with vendor letters and half-width kana',
    word('ISO-2022-JP', enc('cp50221', '①㈱ｱｲｳ髙橋')),
    '①㈱ｱｲｳ髙橋',
  );
  add('Shift_JIS, B', word('Shift_JIS', sjis), JA);
  add('EUC-JP, B', word('EUC-JP', enc('euc_jp', JA)), JA);
  add('GB18030', word('gb18030', enc('gb18030', '会议通知')), '会议通知');
  add('EUC-KR', word('ks_c_5601-1987', enc('euc_kr', '회의')), '회의');
  add('windows-1252, Q with _', '=?windows-1252?Q?Caf=E9_=80?=', 'Café €');
  add('raw UTF-8', utf8, JA);
  add('raw Shift_JIS', sjis, JA);
  add('raw Shift_JIS with 5C bytes', enc('cp932', '予定表とソースの件'), '予定表とソースの件');
  add('raw EUC-JP', enc('euc_jp', JA), JA);
  add('raw ISO-2022-JP', jis, JA);
  add(
    'raw ISO-2022-JP over folded lines',
    join(enc('iso2022_jp', '会議資料'), '\r\n ', enc('iso2022_jp', 'の送付')),
    '会議資料 の送付',
  );
  add(
    'UTF-8 B split inside a letter',
    `${word('UTF-8', utf8.subarray(0, 10))}\r\n ${word('UTF-8', utf8.subarray(10))}`,
    JA,
  );
  add(
    'UTF-8 Q split inside a letter',
    `${word('UTF-8', utf8.subarray(0, 20), 'Q')}\r\n ${word('UTF-8', utf8.subarray(20), 'Q')}`,
    JA,
  );
  add(
    'Shift_JIS split inside a letter',
    `${word('Shift_JIS', sjis.subarray(0, 9))} ${word('Shift_JIS', sjis.subarray(9))}`,
    JA,
  );
  add(
    'ISO-2022-JP split without its escapes',
    `${word('ISO-2022-JP', jis.subarray(0, 13))}\r\n\t${word('ISO-2022-JP', jis.subarray(13))}`,
    JA,
  );
  add(
    'ISO-2022-JP in whole words',
    ['会議', '資料', 'の件'].map((part) => word('iso-2022-jp', enc('iso2022_jp', part))).join('\r\n '),
    '会議資料の件',
  );
  add(
    'words of two charsets',
    `${word('UTF-8', '会議')} ${word('ISO-2022-JP', enc('iso2022_jp', '資料'))}`,
    '会議資料',
  );
  add(
    'words of one charset, B and Q',
    `${word('UTF-8', utf8.subarray(0, 7))} ${word('UTF-8', utf8.subarray(7), 'Q')}`,
    JA,
  );
  add('words and plain text', `Re: ${word('UTF-8', '会議')} [ML 12]`, 'Re: 会議 [ML 12]');
  add(
    'a word inside other letters, as old mailers write',
    `[ML]${word('ISO-2022-JP', enc('iso2022_jp', '会議'))}(2)`,
    '[ML]会議(2)',
  );
  add('a word in quotes', `"${word('UTF-8', '会議')}"`, '"会議"');
  add('a word with a language (RFC 2231)', `=?UTF-8*ja?B?${Buffer.from('会議').toString('base64')}?=`, '会議');
  add('a Q word with a space inside', '=?UTF-8?Q?a b=E4=BC=9A?=', 'a b会');
  add(
    'base64 without its padding',
    `=?UTF-8?B?${Buffer.from('会議a').toString('base64').replace(/=+$/, '')}?=`,
    '会議a',
  );
  add(
    'base64 in the middle padded',
    `=?UTF-8?B?${Buffer.from('会議a').toString('base64')}${Buffer.from('b').toString('base64')}?=`,
    '会議ab',
  );
  add('a word that names a wrong charset (JIS called utf-8)', word('UTF-8', jis), JA);
  add('a word that names a wrong charset (Shift_JIS called utf-8)', word('UTF-8', sjis), JA);
  add('a word that decodes to a word is not decoded again', word('UTF-8', word('UTF-8', '会')), word('UTF-8', '会'));
  add('an encoded line end makes no header', word('UTF-8', '件名\r\nBcc: x@evil.example'), '件名 Bcc: x@evil.example');
  add('an encoded NUL is dropped', word('UTF-8', '件\0名'), '件名');
  add('a broken word stays as it is', '=?UTF-8?B?5Lya', '=?UTF-8?B?5Lya');
  add('an empty subject', '', '');
  add('IVS in a subject stays', word('UTF-8', '辻󠄀様'), '辻󠄀様');
  add('gaiji in a subject', word('Shift_JIS', join(enc('cp932', '高橋'), Buffer.from('f040', 'hex'))), '高橋〓', [
    'gaiji',
  ]);
  add('broken bytes in a subject', word('UTF-8', join('件名', Buffer.from('e4bc', 'hex'))), '件名\ufffd', [
    'undecodable-bytes',
  ]);
  add('a fold inside of ASCII', 'one\r\n two', 'one two');
  add('UTF-7 in a word is left undecoded', '=?UTF-7?Q?+ZcVnLA-?=', '+ZcVnLA-', ['undecodable-bytes']);
  return cases;
}

function names(enc: Encode): Case[] {
  const cases: Case[] = [];
  const add = (name: string, header: Bytes, file: string, losses: string[] = []): void => {
    const mail = multi([textPart('本文'), attached(header)]);
    cases.push(expect('name', name, mail, { text: '本文', names: [file], losses }));
  };
  const cd = (...value: Bytes[]): Buffer =>
    join('Content-Type: text/plain\r\nContent-Disposition: attachment; ', ...value);
  const ct = (...value: Bytes[]): Buffer =>
    join('Content-Type: text/plain; ', ...value, '\r\nContent-Disposition: attachment');
  const utf8 = Buffer.from(NAME);
  const jis = enc('iso2022_jp', NAME);
  const sjis = enc('cp932', NAME);
  add('RFC 2231, UTF-8', cd(`filename*=UTF-8''${percent(utf8)}`), NAME);
  add('RFC 2231 with a language', cd(`filename*=utf-8'ja'${percent(utf8)}`), NAME);
  add('RFC 2231, ISO-2022-JP', cd(`filename*=ISO-2022-JP''${percent(jis)}`), NAME);
  add('RFC 2231, Shift_JIS', cd(`filename*=Shift_JIS''${percent(sjis)}`), NAME);
  add('RFC 2231, EUC-JP', cd(`filename*=EUC-JP''${percent(enc('euc_jp', NAME))}`), NAME);
  add(
    'RFC 2231 in pieces, split inside a letter',
    cd(`filename*0*=UTF-8''${percent(utf8.subarray(0, 10))};\r\n filename*1*=${percent(utf8.subarray(10))}`),
    NAME,
  );
  add(
    'RFC 2231 in pieces out of order',
    cd(`filename*1*=${percent(utf8.subarray(9))};\r\n filename*0*=UTF-8''${percent(utf8.subarray(0, 9))}`),
    NAME,
  );
  add(
    'RFC 2231, pieces encoded and plain',
    cd(`filename*0*=UTF-8''${percent(Buffer.from('見積書'))};\r\n filename*1="-2026.txt"`),
    '見積書-2026.txt',
  );
  add(
    'RFC 2231 beside a plain name: the extended one counts',
    cd(`filename="fallback.txt"; filename*=UTF-8''${percent(utf8)}`),
    NAME,
  );
  add('RFC 2231 in quotes', cd(`filename*="UTF-8''${percent(utf8)}"`), NAME);
  add('a word in the parameter, UTF-8', cd(`filename="${word('UTF-8', utf8)}"`), NAME);
  add('a word in the parameter, ISO-2022-JP', cd(`filename="${word('ISO-2022-JP', jis)}"`), NAME);
  add('a word in the parameter, Shift_JIS', cd(`filename="${word('Shift_JIS', sjis)}"`), NAME);
  add('a word without quotes', cd(`filename=${word('UTF-8', utf8)}`), NAME);
  add(
    'two words, split inside a letter',
    cd(`filename="${word('UTF-8', utf8.subarray(0, 10))}\r\n ${word('UTF-8', utf8.subarray(10))}"`),
    NAME,
  );
  add(
    'two words, ISO-2022-JP without escapes between',
    cd(`filename="${word('ISO-2022-JP', jis.subarray(0, 9))}\r\n ${word('ISO-2022-JP', jis.subarray(9))}"`),
    NAME,
  );
  add('words in RFC 2231 pieces', cd(`filename*0="${word('UTF-8', '見積書')}"; filename*1=".txt"`), '見積書.txt');
  add('only name= in Content-Type, a word', ct(`name="${word('UTF-8', utf8)}"`), NAME);
  add('only name= in Content-Type, RFC 2231', ct(`name*=UTF-8''${percent(utf8)}`), NAME);
  add('raw UTF-8', cd('filename="', utf8, '"'), NAME);
  add('raw Shift_JIS', cd('filename="', sjis, '"'), NAME);
  add('raw Shift_JIS with 5C bytes', cd('filename="', enc('cp932', '予算表ソ.txt'), '"'), '予算表ソ.txt');
  add('raw EUC-JP', cd('filename="', enc('euc_jp', NAME), '"'), NAME);
  add('raw ISO-2022-JP', cd('filename="', jis, '"'), NAME);
  add('percent-encoded without being RFC 2231', cd(`filename="${percent(utf8)}"`), NAME);
  add(
    'name and filename differ: filename counts',
    join(
      `Content-Type: text/plain; name="${word('UTF-8', '別.txt')}"\r\nContent-Disposition: attachment; filename="${word('UTF-8', utf8)}"`,
    ),
    NAME,
  );
  add('a name with a semicolon in quotes', cd('filename="a;b.txt"'), 'a;b.txt');
  add('a name with escaped quotes', cd('filename="a \\"b\\".txt"'), 'a "b".txt');
  add('a Windows path', cd('filename="C:\\temp\\a.txt"'), 'C:\\temp\\a.txt');
  add(
    'decomposed kana of macOS',
    cd(`filename*=UTF-8''${percent(Buffer.from('か\u3099くせいは\u309Aん.txt'))}`),
    'がくせいぱん.txt',
  );
  add('a name with gaiji', cd(`filename*=Shift_JIS''${percent(Buffer.from('f040', 'hex'))}.txt`), '〓.txt', ['gaiji']);
  add(
    'a name with broken bytes',
    cd(`filename*=UTF-8''${percent(join('資料', Buffer.from('e4bc', 'hex'), '２'))}.txt`),
    '資料\ufffd２.txt',
    ['undecodable-bytes'],
  );
  add(
    'a comment in the header',
    join('Content-Type: text/plain\r\nContent-Disposition: attachment (see below); filename="a.txt"'),
    'a.txt',
  );
  cases.push(
    expect(
      'name',
      'three attachments in order',
      multi([
        textPart('本文'),
        ...['い.txt', 'ろ.txt', 'は.txt'].map((file) => attached(cd(`filename*=UTF-8''${percent(Buffer.from(file))}`))),
      ]),
      { text: '本文', names: ['い.txt', 'ろ.txt', 'は.txt'] },
    ),
    expect(
      'name',
      'a mail that is only a file',
      join(
        head(),
        cd(`filename*=UTF-8''${percent(utf8)}`),
        '\r\nContent-Transfer-Encoding: base64\r\n\r\n',
        Buffer.from('添付').toString('base64'),
      ),
      { names: [NAME] },
    ),
  );
  return cases;
}
