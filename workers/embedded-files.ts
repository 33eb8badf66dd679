// Files that were written into a text: uuencode, yEnc, BinHex. Taken out as files, so that they go the way of attachments.
import { decodeText } from './charset.ts';
import { LIMITS } from '../src/message/limits.ts';
import { PART_KIND } from '../src/sandbox/wire.ts';
import { Refusal, type Out } from './run.ts';
import { tellFile } from './told-mail.ts';
import { UuDecoder } from './uuencode.ts';

export type Encoding = 'uuencode' | 'yenc' | 'binhex';

/** A file that stood in a text. */
export interface EmbeddedFile {
  readonly name: string;
  readonly encoding: Encoding;
  readonly bytes: Buffer;
}

export interface Extracted {
  /** The text without its files; a line of `placeOf(n)` where file n stood. */
  readonly rest: Buffer;
  readonly files: readonly EmbeddedFile[];
}

const FILES_MAX = 100;
const LF = 0x0a;

/** The mark of file n in the text: a control character that no text keeps, so that nobody can write one. */
export const placeOf = (index: number): string => `\u0002${index}\u0002`;

interface Line {
  readonly from: number;
  readonly to: number;
  /** Without its end; bytes as latin1. */
  readonly text: string;
}

/** Takes the files out of a text. `charset` is the text's label: names are in it. Linear; the text itself is not decoded. */
export function extractFiles(bytes: Buffer, charset: string): Extracted {
  if (!bytes.includes('begin') && !bytes.includes('BinHex 4.0')) return { rest: bytes, files: [] };
  const files: EmbeddedFile[] = [];
  const kept: Buffer[] = [];
  const lines = new Lines(bytes);
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const file = files.length < FILES_MAX ? fileAt(line, lines, charset) : undefined;
    if (file === undefined) kept.push(bytes.subarray(line.from, line.to));
    else {
      kept.push(Buffer.from(`${placeOf(files.length)}\n`, 'latin1'));
      files.push(file);
    }
  }
  return files.length === 0 ? { rest: bytes, files } : { rest: Buffer.concat(kept), files };
}

/** Lines one after another, with a place to come back to. */
class Lines {
  readonly #bytes: Buffer;
  at = 0;
  /** A BinHex header without its data was met: looking for the end again and again would be quadratic. */
  noBinhex = false;
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }
  next(): Line | undefined {
    if (this.at >= this.#bytes.length) return undefined;
    const lf = this.#bytes.indexOf(LF, this.at);
    const from = this.at;
    this.at = lf < 0 ? this.#bytes.length : lf + 1;
    return { from, to: this.at, text: this.#bytes.toString('latin1', from, this.at).replace(/\r?\n$/, '') };
  }
}

function fileAt(line: Line, lines: Lines, charset: string): EmbeddedFile | undefined {
  const named = (name: string): string => decodeText(Buffer.from(name, 'latin1'), charset).text.trim().slice(0, 200);
  const uu = /^begin(-base64)? [0-7]{3,4} (\S.*)$/.exec(line.text);
  if (uu !== null) return uuFile(lines, named(uu[2] ?? ''), uu[1] !== undefined);
  const yenc = /^=ybegin (?=.*\bsize=\d).*\bname=(.+)$/.exec(line.text);
  if (yenc !== null) return yencFile(lines, named(yenc[1] ?? ''));
  if (lines.noBinhex || !/^\(This file must be converted with BinHex 4\.0\)$/i.test(line.text.trim())) return undefined;
  return binhexFile(lines, named);
}

/** Lines of data up to `end`; no data line at all: no file, but text that begins so. */
function uuFile(lines: Lines, name: string, base64: boolean): EmbeddedFile | undefined {
  const start = lines.at;
  const data: string[] = [];
  for (;;) {
    const before = lines.at;
    const line = lines.next();
    if (line === undefined) break;
    if (base64 ? line.text === '====' : line.text === 'end') {
      const bytes = base64 ? Buffer.from(data.join(''), 'base64') : uuDecoded(data);
      return { name, encoding: 'uuencode', bytes };
    }
    if (!(base64 ? /^[A-Za-z0-9+/=]*$/.test(line.text) : isUuLine(line.text))) {
      lines.at = before;
      break;
    }
    data.push(line.text);
  }
  // Cut off: what there is counts when it is more than an accident.
  if (data.length < 2) {
    lines.at = start;
    return undefined;
  }
  return { name, encoding: 'uuencode', bytes: base64 ? Buffer.from(data.join(''), 'base64') : uuDecoded(data) };
}

function uuDecoded(data: readonly string[]): Buffer {
  const decoder = new UuDecoder();
  return Buffer.concat([decoder.push(Buffer.from(`begin 644 x\n${data.join('\n')}\n`, 'latin1')), decoder.end()]);
}

/** The first letter of a line tells its length; blanks at its end may have been lost on the way. */
function isUuLine(text: string): boolean {
  if (text === '' || text === '`' || text === ' ') return true;
  if (!/^[\x20-\x60]+$/.test(text)) return false;
  const expected = Math.ceil(((text.charCodeAt(0) - 32) & 63) / 3) * 4 + 1;
  return text.length <= expected + 2 && text.length >= expected - (text.endsWith(' ') ? 2 : 60);
}

function yencFile(lines: Lines, name: string): EmbeddedFile | undefined {
  const pieces: Buffer[] = [];
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    if (line.text.startsWith('=yend')) break;
    if (line.text.startsWith('=ypart ')) continue;
    pieces.push(yencLine(line.text));
  }
  return { name, encoding: 'yenc', bytes: Buffer.concat(pieces) };
}

function yencLine(text: string): Buffer {
  const bytes = Buffer.alloc(text.length);
  let to = 0;
  for (let at = 0; at < text.length; at++) {
    let byte = text.charCodeAt(at);
    if (byte === 0x3d && at + 1 < text.length) byte = text.charCodeAt(++at) - 64;
    bytes[to++] = (byte - 42) & 0xff;
  }
  return bytes.subarray(0, to);
}

const HQX = '!"#$%&\'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr';

function binhexFile(lines: Lines, named: (name: string) => string): EmbeddedFile | undefined {
  const start = lines.at;
  // Lines are joined once: looking at a string that grows would copy it each time.
  const pieces: string[] = [];
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const text = line.text.trim();
    if (text === '') continue;
    const first = pieces.length === 0;
    pieces.push(text);
    if (first ? !text.startsWith(':') || (text.length > 1 && text.endsWith(':')) : text.endsWith(':')) break;
  }
  const packed = pieces.join('');
  const bytes = unrun(sixBits(packed));
  const nameLength = bytes[0] ?? 0;
  const head = 1 + nameLength + 1 + 4 + 4 + 2; // name, version, type, creator, flags
  if (!packed.startsWith(':') || nameLength === 0 || nameLength > 63 || bytes.length < head + 10) {
    lines.at = start;
    lines.noBinhex = true;
    return undefined;
  }
  const length = bytes.readUInt32BE(head);
  const from = head + 10;
  return {
    name: named(bytes.toString('latin1', 1, 1 + nameLength)),
    encoding: 'binhex',
    bytes: bytes.subarray(from, Math.min(bytes.length, from + length)),
  };
}

function sixBits(packed: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil((packed.length * 3) / 4));
  let to = 0;
  let bits = 0;
  let held = 0;
  for (const letter of packed) {
    const value = HQX.indexOf(letter);
    if (value < 0) continue;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[to++] = (held >> bits) & 0xff;
  }
  return bytes.subarray(0, to);
}

/** BinHex's runs: byte, 0x90, how often; 0x90 0x00 is 0x90 itself. At most 255 for 2 bytes, and never over a message's ceiling. */
function unrun(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let size = 0;
  let last = 0;
  let from = 0;
  const put = (piece: Buffer): void => {
    if (piece.length === 0) return;
    size += piece.length;
    if (size > LIMITS.messageBytes) throw new Refusal('ratio', 'BinHex');
    last = piece[piece.length - 1] ?? 0;
    pieces.push(piece);
  };
  for (let at = bytes.indexOf(0x90); at >= 0; at = bytes.indexOf(0x90, from)) {
    put(bytes.subarray(from, at));
    const count = bytes[at + 1] ?? 0;
    if (count === 0) put(Buffer.of(0x90));
    else put(Buffer.alloc(count - 1, last));
    from = at + 2;
  }
  put(bytes.subarray(from));
  return Buffer.concat(pieces);
}

/** A file that holds nothing but encoded files (`.uu`, `.hqx`): its files as leaves. */
export function tellEncodedFile(bytes: Buffer, out: Out): void {
  const { files } = extractFiles(bytes, '');
  if (files.length === 0) throw new Refusal('damaged', 'no encoded file');
  out.part({ path: [], kind: PART_KIND.multipart, type: 'multipart/mixed', name: '', disposition: '', contentId: '' });
  for (const [index, file] of files.entries()) tellEmbedded([index + 1], file, out);
}

/** A file that stood in a text, as a leaf. */
export function tellEmbedded(path: readonly number[], file: EmbeddedFile, out: Out): void {
  tellFile(path, { name: file.name, type: 'application/octet-stream', contentId: '', bytes: file.bytes }, out);
}
