// Fields of RTF that load or run something: their instruction is found through the groups and the control words it is wrapped in, and
// goes; the result that the sender saw stays.
import type { Report } from './cleaned.ts';
import { isLive } from './live-fields.ts';

const UNSEEN = /\p{Cf}/u;
const INSTRUCTION = /\\fldinst(?![a-z])/gi;
const CONTROL = /\\([a-z]{1,32})(-?\d{1,10})? ?/iy;
/** Signs that are enough to know the first word. */
const BEGINNING = 40;
/** Signs that are looked at, by those of the document, in each way: more is nobody's document, and its fields go unread. */
const STEPS = 3;
/** Numbers of stand-ins for a letter of Unicode that a document says; honest ones say 0, 1 or 2. */
const STAND_INS = /\\uc(\d{1,10})/g;
const STAND_INS_MOST = 8;
const UNKNOWN = { words: 'DDE', steps: 0 };

/** The document without its live instructions. */
export function withoutLiveFields(text: string, report: Report): string {
  const out: string[] = [];
  let from = 0;
  const ways = waysOf(text);
  let left = ways.size * (STEPS * text.length + 10_000);
  const begins = (at: number, way: number | undefined): boolean => {
    const { words, steps } = left > 0 ? beginning(text, at, way) : UNKNOWN;
    left -= steps;
    return isLive(words);
  };
  for (const { index } of text.matchAll(INSTRUCTION)) {
    if (index < from) continue;
    const at = index + '\\fldinst'.length;
    if (ways.size <= STAND_INS_MOST && ![...ways].some((way) => begins(at, way))) continue;
    report.finding('dde');
    out.push(text.slice(from, index), '\\fldinst ');
    from = endOfGroup(text, index);
  }
  out.push(text.slice(from));
  return out.join('');
}

/**
 * How many signs behind a \u may stand for it where Unicode is not known, and go where it is: whatever the document says somewhere, and
 * one where it says nothing. Undefined: all are read.
 */
function waysOf(text: string): ReadonlySet<number | undefined> {
  const ways = new Set<number | undefined>([undefined, 1]);
  for (const [, count] of text.matchAll(STAND_INS)) {
    ways.add(Number(count));
    if (ways.size > STAND_INS_MOST) break;
  }
  return ways;
}

/** How an instruction begins, as programs read it where so many signs stand in for a letter, and how many steps it took. */
function beginning(text: string, start: number, way: number | undefined): { words: string; steps: number } {
  const counts = [way ?? 0]; // of the groups around
  let standIns = 0;
  let words = '';
  let depth = 0;
  let steps = 0;
  const add = (letter: string): void => {
    if (standIns > 0) standIns -= 1;
    else if (!UNSEEN.test(letter)) words = (words + letter).trimStart();
  };
  for (let at = start; at < text.length && depth >= 0 && words.length < BEGINNING; steps++) {
    const sign = text[at] ?? '';
    if (sign === '\\') {
      CONTROL.lastIndex = at;
      const [whole = '', name = '', value = '0'] = CONTROL.exec(text) ?? [];
      if (name === 'field' || text[at + 1] === '*') {
        // A field inside is looked at by itself; what is marked so is nothing that is read.
        const end = endOfGroup(text, at);
        steps += end - at;
        at = end;
      } else if (whole !== '') {
        at += whole.length;
        if (name === 'u') {
          standIns = 0;
          add(String.fromCharCode(Number(value) & 0xffff));
          standIns = counts.at(-1) ?? 0;
        } else if (name === 'uc' && way !== undefined) counts[counts.length - 1] = Number(value);
        else if (/^(?:tab|par|line)$/.test(name)) add(' ');
      } else if (text[at + 1] === "'") {
        add(String.fromCharCode(Number.parseInt(text.slice(at + 2, at + 4), 16) || 0x20));
        at += 4;
      } else at += 2; // a sign of its own: \~, \\
      continue;
    }
    if (sign === '{') {
      depth += 1;
      counts.push(counts.at(-1) ?? 0);
      standIns = 0;
    } else if (sign === '}') {
      depth -= 1;
      counts.pop();
      standIns = 0;
    } else if (sign !== '\r' && sign !== '\n') add(sign);
    at += 1;
  }
  return { words, steps };
}

/** Where the group ends that a place lies in. */
function endOfGroup(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const sign = text.charCodeAt(at);
    if (sign === 0x5c) at += 1;
    else if (sign === 0x7b) depth += 1;
    else if (sign === 0x7d && --depth < 0) return at;
  }
  return text.length;
}
