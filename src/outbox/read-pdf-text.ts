// The gate's reader of the text layer: a page's operators, and the map from character numbers to Unicode.
import { LIMITS } from '../message/limits.ts';
import { CMAP_BLOCK, CMAP_FOOT, CMAP_HEAD, CMAP_MOST } from '../message/page-form.ts';
import { isForbidden } from './read-text.ts';
import { refuse } from './refusal.ts';

const NUMBER = '-?(?:0|[1-9]\\d{0,6})(?:\\.\\d{0,3}[1-9])?';
/** A run up to its characters, and what follows them. */
const RUN = new RegExp(
  `/F ${NUMBER} Tf ${NUMBER} Tz ${NUMBER} ${NUMBER} ${NUMBER} ${NUMBER} ${NUMBER} ${NUMBER} Tm <`,
  'y',
);
const SHOW = '> Tj\n';
const HEAD = '\nBT\n3 Tr\n';
const FOOT = 'ET';

/** Reads an inflated content stream with text. Gives its first line, and the largest character number it shows. */
export function readPageText(text: string, place: number): { readonly drawing: string; readonly characters: number } {
  const begins = text.indexOf('\n');
  if (begins < 0 || !text.startsWith(HEAD, begins)) refuse('pdf-text', place, 'not the head of our text layer');
  let characters = 0;
  let at = begins + HEAD.length;
  let runs = 0;
  for (RUN.lastIndex = at; ; RUN.lastIndex = at) {
    const run = RUN.exec(text);
    if (run === null) break;
    runs += 1;
    if (runs > LIMITS.pageRuns) refuse('pdf-text', place, `over ${LIMITS.pageRuns} runs`);
    if (run[0].includes(' -0 ')) refuse('pdf-text', place, `run ${runs}: a number of another form`);
    const from = RUN.lastIndex;
    const end = text.indexOf('>', from);
    if (end <= from || (end - from) % 4 !== 0 || !text.startsWith(SHOW, end))
      refuse('pdf-text', place, `run ${runs} does not end`);
    for (at = from; at < end; at += 4) {
      const number = unitAt(text, at);
      if (number < 1) refuse('pdf-text', place, `run ${runs}: not a character`);
      if (number > characters) characters = number;
    }
    at = end + SHOW.length;
  }
  if (runs === 0 || text.slice(at) !== FOOT)
    refuse('pdf-text', place, `after ${runs} runs: neither a run nor the end of text`);
  return { drawing: text.slice(0, begins), characters };
}

/** Four hexadecimal digits in upper case as a number; below 0 where they are not. */
function unitAt(text: string, at: number): number {
  let unit = 0;
  for (let nth = at; nth < at + 4; nth++) {
    const code = text.charCodeAt(nth);
    if (code >= 0x30 && code <= 0x39) unit = unit * 16 + code - 0x30;
    else if (code >= 0x41 && code <= 0x46) unit = unit * 16 + code - 0x37;
    else return -1;
  }
  return unit;
}

const PAIR = /<([0-9A-F]{4})> <([0-9A-F]{4}(?:[0-9A-F]{4})?)>\n/y;

/** Reads the inflated ToUnicode map; gives how many characters it knows. Each is one character that text may hold. */
export function readMap(text: string, place: number): number {
  if (!text.startsWith(CMAP_HEAD)) refuse('pdf-map', place, 'not the head of our map');
  let at = CMAP_HEAD.length;
  let known = 0;
  while (!text.startsWith(CMAP_FOOT, at)) {
    const head = /(\d{1,3}) beginbfchar\n/y;
    head.lastIndex = at;
    const count = Number(head.exec(text)?.[1]);
    // Every block but the last is full.
    if (
      !(count >= 1 && count <= CMAP_BLOCK) ||
      known % CMAP_BLOCK !== 0 ||
      String(count) !== text.slice(at, text.indexOf(' ', at))
    )
      refuse('pdf-map', place, `after ${known} characters: not the head of a block`);
    at = head.lastIndex;
    for (let nth = 0; nth < count; nth++) {
      PAIR.lastIndex = at;
      const [, number, units] =
        PAIR.exec(text) ?? refuse('pdf-map', place, `after ${known} characters: not a character`);
      known += 1;
      if (known > CMAP_MOST || Number.parseInt(number as string, 16) !== known)
        refuse('pdf-map', place, `character ${known} has another number`);
      readUnits(units as string, known, place);
      at = PAIR.lastIndex;
    }
    if (!text.startsWith('endbfchar\n', at))
      refuse('pdf-map', place, `after ${known} characters: not the end of a block`);
    at += 'endbfchar\n'.length;
  }
  if (text.length !== at + CMAP_FOOT.length) refuse('pdf-map', place, 'bytes behind the map');
  return known;
}

/** One character in UTF-16BE that text may hold. */
function readUnits(units: string, nth: number, place: number): void {
  const high = Number.parseInt(units.slice(0, 4), 16);
  let point = high;
  if (units.length === 8) {
    const low = Number.parseInt(units.slice(4), 16);
    if (high < 0xd800 || high > 0xdbff || low < 0xdc00 || low > 0xdfff)
      refuse('pdf-map', place, `character ${nth} is no surrogate pair`);
    point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  } else if (high >= 0xd800 && high <= 0xdfff) refuse('pdf-map', place, `character ${nth} is half a surrogate pair`);
  if (isForbidden(point)) refuse('pdf-map', place, `character ${nth} is U+${point.toString(16).toUpperCase()}`);
}
