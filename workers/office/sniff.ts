// Which office document this is, by its bytes: it decides the import filter, so that the engine guesses nothing (50 KB of
// random bytes named .docx became ten pages of it, through its text import).
import { oleRoot } from '../ole.ts';
import { packageType, packageWords } from '../package-words.ts';
import { Refusal } from '../run.ts';
import { flatOdfKind, isPcx, isPict, office2003Program } from '../signs.ts';

/** What the document is written in, and so how it is cleaned. */
export type Form = 'ooxml' | 'odf' | 'flat-odf' | 'rtf' | 'jtd' | 'html' | 'binary';
export type Kind = 'writer' | 'calc' | 'impress' | 'draw';

export interface OfficeType {
  readonly form: Form;
  readonly kind: Kind;
  /** LibreOffice's import filter. */
  readonly filter: string;
  readonly extension: string;
}

const type = (form: Form, kind: Kind, filter: string, extension: string): OfficeType => ({
  form,
  kind,
  filter,
  extension,
});

export const DOCX = type('ooxml', 'writer', 'MS Word 2007 XML', 'docx');
export const XLSX = type('ooxml', 'calc', 'Calc MS Excel 2007 XML', 'xlsx');
const XLSB = type('ooxml', 'calc', 'Calc MS Excel 2007 Binary', 'xlsb');
/** HTML that was cleaned: it is drawn when the host says so, and never guessed. */
export const HTML = type('html', 'writer', 'HTML (StarWriter)', 'html');
const PPTX = type('ooxml', 'impress', 'Impress MS PowerPoint 2007 XML', 'pptx');

const ODF: { readonly [mimeType: string]: OfficeType } = {
  text: type('odf', 'writer', 'writer8', 'odt'),
  spreadsheet: type('odf', 'calc', 'calc8', 'ods'),
  presentation: type('odf', 'impress', 'impress8', 'odp'),
  graphics: type('odf', 'draw', 'draw8', 'odg'),
};

const FLAT: { readonly [mimeType: string]: OfficeType } = {
  text: type('flat-odf', 'writer', 'OpenDocument Text Flat XML', 'fodt'),
  spreadsheet: type('flat-odf', 'calc', 'OpenDocument Spreadsheet Flat XML', 'fods'),
  presentation: type('flat-odf', 'impress', 'OpenDocument Presentation Flat XML', 'fodp'),
  graphics: type('flat-odf', 'draw', 'OpenDocument Drawing Flat XML', 'fodg'),
};

/** The type of an office document that is not encrypted. Throws a `Refusal` for whatever is none, or none that we open. */
export function sniff(bytes: Buffer): OfficeType {
  const head = bytes.subarray(0, 64 * 1024).toString('latin1');
  if (head.startsWith('PK')) return sniffZip(bytes);
  if (head.startsWith('\xd0\xcf\x11\xe0')) return sniffOle(bytes);
  if (/^\s*\{\\rtf/.test(head)) return type('rtf', 'writer', 'Rich Text Format', 'rtf');
  const flat = flatOdfKind(head);
  if (flat !== undefined && FLAT[flat] !== undefined) return FLAT[flat];
  const program = office2003Program(head);
  if (program === 'Word.Document') return type('binary', 'writer', 'MS Word 2003 XML', 'xml');
  if (program === 'Excel.Sheet') return type('binary', 'calc', 'MS Excel 2003 XML', 'xml');
  if (bytes.toString('latin1', 40, 44) === ' EMF' && bytes.readUInt32LE(0) === 1)
    return type('binary', 'draw', 'EMF - MS Windows Metafile', 'emf');
  if (head.startsWith('\xdb\xa5\x2d\0')) return type('binary', 'writer', 'MS WinWord 6', 'doc'); // Word 2
  if (head.startsWith('\xffWPC')) return type('binary', 'writer', 'WordPerfect', 'wpd');
  if (isWmf(bytes)) return type('binary', 'draw', 'WMF - MS Windows Metafile', 'wmf');
  if (isPcx(bytes)) return type('binary', 'draw', 'PCX - Zsoft Paintbrush', 'pcx');
  if (isPict(bytes)) return type('binary', 'draw', 'PCT - Mac Pict', 'pct');
  // BIFF 2 to 4 stand without a container: BOF records 0009, 0209, 0409 ([MS-XLS] 2.4.21).
  if (/^\t[\0\x02\x04](?:[\x04\x06\x08]|\x10)\0/.test(head)) return type('binary', 'calc', 'MS Excel 4.0', 'xls');
  throw new Refusal('unsupported-type', 'no office document');
}

/** Placeable ([MS-WMF] 2.3.2.3), or a header of nine words of version 1 or 3. */
function isWmf(bytes: Buffer): boolean {
  return /^(?:d7cdc69a|0[12]000900000[13])/.test(bytes.toString('hex', 0, 6));
}

/** Names only what it needs of the package; the limits of the whole come later, in `package.ts`. */
function sniffZip(bytes: Buffer): OfficeType {
  const words = packageWords(bytes);
  if (words === undefined) throw new Refusal('damaged', 'zip');
  const { mimetype } = words;
  // A document or its charts may have workbooks within, whose types stand beside its own: the main part's counts.
  const types = packageType(words) ?? words.types;
  if (/spreadsheetml\.|ms-excel\.(?:sheet|template|addin)/i.test(types))
    return /sheet\.binary/i.test(types) ? XLSB : XLSX;
  if (/presentationml\.|ms-powerpoint\.(?:presentation|slideshow|template|addin|slide)/i.test(types)) return PPTX;
  if (/wordprocessingml\.|ms-word\.(?:document|template)/i.test(types)) return DOCX;
  if (/vnd\.(?:ms-)?visio/i.test(types)) return type('binary', 'draw', 'Visio Document', 'vsdx');
  const odf = /^application\/vnd\.(?:oasis\.opendocument|sun\.xml)\.([a-z]+)/.exec(mimetype)?.[1];
  if (odf !== undefined) {
    const sun = mimetype.includes('sun.xml');
    if (sun && odf === 'writer') return type('odf', 'writer', 'StarOffice XML (Writer)', 'sxw');
    if (sun && odf === 'calc') return type('odf', 'calc', 'StarOffice XML (Calc)', 'sxc');
    if (sun && odf === 'impress') return type('odf', 'impress', 'StarOffice XML (Impress)', 'sxi');
    if (sun && odf === 'draw') return type('odf', 'draw', 'StarOffice XML (Draw)', 'sxd');
    if (ODF[odf] !== undefined) return ODF[odf];
  }
  throw new Refusal('unsupported-type', 'a zip that is no office document');
}

function sniffOle(bytes: Buffer): OfficeType {
  const has = oleRoot(bytes);
  if (has('DocumentText') && bytes.includes('SsmgV.01'))
    return type('jtd', 'writer', 'OpenDocument Text Flat XML', 'fodt');
  if (has('WordDocument')) return type('binary', 'writer', wordFilter(bytes), 'doc');
  if (has('PowerPoint Document')) return type('binary', 'impress', 'MS PowerPoint 97', 'ppt');
  if (has('Workbook')) return type('binary', 'calc', 'MS Excel 97', 'xls');
  if (has('Book')) return type('binary', 'calc', 'MS Excel 95', 'xls');
  if (has('StarWriterDocument')) return type('binary', 'writer', 'StarOffice_Writer', 'sdw');
  if (has('StarCalcDocument')) return type('binary', 'calc', 'StarOffice_Calc', 'sdc');
  if (has('StarDrawDocument3')) return type('binary', 'impress', 'StarOffice_Presentation', 'sdd');
  if (has('CONTENTS') && bytes.includes('CHNKWKS')) return type('binary', 'writer', 'MS_Works', 'wps');
  if (has('VisioDocument')) return type('binary', 'draw', 'Visio Document', 'vsd');
  if (has('Quill')) return type('binary', 'draw', 'Publisher Document', 'pub');
  throw new Refusal('unsupported-type', 'an OLE file that is no office document');
}

/** nFib of the file information block ([MS-DOC] 2.5.2) tells Word 6 and 95 from 97 and later; it stands at a sector's start. */
function wordFilter(bytes: Buffer): string {
  for (let at = 512; at + 4 < bytes.length && at < 1 << 20; at += 512) {
    const ident = bytes.readUInt16LE(at);
    if (ident !== 0xa5ec && ident !== 0xa5dc) continue;
    const version = bytes.readUInt16LE(at + 2);
    if (version <= 103) return 'MS WinWord 6';
    if (version < 193) return 'MS Word 95';
    return 'MS Word 97';
  }
  return 'MS Word 97';
}
