// Parameters of Content-Type and Content-Disposition: RFC 2045, RFC 2231 pieces, and what mailers write instead.
import { isUtf8 } from 'node:buffer';
import { charsetOf, decodeText } from './charset.ts';
import { decodeWords, oneLine, rawText, valueOf, type Tally } from './header-words.ts';

// Names in pieces (name*0*, name*1*): honest mailers need a handful.
const PIECES_MAX = 200;
const PARAMS_MAX = 100;

/** Parameters of a header line by lower-case name, decoded; the first of two wins, an RFC 2231 value beats a plain one. */
export function parametersOf(line: string, tally?: Tally): ReadonlyMap<string, string> {
  const plain = new Map<string, string>();
  const extended = new Map<string, Map<number, { text: string; encoded: boolean }>>();
  // Raw Shift_JIS is decoded first: its second bytes include `\` and would escape the closing quote.
  for (const [name, value] of split(rawText(valueOf(line), tally))) {
    const star = /^([^*]+)\*(?:(\d{1,9})(\*?))?$/.exec(name);
    if (star === null) {
      if (!plain.has(name)) plain.set(name, value);
      continue;
    }
    const [, base = '', index, mark] = star;
    const pieces = extended.get(base) ?? new Map<number, { text: string; encoded: boolean }>();
    extended.set(base, pieces);
    const number = Number(index ?? 0);
    if (pieces.size < PIECES_MAX && !pieces.has(number))
      pieces.set(number, { text: value, encoded: index === undefined || mark === '*' });
  }
  const all = new Map<string, string>();
  for (const [name, value] of plain) {
    if (!extended.has(name)) all.set(name, oneLine(unPercentName(decodeWords(value, tally))));
  }
  for (const [name, pieces] of extended) all.set(name, oneLine(joined(pieces, tally)));
  return all;
}

/** A name in percent form without the marks of RFC 2231, as web mailers write it: only where it is UTF-8 beyond ASCII. */
function unPercentName(name: string): string {
  if (!/%[89A-Fa-f][0-9A-Fa-f]/.test(name)) return name;
  const marked = /^([\w.:-]{2,40})'[\w-]{0,20}'/.exec(name);
  // All of RFC 2231's form but the star.
  if (marked !== null && charsetOf(marked[1] ?? '') !== '')
    return decodeText(unPercent(name.slice(marked[0].length)), marked[1] ?? '').text;
  const bytes = unPercent(name);
  return isUtf8(bytes) ? bytes.toString('utf8') : name;
}

function joined(pieces: ReadonlyMap<number, { text: string; encoded: boolean }>, tally: Tally | undefined): string {
  const inOrder = [...pieces].toSorted(([a], [b]) => a - b).map(([, piece]) => piece);
  let charset = '';
  const bytes: Buffer[] = [];
  const raw = inOrder.map(({ text }) => text).join('');
  if (/^(?:[\w.:-]{0,40}'[\w-]{0,20}')?=\?[^?]{1,60}\?[BbQq]\?.*\?=/s.test(raw))
    return decodeWords(raw.slice(raw.indexOf('=?')), tally); // words where percent signs should be
  for (const [index, piece] of inOrder.entries()) {
    let text = piece.text;
    const head = index === 0 && piece.encoded ? /^([^']{0,60})'[^']{0,40}'/.exec(text) : null;
    if (head !== null) {
      charset = head[1] ?? '';
      text = text.slice(head[0].length);
    }
    bytes.push(piece.encoded ? unPercent(text) : Buffer.from(text, 'utf8'));
  }
  // No piece says that it is encoded: RFC 2047 words in pieces, which some mailers write.
  if (inOrder.every((piece) => !piece.encoded)) return decodeWords(Buffer.concat(bytes).toString('utf8'), tally);
  const decoded = decodeText(Buffer.concat(bytes), charsetOf(charset));
  if (tally !== undefined) {
    tally.undecodable += decoded.undecodable;
    tally.gaiji += decoded.gaiji;
  }
  return decoded.text;
}

function unPercent(text: string): Buffer {
  const pieces: Buffer[] = [];
  let last = 0;
  for (const match of text.matchAll(/(?:%[0-9A-Fa-f]{2})+/g)) {
    pieces.push(Buffer.from(text.slice(last, match.index), 'utf8'), Buffer.from(match[0].replaceAll('%', ''), 'hex'));
    last = match.index + match[0].length;
  }
  pieces.push(Buffer.from(text.slice(last), 'utf8'));
  return Buffer.concat(pieces);
}

/** `; name=value` pairs after the first `;`. Values are quoted strings or run to the next `;`. Linear. */
function* split(value: string): Generator<[string, string], void, undefined> {
  let at = value.indexOf(';');
  for (let count = 0; at >= 0 && at < value.length && count < PARAMS_MAX; count++) {
    const equals = value.indexOf('=', at);
    if (equals < 0) return;
    const name = value
      .slice(value.lastIndexOf(';', equals) + 1, equals)
      .trim()
      .toLowerCase();
    let from = equals + 1;
    while (value[from] === ' ' || value[from] === '\t') from += 1;
    const [text, end] = value[from] === '"' ? quoted(value, from + 1) : bare(value, from);
    if (name !== '') yield [name, text];
    at = value.indexOf(';', end);
  }
}

function bare(value: string, from: number): readonly [string, number] {
  const end = value.indexOf(';', from);
  return end < 0 ? [value.slice(from).trim(), value.length] : [value.slice(from, end).trim(), end];
}

function quoted(value: string, from: number): readonly [string, number] {
  const pieces: string[] = [];
  let last = from;
  for (let at = from; at < value.length; at++) {
    const letter = value[at];
    if (letter === '"') return [pieces.join('') + value.slice(last, at), at + 1];
    // Only what must be escaped is unescaped: Windows mailers put paths in here.
    if (letter === '\\' && (value[at + 1] === '"' || value[at + 1] === '\\')) {
      pieces.push(value.slice(last, at));
      last = at + 1;
      at += 1;
    }
  }
  return [pieces.join('') + value.slice(last), value.length];
}
