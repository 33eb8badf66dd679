// Ordinary mails as municipalities get them, in the charsets and forms that Japanese mail really has.
import { estimatePdf } from './documents.ts';
import { attachment, encoded, entity, extended, head, multipart, textLeaf, words } from './mime.ts';
import { mapPng } from './pictures.ts';
import { MINUTES } from './texts.ts';

export function mails(): Map<string, Buffer> {
  return new Map([
    ['mail/iso-2022-jp-attachments.eml', iso2022jp()],
    ['mail/shift_jis-attachments.eml', shiftJis()],
    ['mail/euc-jp.eml', eucJp()],
    ['mail/alternative-inline.eml', alternative()],
    ['mail/html-only.eml', htmlOnly()],
    ['mail/forwarded.eml', forwarded()],
  ]);
}

/** The most common form of business mail: ISO-2022-JP, a PDF named by RFC 2231, a picture named by RFC 2047 words. */
function iso2022jp(): Buffer {
  const letter = head({
    from: `${words('株式会社例示工業　営業部', 'iso-2022-jp')} <eigyo@example.co.jp>`,
    to: `${words('情報政策課', 'iso-2022-jp')} <johoseisaku@city.example.lg.jp>`,
    subject: words('【ご依頼の件】事務用椅子のお見積りについて', 'iso-2022-jp'),
    id: 'iso-2022-jp-1',
  });
  const body = `情報政策課　御中

いつもお世話になっております。例示工業の佐藤です。
ご依頼の①事務用椅子について、御見積書をお送りします。
ﾊﾝｶｸ文字も届くことを確かめてください。

よろしくお願いいたします。
`;
  return multipart(
    'mixed',
    '=_iso2022jp_0001',
    [
      textLeaf(body, 'iso-2022-jp', '7bit'),
      attachment('application/pdf', estimatePdf(), extended('filename', '御見積書（事務用椅子）.pdf', 'iso-2022-jp')),
      attachment('image/png', mapPng(), `filename="${words('案内図.png', 'iso-2022-jp')}"`, `name="${words('案内図.png', 'iso-2022-jp')}"`),
    ],
    letter,
  );
}

/** Shift_JIS throughout, 8bit, with text files as attachments. */
function shiftJis(): Buffer {
  const letter = head({
    from: `${words('総務課　山田', 'shift_jis')} <yamada@example.or.jp>`,
    subject: words('会議録の送付（Shift_JIS）', 'shift_jis'),
    id: 'shift-jis-1',
  });
  const minutes = encoded(`${MINUTES.join('\r\n')}\r\n`, 'shift_jis');
  const table = encoded('品名,数量,備考\r\n椅子,20,表示―確認\r\n', 'shift_jis');
  return multipart(
    'mixed',
    '----=_NextPart_SJIS_0001',
    [
      textLeaf('会議録を送ります。\n表とソートの機能を予定しています。\n', 'shift_jis', '8bit'),
      attachment('text/plain; charset=shift_jis', minutes, `filename="${words('会議録.txt', 'shift_jis')}"`),
      attachment('text/csv; charset=shift_jis', table, extended('filename', '備品一覧.csv', 'shift_jis')),
    ],
    letter,
  );
}

/** A single EUC-JP part without any attachment; the subject's words are EUC-JP too. */
function eucJp(): Buffer {
  const letter = head({ from: 'unyo@example.ac.jp', subject: words('サーバー停止のお知らせ（EUC-JP）', 'euc-jp'), id: 'euc-jp-1' });
  const body = textLeaf('十月十二日の午前一時から三時まで、サーバーを停止します。\nご不便をおかけします。\n', 'euc-jp', '8bit');
  return Buffer.concat([Buffer.from(`${letter.join('\r\n')}\r\n`, 'latin1'), body]);
}

/** Plain text and HTML of the same words, the HTML with a picture that comes along. */
function alternative(): Buffer {
  const letter = head({
    from: `${words('広報係', 'utf-8')} <koho@example.jp>`,
    subject: words('市民まつりのご案内', 'utf-8'),
    id: 'alternative-1',
  });
  const html = `<html><body><h1>市民まつり</h1><p>十一月三日に<b>中央公園</b>で開きます。</p><img src="cid:map@example.jp" alt="地図"></body></html>`;
  const picture = entity(
    [
      'Content-Type: image/png; name="map.png"',
      'Content-ID: <map@example.jp>',
      'Content-Disposition: inline; filename="map.png"',
      'Content-Transfer-Encoding: base64',
    ],
    Buffer.from(`${mapPng().toString('base64').match(/.{1,76}/g)?.join('\r\n') ?? ''}\r\n`),
  );
  const plain = textLeaf('市民まつり\n\n十一月三日に中央公園で開きます。\n', 'utf-8', 'quoted-printable');
  const rich = multipart('related', '=_related_0001', [textLeaf(html, 'utf-8', 'base64', 'html'), picture]);
  return multipart('alternative', '=_alternative_0001', [plain, rich], letter);
}

/** HTML only: what is hidden must go, what a link says and where it leads must be told apart, nothing may be loaded. */
function htmlOnly(): Buffer {
  const letter = head({
    from: `${words('○○銀行セキュリティ部', 'utf-8')} <security@bank.example.net>`,
    subject: words('【重要】本人確認のお願い', 'utf-8'),
    id: 'html-only-1',
  });
  const html = `<html><head><style>p { margin: 0 }</style><script>var s='scriptword';</script></head><body>
<h2>本人確認のお願い</h2>
<p>お客さまの口座で確認が必要です。</p>
<p style="display:none">隠された文一</p>
<p style="font-size:0">隠された文二</p>
<p style="color:#ffffff;background-color:#ffffff">白地に白の文</p>
<p><a href="http://phish.example.net/login">https://www.bank.example.com/</a></p>
<table><tr><td>受付番号</td><td>12345</td></tr></table>
<img src="http://tracker.example.net/open.gif?id=12345" width="1" height="1">
<form action="http://phish.example.net/send"><input name="password" type="password"></form>
</body></html>
`;
  return Buffer.concat([Buffer.from(`${letter.join('\r\n')}\r\n`, 'latin1'), textLeaf(html, 'utf-8', 'base64', 'html')]);
}

/** A mail that forwards another one whole, with its own attachment inside. */
function forwarded(): Buffer {
  const inner = multipart(
    'mixed',
    '=_inner_0001',
    [
      textLeaf('元のメールの本文です。見積書を添付します。\n', 'iso-2022-jp', '7bit'),
      attachment('application/pdf', estimatePdf(), 'filename="mitsumori.pdf"'),
    ],
    head({ from: `${words('佐藤', 'iso-2022-jp')} <sato@example.co.jp>`, to: 'yamada@example.or.jp', subject: words('見積書の送付', 'iso-2022-jp'), id: 'inner-1' }),
  );
  const outer = head({
    from: `${words('総務課　山田', 'utf-8')} <yamada@example.or.jp>`,
    subject: words('Fwd: 見積書の送付', 'utf-8'),
    id: 'forwarded-1',
  });
  return multipart(
    'mixed',
    '=_outer_0001',
    [textLeaf('転送します。ご確認ください。\n', 'utf-8', 'base64'), entity(['Content-Type: message/rfc822', 'Content-Disposition: inline'], inner)],
    outer,
  );
}
