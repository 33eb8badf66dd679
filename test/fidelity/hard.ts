// What a hostile or careless sender does that honest suites leave out: text that is there for programs only, meaning that lies in
// marks and not in letters, bytes that two readers take for two things.
import {
  attached,
  base64,
  expect,
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

export function hard(enc: Encode): readonly Case[] {
  return [...bodies(enc), ...headers(enc), ...names(enc), ...senders(), ...html(), ...parts(enc)];
}

const lines = (...all: string[]): string => all.join('\n');
const FOOTER = '配信停止はこちらからお願いします。';

function bodies(enc: Encode): Case[] {
  const add = (name: string, type: string, body: Bytes, text: string, losses: string[] = [], encoding = '8bit'): Case =>
    expect('body', name, single(type, body, encoding), { text, losses });
  const jis = enc('iso2022_jp', '会議のお知らせです。');
  const korean = enc('euc_kr', '안녕하세요');
  const utf8 = 'text/plain; charset=utf-8';
  return [
    ...(['utf-8', 'cp932', 'euc_jp'] as const).map((footer) =>
      add(
        `a footer of ${footer} under a text of ISO-2022-JP`,
        'text/plain; charset=ISO-2022-JP',
        join(jis, '\r\n', enc(footer, FOOTER), '\r\n'),
        lines('会議のお知らせです。', FOOTER),
      ),
    ),
    add(
      'a footer of UTF-8 under JIS without a label',
      'text/plain',
      join(jis, '\r\n', FOOTER),
      lines('会議のお知らせです。', FOOTER),
    ),
    add('UTF-8 labelled utf-16', 'text/plain; charset=utf-16', '会議です。\r\n以上', lines('会議です。', '以上')),
    add('UTF-8 labelled unicode', 'text/plain; charset=unicode', '会議です。\r\n以上', lines('会議です。', '以上')),
    add(
      'windows-1252: bytes that it has no letter for',
      'text/plain; charset=windows-1252',
      Buffer.from('61 81 e9 90 62'.replaceAll(' ', ''), 'hex'),
      'a�é�b',
      ['undecodable-bytes'],
    ),
    add('UTF-8: control characters of C1', utf8, 'a\u0093b', 'a�b', ['undecodable-bytes']),
    ...['shiftjis', 'csWindows31J', 'IBM943', 'x-mac-japanese'].map((label) =>
      add(`Shift_JIS labelled ${label}`, `text/plain; charset=${label}`, enc('cp932', '会議です。'), '会議です。'),
    ),
    ...['eucJP', 'x-euc'].map((label) =>
      add(`EUC-JP labelled ${label}`, `text/plain; charset=${label}`, enc('euc_jp', '会議です。'), '会議です。'),
    ),
    add('windows-1251 labelled windows1251', 'text/plain; charset=windows1251', enc('cp1251', 'Привет'), 'Привет'),
    add(
      'a footer behind base64',
      utf8,
      join(base64('会議のお知らせです。a'), '\r\n________\r\n', FOOTER),
      lines('会議のお知らせです。a', '________', FOOTER),
      [],
      'base64',
    ),
    add(
      'a footer of ASCII behind base64 and a blank line',
      utf8,
      join(base64('会議のお知らせです。'), '\r\n\r\n-- \r\nhttp://ml.example/ unsubscribe'),
      lines('会議のお知らせです。', '', '-- ', 'http://ml.example/ unsubscribe'),
      [],
      'base64',
    ),
    add(
      'base64 in two padded pieces',
      utf8,
      join(base64('会議で'), '\r\n', base64('す。a')),
      '会議です。a',
      [],
      'base64',
    ),
    expect(
      'html',
      'EUC-KR by <meta>, iso-8859-1 by the header',
      single('text/html; charset=iso-8859-1', join('<meta charset="euc-kr"><p>', korean)),
      { text: '안녕하세요' },
    ),
    expect(
      'html',
      'a <meta> in a comment says nothing',
      single(
        'text/html',
        join('<!-- <meta charset="euc-kr"> --><meta charset="windows-1251">', enc('cp1251', 'Привет мир')),
      ),
      { text: 'Привет мир' },
    ),
    expect('html', 'UTF-8 HTML whose <meta> says utf-16', single('text/html', '<meta charset="utf-16"><p>会議です'), {
      text: '会議です',
    }),
  ];
}

function headers(enc: Encode): Case[] {
  const add = (name: string, subject: Bytes, text: string, losses: string[] = [], type = 'text/plain'): Case =>
    expect('subject', name, single(type, 'x', '8bit', { subject }), { subject: text, text: 'x', losses });
  return [
    add(
      'a Q word with question marks',
      '=?UTF-8?Q?=E4=BC=9A=E8=AD=B0?_=E3=81=A7=E3=81=99=E3=81=8B??=',
      '会議? ですか?',
    ),
    add('raw UTF-8 that was cut inside a letter', join('会議の件', Buffer.from('e381', 'hex')), '会議の件�', [
      'undecodable-bytes',
    ]),
    add(
      'raw EUC-KR, as the body’s label says',
      enc('euc_kr', '회의 안내'),
      '회의 안내',
      [],
      'text/plain; charset=euc-kr',
    ),
    add(
      'raw windows-1251, as the body’s label says',
      enc('cp1251', 'Привет'),
      'Привет',
      [],
      'text/plain; charset=cp1251',
    ),
  ];
}

function names(enc: Encode): Case[] {
  const add = (name: string, header: Bytes, want: string): Case =>
    expect('name', name, multi([textPart('本文'), attached(header)]), { text: '本文', names: [want] });
  const file = 'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; ';
  const utf8 = enc('utf-8', '資料');
  return [
    add('RFC 2231 without its star', `${file}filename="utf-8''${percent(utf8)}.txt"`, '資料.txt'),
    add('a word behind RFC 2231’s charset', `${file}filename*=UTF-8''${word('UTF-8', utf8)}`, '資料'),
    add('a word in RFC 2231 without a charset', `${file}filename*="${word('UTF-8', utf8)}"`, '資料'),
    add(
      'an empty filename: name= counts',
      'Content-Type: text/plain; name="a.txt"\r\nContent-Disposition: attachment; filename=""',
      'a.txt',
    ),
    add('a Q word with a question mark', `${file}filename="=?UTF-8?Q?=E8=B3=87=E6=96=99?.txt?="`, '資料?.txt'),
  ];
}

function senders(): Case[] {
  const title = '【差出人についてのご注意】';
  const add = (name: string, from: string, told: readonly string[]): Case =>
    expect('sender', name, single('text/plain; charset=utf-8', '本文', '8bit', { from }), {
      text: lines(title, ...told, '', '本文'),
    });
  const two = '・差出人（From）が2つ書かれています。本当の差出人は分かりません。';
  const outside = (address: string): string =>
    `・表示される差出人（${address}）と、配送上の差出人（sender@example.com）のドメインが違います。メーリングリストや配信サービスではよくあることです。`;
  return [
    add('two addresses without a comma, in brackets', '市長 <sender@example.com> <b@example.com>', [two]),
    add('two addresses without a comma', 'sender@example.com b@example.com', [two]),
    add('a host below a domain that looks like ours', 'x@mail.city.examp1e.lg.jp', [
      outside('x@mail.city.examp1e.lg.jp'),
      '・差出人のドメイン mail.city.examp1e.lg.jp は、庁内のドメイン city.example.lg.jp によく似せた別のものです。',
    ]),
    add(
      'our domain in full-width letters in the name',
      '市長 ｃｉｔｙ．ｅｘａｍｐｌｅ．ｌｇ．ｊｐ <sender@example.com>',
      ['・差出人の名前に庁内のドメイン（city.example.lg.jp）が書かれていますが、外部のアドレスから届きました。'],
    ),
  ];
}

const HIDING = [
  'font:0/0 Arial',
  'font: bold 1px/1px serif',
  'font-size:calc(0px)',
  'font-size:0.01vw',
  'position:absolute;clip:rect(0,0,0,0)',
  'clip-path:inset(50%)',
  'transform:scale(0)',
  'transform:translateX(-9999px)',
  'position:absolute;left:-999px',
  'margin:-9999px 0 0 0',
  'text-indent:9999px;white-space:nowrap',
  'color:rgba(0,0,0,0)',
  'color:#0000',
  '-webkit-text-fill-color:transparent',
  'color:#fff',
  'background:#fff;color:#fefefe',
  'background:#123456;color:rgb(18 52 86)',
  'opacity:1%',
  'filter:opacity(0)',
  'display:/**/none',
  'd\\69splay:none',
  'display:block;width:1px;height:1px;overflow:hidden',
  'display:block;max-height:0;overflow-y:hidden',
  'zoom:0',
  'content-visibility:hidden',
];

function html(): Case[] {
  const add = (name: string, source: string, text: string, losses: string[] = []): Case =>
    expect('html', name, single('text/html; charset=utf-8', source), { text, losses });
  return [
    ...HIDING.map((style) => add(`hidden by ${style}`, `<p>前<span style="${style}">隠</span>後</p>`, '前後')),
    add('white on white by <font>', '前<font color="white">隠</font>後', '前後'),
    add(
      'white on a picture is seen',
      '<div style="background:#fff url(cid:x)"><b style="color:#fff">見える</b></div>',
      '見える',
    ),
    add(
      'white where a sheet paints is seen',
      '<style>.h{background:#00f}</style><p class=h style="color:#fff">見える</p>',
      '見える',
    ),
    add('shown by a later declaration', '<p style="display:none;display:block">見える</p>', '見える'),
    add(
      'raised and lowered figures',
      '10<sup>6</sup>m<sup>2</sup>、H<sub>2</sub>O、注<sup>※1</sup>',
      '10⁶m²、H₂O、注※1',
    ),
    add(
      'struck-out text',
      '参加費 <del>3,000円</del> <span style="text-decoration: line-through">2,500円</span> 2,000円',
      '参加費 ［取り消し線: 3,000円］ ［取り消し線: 2,500円］ 2,000円',
    ),
    add(
      'cells that span rows',
      '<table><tr><td rowspan=2>総務課</td><td>山田</td></tr><tr><td>佐藤</td></tr><tr><td>財政課</td><td>鈴木</td></tr></table>',
      lines('総務課 | 山田', '       | 佐藤', '財政課 | 鈴木'),
    ),
    add(
      'lists by letters, Roman numbers and values',
      '<ol type=a start=3><li>甲<li>乙</ol><ol style="list-style-type:upper-roman"><li>い<li>ろ</ol><ol><li value=5>五<li>六</ol>',
      lines('c. 甲', 'd. 乙', '', 'I. い', 'II. ろ', '', '5. 五', '6. 六'),
    ),
    add(
      'line ends kept by white-space',
      '<div style="white-space:pre-wrap">一行目\n二行目  終</div>',
      lines('一行目', '二行目  終'),
    ),
    add(
      'signs of Wingdings',
      '<span style="font-family:Wingdings">l<span style="font:7pt serif">x </span></span>項目&#xF04A;',
      '●x 項目〓',
      ['gaiji'],
    ),
    add('外字 by numbers', '渡&#xE000;様', '渡〓様', ['gaiji']),
    add(
      'a link in Japanese without spaces',
      '<a href="http://www.city.example.jp/">詳しくはwww.city.example.jpをご覧ください</a>',
      '詳しくはwww.city.example.jpをご覧ください <http://www.city.example.jp>',
    ),
    add(
      'links of a picture’s map',
      '<map><area href="https://a.example/x" alt="申込"><area href="https://b.example/"></map>',
      lines('申込 <https://a.example/x>', '<https://b.example>'),
    ),
    add(
      'a long link is whole',
      `<a href="https://x.example/${'a'.repeat(600)}">会議</a>`,
      `会議 <https://x.example/${'a'.repeat(600)}>`,
    ),
  ];
}

function parts(enc: Encode): Case[] {
  const invitation = (...rows: string[]): string =>
    `BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n${rows.join('\r\n')}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
  const add = (name: string, calendar: Bytes, text: string): Case =>
    expect('parts', name, multi([textPart('本文'), textPart(calendar, 'text/calendar; charset=utf-8')]), {
      text: lines('本文', '', text),
    });
  const start = 'DTSTART;TZID=Asia/Tokyo:20260601T100000';
  const whole = enc('utf-8', invitation('SUMMARY:定例会', start));
  const broken = invitation('SUMMARY:定例会', 'DTSTART;TZID=Asia/Tokyo:2026-06-01');
  const at = Math.max(1, whole.indexOf(enc('utf-8', '例')) + 1);
  return [
    add(
      'an invitation that repeats on the last weekday of a month',
      invitation('SUMMARY:定例会', start, 'RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1'),
      lines(
        '【予定】定例会',
        '種類: 出席の依頼',
        '日時: 2026年6月1日(月) 10:00 (Asia/Tokyo)',
        '繰り返し: 毎月（月曜日・火曜日・水曜日・木曜日・金曜日）のうち最後',
      ),
    ),
    add(
      'an invitation folded inside a letter',
      join(whole.subarray(0, at), '\r\n ', whole.subarray(at)),
      lines('【予定】定例会', '種類: 出席の依頼', '日時: 2026年6月1日(月) 10:00 (Asia/Tokyo)'),
    ),
    add('an invitation whose date is none', broken, broken.replaceAll('\r\n', '\n').trimEnd()),
  ];
}
