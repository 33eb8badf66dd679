// What bytes say by themselves of the charset they are in: marks, zeros, whole letters of UTF-8, pairs that Japanese is made of.
import { isAscii, isUtf8 } from 'node:buffer';
import { hasJisEscape } from './jis.ts';

/** The bytes in runs of lines that are UTF-8 and lines that are not; lines of ASCII are what the one before was. */
export function runsOf(buffer: Buffer): { readonly bytes: Buffer; readonly utf8: boolean }[] {
  const runs: { readonly bytes: Buffer; readonly utf8: boolean }[] = [];
  let start = 0;
  let inUtf8 = false;
  for (let from = 0, to = 0; from < buffer.length; from = to) {
    const lf = buffer.indexOf(0x0a, from);
    to = lf < 0 ? buffer.length : lf + 1;
    const line = buffer.subarray(from, to);
    const isNow: boolean = isUtf8(line) && (inUtf8 ? isAscii(line) || hasThreeByteUtf8(line) : isSurelyUtf8(line));
    if (isNow === inUtf8) continue;
    if (from > start) runs.push({ bytes: buffer.subarray(start, from), utf8: inUtf8 });
    start = from;
    inUtf8 = isNow;
  }
  runs.push({ bytes: buffer.subarray(start), utf8: inUtf8 });
  return runs;
}

/** A stretch of lines: ISO-2022-JP and ASCII, or something in 8 bits. */
export interface JisRun {
  readonly bytes: Buffer;
  readonly jis: boolean;
}

/** The bytes in runs of such lines. A line with escapes is JIS whatever else is in it: half-width kana may be in 8 bits. */
export function jisRunsOf(buffer: Buffer): JisRun[] {
  const runs: JisRun[] = [];
  let start = 0;
  let isJis = true;
  for (let from = 0, to = 0; from < buffer.length; from = to) {
    const lf = buffer.indexOf(0x0a, from);
    to = lf < 0 ? buffer.length : lf + 1;
    const line = buffer.subarray(from, to);
    const isNow: boolean = isAscii(line) || hasJisEscape(line);
    if (isNow === isJis) continue;
    if (from > start) runs.push({ bytes: buffer.subarray(start, from), jis: isJis });
    start = from;
    isJis = isNow;
  }
  runs.push({ bytes: buffer.subarray(start), jis: isJis });
  return runs;
}

/** UTF-8 that ends inside a letter, with two whole ones before: a field that was cut at a count of bytes. */
export function isCutUtf8(buffer: Buffer): boolean {
  for (let cut = 1; cut <= 3 && cut < buffer.length; cut++) {
    const lead = buffer[buffer.length - cut] ?? 0;
    if (lead < 0x80) return false;
    if (lead < 0xc0) continue;
    const whole = buffer.subarray(0, buffer.length - cut);
    return lead >= 0xe0 && isUtf8(whole) && isSurelyUtf8(whole);
  }
  return false;
}

/** No UTF-16, whatever the label says: line ends of one byte a letter, an odd count, or whole UTF-8, and never a zero. */
export function isNarrow(buffer: Buffer): boolean {
  if (isAscii(buffer) || buffer.includes(0) || byMark(buffer) !== undefined) return false;
  return buffer.includes('\r\n') || buffer.length % 2 === 1 || (isUtf8(buffer) && hasThreeByteUtf8(buffer));
}

/** Two letters of three bytes at least: one may be chance. */
function isSurelyUtf8(line: Buffer): boolean {
  let letters = 0;
  for (const byte of line) if (byte >= 0xe0) letters += 1;
  return letters >= 2;
}

/** UTF-16 whose label says no order and that has no mark: the side of the high bytes has the kana, signs and ASCII letters. */
export function endOf(said: string, label: string, buffer: Buffer): string {
  if (!/^\s*utf-?16\s*$/i.test(label)) return said;
  const high = [0, 0];
  for (let at = 0; at < Math.min(buffer.length, 4096); at++) {
    const byte = buffer[at] as number;
    if (byte === 0 || byte === 0x30 || byte === 0xff) high[at & 1] = (high[at & 1] ?? 0) + 1;
  }
  return (high[0] ?? 0) > (high[1] ?? 0) ? 'utf-16be' : 'utf-16le';
}

export function byMark(buffer: Buffer): string | undefined {
  if (buffer.length < 2) return undefined;
  const [a, b, c, d] = buffer;
  if (a === 0xff && b === 0xfe) return c === 0 && d === 0 ? 'utf-32le' : 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return 'utf-32be';
  return undefined;
}

/** Text of another charset with NULs strewn in: what is left without them is JIS or UTF-8, which is no accident. */
function isTextWithNuls(buffer: Buffer): boolean {
  const rest = buffer.filter((byte) => byte !== 0);
  return hasJisEscape(Buffer.from(rest)) || (isUtf8(rest) && hasThreeByteUtf8(Buffer.from(rest)));
}

/** UTF-16 without a mark: ASCII letters and line ends leave a zero in every second byte, on one side only. */
export function wideByZeros(buffer: Buffer): string | undefined {
  const end = Math.min(buffer.length, 4096) & ~1;
  if (end < 8) return undefined;
  const zeros: [number, number] = [0, 0];
  for (let at = 0; at < end; at++) if (buffer[at] === 0) zeros[(at & 1) as 0 | 1] += 1;
  const [even, odd] = zeros;
  const found =
    odd > end / 10 && even < odd / 20 ? 'utf-16le' : even > end / 10 && odd < even / 20 ? 'utf-16be' : undefined;
  return found === undefined || isTextWithNuls(buffer) ? undefined : found;
}

/** Three-byte UTF-8 (all of Japanese) is no accident; two-byte pairs may be half-width kana of Shift_JIS or GBK. */
export function hasThreeByteUtf8(buffer: Buffer): boolean {
  for (const byte of buffer) if (byte >= 0xe0) return true;
  return false;
}

export interface Score {
  errors: number;
  pairs: number;
  /** Pairs that ordinary Japanese text is made of: kana, Japanese punctuation, first-level kanji. */
  common: number;
  /** Letters of half width. */
  kana: number;
  /** Pairs that are kana, which no other language has many of. */
  kanaPairs: number;
}

export function scoreSjis(buffer: Buffer): Score {
  const score: Score = { errors: 0, pairs: 0, common: 0, kana: 0, kanaPairs: 0 };
  for (let at = 0; at < buffer.length; at++) {
    const lead = buffer[at] as number;
    if (lead < 0x80) continue;
    if (lead >= 0xa1 && lead <= 0xdf) {
      score.kana += 1;
      continue;
    }
    const trail = buffer[at + 1] ?? 0;
    if (lead === 0x80 || lead === 0xa0 || lead > 0xfc || trail < 0x40 || trail === 0x7f || trail > 0xfc) {
      score.errors += 1;
      continue;
    }
    at += 1;
    score.pairs += 1;
    if ((lead === 0x82 && trail >= 0x9f) || (lead === 0x83 && trail <= 0x96)) score.kanaPairs += 1;
    if (
      (lead === 0x82 && trail >= 0x4f) ||
      lead === 0x83 ||
      (lead >= 0x88 && lead <= 0x98) ||
      (lead === 0x81 && trail < 0x9f)
    )
      score.common += 1;
  }
  return score;
}

export function scoreEuc(buffer: Buffer): Score {
  const score: Score = { errors: 0, pairs: 0, common: 0, kana: 0, kanaPairs: 0 };
  for (let at = 0; at < buffer.length; at++) {
    const lead = buffer[at] as number;
    if (lead < 0x80) continue;
    const trail = buffer[at + 1] ?? 0;
    if (lead === 0x8e && trail >= 0xa1 && trail <= 0xdf) {
      score.kana += 1;
      at += 1;
    } else if (lead >= 0xa1 && lead <= 0xfe && trail >= 0xa1 && trail <= 0xfe) {
      score.pairs += 1;
      if (lead === 0xa4 || lead === 0xa5) score.kanaPairs += 1;
      if (lead === 0xa1 || lead === 0xa3 || lead === 0xa4 || lead === 0xa5 || (lead >= 0xb0 && lead <= 0xcf))
        score.common += 1;
      at += 1;
    } else if (lead === 0x8f && trail >= 0xa1) at += 2;
    else score.errors += 1;
  }
  return score;
}

// An error costs more than a common pair gains; half-width kana is rare, and what EUC-JP looks like read as Shift_JIS.
export const worth = (score: Score): number =>
  score.common * 2 + score.pairs * 0.2 + score.kana * 0.1 - score.errors * 8;

export function countHigh(buffer: Buffer): number {
  let high = 0;
  for (const byte of buffer) if (byte >= 0x80) high += 1;
  return high;
}

/**
 * CESU-8, which old databases and Java write: a character beyond U+FFFF as two surrogates of three bytes each. Undefined
 * where there is none.
 */
export function withoutSurrogates(buffer: Buffer): Buffer | undefined {
  if (!buffer.includes(0xed)) return undefined;
  const latin1 = buffer.toString('latin1');
  const mended = latin1.replace(/\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]/g, (pair) => {
    const half = (at: number): number => ((pair.charCodeAt(at) & 0x3f) << 6) | (pair.charCodeAt(at + 1) & 0x3f);
    const point = 0x10000 + ((half(1) & 0x3ff) << 10) + (half(4) & 0x3ff);
    return Buffer.from(String.fromCodePoint(point), 'utf8').toString('latin1');
  });
  return mended === latin1 ? undefined : Buffer.from(mended, 'latin1');
}
