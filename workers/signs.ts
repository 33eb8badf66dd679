// Signs by which formats are told that no library tells, apart from their readers, so that telling them loads nothing.

import { isOle, oleRoot, oleStream } from './ole.ts';
import { Refusal } from './run.ts';

const HWP_SIGN = 'HWP Document File';

/** Hangul: HWP 3, HWP 5 (a compound file whose header stream says so), HWPX (a zip whose first entry says so). */
export function isHwp(bytes: Buffer): boolean {
  const head = bytes.toString('latin1', 0, 200);
  if (head.startsWith('HWP Document File V3')) return true;
  if (head.startsWith('PK')) return /^[^]{30}mimetype[^]{0,40}application\/hwp\+zip/.test(head);
  return isOle(bytes) && isHwp5(bytes);
}

/** By its root: the words may also stand in what a message or a document has in it. */
function isHwp5(bytes: Buffer): boolean {
  const has = oleRoot(bytes);
  if (!has('FileHeader') || !(has('BodyText') || has('DocInfo'))) return false;
  try {
    return oleStream(bytes, 'FileHeader')?.toString('latin1', 0, HWP_SIGN.length) === HWP_SIGN;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return false;
  }
}

/** XAR, the archive of macOS. */
export function isXar(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 4) === 'xar!';
}

/** A zip by its end (APPNOTE 4.3.16): its directory stands before it. What stands before its first entry says nothing. */
export function isZipByEnd(bytes: Buffer): boolean {
  const least = Math.max(0, bytes.length - 22 - 0xffff);
  const end = bytes.lastIndexOf('PK\x05\x06', bytes.length - 22, 'latin1');
  if (end < least || end + 22 > bytes.length) return false;
  const directory = end - bytes.readUInt32LE(end + 12);
  return directory >= 0 && directory < end && bytes.toString('latin1', directory, directory + 4) === 'PK\x01\x02';
}

/** A picture of ZSoft Paintbrush: its version, run lengths, bits of a plane; a window that is one. */
export function isPcx(bytes: Buffer): boolean {
  if (bytes.length < 128 || !/^0a0[0-5]01(?:01|02|04|08)/.test(bytes.toString('hex', 0, 4))) return false;
  return bytes.readUInt16LE(4) <= bytes.readUInt16LE(8) && bytes.readUInt16LE(6) <= bytes.readUInt16LE(10);
}

/** A picture of QuickDraw, version 2, behind the 512 bytes that its file begins with. */
export function isPict(bytes: Buffer): boolean {
  return bytes.toString('hex', 522, 528) === '001102ff0c00';
}

/** Notes of a Mac: AppleDouble (RFC 1740), .DS_Store. */
export function macNote(bytes: Uint8Array): 'apple-double' | 'ds-store' | undefined {
  const sign = Buffer.from(bytes.subarray(0, 8)).toString('latin1');
  if (sign.startsWith('\0\x05\x16\x07')) return 'apple-double';
  return sign === '\0\0\0\x01Bud1' ? 'ds-store' : undefined;
}

/** What Windows calls its list of small pictures. */
export function isThumbsName(name: string): boolean {
  return /(?:^|[\\/])thumbs\.db$/i.test(name);
}

/** JPEG 2000: a JP2 box file, or a codestream (SOC and SIZ). */
export function isJpeg2000(bytes: Buffer): boolean {
  return /^(?:0000000c6a5020200d0a870a|ff4fff51)/.test(bytes.toString('hex', 0, 12));
}

/** DocuWorks: element 0x60, which begins with its generation. */
export function isDocuWorks(bytes: Buffer): boolean {
  return /^60(?:[0-7].|81..|82....)8201(?:0[1-9a-f])8/.test(bytes.toString('hex', 0, 10));
}

/** OpenDocument in one XML file: what its root says that it is, `text`, `spreadsheet`, `presentation` or `graphics`. */
export function flatOdfKind(head: string): string | undefined {
  return /<\w{1,40}:document\s[^<]*?(?<=\s)\w{1,40}:mimetype=["']application\/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation|graphics)["']/.exec(
    head,
  )?.[1];
}

/** XML of Office 2003: the program that its instruction names. */
export function office2003Program(head: string): 'Word.Document' | 'Excel.Sheet' | undefined {
  const name = /<\?mso-application\s+progid=["'](Word\.Document|Excel\.Sheet)["']/.exec(head)?.[1];
  return name === 'Word.Document' || name === 'Excel.Sheet' ? name : undefined;
}
