// The last page of a document that is not whole: says on paper what is missing, so that nobody takes the pages for all.
// A PDF of our own words, made with pdf-lib, drawn in the same jail as the document's own pages.
import {
  PDFDocument,
  PDFHexString,
  PDFName,
  PDFOperator,
  PDFOperatorNames as Ops,
  PDFString,
  type PDFRef,
} from 'pdf-lib';
import type { Language } from '../message/account.ts';
import { LIMITS } from '../message/limits.ts';

const { sheetRows: SHEET_ROWS, sheetColumns: SHEET_COLUMNS } = LIMITS;
const SIDES = [595, 842] as const; // A4
const MARGIN = 72;
const SIZES = [20, 12] as const;
const LEADING = 2;

/** What a reader is told: how many pages there are here, of how many, and why. */
export interface Missing {
  readonly pages: number;
  readonly announced: number;
  readonly reason: string;
}

/** The words of the page, heading first. */
export function noticeLines({ pages, announced, reason }: Missing, language: Language): string[] {
  if (language === 'en')
    return [
      'The rest of this document is missing',
      `These are the first ${pages} of ${announced} pages. ${announced - pages} pages are not shown here.`,
      `Reason: ${reason}.`,
      'Ask the sender, or your administrator, for the rest.',
    ];
  return [
    'この文書には続きがあります',
    `全 ${announced} ページのうち、はじめの ${pages} ページまでです。残り ${announced - pages} ページはありません。`,
    `理由：${reason}。`,
    '続きが必要なときは、送り主か管理者にお問い合わせください。',
  ];
}

/** The words of the page behind sheets that were cut: `sheets` tell name, columns and rows of each. */
export function sheetNoticeLines(sheets: readonly string[], language: Language): string[] {
  const most = 20;
  const more = sheets.length > most ? ['…'] : [];
  if (language === 'en')
    return [
      'The rest of these sheets is missing',
      `A sheet is shown up to row ${SHEET_ROWS} and column ${SHEET_COLUMNS}. These have more (columns × rows):`,
      ...sheets.slice(0, most),
      ...more,
      'Ask the sender, or your administrator, for the rest.',
    ];
  return [
    'この表には続きがあります',
    `表は ${SHEET_ROWS} 行、${SHEET_COLUMNS} 列までを示しています。次のシートはそれより大きなものです（列 × 行）。`,
    ...sheets.slice(0, most),
    ...more,
    '続きが必要なときは、送り主か管理者にお問い合わせください。',
  ];
}

/** A PDF of one page with these lines. The font is not embedded: the child has Japanese faces of its own. */
export async function noticePdf(lines: readonly string[]): Promise<Uint8Array> {
  const document = await PDFDocument.create();
  const page = document.addPage([...SIDES]);
  page.node.setFontDictionary(PDFName.of('F'), fontOf(document));
  let y = SIDES[1] - 2 * MARGIN;
  for (const [index, line] of lines.entries()) {
    const size = SIZES[Math.min(index, 1)] ?? 12;
    for (const piece of wrapped(line, Math.floor((SIDES[0] - 2 * MARGIN) / size))) {
      page.pushOperators(
        PDFOperator.of(Ops.BeginText),
        PDFOperator.of(Ops.SetFontAndSize, [PDFName.of('F'), document.context.obj(size)]),
        PDFOperator.of(Ops.MoveText, [document.context.obj(MARGIN), document.context.obj(y)]),
        PDFOperator.of(Ops.ShowText, [PDFHexString.of(Buffer.from(piece, 'utf16le').swap16().toString('hex'))]),
        PDFOperator.of(Ops.EndText),
      );
      y -= LEADING * size;
    }
  }
  return document.save({ useObjectStreams: false });
}

/** BIZ UDGothic by the name of a standard Japanese face (ISO 32000-1, 9.7.5.2). */
function fontOf(document: PDFDocument): PDFRef {
  const { context } = document;
  const face = 'HeiseiKakuGo-W5';
  const descriptor = context.register(
    context.obj({
      Type: 'FontDescriptor',
      FontName: face,
      Flags: 4,
      FontBBox: [0, -120, 1000, 880],
      ItalicAngle: 0,
      Ascent: 880,
      Descent: -120,
      CapHeight: 770,
      StemV: 90,
    }),
  );
  const system = { Registry: PDFString.of('Adobe'), Ordering: PDFString.of('Japan1'), Supplement: 2 };
  const descendant = context.obj({
    Type: 'Font',
    Subtype: 'CIDFontType0',
    BaseFont: face,
    CIDSystemInfo: system,
    DW: 1000,
    W: [1, 94, 500, 231, 632, 500], // ASCII in its two sets: half as wide
    FontDescriptor: descriptor,
  });
  return context.register(
    context.obj({
      Type: 'Font',
      Subtype: 'Type0',
      BaseFont: `${face}-UniJIS-UCS2-H`,
      Encoding: 'UniJIS-UCS2-H',
      DescendantFonts: [context.register(descendant)],
    }),
  );
}

/** A line in pieces of at most `ems`, a Latin letter being half of one. */
function wrapped(line: string, ems: number): string[] {
  const pieces: string[] = [];
  let piece = '';
  let width = 0;
  for (const word of line.match(/[\u0020-\u007e]+? |[\u0021-\u007e]+|[^\u0000-\u007e]/gu) ?? []) {
    const wide = (word.codePointAt(0) ?? 0) < 0x7f ? word.length / 2 : 1;
    if (width + wide > ems && piece !== '') {
      pieces.push(piece.trimEnd());
      piece = '';
      width = 0;
    }
    piece += word;
    width += wide;
  }
  return [...pieces, piece];
}
