// What the names in an archive are written in where it does not say so. One name is too short to tell (ﾃﾞｰﾀ in code page 932 is
// 筑粟 in EUC-JP), so all of them are judged together.
import { isAscii, isUtf8 } from 'node:buffer';
import { hasThreeByteUtf8, scoreEuc } from '../charset-evidence.ts';
import { decodeText } from '../charset.ts';

/** The charset of all names, or '': they are of several, and each is judged by itself. */
export type NamesCharset = 'utf-8' | 'shift_jis' | 'euc-jp' | '';

/** `onDos`: their archive says that DOS or Windows made it. */
export function charsetOfNames(names: readonly Buffer[], onDos: boolean): NamesCharset {
  const telling = names.filter((name) => !isAscii(name));
  if (telling.length === 0) return '';
  const all = joined(telling);
  // Letters of two bytes alone (é) are half-width kana just as well.
  if (telling.every((name) => isUtf8(name)) && (!onDos || hasThreeByteUtf8(all))) return 'utf-8';
  const sjis = decodeText(joined(telling.map(repaired)), 'shift_jis');
  const isSjis = sjis.charset === 'shift_jis' && sjis.undecodable === 0;
  if (isSjis && (onDos || (sjis.gaiji === 0 && !isKanaOfEuc(all)))) return 'shift_jis';
  const euc = decodeText(all, 'euc-jp');
  return euc.charset === 'euc-jp' && euc.undecodable === 0 ? 'euc-jp' : '';
}

/** One of these names. */
export function nameIn(charset: NamesCharset, raw: Buffer): string {
  if (isAscii(raw)) return decodeText(raw, '').text;
  if (charset === 'shift_jis') return decodeText(repaired(raw), charset).text;
  if (charset !== '') return decodeText(raw, charset).text;
  const alone = decodeText(raw, '');
  return alone.charset === 'utf-8' ? alone.text : decodeText(repaired(raw), '').text;
}

function joined(names: readonly Buffer[]): Buffer {
  return Buffer.concat(names.flatMap((name) => [name, Buffer.from('\n')]));
}

/** Rows 4 and 5 of JIS X 0208 begin with A4 and A5: a comma and a dot of half width, which hardly begin a syllable. */
function isKanaOfEuc(names: Buffer): boolean {
  if (scoreEuc(names).errors > 0) return false;
  let kana = 0;
  let others = 0;
  for (let at = 0; at < names.length; at++) {
    const lead = names[at] ?? 0;
    if (lead < 0x80) continue;
    if (lead === 0xa4 || lead === 0xa5) kana += 1;
    else others += 1;
    at += 1;
  }
  return kana > 0 && kana * 8 >= others;
}

/** 7-Zip takes the second byte of 表 (95 5C) for a separator and writes a slash; 2F is no second byte in Shift_JIS. */
function repaired(raw: Buffer): Buffer {
  const bytes = Buffer.from(raw);
  for (let i = 0; i < bytes.length; i++) {
    const lead = bytes[i] ?? 0;
    if ((lead < 0x81 || lead > 0x9f) && (lead < 0xe0 || lead > 0xfc)) continue;
    if (bytes[i + 1] === 0x2f) bytes[i + 1] = 0x5c;
    i += 1;
  }
  return bytes;
}
