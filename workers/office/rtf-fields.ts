// Fields of RTF that load or run something: their instruction is found through the groups and the control words it is wrapped in, and
// goes; the result that the sender saw stays.
import type { Report } from './cleaned.ts';
import { isLive } from './live-fields.ts';

const INSTRUCTION = /\\fldinst(?![a-z])/gi;
const CONTROL = /\\([a-z]{1,32})(-?\d{1,10})? ?/iy;
/** Signs that are enough to know the first word. */
const BEGINNING = 40;
/** Signs that are looked at, by those of the document: more is nobody's document, and its fields go unread. */
const STEPS = 3;

/** The document without its live instructions. */
export function withoutLiveFields(text: string, report: Report): string {
  const out: string[] = [];
  let from = 0;
  let left = STEPS * text.length + 10_000;
  for (const { index } of text.matchAll(INSTRUCTION)) {
    if (index < from) continue;
    const { words, steps } = left > 0 ? beginning(text, index + '\\fldinst'.length) : { words: ['DDE'], steps: 0 };
    left -= steps;
    if (!words.some(isLive)) continue;
    report.finding('dde');
    out.push(text.slice(from, index), '\\fldinst ');
    from = endOfGroup(text, index);
  }
  out.push(text.slice(from));
  return out.join('');
}

/** How an instruction begins, as programs read it, and how many steps it took. */
function beginning(text: string, start: number): { readonly words: readonly string[]; readonly steps: number } {
  // The sign behind a \u stands for it where Unicode is not known, unless a \uc0 says that there is none: both are read.
  let [all, unicode] = ['', ''];
  let isStandIn = false;
  let depth = 0;
  let steps = 0;
  const add = (letter: string): void => {
    all = (all + letter).trimStart();
    if (!isStandIn) unicode = (unicode + letter).trimStart();
    isStandIn = false;
  };
  for (let at = start; at < text.length && depth >= 0 && all.length < BEGINNING; steps++) {
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
          add(String.fromCharCode(Number(value) & 0xffff));
          isStandIn = true;
        } else if (/^(?:tab|par|line)$/.test(name)) add(' ');
      } else if (text[at + 1] === "'") {
        add(String.fromCharCode(Number.parseInt(text.slice(at + 2, at + 4), 16) || 0x20));
        at += 4;
      } else at += 2; // a sign of its own: \~, \\
      continue;
    }
    if (sign === '{') depth += 1;
    else if (sign === '}') depth -= 1;
    else if (sign !== '\r' && sign !== '\n') add(sign);
    at += 1;
  }
  return { words: [all, unicode], steps };
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
