// Header text as a person reads it: folding, raw 8-bit and JIS bytes, RFC 2047 words. Decoded once, never twice.
import { decodeText, type Decoded } from './charset.ts';

/** What was lost while headers were decoded: bytes that are no text, and private-use letters that became 〓. */
export interface Tally {
  undecodable: number;
  gaiji: number;
}

function counted(decoded: Decoded, tally: Tally | undefined): string {
  if (tally !== undefined) {
    tally.undecodable += decoded.charset === 'utf-7' || decoded.guessed !== undefined ? 1 : decoded.undecodable;
    tally.gaiji += decoded.gaiji;
  }
  return decoded.text;
}

// More raw text than a field may hold after decoding; what follows is not looked at.
const RAW_MAX = 64 * 1024;

/** A header line as received (one latin1 character a byte, name and folding included) to its value's raw bytes. */
export function valueOf(line: string): string {
  return line
    .slice(line.indexOf(':') + 1, RAW_MAX)
    .replace(/\r?\n(?=[ \t])/g, '')
    .trim();
}

/** Raw bytes (as latin1) to Unicode: UTF-8, Shift_JIS, EUC-JP or JIS that was not encoded at all, or what `hint` names. */
export function rawText(latin1: string, tally?: Tally, hint = ''): string {
  if (!/[^\x01-\x1a\x1c-\x7f]/.test(latin1)) return latin1;
  return counted(decodeText(Buffer.from(latin1, 'latin1'), hint), tally);
}

/** One RFC 2047 word: charset (an RFC 2231 language after `*` is dropped), B or Q, text. Q with spaces or `?` inside is read too. */
const WORD = /=\?([^?\s*]{1,60})(?:\*[^?\s]{0,40})?\?([BbQq])\?([^?]*(?:\?(?!=)[^?]*){0,20})\?=/g;

interface Run {
  charset: string;
  chunks: Buffer[];
}

/**
 * Decodes the RFC 2047 words of a text. Words of one charset with only white space between are joined as bytes first:
 * mailers split inside a character, and inside a JIS shift.
 */
export function decodeWords(text: string, tally?: Tally): string {
  if (!text.includes('=?')) return text;
  let decoded = '';
  let run: Run | undefined;
  let last = 0;
  for (const match of text.matchAll(WORD)) {
    const gap = text.slice(last, match.index);
    const [whole, charset = '', kind = '', body = ''] = match;
    last = match.index + whole.length;
    const bytes = kind === 'B' || kind === 'b' ? unB(body) : unQ(body);
    const joins = run !== undefined && gap.trim() === '';
    if (joins && run?.charset === charset.toLowerCase()) {
      run.chunks.push(bytes);
      continue;
    }
    decoded += flush(run, tally) + (joins ? '' : gap);
    run = { charset: charset.toLowerCase(), chunks: [bytes] };
  }
  return decoded + flush(run, tally) + text.slice(last);
}

function flush(run: Run | undefined, tally: Tally | undefined): string {
  return run === undefined ? '' : counted(decodeText(Buffer.concat(run.chunks), run.charset), tally);
}

/** Base64, each padded piece by itself: some mailers glue several into one word. */
function unB(body: string): Buffer {
  const pieces = body.split(/(?<!=)=+(?=[A-Za-z0-9+/])/);
  return pieces.length === 1
    ? Buffer.from(body, 'base64')
    : Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64')));
}

/** RFC 2047 §4.2: `_` is a space, `=XX` a byte; anything else stands for itself, broken escapes too. */
function unQ(body: string): Buffer {
  const plain = body.replaceAll('_', ' ');
  if (!plain.includes('=')) return Buffer.from(plain, 'utf8');
  const pieces: Buffer[] = [];
  let last = 0;
  for (const match of plain.matchAll(/(?:=[0-9A-Fa-f]{2})+/g)) {
    pieces.push(Buffer.from(plain.slice(last, match.index), 'utf8'), Buffer.from(match[0].replaceAll('=', ''), 'hex'));
    last = match.index + match[0].length;
  }
  pieces.push(Buffer.from(plain.slice(last), 'utf8'));
  return Buffer.concat(pieces);
}

/** One line: line ends become a space, NUL is dropped (an encoded CR LF must not become a new header, CWE-93). */
export function oneLine(text: string): string {
  return text
    .replaceAll('\0', '')
    .replace(/[\r\n\t\v\f]+/g, ' ')
    .trim();
}

/** The value of a header line as text of one line. */
export function decodeHeader(line: string, tally?: Tally, hint = ''): string {
  return oneLine(decodeWords(rawText(valueOf(line), tally, hint), tally));
}

/** True when the text holds a bidi embedding, override or isolate: `invoice[U+202E]fdp.exe`. */
export function hasBidi(text: string): boolean {
  return /[\u202A-\u202E\u2066-\u2069]/.test(text);
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
// RFC 5322 §3.3 with the obsolete two-digit year and zone names; comments are gone before.
const DATE =
  /(\d{1,2})\s+([A-Za-z]{3})[A-Za-z]*\s+(\d{2,4})\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([+-]\d{4}|[A-Za-z]{1,5})?/;
const ZONES: Readonly<Record<string, number>> = {
  jst: 540,
  est: -300,
  edt: -240,
  cst: -360,
  cdt: -300,
  mst: -420,
  mdt: -360,
  pst: -480,
  pdt: -420,
};

/** A Date header as ISO 8601 in UTC, or '' when it is no date. */
export function isoDate(line: string): string {
  const match = DATE.exec(valueOf(line).slice(0, 200));
  if (match === null) return '';
  const [, day = '', month = '', year = '', hour = '', minute = '', second = '0', zone = ''] = match;
  const index = MONTHS.indexOf(month.toLowerCase());
  const short = Number(year);
  const full = year.length === 4 ? short : short < 50 ? 2000 + short : 1900 + short;
  if (index < 0 || Number(hour) > 24 || Number(minute) > 59) return '';
  const time = Date.UTC(full, index, Number(day), Number(hour), Number(minute), Math.min(59, Number(second)));
  const date = new Date(time - offsetMinutes(zone) * 60_000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}

function offsetMinutes(zone: string): number {
  const numeric = /^([+-])(\d{2})(\d{2})$/.exec(zone);
  if (numeric === null) return ZONES[zone.toLowerCase()] ?? 0;
  const minutes = Number(numeric[2]) * 60 + Number(numeric[3]);
  return numeric[1] === '-' ? -minutes : minutes;
}
