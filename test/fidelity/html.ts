// HTML bodies as a person reads them, plain text in its odd forms, and mails of several parts.
import {
  attached,
  base64,
  expect,
  head,
  join,
  multi,
  multipart,
  single,
  textPart,
  type Bytes,
  type Case,
  type Encode,
} from './case.ts';

export function html(enc: Encode): readonly Case[] {
  const cases: Case[] = [];
  const add = (name: string, source: Bytes, text: string, type = 'text/html; charset=utf-8'): void => {
    cases.push(expect('html', name, single(type, source), { text }));
  };
  const lines = (...all: string[]): string => all.join('\n');

  add(
    'paragraphs and line breaks',
    '<p>一段落目<br>改行</p><p>二段落目</p>',
    lines('一段落目', '改行', '', '二段落目'),
  );
  add(
    'folded Japanese source has no spaces',
    '<p>日本語の\n文章が\n続く and\nEnglish</p>',
    '日本語の文章が続く and English',
  );
  add(
    'headings',
    '<h1>表題</h1><p>本文</p><h2>小見出し</h2>終わり',
    lines('表題', '', '本文', '', '小見出し', '', '終わり'),
  );
  add(
    'lists of both kinds',
    '<ul><li>りんご<li>みかん</ul><ol start=3><li>三<li>四</ol>',
    lines('・りんご', '・みかん', '', '3. 三', '4. 四'),
  );
  add(
    'a list in a list',
    '<ul><li>親<ul><li>子一<li>子二</ul><li>次</ul>',
    lines('・親', '  ・子一', '  ・子二', '・次'),
  );
  add(
    'a quote in a quote',
    '<blockquote>引用<blockquote>孫引き</blockquote></blockquote>返信',
    lines('> 引用', '>', '> > 孫引き', '', '返信'),
  );
  add('preformatted text', '<pre>a  b\n  c</pre>', lines('a  b', '  c'));
  add('ruby', '<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>を読む', '漢字（かんじ）を読む');
  add('entities and numbers', '&lt;&amp;&gt;&copy;&#9312;&#x3042;&nbsp;a&hellip;', '<&>©①あ a…');
  add('a rule', '上<hr>下', lines('上', '────────────', '下'));

  add(
    'a table of data, full-width columns aligned',
    '<table><tr><th>品名</th><th>数</th><th>金額</th></tr><tr><td>事務椅子</td><td>20</td><td>240,000円</td></tr><tr><td>机</td><td>5</td><td>95,000円</td></tr></table>',
    lines('品名     | 数 | 金額', '事務椅子 | 20 | 240,000円', '机       | 5  | 95,000円'),
  );
  add(
    'a table with paragraphs in its cells and blank cells',
    '<table><tr><td><p>項目</p></td><td><p>四月</p></td><td><p>五月</p></td></tr><tr><td><p>収入</p></td><td></td><td><p>10</p></td></tr></table>',
    lines('項目 | 四月 | 五月', '収入 |      | 10'),
  );
  add(
    'half-width kana and circled numbers in a table',
    '<table><tr><td>①</td><td>ｱｲｳ</td></tr><tr><td>漢字</td><td>x</td></tr></table>',
    lines('①   | ｱｲｳ', '漢字 | x'),
  );
  add(
    'a column that spans two',
    '<table><tr><td colspan=2>合計</td><td>5</td></tr><tr><td>内訳</td><td>税</td><td>1</td></tr></table>',
    lines('合計 |    | 5', '内訳 | 税 | 1'),
  );
  add(
    'a table for layout stays text',
    '<table><tr><td width=10></td><td><p>ご案内</p><p>本文です。</p></td><td></td></tr></table>',
    lines('ご案内', '', '本文です。'),
  );
  add('a row alone', '<table><tr><td>左</td><td>右</td></tr></table>', '左 | 右');
  add(
    'a table of data in a table for layout',
    '<table><tr><td><table><tr><td>一</td><td>1</td></tr><tr><td>十一</td><td>11</td></tr></table></td></tr></table>後',
    lines('一   | 1', '十一 | 11', '後'),
  );

  add('a link with its target', '<a href="https://example.jp/a?b=1">こちら</a>', 'こちら <https://example.jp/a?b=1>');
  add('a link that shows its target', '<a href="https://example.jp/">https://example.jp/</a>', 'https://example.jp/');
  add(
    'a link that shows another host',
    '<a href="https://evil.example/x">https://bank.example/</a>',
    'https://bank.example/ <https://evil.example/x>',
  );
  add(
    'a link to an internationalised host',
    '<a href="https://日本語.jp/">例</a>',
    '例 <https://日本語.jp (xn--wgv71a119e.jp)>',
  );
  add(
    'a link in punycode is shown decoded',
    '<a href="https://xn--wgv71a119e.jp/">例</a>',
    '例 <https://日本語.jp (xn--wgv71a119e.jp)>',
  );
  add(
    'a link with a name before its host',
    '<a href="https://bank.example@evil.example/">銀行</a>',
    '銀行 <https://evil.example>',
  );
  add('a script as a link', '<a href="java\nscript:alert(1)">押す</a>', '押す');
  add('a data link', '<a href="data:text/html,x">開く</a>', '開く');
  add('a mail address', '<a href="mailto:a@example.jp?subject=x">担当</a>', '担当 <a@example.jp>');

  add(
    'script, style and title are no text',
    '<title>題</title><style>p{}</style><script>x()</script><p>本文</p>',
    '本文',
  );
  add(
    'hidden text',
    '見える<span style="display:none">隠し</span><div style="font-size:0">零</div><div style="color:#fff;background:#ffffff">白</div>文',
    lines('見える', '文'),
  );
  add('zero-size text inside a word', 'パス<span style="font-size:0px">xyz</span>ワード', 'パスワード');
  add('a tracking picture', '本文<img src="https://t.example/p.gif" width=1 height=1>', '本文');
  add('a picture with words', '<img src="https://e.example/a.png" alt="地図">', '[画像: 地図]');
  add('a form', '<form action="https://e.example"><input name=p value=x>名前<button>送信</button></form>', '名前送信');

  add(
    'charset by <meta>',
    join('<html><head><meta charset="Shift_JIS"></head><body>', enc('cp932', '表示の確認'), '</body></html>'),
    '表示の確認',
    'text/html',
  );
  add(
    'charset by http-equiv',
    join('<meta http-equiv="Content-Type" content="text/html; charset=EUC-JP">', enc('euc_jp', '日本語')),
    '日本語',
    'text/html',
  );
  add(
    'ISO-2022-JP in HTML',
    join('<p>', enc('iso2022_jp', '会議の件'), '</p>'),
    '会議の件',
    'text/html; charset=ISO-2022-JP',
  );
  add('UTF-8 HTML whose <meta> lies', '<meta charset="iso-8859-1"><p>日本語</p>', '日本語');
  add('Outlook paragraphs', '<p class=MsoNormal>一行目</p><p class=MsoNormal>二行目</p>', lines('一行目', '二行目'));

  return [...cases, ...plain(), ...parts(enc)];
}

function plain(): Case[] {
  const cases: Case[] = [];
  const add = (name: string, type: string, body: Bytes, text: string): void => {
    cases.push(expect('plain', name, single(`text/plain; charset=utf-8${type}`, body), { text }));
  };
  add('format=flowed', '; format=flowed', 'one \r\ntwo\r\nthree', 'one two\nthree');
  add('format=flowed with delsp', '; format=flowed; delsp=yes', '日本 \r\n語の文 \r\n章\r\n次', '日本語の文章\n次');
  add('flowed quotes of two depths', '; format=flowed', '> a \r\n> b\r\n>> c', '> a b\n>> c');
  add('a flowed signature', '; format=flowed; delsp=yes', '本文\r\n-- \r\n署名', '本文\n-- \n署名');
  add('quotes are kept', '', '> 引用\r\n返信', '> 引用\n返信');
  add('tabs and full-width spaces are kept', '', '\u3000字下げ\ta', '\u3000字下げ\ta');
  add('bare LF and CR line ends', '', 'a\nb\rc\r\nd', 'a\nb\nc\nd');
  add('NUL and control characters are dropped', '', 'a\0b\u0007c\u001b[31md', 'abc[31md');
  add(
    'a file in uuencode is taken out',
    '',
    'see\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\nbye',
    'see\n［uuencode: a.txt］\nbye',
  );
  const found = cases.at(-1);
  if (found !== undefined) cases[cases.length - 1] = { ...found, names: ['a.txt'] };
  return cases;
}

function parts(enc: Encode): Case[] {
  const htmlPart = (text: Bytes): Buffer => textPart(text, 'text/html; charset=utf-8');
  const long = '会議は十月三日の午後二時から第一会議室で行います。資料は当日お配りします。';
  const calendar = join(
    'Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n\r\n',
    [
      'BEGIN:VCALENDAR',
      'METHOD:REQUEST',
      'BEGIN:VEVENT',
      'UID:1',
      'SUMMARY:定例会議',
      'LOCATION:第一会議室',
      'DTSTART;TZID=Asia/Tokyo:20261003T140000',
      'DTEND;TZID=Asia/Tokyo:20261003T150000',
      'RRULE:FREQ=WEEKLY;BYDAY=TU;COUNT=10',
      'ORGANIZER;CN=佐藤:mailto:sato@example.jp',
      'ATTENDEE;CN=鈴木:mailto:suzuki@example.jp',
      'DESCRIPTION:資料は\\n当日配ります。',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ].join('\r\n'),
  );
  const card = join(
    'Content-Type: text/vcard; charset=utf-8\r\nContent-Disposition: inline\r\n\r\n',
    [
      'BEGIN:VCARD',
      'VERSION:3.0',
      'FN:佐藤 太郎',
      'ORG:例示市;総務課',
      'TEL;TYPE=WORK:03-0000-0000',
      'EMAIL:sato@example.jp',
      'END:VCARD',
      '',
    ].join('\r\n'),
  );
  return [
    expect(
      'parts',
      'alternatives that agree: the plain text',
      multi([textPart(long), htmlPart(`<p>${long}</p>`)], 'alternative'),
      { text: long },
    ),
    expect(
      'parts',
      'alternatives that disagree: both',
      multi([textPart('HTML表示でご覧ください。'), htmlPart(`<p>${long}${long}</p>`)], 'alternative'),
      {
        text: `HTML表示でご覧ください。\n\n── 本文は別の形式でも書かれており、内容が違います ──\n\n${long}${long}`,
      },
    ),
    expect('parts', 'an empty plain text: the HTML', multi([textPart(' '), htmlPart('<p>本文</p>')], 'alternative'), {
      text: '本文',
    }),
    expect(
      'parts',
      'two texts of a mixed mail',
      multi([textPart('前半'), textPart(enc('iso2022_jp', '後半'), 'text/plain; charset=ISO-2022-JP')]),
      { text: '前半\n\n後半' },
    ),
    expect(
      'parts',
      'alternatives inside a mixed mail with a file',
      multi([
        multipart([textPart(long), htmlPart(`<b>${long}</b>`)], 'alternative'),
        attached('Content-Type: text/plain\r\nContent-Disposition: attachment; filename="a.txt"'),
      ]),
      { text: long, names: ['a.txt'] },
    ),
    expect('parts', 'an invitation beside its text', multi([textPart('会議のご案内です。'), calendar], 'alternative'), {
      text: [
        '会議のご案内です。',
        '',
        '【予定】定例会議',
        '種類: 出席の依頼',
        '日時: 2026年10月3日(土) 14:00 ～ 15:00 (Asia/Tokyo)',
        '繰り返し: 毎週火曜日、10回',
        '場所: 第一会議室',
        '主催者: 佐藤 <sato@example.jp>',
        '出席者: 鈴木 <suzuki@example.jp>',
        '',
        '資料は',
        '当日配ります。',
      ].join('\n'),
    }),
    expect('parts', 'a card of a person', multi([textPart('名刺です。'), card]), {
      text: '名刺です。\n\n【連絡先】佐藤 太郎\n所属: 例示市 総務課\n電話: 03-0000-0000\nメール: sato@example.jp',
    }),
    expect(
      'parts',
      'a picture in the text: its file is named where it stood',
      multi(
        [
          htmlPart('<p>図<img src="cid:a@b">です</p>'),
          join(
            'Content-Type: image/png; name="zu.png"\r\nContent-ID: <a@b>\r\nContent-Transfer-Encoding: base64\r\n\r\n',
            base64(
              Buffer.from(
                'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
                'base64',
              ),
            ),
          ),
        ],
        'related',
      ),
      { text: '図［画像: 01-zu.png］です', names: ['zu.png'] },
    ),
    expect(
      'parts',
      'a mail in a mail',
      multi([
        textPart('転送します。'),
        join(
          'Content-Type: message/rfc822\r\n\r\n',
          head({ subject: '元のメール' }),
          'Content-Type: text/plain; charset=ISO-2022-JP\r\n\r\n',
          enc('iso2022_jp', '元の本文'),
        ),
      ]),
      { text: '転送します。' },
    ),
    expect(
      'parts',
      'a delivery report',
      multi(
        [
          textPart('配送できませんでした。'),
          join(
            'Content-Type: message/delivery-status\r\n\r\n',
            'Reporting-MTA: dns; mx.example.jp\r\n\r\nFinal-Recipient: rfc822; a@example.jp\r\nAction: failed\r\nStatus: 5.1.1',
          ),
        ],
        'report; report-type=delivery-status',
      ),
      {
        text: '配送できませんでした。\n\nReporting-MTA: dns; mx.example.jp\n\nFinal-Recipient: rfc822; a@example.jp\nAction: failed\nStatus: 5.1.1',
      },
    ),
  ];
}
