// Japanese has no spaces between words: text is indexed as overlapping pairs of characters, and a search is a phrase of them.
import { hash } from 'node:crypto';

/** One form for what people type in several: NFKC (full-width letters, half-width kana), small letters. */
function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

/** The text as pairs for the full-text index: `資料2` → `資料 料2 2`. Whatever is no letter or digit parts the words. */
export function bigrams(text: string): string {
  const words = plain(text).match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  return words
    .map((word) => {
      const letters = Array.from(word);
      return letters.map((letter, at) => letter + (letters[at + 1] ?? '')).join(' ');
    })
    .join(' ');
}

/** An FTS5 expression that finds every word of what was typed; undefined when nothing was typed that can be found. */
export function matchOf(typed: string): string | undefined {
  const words = plain(typed.slice(0, 200)).match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
  if (words.length === 0) return undefined;
  return words
    .slice(0, 10)
    .map((word) => {
      const letters = Array.from(word);
      if (letters.length === 1) return `"${word}"*`; // one letter: the pairs that begin with it
      return `"${letters
        .slice(0, -1)
        .map((letter, at) => letter + (letters[at + 1] ?? ''))
        .join(' ')}"`;
    })
    .join(' AND ');
}

/** The word that stands for a recipient in the full-text index. */
export function whoWord(address: string): string {
  return `a${hash('sha256', address).slice(0, 16)}`;
}
