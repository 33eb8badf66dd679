// A policy's text as persons read it before they approve it: what they see is all that is there. Escape sequences hide or repaint
// lines of a terminal (CWE-150), bidi characters reorder them (CVE-2021-42574), and in a name they forge rows of a report.
import { forText } from '../message/untrusted.ts';

/** What is wrong with a policy's text; undefined where each of its characters is seen. */
export function faultOfText(text: string): string | undefined {
  for (const [at, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const letter = unseenIn(line);
    if (letter !== undefined) return `line ${at + 1} has ${letter}, which nobody sees as what it is`;
  }
  return undefined;
}

/** What is wrong with the words that a policy says, which its text may have written as escapes: each is one line, and seen. */
export function faultOfWords(value: unknown, where: readonly string[] = []): string | undefined {
  if (typeof value === 'string') {
    const letter = unseenIn(value) ?? unseenIn(/[\n\t]/.exec(value)?.[0] ?? '', '');
    return letter === undefined ? undefined : `${where.join('/')} has ${letter}, and is to be one line that is seen`;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, one] of Object.entries(value)) {
    const fault = faultOfWords(key, [...where, 'a name']) ?? faultOfWords(one, [...where, key]);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The name of the first character that is not what `forText` leaves. */
function unseenIn(text: string, seen = forText(text)): string | undefined {
  if (seen === text) return undefined;
  const letter = Array.from(text).find((one) => seen === '' || forText(one) !== one) ?? '';
  return `U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
}
