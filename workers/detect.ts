// What a file is, by its bytes. Names and declared types are the sender's; a name only tells one text from another.
import { isUtf8 } from 'node:buffer';
import { fileTypeFromBuffer } from 'file-type';
import { decodeText } from './charset.ts';
import { oleRoot } from './ole.ts';
import { packageType, packageWords } from './package-words.ts';
import { onlyHoldsPdf, pdfHeader } from './pdf-header.ts';
import { carriedArchive } from './self-extractor.ts';
import { htmlCharset } from './said-charset.ts';
import {
  flatOdfKind,
  isDocuWorks,
  isHwp,
  isJpeg2000,
  isPcx,
  isPict,
  isThumbsName,
  isXar,
  isZipByEnd,
  macNote,
  office2003Program,
} from './signs.ts';

export interface Detected {
  /** Lower case; `application/octet-stream` when unknown. */
  readonly mimeType: string;
  /** The usual extension, '' when unknown. */
  readonly extension: string;
}

const PDF: Detected = { mimeType: 'application/pdf', extension: 'pdf' };
const HWP: Detected = { mimeType: 'application/vnd.hancom.hwp', extension: 'hwp' };
const HWPX: Detected = { mimeType: 'application/vnd.hancom.hwpx', extension: 'hwpx' };
const UNKNOWN: Detected = { mimeType: 'application/octet-stream', extension: '' };

// Formats of file-type that are text, or begin as text: for all others, bytes that are nothing but text win over a short
// magic ("BM" is a bitmap and the start of "BMW").
const TEXTUAL =
  /^(?:text\/|application\/(?:xml|rtf|pdf|postscript|eps|pgp-encrypted|x-ms-regedit|vnd\.ms-outlook)|image\/svg\+xml|application\/.*\+xml)/;

/**
 * Detects the type of a file from its bytes, or from its first ones. `name` is its name as the sender gave it, `charset` what he
 * says of it as a text.
 */
export async function detect(bytes: Buffer, name: string, charset = ''): Promise<Detected> {
  const header = pdfHeader(bytes);
  if (header === 'first') return PDF;
  const other = await otherThanPdf(bytes, name, charset);
  return header === undefined || onlyHoldsPdf(bytes, other.mimeType, looksLikeText(bytes, charset)) ? other : PDF;
}

async function otherThanPdf(bytes: Buffer, name: string, charset: string): Promise<Detected> {
  const own = byOwnSigns(bytes, name);
  if (own !== undefined) return own;
  const text = looksLikeText(bytes, charset);
  // Mail of the days of 8-bit attachments in the body (yEnc): its header block is text all the same.
  if (!text && isMail(bytes.toString('latin1', 0, 16 * 1024))) return { mimeType: 'message/rfc822', extension: 'eml' };
  const found = await byFileType(bytes);
  if (found !== undefined && (!text || TEXTUAL.test(found.mimeType))) {
    // Any XML that is a page or a drawing is told apart below.
    if (found.mimeType !== 'application/xml') return found.mimeType === 'application/zip' ? byItsWords(bytes) : found;
  }
  if (text) return textType(bytes, name, charset);
  return found ?? bySignsFurtherIn(bytes);
}

/** Where the first bytes say nothing. */
function bySignsFurtherIn(bytes: Buffer): Detected {
  if (isPict(bytes)) return { mimeType: 'image/x-pict', extension: 'pct' };
  return isZipByEnd(bytes) ? { mimeType: 'application/zip', extension: 'zip' } : UNKNOWN;
}

/** A zip whose telling entries the library did not come to: it reads from the front, and not far. */
function byItsWords(bytes: Buffer): Detected {
  const words = packageWords(bytes);
  const mimeType = words === undefined ? undefined : packageType(words);
  return mimeType === undefined ? { mimeType: 'application/zip', extension: 'zip' } : { mimeType, extension: '' };
}

async function byFileType(bytes: Buffer): Promise<Detected | undefined> {
  try {
    const found = await fileTypeFromBuffer(bytes);
    return found === undefined
      ? undefined
      : { mimeType: found.mime.split(';')[0]?.trim().toLowerCase() ?? '', extension: found.ext };
  } catch (error) {
    // A container that breaks off while it is looked into: its signature is all there is.
    if (!(error instanceof Error)) throw error;
    return bytes.subarray(0, 2).toString('latin1') === 'PK'
      ? { mimeType: 'application/zip', extension: 'zip' }
      : undefined;
  }
}

function byOwnSigns(bytes: Buffer, name: string): Detected | undefined {
  if (CMS.test(bytes.toString('hex', 0, 24))) return { mimeType: 'application/pkcs7-mime', extension: 'p7m' };
  // A session key for a public key (packet tag 1, RFC 9580 §5.1), in the old form or the new.
  if (/^(?:8[4-6]|c1)/.test(bytes.toString('hex', 0, 1)) && /\.(?:gpg|pgp)$/i.test(name))
    return { mimeType: 'application/pgp-encrypted', extension: 'gpg' };
  if (bytes.length >= 4 && bytes.readUInt32LE(0) === 0x223e9f78)
    return { mimeType: 'application/vnd.ms-tnef', extension: 'dat' };
  if (isHwp(bytes)) return bytes[0] === 0x50 ? HWPX : HWP;
  if (isDocuWorks(bytes)) return { mimeType: 'application/vnd.fujixerox.docuworks', extension: 'xdw' };
  if (carriedArchive(bytes) !== undefined) return { mimeType: 'application/x-self-extracting', extension: 'exe' };
  if (isJpeg2000(bytes)) return { mimeType: 'image/jp2', extension: 'jp2' };
  if (bytes.toString('latin1', 40, 44) === ' EMF' && bytes.readUInt32LE(0) === 1)
    return { mimeType: 'image/emf', extension: 'emf' };
  if (/^[\x01\0\x02\xff]CD001/.test(bytes.toString('latin1', DISC, DISC + 6)))
    return { mimeType: 'application/x-iso9660-image', extension: 'iso' };
  if (isXar(bytes)) return { mimeType: 'application/x-xar', extension: 'xar' };
  if (isPcx(bytes)) return { mimeType: 'image/x-pcx', extension: 'pcx' };
  const sign = bytes.toString('hex', 0, 4);
  if (sign === 'ff575043') return { mimeType: 'application/vnd.wordperfect', extension: 'wpd' };
  const note = macNote(bytes);
  if (note === 'apple-double') return { mimeType: 'application/applefile', extension: '' };
  if (note === 'ds-store') return { mimeType: 'application/x-ds-store', extension: '' };
  if (sign === 'dba52d00') return { mimeType: 'application/msword', extension: 'doc' }; // Word 2
  if (/^09(?:00|02|04)0[468]00/.test(bytes.toString('hex', 0, 4)))
    // BIFF 2 to 4
    return { mimeType: 'application/vnd.ms-excel', extension: 'xls' };
  if (/^(?:d7cdc69a|0[12]000900000[13])/.test(bytes.toString('hex', 0, 6)))
    return { mimeType: 'image/wmf', extension: 'wmf' };
  if (bytes.length >= 8 && bytes.readUInt32BE(0) === 0xd0cf11e0 && bytes.readUInt32BE(4) === 0xa1b11ae1)
    return byOleNames(bytes, name);
  return undefined;
}

/** The first volume descriptor of a disc (ECMA-119 §6.2.1, §8). */
const DISC = 16 * 2048;

// ContentInfo (RFC 5652 §3): SEQUENCE, object id 1.2.840.113549.1.7.x or, of S/MIME, 1.2.840.113549.1.9.16.1.x.
const CMS = /^30(?:80|[0-7].|81..|82....|83.{6}|84.{8})06(?:092a864886f70d0107|0b2a864886f70d01091001)/;

const OLE_NAMES = [
  ['EncryptedPackage', 'application/x-encrypted-office', ''],
  ['JSCompDocument', 'application/x-js-taro-packed', 'jtdc'],
  ['__properties_version1.0', 'application/vnd.ms-outlook', 'msg'],
  ['WordDocument', 'application/msword', 'doc'],
  ['Workbook', 'application/vnd.ms-excel', 'xls'],
  ['PowerPoint Document', 'application/vnd.ms-powerpoint', 'ppt'],
  ['Book', 'application/vnd.ms-excel', 'xls'],
  ['DocumentText', 'application/x-js-taro', 'jtd'],
  ['StarWriterDocument', 'application/vnd.stardivision.writer', 'sdw'],
  ['StarCalcDocument', 'application/vnd.stardivision.calc', 'sdc'],
  ['StarDrawDocument3', 'application/vnd.stardivision.impress', 'sdd'],
  ['VisioDocument', 'application/vnd.visio', 'vsd'],
  ['Quill', 'application/x-mspublisher', 'pub'],
] as const;

/** An OLE file by the names in its directory's root. */
function byOleNames(bytes: Buffer, name: string): Detected {
  const has = oleRoot(bytes);
  for (const [stream, mimeType, extension] of OLE_NAMES) if (has(stream)) return { mimeType, extension };
  // Microsoft Works has a stream of this name, as others have; its content says so.
  if (has('CONTENTS') && bytes.includes('CHNKWKS')) return { mimeType: 'application/vnd.ms-works', extension: 'wps' };
  if (isThumbsName(name)) return { mimeType: 'application/x-thumbs-db', extension: 'db' };
  return { mimeType: 'application/x-cfb', extension: 'cfb' };
}

/**
 * True when the bytes are text in a charset that mail knows, or in the one that is said of them: nearly no control characters, or
 * UTF-16 by mark.
 */
export function looksLikeText(bytes: Buffer, charset = ''): boolean {
  const head = bytes.subarray(0, 64 * 1024);
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff))
    return isCleanText(decodeText(head, '').text);
  let control = 0;
  let high = 0;
  let zeros = 0;
  for (const byte of head) {
    if (byte >= 0x80) high += 1;
    else if (byte === 0) zeros += 1;
    else if (
      byte < 0x20 &&
      byte !== 0x0a &&
      byte !== 0x0d &&
      byte !== 0x09 &&
      byte !== 0x0c &&
      byte !== 0x1b &&
      byte !== 0x1a
    )
      control += 1;
  }
  if (zeros > 0) {
    const decoded = decodeText(head, charset);
    return decoded.charset.startsWith('utf-16') ? isCleanText(decoded.text) : zeros + control <= head.length / 1000;
  }
  if (control > head.length / 100) return false;
  if (high === 0) return true;
  if (isUtf8(head)) return true;
  // Not yet known to be a page: a text that only speaks of a charset is text by the first of the two.
  return isDecoded(head, charset) || isDecoded(head, htmlCharset(head, charset));
}

function isDecoded(head: Buffer, charset: string): boolean {
  const { text, undecodable } = decodeText(head, charset);
  return undecodable <= 2 + text.length / 50;
}

function isCleanText(text: string): boolean {
  const odd = text.match(/[\u0000-\u0008\u000e-\u001a\ufffd]/g)?.length ?? 0;
  return odd <= text.length / 100;
}

// A comment can be read in one way only: a lazy one could end at any of the ends behind it, each time twice as many ways.
const HTML =
  /^(?:\s|<!--(?:(?!-->)[\s\S]){0,4000}-->|<\?xml[^>]{0,500}>)*<(?:!doctype\s+html|html|head|body|title|meta|script|style|table|div|p|h[1-6]|center|font|iframe)[\s>/]/i;
const HTA_ROOT = /^(?:\s|<!--(?:(?!-->)[\s\S]){0,4000}-->|<\?xml[^>]{0,500}>)*<hta:application[\s>/]/i;
const MAIL_FIELD =
  /^(?:from|to|subject|date|received|mime-version|message-id|return-path|delivered-to|content-type|content-transfer-encoding|reply-to|cc|x-[\w-]+|dkim-signature)[ \t]*:/i;

function textType(bytes: Buffer, name: string, charset: string): Detected {
  const start = decodeText(bytes.subarray(0, 16 * 1024), charset).text.replace(/^\ufeff/, '');
  const extension = /\.([a-z0-9]{1,10})$/i.exec(name)?.[1]?.toLowerCase() ?? '';
  if (/^BEGIN:VCALENDAR/i.test(start.trimStart())) return { mimeType: 'text/calendar', extension: 'ics' };
  const encoded = encodedType(start);
  if (encoded !== undefined) return encoded;
  if (/^BEGIN:VCARD/i.test(start.trimStart())) return { mimeType: 'text/vcard', extension: 'vcf' };
  if (start.trimStart().startsWith('{\\rtf')) return { mimeType: 'application/rtf', extension: 'rtf' };
  if (/^(?:\s|<\?xml[^>]{0,500}>|<!--(?:(?!-->)[\s\S]){0,4000}-->|<!doctype\s+svg[^>]{0,500}>)*<svg[\s>]/i.test(start))
    return { mimeType: 'image/svg+xml', extension: 'svg' };
  const script = scriptType(start, extension);
  if (script !== undefined) return script;
  if (HTML.test(start)) return { mimeType: 'text/html', extension: 'html' };
  const office = officeXml(start);
  if (office !== undefined) return office;
  if (/^\s*<\?xml\s/.test(start)) return { mimeType: 'application/xml', extension: 'xml' };
  if (/^From (?:-.*|\S.*\d{4}.{0,20})\r?\n[!-9;-~]+[ \t]*:/.test(start))
    return { mimeType: 'application/mbox', extension: 'mbox' };
  if (isMail(start))
    return isSavedPage(start, extension)
      ? { mimeType: 'multipart/related', extension: 'mht' }
      : { mimeType: 'message/rfc822', extension: 'eml' };
  if (extension === 'csv' || extension === 'tsv')
    return { mimeType: extension === 'csv' ? 'text/csv' : 'text/tab-separated-values', extension };
  if (extension === 'htm' || extension === 'html') return { mimeType: 'text/html', extension: 'html' };
  return isTable(start) ? { mimeType: 'text/csv', extension: 'csv' } : { mimeType: 'text/plain', extension: 'txt' };
}

const FLAT_ODF: { readonly [kind: string]: Detected } = {
  text: { mimeType: 'application/vnd.oasis.opendocument.text-flat-xml', extension: 'fodt' },
  spreadsheet: { mimeType: 'application/vnd.oasis.opendocument.spreadsheet-flat-xml', extension: 'fods' },
  presentation: { mimeType: 'application/vnd.oasis.opendocument.presentation-flat-xml', extension: 'fodp' },
  graphics: { mimeType: 'application/vnd.oasis.opendocument.graphics-flat-xml', extension: 'fodg' },
};

/** Documents of office programs in one XML file. */
function officeXml(start: string): Detected | undefined {
  if (!/^\s*<(?:\?xml\s|\w+:document\s)/.test(start)) return undefined;
  if (office2003Program(start) !== undefined) return { mimeType: 'application/x-office-xml', extension: 'xml' };
  return FLAT_ODF[flatOdfKind(start) ?? ''];
}

/** Scripts that say so: a line for the kernel, an HTML application, a file of Windows Script Host, one encoded for it. */
function scriptType(start: string, extension: string): Detected | undefined {
  if (/^#! ?\//.test(start)) return { mimeType: 'application/x-sh', extension: 'sh' };
  // Windows takes whatever is named so for a page; elsewhere its tag may be a word of a text, or of a mail.
  const isPage = extension === 'hta' || HTML.test(start) || HTA_ROOT.test(start);
  if (isPage && /<hta:application[\s>/]/i.test(start)) return { mimeType: 'application/hta', extension: 'hta' };
  if (start.startsWith('#@~^')) return { mimeType: 'application/x-encoded-script', extension: 'vbe' };
  const root = /^\s*(?:<\?xml[^>]{0,500}>\s*)?<(?:package|job|component|scriptlet)[\s>]/i.test(start);
  return root && /<script[\s>]/i.test(start) ? { mimeType: 'application/x-wsf', extension: 'wsf' } : undefined;
}

/** Text that is a file in disguise, and PGP's armour (RFC 9580 §6.2). */
function encodedType(start: string): Detected | undefined {
  const text = start.trimStart();
  if (/^begin(?:-base64)? [0-7]{3,4} \S.*\r?\n[\x20-\x7e]{1,100}\r?\n/.test(text))
    return { mimeType: 'text/x-uuencode', extension: 'uu' };
  if (/^=ybegin .*name=/.test(text)) return { mimeType: 'text/x-yenc', extension: 'yenc' };
  if (/^(?:.{0,200}\r?\n){0,20}\(This file must be converted with BinHex 4\.0\)/i.test(text))
    return { mimeType: 'application/mac-binhex40', extension: 'hqx' };
  const armour = /^-----BEGIN (PGP MESSAGE|PGP SIGNATURE|PKCS7|CMS)-----/.exec(text)?.[1];
  if (armour === 'PGP MESSAGE') return { mimeType: 'application/pgp-encrypted', extension: 'asc' };
  if (armour === 'PGP SIGNATURE') return { mimeType: 'application/pgp-signature', extension: 'asc' };
  if (armour !== undefined) return { mimeType: 'application/pkcs7-mime', extension: 'p7m' };
  // Apple Mail: the number of bytes of the mail, then the mail.
  if (/^\d{1,10}[ \t]*\r?\n[!-9;-~]+:/.test(start)) {
    const mail = start.slice(start.indexOf('\n') + 1);
    if (isMail(mail)) return { mimeType: 'message/x-emlx', extension: 'emlx' };
  }
  return undefined;
}

/** A header block first: at least two fields that mail knows, nothing else before the blank line. */
function isMail(start: string): boolean {
  const names = new Set<string>();
  for (const line of start.split(/\r\n|\n|\r/, 200)) {
    if (line === '') break;
    if (/^[ \t]/.test(line) && names.size > 0) continue;
    if (!/^[!-9;-~]+[ \t]*:/.test(line)) return false;
    const field = MAIL_FIELD.exec(line)?.[0];
    if (field !== undefined) names.add(field.toLowerCase());
  }
  return names.size >= 2;
}

/** A web page as browsers save it (RFC 2557): they name themselves in From, or the page's address, where a mail has people. */
function isSavedPage(start: string, extension: string): boolean {
  const head = /^[^]*?(?:\r?\n){2}/.exec(start)?.[0] ?? start;
  if (!/^content-type:\s*(?:multipart\/related|text\/html)/im.test(head)) return false;
  return (
    extension === 'mht' || extension === 'mhtml' || /^(?:snapshot-content-location:|from:\s*"?<?saved by )/im.test(head)
  );
}

/** Comma-separated by its look: at least three lines with the same number (two or more) of commas outside quotes. */
function isTable(start: string): boolean {
  const lines = start
    .split(/\r?\n/, 21)
    .slice(0, 20)
    .filter((line) => line !== '');
  if (lines.length < 3) return false;
  const counts = lines.slice(0, -1).map((line) => line.replace(/"(?:[^"]|"")*"/g, '').split(',').length - 1);
  const [first = 0] = counts;
  return first >= 2 && counts.every((count) => count === first);
}
