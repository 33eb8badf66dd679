// The faces of an original that C3 looks for in outputs: as it came, its base64 parts decoded, its streams inflated.
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

/** One face. `sent`: the very bytes that came, or a part of them after transfer decoding; not inflated. */
export interface Face {
  readonly bytes: Buffer;
  readonly sent: boolean;
  readonly text: boolean;
  /** A mail, whose lines of base64 stand for something else. */
  readonly mail: boolean;
  /** What of it is no text: all of a binary, nothing of a text, an Outlook item or archive without its texts. */
  readonly binary: Buffer;
  /** Uncompressed samples: a picture of the same pixels has the same bytes, and should. */
  readonly raster: boolean;
}

const MOST_BYTES = 64 * 1024 * 1024;
const ONE_STREAM = 8 * 1024 * 1024;
const MOST_FACES = 2000;
const BASE64_BLOCK = /(?:^|\n)((?:[A-Za-z0-9+/]{40,}={0,2}\r?\n){2,}(?:[A-Za-z0-9+/]+={0,2})?)/g;

/** Every face of an original, bounded in number and bytes. `cameAsMail`: it came by SMTP, whatever its first line is. */
export function facesOf(original: Buffer, cameAsMail = false): Face[] {
  const faces: Face[] = [];
  let room = MOST_BYTES;
  const add = (bytes: Buffer, sent: boolean): void => {
    if (bytes.length < 64 || room < bytes.length || faces.length >= MOST_FACES) return;
    room -= bytes.length;
    // A mail is text, whatever bytes stand in one of its bodies: what it says may be said.
    const mail = isMail(bytes) || (cameAsMail && bytes === original);
    const text = mail || isText(bytes);
    const binary = text ? Buffer.alloc(0) : isMessage(bytes) || isArchive(bytes) ? withoutText(bytes) : bytes;
    faces.push({ bytes, sent, text, mail, binary, raster: isRaster(bytes) });
    if (sent) for (const inflated of streamsOf(bytes)) add(inflated, false);
  };
  add(original, true);
  for (const [, block] of original.toString('latin1').matchAll(BASE64_BLOCK))
    add(Buffer.from(block ?? '', 'base64'), true);
  return faces;
}

/** True for bytes that a reader could take for text in one of the charsets we know. */
export function isText(bytes: Buffer): boolean {
  const head = bytes.subarray(0, 65_536);
  let odd = 0;
  for (const byte of head) if (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 0x1b) odd += 1;
  return odd * 200 < head.length;
}

/** True for a mail that says how a part of it is encoded. */
function isMail(bytes: Buffer): boolean {
  return /^(?:>?From |[!-9;-~]{1,60}:[ \t])/.test(bytes.toString('latin1', 0, 80));
}

/** An Outlook item or a TNEF stream: a message whose text stands in a binary as it is. */
function isMessage(bytes: Buffer): boolean {
  const head = bytes.toString('hex', 0, 8);
  return (
    head.startsWith('789f3e22') ||
    (head === 'd0cf11e0a1b11ae1' && bytes.includes(Buffer.from('__properties', 'utf16le')))
  );
}

/** A zip or a tar: texts may lie in them as they are. */
function isArchive(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 4) === 'PK\u0003\u0004' || bytes.toString('latin1', 257, 262) === 'ustar';
}

/** The bytes with every run of 16 and more that could be text blanked. */
function withoutText(bytes: Buffer): Buffer {
  const rest = Buffer.from(bytes);
  for (let from = 0, at = 0; at <= rest.length; at++) {
    const byte = rest[at] ?? 0;
    if (at < rest.length && (byte >= 0x20 || byte === 9 || byte === 10 || byte === 13)) continue;
    if (at - from >= 16) rest.fill(0, from, at);
    from = at + 1;
  }
  return rest;
}

/** BMP, TIFF, ICO, CUR, PSD, PNM: files whose pixels may stand there as they are. */
function isRaster(bytes: Buffer): boolean {
  const head = bytes.toString('latin1', 0, 4);
  return /^(?:BM|II[*+]\0|MM\0[*+]|\0\0[\x01\x02]\0|8BPS|P[1-7][\s#])/.test(head);
}

function* streamsOf(bytes: Buffer): Generator<Buffer> {
  const text = bytes.toString('latin1');
  if (text.includes('%PDF-')) {
    for (const match of text.matchAll(/stream\r?\n/g)) {
      const from = match.index + match[0].length;
      const inflated = attempt(() => inflateSync(bytes.subarray(from), { maxOutputLength: ONE_STREAM }));
      if (inflated !== undefined) yield inflated;
    }
  }
  if (text.startsWith('PK\u0003\u0004')) {
    for (let at = text.indexOf('PK\u0003\u0004'); at >= 0; at = text.indexOf('PK\u0003\u0004', at + 4)) {
      if (at + 30 > bytes.length || bytes.readUInt16LE(at + 8) !== 8) continue;
      const from = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
      const inflated = attempt(() => inflateRawSync(bytes.subarray(from), { maxOutputLength: ONE_STREAM }));
      if (inflated !== undefined) yield inflated;
    }
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    const inflated = attempt(() => gunzipSync(bytes, { maxOutputLength: ONE_STREAM }));
    if (inflated !== undefined) yield inflated;
  }
}

/** What a decoder makes of hostile bytes; nothing when it cannot. */
function attempt(inflate: () => Buffer): Buffer | undefined {
  try {
    return inflate();
  } catch {
    return undefined; // damaged or larger than we look at: not a face that could be recognised
  }
}
