// PDF documents of our own: honest ones, and ones that carry what must not cross.
import { drawing } from './pictures.ts';
import { japaneseFont, japanesePdf, lines, pdf, stream } from './pdf.ts';

/** Text of three pages, as the PDFs of notices have it. */
export const NOTICE = [
  ['令和七年度　情報セキュリティ研修のお知らせ', '', '日時　令和七年十月二十日（月）　午後二時から', '場所　市役所本庁舎　三階　大会議室', '対象　全職員'],
  ['研修の内容', '', '一　標的型メールの見分け方', '二　外部から届いたファイルの取り扱い', '三　事故が起きたときの連絡先'],
  ['申込方法', '', '十月十日までに、情報政策課へ電子メールでお申し込みください。', '定員を超えたときは、日を改めて行います。'],
] as const;

const ESTIMATE = ['御見積書', '', '品名　　事務用椅子', '数量　　二十脚', '金額　　四十八万円（税込）', '納期　　ご注文から三週間'] as const;

/** A one-page estimate; attached to mails. */
export function estimatePdf(): Buffer {
  return japanesePdf([ESTIMATE], 'Ryumin-Light');
}

export function documents(): Map<string, Buffer> {
  const notice = japanesePdf(NOTICE);
  return new Map([
    ['file/研修のお知らせ.pdf', notice],
    ['file/スキャン.pdf', scan()],
    ['file/javascript-launch.pdf', active()],
    ['file/embedded-file.pdf', carrier()],
    // Cut before the first page object: nothing of it can be drawn.
    ['file/truncated.pdf', notice.subarray(0, notice.indexOf('6 0 obj'))],
  ]);
}

/** A page that is one 1-bit image, as a scanner makes it. */
function scan(): Buffer {
  const { width, height, bits } = drawing(620, 877);
  return pdf([
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595.2 841.92] /Resources << /XObject << /Scan 4 0 R >> >> /Contents 5 0 R >>',
    stream(bits, `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceGray /BitsPerComponent 1`),
    stream('q 595.2 0 0 841.92 0 0 cm /Scan Do Q'),
  ]);
}

/** Runs a script when it is opened, starts a program at a click, sends a form, links outside. */
function active(): Buffer {
  return pdf([
    '<< /Type /Catalog /Pages 2 0 R /OpenAction 9 0 R /Names << /JavaScript << /Names [(start) 9 0 R] >> >> >>',
    '<< /Type /Pages /Kids [6 0 R] /Count 1 >>',
    ...japaneseFont('HeiseiMin-W3', 3),
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents 7 0 R /Annots [8 0 R 10 0 R] >>',
    stream(lines(['至急　口座確認のお願い', '', 'こちらを押して確認してください。'])),
    '<< /Type /Annot /Subtype /Link /Rect [60 700 300 730] /Border [0 0 0] /A << /S /URI /URI (http://phish.example.net/login) >> >>',
    "<< /S /JavaScript /JS (app.alert\\('this script must never run'\\);) >>",
    '<< /Type /Annot /Subtype /Link /Rect [60 660 300 690] /Border [0 0 0] /A << /S /Launch /F (calc.exe) >> >>',
  ]);
}

/** Carries a second file inside. */
function carrier(): Buffer {
  return pdf([
    '<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(secret.txt) 8 0 R] >> >> >>',
    '<< /Type /Pages /Kids [6 0 R] /Count 1 >>',
    ...japaneseFont('HeiseiKakuGo-W5', 3),
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents 7 0 R >>',
    stream(lines(['添付資料あり', '', '詳しくは、この文書に添付したファイルをご覧ください。'])),
    '<< /Type /Filespec /F (secret.txt) /UF (secret.txt) /EF << /F 9 0 R >> >>',
    stream('a file inside a file\n', '/Type /EmbeddedFile'),
  ]);
}
