// ISO-2022-JP and its later kin: seven-bit Japanese of mail, found by its escapes and read in runs of one charset each.
import { PAIRS, PLANE_1, PLANE_2 } from './jis-x0213.ts';

const ESC = 0x1b;
const SO = 0x0e;
const SI = 0x0f;

/** An escape that starts Japanese: `ESC $ B`, `ESC $ @`, `ESC $ ( D`, `ESC ( I` and their later kin; not `ESC [` of terminals. */
export function hasJisEscape(buffer: Buffer): boolean {
  for (let at = buffer.indexOf(ESC); at >= 0; at = buffer.indexOf(ESC, at + 1)) {
    const [a, b] = [buffer[at + 1], buffer[at + 2]];
    if (a === 0x24 && (b === 0x42 || b === 0x40 || b === 0x28 || b === 0x41)) return true;
    if (a === 0x28 && (b === 0x49 || b === 0x4a)) return true;
  }
  return false;
}

/** What the bytes between two escapes are. */
type JisSet = 'ascii' | 'kanji' | 'kana' | 'x0212' | 'plane1' | 'plane2' | 'korean' | 'chinese';

/** Runs of bytes that one decoder reads: `euc-jp` takes ASCII, kanji, half-width kana and X 0212 alike. */
type Reader = 'euc-jp' | 'euc-kr' | 'gb18030' | 'plane1' | 'plane2';

const READER: { readonly [set in JisSet]: Reader } = {
  ascii: 'euc-jp',
  kanji: 'euc-jp',
  kana: 'euc-jp',
  x0212: 'euc-jp',
  plane1: 'plane1',
  plane2: 'plane2',
  korean: 'euc-kr',
  chinese: 'gb18030',
};

/** Half a character, or one outside of every set: decodes to U+FFFD in each reader. */
const BROKEN = 0xff;

/**
 * Text of ISO-2022-JP: half-width kana (by escape, by SO, in 8 bits), NEC and IBM rows, JIS X 0212 and X 0213, the Korean
 * and Chinese sets of ISO-2022-JP-2. TextDecoder's own `iso-2022-jp` puts U+FFFD between two escapes in a row, which every
 * subject of two encoded words holds, and knows X 0208 only.
 */
export function textOfJis(bytes: Uint8Array): string {
  const pieces: string[] = [];
  // Half-width kana and X 0212 grow: at most 3 bytes for 2, and 2 for 1.
  const run = Buffer.allocUnsafe(bytes.length * 2);
  let to = 0;
  let set = 'ascii' as JisSet;
  let reader = 'euc-jp' as Reader;
  let shifted = false;
  const flush = (): void => {
    if (to > 0) pieces.push(textOfRun(run.subarray(0, to), reader));
    to = 0;
  };
  const shift = (next: JisSet): void => {
    set = next;
    // Line ends and spaces read alike everywhere: only letters of another charset start a run.
    if (READER[next] === reader) return;
    flush();
    reader = READER[next];
  };
  for (let at = 0; at < bytes.length;) {
    const byte = bytes[at] as number;
    if (byte === ESC) {
      const [length, next] = escapeAt(bytes, at);
      if (length > 0) {
        shift(next);
        at += length;
        continue;
      }
    }
    at += 1;
    if (byte === SO || byte === SI) {
      shifted = byte === SO; // JIS X 0202: kana by a locking shift, as CP50222 and JIS7 have it
      continue;
    }
    if (byte === 0x0a || byte === 0x0d) {
      shift('ascii'); // RFC 1468: a line starts and ends in ASCII
      shifted = false;
    }
    const kana: boolean = set === 'kana' || (shifted && set === 'ascii');
    if (byte < 0x21 || byte === 0x7f || (set === 'ascii' && !kana)) {
      // 8-bit kana (JIS8) as old mailers send it, or a stray byte
      if (byte >= 0xa1 && byte <= 0xdf) run[to++] = 0x8e;
      run[to++] = byte;
    } else if (kana) {
      run[to++] = 0x8e;
      run[to++] = byte | 0x80;
    } else {
      const second = bytes[at];
      if (second === undefined || second < 0x21) {
        run[to++] = BROKEN;
        continue;
      }
      at += 1;
      if (set === 'x0212') run[to++] = 0x8f;
      run[to++] = byte | 0x80;
      run[to++] = second | 0x80;
    }
  }
  flush();
  return pieces.join('');
}

function textOfRun(bytes: Uint8Array, reader: Reader): string {
  if (reader === 'plane1' || reader === 'plane2') return textOfX0213(bytes, reader === 'plane2');
  if (reader === 'euc-jp') return textOfEuc(bytes);
  return decoderOf(reader).decode(bytes);
}

const decoders = new Map<string, TextDecoder>();

function decoderOf(charset: string): TextDecoder {
  let decoder = decoders.get(charset);
  if (decoder === undefined) decoders.set(charset, (decoder = new TextDecoder(charset)));
  return decoder;
}

/** User-defined rows of EUC-JP (95 to 104 of the old "Gaiji", here rows 85-94): marked, not lost. */
export const GAIJI = '\ue000';

/** IBM's letters where eucJP-ms has them, from 8F F3 F3 to 8F F4 FE: those of CP932's rows FA to FC that X 0212 lacks. */
const EUC_MS =
  'ⅰⅱⅲⅳⅴⅵⅶⅷⅸⅹⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ＇＂㈱№℡炻仼僴凬匇匤﨎咊坙﨏塚增寬峵嵓﨑德悅愠敎昻晥晴朗栁﨓﨔橫櫢淸淲瀨凞猪甁皂皞益礰' +
  '礼神祥福竧靖精綠緖羽荢﨟薰蘒﨡蠇諸譿賴赶﨣﨤逸郞都鄕﨧﨨閒隆﨩霻靍靑飯飼館馞髙魲鶴黑';

/** A letter of eucJP-ms that WHATWG's table has not; '' for anything else. */
function letterOfMs(lead: number, row: number, cell: number): string {
  if (lead !== 0x8f || (row !== 0xf3 && row !== 0xf4)) return '';
  return EUC_MS[(row === 0xf3 ? 0 : 12) + cell - (row === 0xf3 ? 0xf3 : 0xa1)] ?? '';
}

/**
 * EUC-JP as TextDecoder reads it, but that IBM's letters of eucJP-ms are read, too, and that its user-defined characters (rows 85 to 94, in both planes) are told from broken
 * bytes: they become a private-use character, as those of Shift_JIS do.
 */
export function textOfEuc(bytes: Uint8Array): string {
  const text = decoderOf('euc-jp').decode(bytes);
  if (!text.includes('\ufffd')) return text;
  const pieces: string[] = [];
  let from = 0;
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at] as number;
    const wide = lead === 0x8f ? 3 : lead >= 0xa1 || lead === 0x8e ? 2 : 1;
    const row = wide === 3 ? (bytes[at + 1] ?? 0) : lead;
    const cell = bytes[at + wide - 1] ?? 0;
    if (wide > 1 && row >= 0xf3 && row <= 0xfe && cell >= 0xa1 && cell <= 0xfe) {
      const letter = decoderOf('euc-jp').decode(bytes.subarray(at, at + wide));
      const instead = letterOfMs(lead, row, cell) || (row >= 0xf5 ? GAIJI : '');
      if (instead !== '' && letter.includes('\ufffd')) {
        pieces.push(decoderOf('euc-jp').decode(bytes.subarray(from, at)), instead);
        from = at + wide;
      }
    }
    at += cell < 0x80 && wide > 1 ? 1 : wide;
  }
  return pieces.join('') + decoderOf('euc-jp').decode(bytes.subarray(from));
}

/**
 * JIS X 0213 as EUC: pairs of plane 1 (or 2), ASCII, half-width kana after 0x8E, plane 2 after 0x8F. What X 0208 has is
 * read as EUC-JP, so that a letter looks the same whichever set it came by.
 */
export function textOfX0213(bytes: Uint8Array, second = false): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at] as number;
    if (lead < 0xa1 && lead !== 0x8e && lead !== 0x8f) {
      text += lead < 0x80 ? String.fromCharCode(lead) : '\ufffd';
      at += 1;
      continue;
    }
    const three = lead === 0x8f;
    const row = (three ? (bytes[at + 1] ?? 0) : lead) - 0xa0;
    const cell = (bytes[at + (three ? 2 : 1)] ?? 0) - 0xa0;
    if (cell < 1 || cell > 94 || (lead !== 0x8e && (row < 1 || row > 94))) {
      text += '\ufffd';
      at += 1;
      continue;
    }
    text += lead === 0x8e ? String.fromCharCode(0xff60 + cell) : cellOf(row, cell, three || second);
    at += three ? 3 : 2;
  }
  return text;
}

const rows = new Map<string, readonly string[]>();

function cellOf(row: number, cell: number, second: boolean): string {
  const pair = second ? undefined : PAIRS[`${row}-${cell}`];
  if (pair !== undefined) return pair;
  const key = `${second ? 2 : 1}-${row}`;
  let letters = rows.get(key);
  if (letters === undefined) rows.set(key, (letters = Array.from((second ? PLANE_2 : PLANE_1)[row] ?? '')));
  const letter = letters[cell - 1];
  if (letter !== undefined && letter !== ' ') return letter;
  const lead = second ? [0x8f] : [];
  return decoderOf('euc-jp')
    .decode(Uint8Array.from([...lead, row + 0xa0, cell + 0xa0]))
    .slice(0, 2);
}

/** Shift_JIS-2004: plane 1 by lead bytes 81-9F and E0-EF, plane 2 by F0-FC (JIS X 0213 annex 1). */
export function textOfSjis2004(bytes: Uint8Array): string {
  const euc: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    const lead = bytes[at] as number;
    const trail = bytes[at + 1] ?? 0;
    if (lead < 0x80) euc.push(lead);
    else if (lead >= 0xa1 && lead <= 0xdf) euc.push(0x8e, lead);
    else if (lead === 0x80 || lead === 0xa0 || lead > 0xfc || trail < 0x40 || trail === 0x7f || trail > 0xfc)
      euc.push(BROKEN);
    else {
      at += 1;
      const upper = trail >= 0x9f;
      const cell = upper ? trail - 0x9e : trail - (trail > 0x7f ? 0x40 : 0x3f);
      if (lead >= 0xf0) {
        const row = PLANE_2_ROWS[(lead - 0xf0) * 2 + (upper ? 1 : 0)] ?? 0;
        euc.push(0x8f, row + 0xa0, cell + 0xa0);
      } else euc.push((lead - (lead < 0xa0 ? 0x81 : 0xc1)) * 2 + (upper ? 2 : 1) + 0xa0, cell + 0xa0);
    }
  }
  return textOfX0213(Uint8Array.from(euc));
}

/** Rows of plane 2 in the order of Shift_JIS-2004's lead bytes F0 to FC, two a byte. */
const PLANE_2_ROWS = [
  1, 8, 3, 4, 5, 12, 13, 14, 15, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94,
];

/** Length of the escape sequence at `at` (0: none) and the set that it names. */
function escapeAt(bytes: Uint8Array, at: number): readonly [number, JisSet] {
  const [a, b, c] = [bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  if (a === 0x28) {
    if (b === 0x49) return [3, 'kana'];
    return b === undefined ? [0, 'ascii'] : [3, 'ascii']; // ( B, ( J, ( H and whatever else is single-byte
  }
  if (a === 0x26 && b === 0x40) return [3, 'kanji']; // & @: announces X 0208-1990, `$ B` follows
  if (a === 0x24) {
    if (b === 0x42 || b === 0x40) return [3, 'kanji'];
    if (b === 0x41) return [3, 'chinese'];
    if (b === 0x28 && c === 0x43) return [4, 'korean'];
    if (b === 0x28 && c === 0x41) return [4, 'chinese'];
    if (b === 0x28 && c === 0x44) return [4, 'x0212'];
    if (b === 0x28 && c === 0x50) return [4, 'plane2'];
    if (b === 0x28 && (c === 0x4f || c === 0x51)) return [4, 'plane1'];
    if (b === 0x28 && c !== undefined) return [4, 'kanji']; // ( B, ( @
  }
  return [0, 'ascii'];
}
