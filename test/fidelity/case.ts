// What a case of the fidelity suite is, and how its mail is put together from text that was written by hand.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** One mail and exactly what its reader must get. */
export interface Case {
  readonly name: string;
  readonly group: string;
  readonly mail: Buffer;
  /** The body as it is delivered, without the account of parts, no line end at its end. */
  readonly text: string;
  readonly subject: string;
  /** Names of the parts that have one, in order. */
  readonly names: readonly string[];
  /** Codes of losses that must be told, and no others; nothing is silently lost. */
  readonly losses: readonly string[];
}

/** Bytes of a text in a charset, as Python's codec of that name (or encode.py) writes them. */
export type Encode = (codec: string, text: string) => Buffer;

export type Bytes = string | Uint8Array;

/** Builds cases with one start of Python: the first pass notes what is to be encoded, the second has it. */
export function build(make: (encode: Encode) => readonly Case[]): readonly Case[] {
  const wanted = new Map<string, readonly [string, string]>();
  make((codec, text) => {
    wanted.set(`${codec} ${text}`, [codec, text]);
    return Buffer.alloc(64, 0x41); // any bytes: long enough to be cut
  });
  const jobs = [...wanted.values()];
  const encoder = fileURLToPath(new URL('encode.py', import.meta.url));
  const run = spawnSync('python3', [encoder], { input: JSON.stringify(jobs), encoding: 'utf8', maxBuffer: 64 << 20 });
  if (run.status !== 0) throw new Error(`python3 did not encode: ${run.error?.message ?? run.stderr}`);
  const hex = JSON.parse(run.stdout) as readonly string[];
  const bytes = new Map([...wanted.keys()].map((key, index) => [key, Buffer.from(hex[index] ?? '', 'hex')]));
  return make((codec, text) => {
    const found = bytes.get(`${codec} ${text}`);
    if (found === undefined) throw new Error(`not encoded: ${codec} ${text}`);
    return found;
  });
}

export const join = (...parts: readonly Bytes[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'utf8') : part)));

/** An RFC 2047 word: `B` or `Q`. */
export function word(charset: string, bytes: Bytes, kind: 'B' | 'Q' = 'B'): string {
  const raw = Buffer.from(bytes);
  const text =
    kind === 'B'
      ? raw.toString('base64')
      : [...raw].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
  return `=?${charset}?${kind}?${text}?=`;
}

/** RFC 2231 percent form. */
export const percent = (bytes: Bytes): string =>
  [...Buffer.from(bytes)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');

/** Base64 in lines of 76. */
export const base64 = (bytes: Bytes): string =>
  (
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  ).join('\r\n');

interface Head {
  readonly subject?: Bytes;
  readonly from?: Bytes;
  readonly more?: Bytes;
}

const FROM = 'sender@example.com';

/** Header fields of a mail, up to (without) its Content-Type. */
export function head({ subject = 'test', from = FROM, more = '' }: Head = {}): Buffer {
  return join(
    'From: ',
    from,
    '\r\nTo: staff@city.example.lg.jp\r\nSubject: ',
    subject,
    '\r\nDate: Mon, 1 Jun 2026 10:00:00 +0900\r\nMessage-ID: <1@example.com>\r\nMIME-Version: 1.0\r\n',
    more,
  );
}

/** A mail of one part. */
export function single(type: string, body: Bytes, encoding = '8bit', header: Head = {}): Buffer {
  const typed = type === '' ? '' : `Content-Type: ${type}\r\n`;
  return join(head(header), typed, `Content-Transfer-Encoding: ${encoding}\r\n\r\n`, body, '\r\n');
}

/** A multipart of these parts, each with its own header lines in front. */
export function multi(parts: readonly Bytes[], subtype = 'mixed', header: Head = {}): Buffer {
  return join(head(header), multipart(parts, subtype));
}

/** A multipart as a part: its Content-Type and all. */
export function multipart(
  parts: readonly Bytes[],
  subtype = 'mixed',
  boundary = `b-${subtype.replace(/\W.*/, '')}`,
): Buffer {
  return join(
    `Content-Type: multipart/${subtype}; boundary="${boundary}"\r\n\r\n`,
    ...parts.flatMap((part) => [`--${boundary}\r\n`, part, '\r\n']),
    `--${boundary}--\r\n`,
  );
}

export const textPart = (text: Bytes, type = 'text/plain; charset=utf-8'): Buffer =>
  join(`Content-Type: ${type}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n`, text);

/** A small attachment of text with these header lines. */
export const attached = (header: Bytes): Buffer =>
  join(header, '\r\nContent-Transfer-Encoding: base64\r\n\r\n', base64('添付\r\n'));

/** A case with what most have: subject `test`, no names, nothing lost. */
export function expect(
  group: string,
  name: string,
  mail: Buffer,
  want: Partial<Pick<Case, 'text' | 'subject' | 'names' | 'losses'>>,
): Case {
  return { group, name, mail, text: '', subject: 'test', names: [], losses: [], ...want };
}
