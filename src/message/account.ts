// The account of parts: what came, what became of it, what the reader does not see any more, in plain words.
import { isToldAbove } from './banner.ts';
import type { PartRow, Reason, Remark } from './part.ts';

export type Language = 'ja' | 'en';

type Words = { readonly [language in Language]: string };

const REASON_WORDS: { readonly [reason in Reason]: Words } = {
  'password-needed': { ja: 'パスワードがかかっているため開けません', en: 'it is locked with a password' },
  'password-wrong': { ja: 'パスワードが違うため開けません', en: 'the password given is wrong' },
  'unsupported-type': { ja: '対応していない種類のファイルです', en: 'this kind of file is not supported' },
  'type-mismatch': { ja: '名前や宣言と中身の種類が違います', en: 'its content is not what it claims to be' },
  damaged: { ja: 'ファイルが壊れていて読めません', en: 'it is damaged and cannot be read' },
  encrypted: { ja: '暗号化されていて読めません', en: 'it is encrypted and cannot be read' },
  empty: { ja: '中身がありません', en: 'it is empty' },
  'too-large': { ja: '大きすぎます', en: 'it is too large' },
  'too-deep': { ja: '入れ子が深すぎます', en: 'it is nested too deeply' },
  'too-many-parts': { ja: '部品の数が多すぎます', en: 'it has too many parts' },
  'too-many-pages': { ja: 'ページ数が多すぎます', en: 'it has too many pages' },
  'too-many-pixels': { ja: '画像が大きすぎます', en: 'its pictures are too large' },
  ratio: { ja: '展開すると大きくなりすぎます', en: 'it inflates too much' },
  timeout: { ja: '変換が時間内に終わりませんでした', en: 'it could not be converted in time' },
  'out-of-memory': { ja: '変換に必要なメモリーが大きすぎます', en: 'converting it needs too much memory' },
  'converter-failed': { ja: '変換できませんでした', en: 'it could not be converted' },
  ambiguous: { ja: '解釈が一つに定まらない作りです', en: 'it can be read in more than one way' },
  policy: { ja: '方針により取り除きました', en: 'the policy does not let it pass' },
  malware: { ja: 'マルウェアが見つかりました', en: 'malware was found in it' },
};

const REMARK_WORDS: { readonly [code: string]: Words } = {
  malware: { ja: 'ウイルス検査が反応しました', en: 'the malware scanner spoke of it' },
  'not-scanned': { ja: 'ウイルス検査はできませんでした', en: 'the malware scanner did not answer' },
  macro: { ja: 'マクロ（プログラム）がありました', en: 'it held macros' },
  'remote-template': { ja: '外のひな形を読み込む仕掛けがありました', en: 'it tried to load a template from outside' },
  activex: { ja: 'ActiveX の部品がありました', en: 'it held ActiveX controls' },
  dde: { ja: '外のプログラムを呼ぶ仕掛け（DDE など）がありました', en: 'it held fields that call other programs' },
  'embedded-font': { ja: 'フォントが埋め込まれていました', en: 'it brought fonts of its own' },
  'ask-for-pdf': {
    ja: '差出人に、PDF に変換して送り直すよう頼んでください',
    en: 'ask its sender for a PDF of it',
  },
  'ask-for-archive': {
    ja: '差出人に、実行形式でない圧縮ファイル（zip など）で送り直すよう頼んでください',
    en: 'ask its sender for an archive that is no program, such as a zip',
  },
  'self-extracting': {
    ja: '自己解凍形式のプログラムでした。プログラムは取り除き、中の圧縮ファイルだけを扱いました',
    en: 'it was a self-extracting program; only the archive in it was looked at',
  },
  'password-paired': {
    ja: '同じ差出人のメールに書かれていたパスワードで開きました',
    en: 'opened with a password that another mail of the same sender told',
  },
  'password-tried': {
    ja: '同じ差出人のメールに書かれていた語をパスワードとして試しましたが、開けませんでした',
    en: 'what another mail of the same sender told did not open it',
  },
  'odd-archive': { ja: '圧縮ファイルの作りに乱れがありました', en: 'the archive is oddly built' },
  link: { ja: 'ほかのファイルを指すリンクがありました', en: 'it held a link to another file' },
  'system-file': {
    ja: 'パソコンが自動で作る控えのファイルでした（内容には関係ありません）',
    en: 'a computer had put it there for itself',
  },
  'double-extension': {
    ja: '二重の拡張子で種類を偽る名前でした',
    en: 'its name hides its kind behind a second ending',
  },
  'hidden-sheet': { ja: '非表示のシートは表示していません', en: 'hidden sheets are not shown' },
  'hidden-rows': { ja: '非表示の行は表示していません', en: 'hidden rows are not shown' },
  'hidden-columns': { ja: '非表示の列は表示していません', en: 'hidden columns are not shown' },
  'hidden-slide': { ja: '非表示のスライドは表示していません', en: 'hidden slides are not shown' },
  'speaker-notes': { ja: '発表者用のノートは表示していません', en: 'the speaker’s notes are not shown' },
  'tracked-changes': { ja: '変更履歴がありました', en: 'it held tracked changes' },
  'alternative-not-shown': {
    ja: '同じ内容の別形式の本文は省きました',
    en: 'another form of the same text was left out',
  },
  'alternative-differs': {
    ja: '別形式の本文の内容が違うため、両方を載せました',
    en: 'two forms of the text disagree; both are shown',
  },
  signature: {
    ja: '電子署名は、無害化で内容が変わるため取り除きました。署名の正しさは確かめていません',
    en: 'its digital signature was removed; it was not checked',
  },
  yenc: { ja: '本文の中にファイルが埋め込まれていました（yEnc）', en: 'a file was written into the text (yEnc)' },
  binhex: { ja: '本文の中にファイルが埋め込まれていました（BinHex）', en: 'a file was written into the text (BinHex)' },
  'outlook-item': { ja: 'メール以外のOutlookの項目でした', en: 'it was an Outlook item other than a mail' },
  damaged: { ja: '壊れていて一部しか読めません', en: 'it is damaged; only a part could be read' },
  'bidi-name': {
    ja: '名前に文字の並びを偽る制御文字がありました',
    en: 'its name held characters that fake the order of letters',
  },
  'embedded-file': { ja: '中に別のファイルが埋め込まれていました', en: 'it held embedded files' },
  'external-link': { ja: '外部への参照がありました', en: 'it referred to outside places' },
  'font-substituted': { ja: '埋め込まれていない書体を置き換えました', en: 'a font that was not embedded was replaced' },
  form: { ja: '入力欄がありました', en: 'it held a form' },
  'frames-cut': { ja: '動く画像の最初のコマだけを残しました', en: 'only the first frame of the animation was kept' },
  'from-count': { ja: '差出人（From）が一つではありません', en: 'it does not have exactly one From' },
  gaiji: { ja: '外字が〓になりました', en: 'private-use characters became 〓' },
  'glyph-missing': { ja: '表示できない文字がありました', en: 'some characters could not be drawn' },
  'hidden-text': { ja: '見えないように隠された文字を取り除きました', en: 'hidden text was removed' },
  'hidden-by-sheet': {
    ja: 'スタイルシートで（画面によっては）隠される文字も載せました',
    en: 'text that its style sheet hides, if only on some screens, is shown, too',
  },
  'invisible-characters': {
    ja: '見えない文字や並びを変える文字を取り除きました',
    en: 'invisible or reordering characters were removed',
  },
  javascript: { ja: 'プログラム（JavaScript）が含まれていました', en: 'it held a program (JavaScript)' },
  'link-mismatch': { ja: '見かけと違う宛先のリンクがありました', en: 'a link pointed elsewhere than it said' },
  'ocr-text': {
    ja: '画素から文字を読み取りました（OCR）。読み違いがあり得ます',
    en: 'its text was read from the pixels (OCR); it may be wrong',
  },
  'ocr-failed': {
    ja: '文字を読み取れないページがあります（検索できません）',
    en: 'the text of some pages could not be read',
  },
  'qr-code': { ja: 'QRコードの中身', en: 'what its QR code says' },
  'codes-unread': {
    ja: 'QRコードの有無を調べられないページがあります',
    en: 'some pages could not be searched for QR codes',
  },
  'scan-text': {
    ja: '検索用の文字は、読み取り装置が付けたものです。読み違いがあり得ます',
    en: 'its text is what the scanner wrote; it may be wrong',
  },
  'page-failed': { ja: '描けないページがあります', en: 'a page could not be drawn' },
  'cells-cut': {
    ja: '列の幅に収まらず、途中までしか見えないセルがあります。全文は「表の値」として頼めます',
    en: 'some cells are wider than their columns and seen in part only; ask for the values of the sheet',
  },
  'pages-not-shown': {
    ja: '表や見た目のページは作れませんでした。文字だけをお届けします',
    en: 'its pages could not be made; only its text is here',
  },
  'not-printed': {
    ja: '印刷しない設定の書き込みは表示していません',
    en: 'remarks that are set not to be printed are not shown',
  },
  'pages-cut': { ja: '後のページを省きました', en: 'later pages were left out' },
  'layout-approximate': {
    ja: '文字と表だけを読み取りました。配置は元の文書のとおりではありません',
    en: 'only its words and tables were read; the layout is not that of the document',
  },
  'pictures-not-shown': { ja: '図や埋め込まれた部品は表示していません', en: 'its pictures and objects are not shown' },
  'remote-content': {
    ja: '外部から読み込む画像などがありました',
    en: 'it loaded pictures or other things from outside',
  },
  script: { ja: 'プログラム（スクリプト）が含まれていました', en: 'it held a script' },
  'text-cut': { ja: '長い文章の後半を省きました', en: 'the end of a long text was left out' },
  'type-mismatch': { ja: '名前や宣言と中身の種類が違いました', en: 'its content is not what it claims to be' },
  'undecodable-bytes': { ja: '読み取れない文字がありました', en: 'some bytes could not be read as text' },
  'charset-guessed': {
    ja: '文字コードの指定が不明か、途中で壊れていたため、推測して読みました',
    en: 'its character set is not known here, or was damaged on the way; it was read by guessing',
  },
  'encrypted-text': {
    ja: '暗号化された文章は読めないため省きました',
    en: 'encrypted text cannot be read and was left out',
  },
  'external-body': {
    ja: '中身は外部に置かれており、取得していません',
    en: 'its content lies elsewhere and was not fetched',
  },
  'name-spoof': { ja: '差出人の名前に別のアドレスが書かれています', en: 'the sender’s name shows another address' },
  'launch-action': { ja: 'プログラムを起動する仕掛けがありました', en: 'it tried to start a program' },
  'submit-form': { ja: '入力を外へ送る仕掛けがありました', en: 'it tried to send a form away' },
  'import-data': { ja: '外からデータを読み込む仕掛けがありました', en: 'it tried to import data' },
  'duplicate-header': { ja: '同じ見出し（ヘッダー）が重なっていました', en: 'a header stood there twice' },
  'odd-structure': { ja: 'メールの作りに乱れがありました', en: 'the mail is oddly built' },
  'unknown-encoding': { ja: '知らない符号化方式でした', en: 'its transfer encoding is unknown' },
  uuencode: {
    ja: '本文の中にファイルが埋め込まれていました（uuencode）',
    en: 'a file was written into the text (uuencode)',
  },
  'encoded-text': { ja: '符号化された文字列を省きました', en: 'encoded data was left out of the text' },
  'link-scheme': { ja: '通常と違う種類のリンクを取り除きました', en: 'a link of an unusual kind was removed' },
  'link-userinfo': { ja: '宛先を紛らわせるリンクがありました', en: 'a link disguised its target' },
  'meta-refresh': { ja: '別のページへ移る仕掛けがありました', en: 'it tried to move to another page' },
  'embedded-object': { ja: '埋め込みの部品がありました', en: 'it held embedded objects' },
  blank: { ja: '何も描かれていないページだけでした', en: 'nothing is drawn on any of its pages' },
  comments: { ja: '注釈がありました', en: 'it held comments' },
  'rich-media': { ja: '動画などの部品がありました', en: 'it held rich media' },
  movie: { ja: '動画がありました', en: 'it held a movie' },
  sound: { ja: '音声がありました', en: 'it held sound' },
  preamble: { ja: '区切りの前にあった文字を省きました', en: 'text before the first part was left out' },
  epilogue: { ja: '区切りの後にあった文字を省きました', en: 'text after the last part was left out' },
  xfa: { ja: '動的な入力フォーム（XFA）でした', en: 'it was a dynamic form (XFA)' },
};

/** Remarks that tell of nothing removed. */
const NOTES: ReadonlySet<string> = new Set([
  'password-paired',
  'password-tried',
  'ask-for-pdf',
  'hidden-by-sheet',
  'ask-for-archive',
  'ocr-text',
  'qr-code',
  'not-scanned',
]);

/** True for a remark that tells of nothing removed. */
export function isNote(code: string): boolean {
  return NOTES.has(code);
}

const RULE = '-'.repeat(40);

const LABEL = {
  title: { ja: '無害化について（Mugai）', en: 'About this message (Mugai)' },
  lead: {
    ja: 'このメールは無害化されています。本文は文字だけ、添付ファイルは画像または文字だけにしました。',
    en: 'This message was made harmless: its text is plain text, its attachments are pictures or plain text only.',
  },
  leadFailed: {
    ja: 'このメールの中身はお届けできません。理由: ',
    en: 'The content of this message cannot be delivered. Reason: ',
  },
  body: { ja: '本文', en: 'the text' },
  dropped: { ja: '取り除きました', en: 'removed' },
  held: { ja: '保留しています', en: 'held' },
  refused: { ja: 'お届けできません', en: 'not delivered' },
  expanded: { ja: '中身を下に示します', en: 'its content follows' },
  text: { ja: '文字にしました', en: 'as text' },
  image: { ja: '画像にしました', en: 'as a picture' },
  pages: { ja: '画像のPDFにしました', en: 'as a PDF of pictures' },
  page: { ja: 'ページ', en: 'pages' },
  gone: { ja: '取り除いたもの', en: 'Removed' },
  unseen: { ja: '見えなくなったもの', en: 'Not seen any more' },
  ask: {
    ja: '元のファイルが必要なときは、情報政策の担当にこの番号をお知らせください: ',
    en: 'If you need an original, tell your IT section this number: ',
  },
  noName: { ja: '（名前なし）', en: '(no name)' },
} as const satisfies { readonly [key: string]: Words };

/** A reason in plain words. */
export function reasonWords(reason: Reason, language: Language): string {
  return REASON_WORDS[reason][language];
}

/** A remark in plain words, with its detail. */
export function remarkWords(remark: Remark, language: Language): string {
  const words = Object.hasOwn(REMARK_WORDS, remark.code) ? REMARK_WORDS[remark.code] : undefined;
  const text = words === undefined ? remark.code : words[language];
  return remark.detail === '' ? text : language === 'ja' ? `${text}（${remark.detail}）` : `${text} (${remark.detail})`;
}

/** Bytes as a person reads them: `123 KB`. */
export function sizeWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} KB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function became(row: PartRow, language: Language): string {
  const files = row.outputs.filter((name) => name !== 'message.txt').map((name) => name.replace(/^files\//, ''));
  const to = files.length === 0 ? '' : `: ${files.join(', ')}`;
  const why =
    row.reason === null
      ? ''
      : language === 'ja'
        ? `（${reasonWords(row.reason, language)}）`
        : ` (${reasonWords(row.reason, language)})`;
  switch (row.verdict) {
    case 'pages':
      return `${LABEL.pages[language]} ${row.pages} ${LABEL.page[language]}${to}`;
    case 'text':
    case 'image':
    case 'expanded':
      return `${LABEL[row.verdict][language]}${to}`;
    case 'dropped':
    case 'held':
    case 'refused':
      return `${LABEL[row.verdict][language]}${why}`;
    default:
      return row.verdict satisfies never;
  }
}

/** A text without the account that ends it. */
export function withoutAccount(text: string): string {
  const starts = Object.values(LABEL.title).map((title) => text.lastIndexOf(`${RULE}\n${title}\n`));
  const start = Math.max(...starts);
  return start < 0 ? text : text.slice(0, start);
}

/** What an account is made of. */
export interface AccountOf {
  readonly id: string;
  readonly reason: Reason | null;
  readonly parts: readonly PartRow[];
}

/**
 * The account of a message's parts, lines ended by LF. Body parts that became the text without any remark are not
 * worth a line; everything else is named.
 */
export function accountOfParts(message: AccountOf, language: Language): string {
  const lines = [RULE, LABEL.title[language]];
  lines.push(
    message.reason === null
      ? LABEL.lead[language]
      : `${LABEL.leadFailed[language]}${reasonWords(message.reason, language)}`,
  );
  for (const row of message.parts) {
    const plainBody = row.verdict === 'text' && (row.outputs[0] === 'message.txt' || row.outputs.length === 0);
    const told = row.findings.filter(({ code }) => !isToldAbove(code));
    const findings = told.filter(({ code }) => !isNote(code));
    const notes = told.filter(({ code }) => isNote(code));
    if (plainBody && told.length === 0 && row.losses.length === 0) continue;
    const name = row.name === '' ? LABEL.noName[language] : row.name;
    const what = plainBody ? `${LABEL.body[language]} → ` : `${name} (${row.detectedType}, ${sizeWords(row.size)}) → `;
    lines.push(`[${row.path}] ${what}${became(row, language)}`);
    for (const note of notes) lines.push(`    ${remarkWords(note, language)}`);
    if (findings.length > 0)
      lines.push(`    ${LABEL.gone[language]}: ${findings.map((f) => remarkWords(f, language)).join('; ')}`);
    if (row.losses.length > 0)
      lines.push(`    ${LABEL.unseen[language]}: ${row.losses.map((l) => remarkWords(l, language)).join('; ')}`);
  }
  lines.push(`${LABEL.ask[language]}${message.id}`);
  return `${lines.join('\n')}\n`;
}
