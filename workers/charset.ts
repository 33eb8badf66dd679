// Bytes of a mail or text file to Unicode: what Japanese mail really holds, whatever its label says.
// Order: BOM, JIS escapes, ASCII, strict UTF-8, a label that names a charset, Shift_JIS against EUC-JP by counting.
import { isAscii, isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import {
  byMark,
  countHigh,
  endOf,
  hasThreeByteUtf8,
  isCutUtf8,
  isNarrow,
  jisRunsOf,
  runsOf,
  scoreEuc,
  scoreSjis,
  wideByZeros,
  withoutSurrogates,
  worth,
  type JisRun,
} from './charset-evidence.ts';
import { textOfBareJis } from './bare-jis.ts';
import { hasJisEscape, textOfEuc, textOfJis, textOfSjis2004, textOfX0213 } from './jis.ts';
import { hasShiftEscape, textOfShifted, type Shifted } from './shifted-text.ts';

/** Text and how it came about. `undecodable` bytes became U+FFFD, `gaiji` (private-use characters) became 〓. */
export interface Decoded {
  readonly text: string;
  /** The charset that was used, WHATWG name. */
  readonly charset: string;
  readonly undecodable: number;
  readonly gaiji: number;
  /** The label, where it names a charset that nobody here knows and the bytes do not say by themselves what they are; or what was guessed. */
  readonly guessed?: string;
}

// Names outside the WHATWG list that Japanese, Chinese and Korean mailers write; keys without punctuation.
const ALIASES: Readonly<Record<string, string>> = {
  cp932: 'shift_jis',
  ms932: 'shift_jis',
  mscp932: 'shift_jis',
  xmscp932: 'shift_jis',
  windows932: 'shift_jis',
  shiftjis2004: 'shift_jis-2004',
  shiftjisx0213: 'shift_jis-2004',
  sjis2004: 'shift_jis-2004',
  xshiftjis: 'shift_jis',
  shiftjis: 'shift_jis',
  sjiscp932: 'shift_jis',
  xsjiscp932: 'shift_jis',
  cswindows31j: 'shift_jis',
  cp943: 'shift_jis',
  cp943c: 'shift_jis',
  ibm943: 'shift_jis',
  ibm943c: 'shift_jis',
  macjapanese: 'shift_jis',
  xmacjapanese: 'shift_jis',
  euc: 'euc-jp',
  eucjp: 'euc-jp',
  xeuc: 'euc-jp',
  eucjpms: 'euc-jp',
  eucjpwin: 'euc-jp',
  eucjis2004: 'euc-jis-2004',
  eucjisx0213: 'euc-jis-2004',
  cp51932: 'euc-jp',
  ujis: 'euc-jp',
  jis: 'iso-2022-jp',
  jis7: 'iso-2022-jp',
  cp936: 'gb18030',
  windows936: 'gb18030',
  cp950: 'big5',
  cp949: 'euc-kr',
  uhc: 'euc-kr',
  euckr: 'euc-kr',
  ms949: 'euc-kr',
  big5hkscs: 'big5',
  tis620: 'windows-874',
  utf8: 'utf-8',
  utf8mac: 'utf-8',
  utf8mb4: 'utf-8',
  cp65001: 'utf-8',
  utf32: 'utf-32',
  utf32le: 'utf-32le',
  utf32be: 'utf-32be',
};

/** What a label means: a charset by name, nothing known (''), or `utf-7`, which is never decoded (it hides markup). */
export function charsetOf(label: string): string {
  const plain = label.slice(0, 60).toLowerCase().trim();
  if (plain === '' || plain === 'us-ascii' || plain === 'ascii') return '';
  if (plain === 'utf-8') return 'utf-8';
  const key = plain.replace(/[^a-z0-9]/g, '');
  const alias = ALIASES[key];
  if (alias !== undefined) return alias;
  if (/^(cs)?iso2022jp|^cp5022[012]/.test(key)) return 'iso-2022-jp';
  if (/utf7/.test(key)) return 'utf-7';
  if (/^(cs)?iso2022kr$/.test(key)) return 'iso-2022-kr';
  if (/^(cs)?iso2022cn(ext)?$/.test(key)) return 'iso-2022-cn';
  if (/^hz(gb2312)?$/.test(key)) return 'hz-gb-2312';
  // Code pages of DOS, which WHATWG leaves out.
  if (/^(ibm|cp)\d{3}$/.test(key) && iconv.encodingExists(`cp${key.slice(-3)}`)) return `cp${key.slice(-3)}`;
  if (key.startsWith('gb18030')) return 'gb18030';
  if (key.startsWith('ksc5601')) return 'euc-kr';
  const numbered = /^(windows|iso8859)(\d{1,4})$/.exec(key);
  const spelled = numbered === null ? '' : `${numbered[1] === 'windows' ? 'windows' : 'iso-8859'}-${numbered[2]}`;
  const found = whatwg(plain) ?? whatwg(plain.replace(/^x-/, '')) ?? whatwg(spelled) ?? '';
  return found === 'x-user-defined' ? '' : found === 'gbk' ? 'gb18030' : found;
}

function whatwg(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Decodes all of `bytes`, whose sender said that they are `label` ('' when nothing was said). Never throws. */
export function decodeText(bytes: Uint8Array, label: string): Decoded {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const decoded = asSaid(buffer, label);
  // Hardly what its label says; but nothing else either, unless it is plain Japanese. A cut or a bad byte may be in it.
  if (label === '' || decoded.undecodable <= 2 + decoded.text.length / 50) return decoded;
  const { charset, best } = likelyJapanese(buffer);
  const { errors, pairs, common, kanaPairs } = best;
  // Letters of Korean and Chinese are kanji in EUC-JP, but hardly any of what is common in Shift_JIS.
  const isJapanese = common * 2 > pairs && (charset === 'shift_jis' || kanaPairs * 8 > pairs);
  return isJapanese && errors <= 1 + pairs / 200
    ? { ...finish(decodeWith(charset, buffer), charset, true), guessed: label.slice(0, 60) }
    : decoded;
}

function asSaid(buffer: Buffer, label: string): Decoded {
  const marked = byMark(buffer);
  if (marked !== undefined) return wide(buffer, marked);
  const labelled = charsetOf(label);
  const said = labelled.startsWith('utf-16') && isNarrow(buffer) ? '' : labelled;
  if (said.startsWith('utf-16') || said.startsWith('utf-32')) {
    if (buffer.includes(0) || !isAscii(buffer)) return wide(buffer, endOf(said, label, buffer));
  } else if (buffer.includes(0)) {
    const guess = wideByZeros(buffer);
    if (guess !== undefined) return wide(buffer, guess);
  }
  if (hasJisEscape(buffer)) {
    if (isAscii(buffer)) return finish(textOfJis(buffer), 'iso-2022-jp', true);
    const runs = jisRunsOf(buffer);
    const apart = said === 'iso-2022-jp' || runs.every((run) => !run.jis || isAscii(run.bytes));
    if (runs.length > 1 && apart) return jisAndMore(runs);
    if (said === 'iso-2022-jp') return finish(textOfJis(buffer), said, true);
  }
  if (said === 'iso-2022-jp' && isAscii(buffer) && buffer.includes(0x0e)) return finish(textOfJis(buffer), said, true);
  if (isAscii(buffer)) {
    const shifted = isShifted(said) ? said : hasShiftEscape(buffer);
    if (shifted !== undefined) return finish(textOfShifted(buffer, shifted), shifted, true);
    return bareJis(buffer, said) ?? ascii(buffer, said);
  }
  const named = isStrong(said) ? (EIGHT_BIT.get(said) ?? said) : '';
  if (isUtf8(buffer) && (named === '' || hasThreeByteUtf8(buffer)))
    return finish(buffer.toString('utf8'), 'utf-8', false);
  const paired = named === '' ? withoutSurrogates(buffer) : undefined;
  if (paired !== undefined && isUtf8(paired)) return finish(paired.toString('utf8'), 'utf-8', false);
  const decode = (part: Buffer): Decoded =>
    named === 'shift_jis' || named === 'euc-jp'
      ? japanese(part, named)
      : named === ''
        ? guessed(part, said)
        : finish(decodeWith(named, part), named, true);
  const decoded = byLines(buffer, decode);
  if (named !== '' && named !== said) return { ...decoded, guessed: label.slice(0, 60) };
  const isUnknown = said === '' && !/^(?:(?:us-)?ascii|x-user-defined)?$/i.test(label.trim());
  return isUnknown ? { ...decoded, guessed: label.slice(0, 60) } : decoded;
}

/** Lines of UTF-8 in a text of another charset (a mailing list's footer): read as what they are, the rest by `decode`. */
function byLines(buffer: Buffer, decode: (rest: Buffer) => Decoded): Decoded {
  const runs = runsOf(buffer);
  if (runs.length === 1 && runs[0]?.utf8 === false) return decode(buffer);
  const { charset } = decode(Buffer.concat(runs.filter(({ utf8 }) => !utf8).map(({ bytes }) => bytes)));
  if (charset !== 'shift_jis' && charset !== 'euc-jp') return decode(buffer);
  const read = runs.map(({ bytes, utf8 }) =>
    utf8 ? finish(bytes.toString('utf8'), 'utf-8', false) : finish(decodeWith(charset, bytes), charset, true),
  );
  return { ...inOne(read), charset };
}

/** Lines of ISO-2022-JP and lines in 8 bits (a mailing list's footer), each read as what it is. */
function jisAndMore(parts: readonly JisRun[]): Decoded {
  const rest = Buffer.concat(parts.filter(({ jis }) => !jis).map(({ bytes }) => bytes));
  const { charset } = decodeText(rest, '');
  const read = parts.map(({ bytes, jis }) =>
    jis ? finish(textOfJis(bytes), 'iso-2022-jp', true) : decodeText(bytes, charset),
  );
  return { ...inOne(read), charset: 'iso-2022-jp' };
}

function inOne(read: readonly Decoded[]): Pick<Decoded, 'text' | 'undecodable' | 'gaiji'> {
  return {
    text: read.map(({ text }) => text).join(''),
    undecodable: read.reduce((sum, { undecodable }) => sum + undecodable, 0),
    gaiji: read.reduce((sum, { gaiji }) => sum + gaiji, 0),
  };
}

function isShifted(charset: string): charset is Shifted {
  return charset === 'iso-2022-kr' || charset === 'iso-2022-cn' || charset === 'hz-gb-2312';
}

/** Charsets of seven bits by escapes or shifts, and those whose letters they hold: what eight bits under their names are. */
const EIGHT_BIT: ReadonlyMap<string, string> = new Map([
  ['iso-2022-kr', 'euc-kr'],
  ['iso-2022-cn', 'gb18030'],
  ['hz-gb-2312', 'gb18030'],
]);

/** True for labels that say more than a mailer's default does. */
function isStrong(said: string): boolean {
  return said !== '' && said !== 'utf-8' && said !== 'windows-1252' && said !== 'utf-7' && said !== 'iso-2022-jp';
}

/** JIS without its escapes is told as a guess: it is not what its bytes say. */
function bareJis(buffer: Buffer, said: string): Decoded | undefined {
  if (said === 'utf-7' || !(buffer.includes('(B') || buffer.includes('(J'))) return undefined;
  const text = textOfBareJis(buffer.toString('latin1'), said === 'iso-2022-jp');
  return text === undefined ? undefined : { ...finish(text, 'iso-2022-jp', true), guessed: 'iso-2022-jp (ESC)' };
}

function ascii(buffer: Buffer, said: string): Decoded {
  const text = buffer.toString('latin1');
  return {
    text: text.includes('\0') ? text.replaceAll('\0', '') : text,
    charset: said === 'utf-7' ? said : 'us-ascii',
    undecodable: 0,
    gaiji: 0,
  };
}

function decodeWith(charset: string, bytes: Uint8Array): string {
  if (charset === 'euc-jp') return textOfEuc(bytes);
  if (charset.startsWith('cp')) return iconv.decode(Buffer.from(bytes), charset);
  // Node's TextDecoder has EUC-KR and Big5 as ICU does, without the extensions that their users write (UHC, HKSCS).
  if (charset === 'euc-kr' || charset === 'big5')
    return iconv.decode(Buffer.from(bytes), charset === 'big5' ? 'big5hkscs' : 'cp949');
  if (charset === 'euc-jis-2004') return textOfX0213(bytes);
  if (charset === 'shift_jis-2004') return textOfSjis2004(bytes);
  return new TextDecoder(charset, { ignoreBOM: false }).decode(bytes);
}

const PRIVATE_OR_NUL = /[\u0000\uE000-\uF8FF\u{F0000}-\u{10FFFD}]/u;
// C1 but NEL: bytes that their charset has no letter for. No text shows them, so they are told as what they are.
const NO_LETTER = /[\u0080-\u0084\u0086-\u009f]/g;

// A base letter and marks that are apart: macOS writes file names so, and many fonts draw them side by side.
const APART =
  /[A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u04ff\u3041-\u30fe][\u0300-\u036f\u3099\u309a]+|[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?/g;

/**
 * Letters put together with their marks where the result prints the same. Not NFC for all: it would turn compatibility
 * ideographs of personal names (U+FA19) into others.
 */
export function composed(text: string): string {
  return /[\u0300-\u036f\u3099\u309a\u1100-\u1112]/.test(text)
    ? text.replace(APART, (run) => run.normalize('NFC'))
    : text;
}

/** Drops NUL, marks private-use characters, counts what could not be decoded (U+FFFD, where the bytes did not say it). */
function finish(decoded: string, charset: string, countReplaced: boolean): Decoded {
  let text = composed(decoded);
  let undecodable = 0;
  if (/[\u0080-\u0084\u0086-\u009f]/.test(text)) {
    text = text.replace(NO_LETTER, () => {
      undecodable += 1;
      return '\ufffd';
    });
    if (countReplaced) undecodable = 0; // counted with the others
  }
  if (countReplaced) {
    for (let at = text.indexOf('\ufffd'); at >= 0; at = text.indexOf('\ufffd', at + 1)) undecodable += 1;
  }
  return { charset, undecodable, ...withoutPrivate(text) };
}

/** Private-use characters as 〓, and how many; NULs go. HTML can write them without a byte of them (`&#xE000;`). */
export function withoutPrivate(text: string): Pick<Decoded, 'text' | 'gaiji'> {
  if (!PRIVATE_OR_NUL.test(text)) return { text, gaiji: 0 };
  let gaiji = 0;
  const cleaned = text.replaceAll('\0', '').replace(/[\uE000-\uF8FF\u{F0000}-\u{10FFFD}]/gu, () => {
    gaiji += 1;
    return '〓';
  });
  return { text: cleaned, gaiji };
}

function wide(buffer: Buffer, charset: string): Decoded {
  if (!charset.startsWith('utf-32')) return finish(decodeWith(charset, buffer), charset, true);
  let text = '';
  const big = charset === 'utf-32be';
  for (let at = 0; at + 4 <= buffer.length; at += 4) {
    const point = big ? buffer.readUInt32BE(at) : buffer.readUInt32LE(at);
    if (point === 0xfeff && at === 0) continue;
    text += point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? '\ufffd' : String.fromCodePoint(point);
  }
  return finish(text, charset, true);
}

/** Labelled Japanese: the label unless it does not fit and the other charset does. */
function japanese(buffer: Buffer, label: 'shift_jis' | 'euc-jp'): Decoded {
  const said = finish(decodeWith(label, buffer), label, true);
  if (said.undecodable === 0) return said;
  const other = label === 'shift_jis' ? 'euc-jp' : 'shift_jis';
  const [sjis, euc] = [worth(scoreSjis(buffer)), worth(scoreEuc(buffer))];
  if (other === 'euc-jp' ? euc <= sjis : sjis <= euc) return said;
  const instead = finish(decodeWith(other, buffer), other, true);
  if (instead.undecodable < said.undecodable) return instead;
  return said;
}

/** The likelier of Shift_JIS and EUC-JP, and whether the bytes are hardly anything else. */
function likelyJapanese(buffer: Buffer): {
  readonly charset: 'euc-jp' | 'shift_jis';
  readonly best: ReturnType<typeof scoreEuc>;
  readonly isPlausible: boolean;
} {
  const [sjis, euc] = [scoreSjis(buffer), scoreEuc(buffer)];
  const [charset, best] = worth(euc) > worth(sjis) ? (['euc-jp', euc] as const) : (['shift_jis', sjis] as const);
  return { charset, best, isPlausible: best.errors === 0 && best.common * 2 > best.pairs && best.common > 0 };
}

function guessed(buffer: Buffer, said: string): Decoded {
  if (said === '' && isCutUtf8(buffer)) return finish(buffer.toString('utf8'), 'utf-8', true);
  if (said === 'utf-8') {
    const utf8 = finish(buffer.toString('utf8'), said, true);
    // Whole letters of three bytes are no accident: broken UTF-8 as labelled, not another charset.
    const whole = utf8.text.match(/[\u0800-\ufffc]/g)?.length ?? 0;
    if (whole > 0 && whole * 3 >= utf8.undecodable) return utf8;
  }
  const { charset, best, isPlausible } = likelyJapanese(buffer);
  if (isPlausible && (said !== 'windows-1252' || best.common > 1))
    return finish(decodeWith(charset, buffer), charset, true);
  // UTF-8 with a few bad bytes: a cut, or one wrong line.
  const utf8 = finish(buffer.toString('utf8'), 'utf-8', true);
  const high = countHigh(buffer);
  if (utf8.undecodable * 4 < high && best.errors * 4 > utf8.undecodable) return utf8;
  // Single accented letters among ASCII: Western European.
  if (said === 'windows-1252' || (worth(best) <= 0 && high * 4 < buffer.length))
    return finish(decodeWith('windows-1252', buffer), 'windows-1252', true);
  return finish(decodeWith(charset, buffer), charset, true);
}
