// What old and careless mailers send: letters of makers in every place, letters cut in two, sets in one another's clothes.
import {
  attached,
  base64,
  expect,
  join,
  multi,
  multipart,
  percent,
  single,
  textPart,
  word,
  type Bytes,
  type Case,
  type Encode,
} from './case.ts';

const JA = 'お世話になっております。';
const NAME = '①㈱髙﨑の№Ⅲ.txt';

export function wild(enc: Encode): readonly Case[] {
  return [...bodies(enc), ...subjects(enc), ...names(enc), ...kinds(enc)];
}

function bodies(enc: Encode): Case[] {
  const add = (name: string, type: string, body: Bytes, text: string, losses: string[] = [], encoding = '8bit'): Case =>
    expect('wild', name, single(type, body, encoding), { text, losses });
  const sjis = 'text/plain; charset=Shift_JIS';
  const hex = (bytes: string): Buffer => Buffer.from(bytes.replaceAll(' ', ''), 'hex');
  return [
    add(
      'CP932 letters that have two or three codes',
      sjis,
      hex('81be 879c 81bf 879b 81e6 879a fa5b 81ca eef9 fa54 81df 8791 81e7 8792'),
      '∪∪∩∩∵∵∵￢￢￢≡≡∫∫',
    ),
    add(
      'CP932: 髙 﨑 纊 from IBM’s rows and from NEC’s choice of them',
      sjis,
      hex('fbfc fab1 fa5c eee0 ed95 ed40'),
      '髙﨑纊髙﨑纊',
    ),
    add(
      'EUC-JP-MS: IBM’s letters in three bytes',
      'text/plain; charset=eucJP-ms',
      hex('8ff4fb 8ff3f5 8ff4f4 fce2'),
      '髙ⅲ霻髙',
    ),
    add(
      'EUC-JP: 外字 of both planes',
      'text/plain; charset=euc-jp',
      join(enc('euc_jp', '甲'), hex('f5a1 8ff5a1'), enc('euc_jp', '乙')),
      '甲〓〓乙',
      ['gaiji'],
    ),
    add(
      'ISO-2022-JP that lost its ESC bytes',
      'text/plain; charset=ISO-2022-JP',
      Buffer.from(
        enc('iso2022_jp', `${JA}\nabc 会議室 $B での (B です`).toString('latin1').replaceAll('\u001b', ''),
        'latin1',
      ),
      `${JA}\nabc 会議室 $B での (B です`,
      ['charset-guessed'],
    ),
    add(
      'ISO-2022-JP that lost its ESC bytes and has no label',
      'text/plain',
      Buffer.from(enc('iso2022_jp', JA).toString('latin1').replaceAll('\u001b', ''), 'latin1'),
      JA,
      ['charset-guessed'],
    ),
    add(
      'ASCII that only looks so',
      'text/plain',
      'cost $BASES(B) or $B and (B, $B(B',
      'cost $BASES(B) or $B and (B, $B(B',
    ),
    add('a type without a slash', 'text', enc('utf-8', JA), JA),
    add('a type without a slash, with a charset', 'TEXT; charset=Shift_JIS', enc('cp932', JA), JA),
    add(
      'text/enriched',
      'text/enriched; charset=ISO-2022-JP',
      enc(
        'iso2022_jp',
        '<bold>お知らせ</bold>\n\n<color><param>red</param>明日</color>は\n休みです。<<重要>\n\n\n<nofill>\n一\n二</nofill>\n1 < 2',
      ),
      'お知らせ\n明日は 休みです。<重要>\n\n\n一\n二 1 < 2',
    ),
    add(
      'text/richtext',
      'text/richtext; charset=utf-8',
      enc('utf-8', '<bold>お知らせ</bold><nl>\n明日は<comment>見せない<nl></comment>\n休み<lt>重要>です。<nl><nl>以上'),
      'お知らせ\n明日は 休み<重要>です。\n\n以上',
    ),
    add(
      'check boxes of a form',
      'text/html; charset=utf-8',
      enc(
        'utf-8',
        '<p><input type=checkbox checked> 出席<br><input type="CheckBox"/> 欠席<br><input type=text value=x>その他<input type=checkbox style="display:none">',
      ),
      '☑ 出席\n☐ 欠席\nその他',
    ),
    add(
      'ISO-2022-JP: bytes that are no letter',
      'text/plain; charset=ISO-2022-JP',
      hex('1b2442 3021 297e 1b2842 41'),
      '亜\ufffdA',
      ['undecodable-bytes'],
    ),
    add(
      'ISO-2022-JP: a letter cut by the line end',
      'text/plain; charset=ISO-2022-JP',
      join(hex('1b2442 3021 30'), '\r\n', enc('iso2022_jp', '次')),
      '亜\ufffd\n次',
      ['undecodable-bytes'],
    ),
    add(
      'ISO-2022-JP: a shift that no line end closes',
      'text/plain; charset=ISO-2022-JP',
      join(hex('1b2442 3021'), '\r\nabc'),
      '亜\nabc',
    ),
    add(
      'ISO-2022-JP: NULs inside',
      'text/plain; charset=ISO-2022-JP',
      join(hex('1b2442 3021 00 3022 1b2842 00'), 'x'),
      '亜唖x',
    ),
    add(
      'ISO-2022-JP: half-width kana between kanji',
      'text/plain; charset=ISO-2022-JP',
      enc('cp50221', '①ｶﾅと漢字ﾊﾟA'),
      '①ｶﾅと漢字ﾊﾟA',
    ),
    add(
      'ISO-2022-JP-2: é of ISO 8859-1 and α of 8859-7',
      'text/plain; charset=ISO-2022-JP-2',
      enc('iso2022_jp_2', '日本éα日本'),
      '日本éα日本',
    ),
    add(
      'ISO-2022-KR',
      'text/plain; charset=ISO-2022-KR',
      enc('iso2022_kr', '안녕 hello\r\n하세요'),
      '안녕 hello\n하세요',
      [],
      '7bit',
    ),
    add('ISO-2022-KR without a label', '', enc('iso2022_kr', '안녕 hello'), '안녕 hello', [], '7bit'),
    add(
      'HZ',
      'text/plain; charset=HZ-GB-2312',
      enc('hz', '简体 hello\r\n中文 ~ x'),
      '简体 hello\n中文 ~ x',
      [],
      '7bit',
    ),
    add('GB18030, letters of four bytes', 'text/plain; charset=GB18030', enc('gb18030', '㐀𠮷ǹ€'), '㐀𠮷ǹ€'),
    add('GB18030 labelled gb2312', 'text/plain; charset=gb2312', enc('gb18030', '朱镕基与㐀𠮷'), '朱镕基与㐀𠮷'),
    add('Big5 with letters of Hong Kong', 'text/plain; charset=Big5-HKSCS', enc('big5hkscs', '㗎咗'), '㗎咗'),
    add('a code page of DOS', 'text/plain; charset=IBM850', enc('cp850', 'café à Zürich'), 'café à Zürich'),
    add(
      'UTF-16 that says no order and has no mark',
      'text/plain; charset=utf-16',
      base64(enc('utf-16-be', '会議です。明日の資料')),
      '会議です。明日の資料',
      [],
      'base64',
    ),
    add(
      'a footer of UTF-8 under a text of Shift_JIS',
      sjis,
      join(enc('cp932', `${JA}\r\n\r\n`), '-- \r\n会議メーリングリスト\r\n'),
      `${JA}\n\n-- \n会議メーリングリスト`,
    ),
    add(
      'a footer of UTF-8 under a text of EUC-JP',
      'text/plain; charset=euc-jp',
      join(enc('euc_jp', `${JA}\r\n`), '会議メーリングリスト\r\n'),
      `${JA}\n会議メーリングリスト`,
    ),
    add('a charset that nobody here knows: guessed, and told', 'text/plain; charset=x-fancy', enc('cp932', JA), JA, [
      'charset-guessed',
    ]),
    add(
      'Shift_JIS labelled gb2312 stays what it says, told where it fails',
      'text/plain; charset=us-ascii',
      enc('cp932', JA),
      JA,
    ),
    add(
      'two selectors and a mark on one letter',
      'text/plain; charset=utf-8',
      '辻\u{E0101}と邉\u{E010F}、☎\uFE0E☎\uFE0F',
      '辻\u{E0101}と邉\u{E010F}、☎\uFE0E☎\uFE0F',
    ),
    add(
      'private use beyond the BMP, beside honest letters',
      'text/plain; charset=utf-8',
      '甲\u{10FFFD}乙\uF8FF丙',
      '甲〓乙〓丙',
      ['gaiji'],
    ),
    add('a replacement character that the sender wrote', 'text/plain; charset=utf-8', '甲\ufffd乙', '甲\ufffd乙'),
    add(
      'UTF-8: surrogates, overlong forms and too large ones',
      'text/plain; charset=utf-8',
      join('甲乙丙丁', hex('eda080 c0af f4908080')),
      `甲乙丙丁${'\ufffd'.repeat(9)}`,
      ['undecodable-bytes'],
    ),
    add(
      'quoted-printable that cuts a letter at a soft line end',
      sjis,
      join('=95=\r\n\\=8E=A6', ''),
      '表示',
      [],
      'quoted-printable',
    ),
    add('NULs among UTF-8', 'text/plain; charset=utf-8', '会\0議\0', '会議'),
  ];
}

function subjects(enc: Encode): Case[] {
  const add = (name: string, subject: Bytes, want: string, losses: string[] = []): Case =>
    expect('wild', `subject: ${name}`, single('text/plain; charset=utf-8', '本文', '8bit', { subject }), {
      text: '本文',
      subject: want,
      losses,
    });
  const hex = (bytes: string): Buffer => Buffer.from(bytes, 'hex');
  const gb = enc('gb18030', '㐀𠮷通知');
  return [
    add('raw Shift_JIS with letters of makers', enc('cp932', '【㈱髙橋】①次回のご案内～'), '【㈱髙橋】①次回のご案内～'),
    add('raw Shift_JIS, half-width kana', enc('cp932', 'ｺﾞ案内ﾃﾞｽ'), 'ｺﾞ案内ﾃﾞｽ'),
    add(
      'raw JIS with kana by SO and SI',
      join('Re: ', enc('jis7', 'ｱｲｳ'), ' ', enc('iso2022_jp', '会議')),
      'Re: ｱｲｳ 会議',
    ),
    add(
      'raw Shift_JIS beside an encoded word',
      join(enc('cp932', '予定表'), ' ', word('UTF-8', 'の件')),
      '予定表 の件',
    ),
    add(
      'GB18030 cut inside a letter of four bytes',
      `${word('gb18030', gb.subarray(0, 2))}\r\n ${word('gb18030', gb.subarray(2))}`,
      '㐀𠮷通知',
    ),
    add(
      'UTF-8 cut inside a letter, three pieces',
      [0, 1, 2]
        .map((at) =>
          word('UTF-8', Buffer.from('𠮷野').subarray(at === 0 ? 0 : at === 1 ? 1 : 5, at === 0 ? 1 : at === 1 ? 5 : 7)),
        )
        .join('\r\n '),
      '𠮷野',
    ),
    add(
      'JIS cut between the bytes of a letter, with escapes',
      `${word('ISO-2022-JP', hex('1b24423021301b2842'))} ${word('ISO-2022-JP', hex('1b2442221b2842'))}`,
      '亜\ufffd\ufffd',
      ['undecodable-bytes'],
    ),
    add('Shift_JIS, Q, second bytes as they are', '=?Shift_JIS?Q?=83\\=81[=83X?=', 'ソース'),
    add('CP932 called windows-31j', word('windows-31j', enc('cp932', '①髙')), '①髙'),
    add('a word of a charset that nobody knows', word('x-fancy', enc('cp932', '会議のご案内')), '会議のご案内', [
      'undecodable-bytes',
    ]),
    add('UTF-8 called ISO-2022-JP', word('ISO-2022-JP', Buffer.from('会議')), '会議'),
    add('JIS called Shift_JIS', word('Shift_JIS', enc('iso2022_jp', '会議')), '会議'),
    add('IVS and private use', word('UTF-8', '葛\u{E0100}城\uE001'), '葛\u{E0100}城〓', ['gaiji']),
    add('ISO-2022-KR', word('ISO-2022-KR', enc('iso2022_kr', '회의')), '회의'),
  ];
}

function names(enc: Encode): Case[] {
  const add = (name: string, header: Bytes, file: string, losses: string[] = []): Case =>
    expect('wild', `name: ${name}`, multi([textPart('本文'), attached(header)]), {
      text: '本文',
      names: [file],
      losses,
    });
  const cd = (...value: Bytes[]): Buffer =>
    join('Content-Type: text/plain\r\nContent-Disposition: attachment; ', ...value);
  const charsets = [
    ['Shift_JIS', enc('cp932', NAME)],
    ['ISO-2022-JP', enc('cp50221', NAME)],
    ['UTF-8', Buffer.from(NAME)],
  ] as const;
  const makers = charsets.flatMap(([charset, bytes]) => [
    add(`letters of makers, RFC 2231, ${charset}`, cd(`filename*=${charset}''${percent(bytes)}`), NAME),
    add(`letters of makers, a word, ${charset}`, cd(`filename="${word(charset, bytes)}"`), NAME),
    add(`letters of makers, a Q word, ${charset}`, cd(`filename="${word(charset, bytes, 'Q')}"`), NAME),
    add(`letters of makers, raw, ${charset}`, cd('filename="', bytes, '"'), NAME),
    add(
      `letters of makers, words cut inside a letter, ${charset}`,
      cd(`filename="${word(charset, bytes.subarray(0, 7))}\r\n ${word(charset, bytes.subarray(7))}"`),
      NAME,
    ),
    add(
      `letters of makers, RFC 2231 cut inside a letter, ${charset}`,
      cd(`filename*0*=${charset}''${percent(bytes.subarray(0, 7))};\r\n filename*1*=${percent(bytes.subarray(7))}`),
      NAME,
    ),
  ]);
  return [
    ...makers,
    add(
      'half-width kana in ISO-2022-JP',
      cd(`filename="${word('ISO-2022-JP', enc('cp50221', 'ｼﾘｮｳ.txt'))}"`),
      'ｼﾘｮｳ.txt',
    ),
    add('raw Shift_JIS, half-width kana', cd('filename="', enc('cp932', 'ｼﾘｮｳ①.txt'), '"'), 'ｼﾘｮｳ①.txt'),
    add('IVS', cd(`filename*=UTF-8''${percent(Buffer.from('辻\u{E0100}.txt'))}`), '辻\u{E0100}.txt'),
    add('a NUL in the name', cd(`filename*=UTF-8''${percent(Buffer.from('a\0b.txt'))}`), 'ab.txt'),
    add('GB18030, four bytes', cd(`filename*=GB18030''${percent(enc('gb18030', '㐀𠮷.txt'))}`), '㐀𠮷.txt'),
    add('ISO-2022-KR', cd(`filename="${word('ISO-2022-KR', enc('iso2022_kr', '자료.txt'))}"`), '자료.txt'),
  ];
}

/** Kinds of parts that a reader must be told of. */
function kinds(enc: Encode): Case[] {
  return [
    expect(
      'wild',
      'AMP beside its plain text and HTML',
      multi(
        [
          textPart('会議は十時です。'),
          textPart('<html amp4email><body>別の内容</body></html>', 'text/x-amp-html; charset=utf-8'),
          textPart('<p>会議は十時です。</p>', 'text/html; charset=utf-8'),
        ],
        'alternative',
      ),
      { text: '会議は十時です。' },
    ),
    expect(
      'wild',
      'a mail of Shift_JIS in a mail of UTF-8',
      multi([
        textPart('転送します。'),
        join(
          'Content-Type: message/rfc822\r\n\r\n',
          single('text/plain; charset=Shift_JIS', enc('cp932', `①${JA}`), '8bit', {
            subject: enc('cp932', '髙橋です'),
          }),
        ),
      ]),
      { text: '転送します。' },
    ),
    expect(
      'wild',
      'a related mail inside an alternative',
      multi(
        [
          textPart('画像つき'),
          multipart([textPart('<p>画像つき<img src="cid:p"></p>', 'text/html; charset=utf-8')], 'related', 'r'),
        ],
        'alternative',
      ),
      { text: '画像つき' },
    ),
  ];
}
