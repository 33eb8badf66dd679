// The first bytes of a mail, mended before a parser sees them: one documented rule for where the body starts (RFC 7103 §7).
//
// 1. A byte order mark and blank lines before the first header field are dropped.
// 2. A mail whose first line is no header field (and no mbox `From ` line) has no header: all of it is body.
// 3. Lines inside the header that are neither field nor continuation are skipped when a field that mail knows follows
//    before the blank line; otherwise the header ends in front of them, and they are body. A line that begins with `--` is a
//    boundary and always body: the fields behind it are those of a part.
// 4. A mail without a single LF has CR as its line end.
import { Refusal } from './run.ts';
import { LIMITS } from '../src/message/limits.ts';

/** What was mended. */
export type Mend = 'no-header' | 'malformed-header' | 'header-end' | 'cr-lines';

export interface Head {
  /** The mail's bytes from its first one, in pieces. */
  readonly bytes: AsyncIterable<Buffer>;
  readonly mended: readonly Mend[];
}

const LF = 0x0a;
const CR = 0x0d;
const FIELD = /^[!-9;-~]+[ \t]*:/;
const KNOWN =
  /^(?:content-[a-z-]+|mime-version|from|to|cc|bcc|subject|date|message-id|received|return-path|reply-to|sender|delivered-to|in-reply-to|references|list-[a-z-]+|dkim-signature|authentication-results|arc-[a-z-]+|x-[\w-]+)[ \t]*:/i;

/** Reads the header block of `input` (at most LIMITS.headerBytes) and gives the whole mail back, mended. */
export async function mendHead(input: AsyncIterable<Buffer>): Promise<Head> {
  const source = input[Symbol.asyncIterator]();
  const mended: Mend[] = [];
  let held: Buffer = Buffer.alloc(0);
  let crOnly = false;
  let end = -1;
  let done = false;
  for (let sought = 0; ;) {
    const next = await source.next();
    done = next.done === true;
    const chunk = next.done === true ? Buffer.alloc(0) : next.value;
    // Without a single LF in its first bytes a mail is of the old Macintosh kind (or of an attacker's): CR ends its lines.
    if (sought === 0 && chunk.includes(CR) && !chunk.includes(LF)) crOnly = true;
    held = held.length === 0 ? chunk : Buffer.concat([held, crOnly ? crToCrlf(chunk) : chunk]);
    if (sought === 0 && crOnly) held = crToCrlf(held);
    if (sought === 0) held = held.subarray(leadingBlank(held));
    end = headerEnd(held, Math.max(0, sought - 3));
    sought = held.length;
    if (end >= 0 || done) break;
    if (held.length > LIMITS.headerBytes) {
      // No blank line within the limit. Without a header at all the lines are body, otherwise the header is too large.
      if (FIELD.test(held.subarray(0, 200).toString('latin1'))) throw new Refusal('too-large', 'header');
      break;
    }
  }
  if (crOnly) mended.push('cr-lines');
  const head = mend(held, end < 0 ? held.length : end, mended);
  async function* bytes(): AsyncGenerator<Buffer, void, undefined> {
    for (const piece of head) if (piece.length > 0) yield piece;
    if (done) return;
    for (let next = await source.next(); next.done !== true; next = await source.next()) {
      yield crOnly ? crToCrlf(next.value) : next.value;
    }
  }
  return { bytes: bytes(), mended };
}

/** Bytes of BOM and of blank lines at the start. */
function leadingBlank(bytes: Buffer): number {
  let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const start = at;
  while (at < bytes.length && (bytes[at] === LF || bytes[at] === CR)) at += 1;
  // Blank lines in front of plain text are text.
  return KNOWN.test(bytes.subarray(at, at + 100).toString('latin1')) ? at : start;
}

/** Index of the blank line that ends the header block, or -1. */
function headerEnd(bytes: Buffer, from: number): number {
  if (bytes[0] === LF || (bytes[0] === CR && bytes[1] === LF)) return 0;
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF || (bytes[at + 1] === CR && bytes[at + 2] === LF)) return at + 1;
  }
  return -1;
}

const BLANK = Buffer.from('\r\n');

function mend(held: Buffer, end: number, mended: Mend[]): Buffer[] {
  if (end === 0) return [held];
  const lines = linesOf(held, end);
  const first = lines[0];
  if (first === undefined) return [held];
  if (!FIELD.test(first.text) && !/^>?From /.test(first.text)) {
    mended.push('no-header');
    return [BLANK, held];
  }
  let lastField = 0;
  let odd = -1;
  let skipped = false;
  const drop: boolean[] = [];
  for (const [index, line] of lines.entries()) {
    const folded = /^[ \t]/.test(line.text) && odd < 0;
    if (index === 0 || folded || (odd < 0 ? FIELD.test(line.text) : KNOWN.test(line.text))) {
      if (odd >= 0) skipped = true;
      odd = -1;
      lastField = index;
    } else {
      if (odd < 0) odd = index;
      drop[index] = true;
      if (line.text.startsWith('--')) break;
    }
  }
  if (!skipped && odd < 0) return [held];
  const pieces: Buffer[] = [];
  for (const [index, line] of lines.entries()) {
    if (index <= lastField && drop[index] !== true) pieces.push(held.subarray(line.from, line.to));
  }
  if (skipped) mended.push('malformed-header');
  if (odd < 0) return [...pieces, held.subarray(end)];
  mended.push('header-end');
  return [...pieces, BLANK, held.subarray(lines[odd]?.from ?? end)];
}

interface Line {
  readonly from: number;
  readonly to: number;
  /** Its first characters, enough to tell a field. */
  readonly text: string;
}

function linesOf(bytes: Buffer, end: number): Line[] {
  const lines: Line[] = [];
  for (let from = 0; from < end;) {
    const lf = bytes.indexOf(LF, from);
    const to = lf < 0 || lf >= end ? end : lf + 1;
    lines.push({ from, to, text: bytes.toString('latin1', from, Math.min(to, from + 120)) });
    from = to;
  }
  return lines;
}

function crToCrlf(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/\r(?!\n)/g, '\r\n'), 'latin1');
}
