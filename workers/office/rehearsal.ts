// A letter of ours that an engine opens before any document comes: what it loads for that (libraries, filters, fonts) is there then.
import { writePackage } from './package.ts';

const W = 'http://schemas.openxmlformats.org/wordprocessingml/2006/main';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
/** Those that a Japanese office writes in, and what a document without any gets. */
const FACES = [
  '',
  'ＭＳ 明朝',
  'ＭＳ Ｐ明朝',
  'ＭＳ ゴシック',
  'ＭＳ Ｐゴシック',
  '游明朝',
  'Times New Roman',
  'Calibri',
];
const WORDS = '第１条　申請書（令和８年）の様式は、別に定める。ABC abc 123';

/** A document of Word with a line in each of the usual fonts. */
export function rehearsalLetter(): Buffer {
  const part = (body: string): Buffer => Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>${body}`, 'utf8');
  const lines = FACES.map((face) => {
    const fonts =
      face === '' ? '' : `<w:rPr><w:rFonts w:ascii="${face}" w:hAnsi="${face}" w:eastAsia="${face}"/></w:rPr>`;
    return `<w:p><w:r>${fonts}<w:t>${WORDS}</w:t></w:r></w:p>`;
  });
  return writePackage(
    new Map([
      [
        '[Content_Types].xml',
        part(
          `<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
        ),
      ],
      [
        '_rels/.rels',
        part(
          `<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>`,
        ),
      ],
      ['word/document.xml', part(`<w:document xmlns:w="${W}"><w:body>${lines.join('')}</w:body></w:document>`)],
    ]),
  );
}
