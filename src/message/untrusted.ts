// Strings that a sender made. They stay `Untrusted` until one of the doors below made them fit for where they go.

/** A sender-made value. Nothing accepts it but the functions of this file. */
export type Untrusted<T extends string> = T & { readonly __untrusted: true };

/** Marks a string as sender-made. */
export function untrusted(text: string): Untrusted<string> {
  return text as Untrusted<string>;
}

// Bidi overrides and isolates (CVE-2021-42574), zero-width, BOM, tag characters: they forge words and names. UTS #39.
// Variation selectors (FE00-FE0F, E0100-E01EF) stay: Japanese names need them.
const INVISIBLE =
  /[\u{00AD}\u{061C}\u{180E}\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2060}-\u{2069}\u{206A}-\u{206F}\u{FEFF}\u{FFF9}-\u{FFFB}\u{E0000}-\u{E007F}]/gu;
// C0 but TAB and LF, DEL, C1. ESC reaches terminals (CWE-150), CR and LF reach headers (CWE-93).
const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g;

/**
 * Text for a body (contract C1): LF line ends, no control character but LF and TAB, nothing invisible or reordering,
 * well-formed Unicode (lone surrogates become U+FFFD).
 */
export function forText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029\u0085\u000B\u000C]/g, '\n')
    .replace(CONTROL, '')
    .replace(INVISIBLE, '');
}

/** One line of text of at most `max` UTF-16 units: as `forText`, line ends and tabs become spaces, ends trimmed. */
export function forLine(text: string, max = 998): string {
  const line = forText(text.length > max * 4 ? text.slice(0, max * 4) : text)
    .replace(/[\n\t]+/g, ' ')
    .trim();
  return line.length > max ? `${line.slice(0, max - 1).toWellFormed()}…` : line;
}

/** A value for a log line: one line, at most 200 units. JSON escaping is the logger's. */
export function forLog(text: string): string {
  return forLine(text, 200);
}

/** How many characters `forText` removes from the text: bidi, zero-width and tag characters (a finding, not a loss). */
export function countInvisible(text: string): number {
  return text.match(INVISIBLE)?.length ?? 0;
}

/** True when the text holds a bidi override or isolate, as in `invoice[U+202E]fdp.exe`. */
export function hasBidi(text: string): boolean {
  return /[\u202A-\u202E\u2066-\u2069]/.test(text);
}

/** Bytes of a file name in UTF-8: file systems take 255, and a part's number or a copy's mark may be put before it. */
const NAME_BYTES = 240;
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * A file name of our own making (contract C7): `NN-<stem>.<ext>`, letters, marks and digits of the original stem
 * (Japanese kept), `-` and `_`; one extension, ours; at most 100 characters and `NAME_BYTES` bytes.
 */
export function forFileName(index: number, original: string, ext: string): string {
  const base = forLine(original.slice(0, 400)).replace(/^.*[/\\]/, '');
  const stem = base
    .replace(/\.[^.]{1,10}$/, '')
    .replace(/[^\p{L}\p{M}\p{N}_-]+/gu, '-')
    .replace(/^[-_]+|[-_]+$/g, '');
  const number = String(index).padStart(2, '0');
  const around = number.length + ext.length + 2;
  // Cut at a code point, never inside a surrogate pair; a cut name must not end in a dash.
  let cut = '';
  let bytes = around;
  for (const letter of stem) {
    bytes += Buffer.byteLength(letter);
    if (around + cut.length + letter.length > 100 || bytes > NAME_BYTES) break;
    cut += letter;
  }
  cut = cut.replace(/[-_]+$/, '');
  return `${number}-${cut === '' || RESERVED.test(cut) ? 'file' : cut}.${ext}`;
}
