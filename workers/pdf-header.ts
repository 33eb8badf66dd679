// Where a file has the header of a PDF, and whether it is one for that: a container, a mail or a text may hold these bytes, too.

/** ISO 32000 wants the header first; readers accept it within so many bytes, and so do attackers (polyglots). */
const REACH = 1024;
const HEADER = '%PDF-';
/** Blanks, a byte order mark. */
const BEGINS = /^(?:\xef\xbb\xbf)?[\s\0]*%PDF-/;
/** How far into a text an object is looked for. */
const LOOKED_AT = 64 * 1024;
const OBJECT = /\d{1,10}\s{1,5}\d{1,5}\s{1,5}obj/;

/** What keeps whole files as they are, in whose first bytes a PDF may lie: archives, mail, compound files, DocuWorks. */
const CARRIERS =
  /^(?:message\/|multipart\/|application\/(?:mbox|vnd\.ms-tnef|pkcs7-mime|vnd\.fujixerox\.docuworks|gzip|zstd|vnd\.ms-cab-compressed|x-(?:7z-compressed|rar-compressed|tar|bzip2|xz|lzh-compressed|compress|arj|cpio|xar|unix-archive|lzip|self-extracting))$)/;
/** Zip, with all documents that are one, and compound files. */
const CARRIER_SIGNS = /^(?:504b(?:0304|0708|3030)|d0cf11e0)/;
/** A picture in name, which may be letters to its end. */
const GIF = /^47494638(?:37|39)61/;

/** Where the header stands: it is what the file begins with, it stands further in where readers still find it, or nowhere. */
export function pdfHeader(bytes: Buffer): 'first' | 'within' | undefined {
  const head = bytes.toString('latin1', 0, REACH + HEADER.length);
  if (!head.includes(HEADER)) return undefined;
  return BEGINS.test(head) ? 'first' : 'within';
}

/** True for a file with the header further in that is something else: a carrier of a PDF, or a text that speaks of one. */
export function onlyHoldsPdf(bytes: Buffer, mimeType: string, isText: boolean): boolean {
  const sign = bytes.toString('hex', 0, 6);
  if (CARRIER_SIGNS.test(sign) || CARRIERS.test(mimeType)) return true;
  return isText && !GIF.test(sign) && !OBJECT.test(bytes.toString('latin1', 0, LOOKED_AT));
}
