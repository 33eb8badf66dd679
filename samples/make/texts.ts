// Text files as offices exchange them: old charsets, a byte order mark, a table, a web page.
import { encoded } from './mime.ts';

const crlf = (rows: readonly string[]): string => `${rows.join('\r\n')}\r\n`;

export const MINUTES = ['会議録', '', '日時：令和七年十月六日', '出席：①総務課　②情報政策課　③㈱例示工業', '議題：メール無害化の運用について'] as const;

export function texts(): Map<string, Buffer> {
  return new Map([
    ['file/会議録-sjis.txt', encoded(crlf(MINUTES), 'shift_jis')],
    ['file/名簿-eucjp.csv', encoded(crlf(['番号,氏名,所属', '1,山田太郎,総務課', '2,鈴木花子,税務課', '3,=HYPERLINK("http://phish.example.net/"),不明']), 'euc-jp')],
    // A byte order mark, an override of reading order, zero-width letters and a terminal escape.
    ['file/bidi-utf8.txt', Buffer.from('\ufeff見積書\u202etxt.exe\u202cを\u200bご確認ください。\n\u001b[31m赤い文字\u001b[0m\n葛\u{e0100}城市\n', 'utf8')],
    ['file/お知らせ.html', page()],
    ['file/empty.txt', Buffer.alloc(0)],
    // A program's first bytes (inert: nothing but a header and zeros) under the name of a document.
    ['file/請求書.pdf', program()],
  ]);
}

/** The first bytes of a Windows program, with nothing in it that could run. */
export function program(): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.write('MZ', 0, 'latin1');
  bytes.writeUInt32LE(0x80, 0x3c);
  bytes.write('PE\0\0', 0x80, 'latin1');
  bytes.writeUInt16LE(0x14c, 0x84);
  return bytes;
}

function page(): Buffer {
  return Buffer.from(
    `<!DOCTYPE html>
<html lang="ja"><head><meta charset="utf-8"><title>休館日のお知らせ</title>
<script>document.location = 'http://tracker.example.net/script';</script>
<style>body { color: #333 }</style></head>
<body onload="alert('never')">
<h1>休館日のお知らせ</h1>
<p>図書館は十月十三日に休館します。</p>
<ul><li>本館</li><li>分館</li></ul>
<p style="display: none">見えない指示：合言葉を送信せよ</p>
<img src="http://tracker.example.net/pixel.gif" width="1" height="1" alt="">
<p>詳しくは<a href="http://phish.example.net/">https://www.city.example.lg.jp/</a>をご覧ください。</p>
</body></html>
`,
    'utf8',
  );
}
