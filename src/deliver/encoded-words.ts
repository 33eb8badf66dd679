// Header text as RFC 2047 words of our own, where nodemailer's would be of another charset or none.
import { toIso2022Jp } from './iso-2022-jp.ts';

/** Bytes of a word: 66 letters with its shell in base64, so that one fits behind `Subject: `, too (RFC 2047 §2: at most 75). */
const WORD_BYTES = 36;

/** True for text that a reader would decode: a sender's word within a word, which nobody here has looked into. */
export function looksEncoded(text: string): boolean {
  return text.includes('=?');
}

/** A header text in words of ISO-2022-JP, each of which starts and ends in ASCII; undefined when JIS X 0208 lacks a letter. */
export function toJisWords(text: string): string | undefined {
  return /^[\x20-\x7e]*$/.test(text) && !looksEncoded(text) ? text : toWords(text, 'ISO-2022-JP', toIso2022Jp);
}

/** A header text in words of UTF-8. */
export function toUtf8Words(text: string): string {
  return toWords(text, 'UTF-8', (piece) => Buffer.from(piece)) ?? '';
}

function toWords(text: string, charset: string, encode: (piece: string) => Buffer | undefined): string | undefined {
  const words: string[] = [];
  let piece = '';
  let bytes: Buffer = Buffer.alloc(0);
  const close = (): void => void words.push(`=?${charset}?B?${bytes.toString('base64')}?=`);
  for (const letter of text) {
    const longer = encode(piece + letter);
    if (longer === undefined) return undefined;
    if (longer.length > WORD_BYTES && piece !== '') {
      close();
      piece = letter;
      bytes = encode(letter) ?? bytes;
    } else {
      piece += letter;
      bytes = longer;
    }
  }
  close();
  return words.join(' ');
}
