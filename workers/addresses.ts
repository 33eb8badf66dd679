// Address headers (RFC 5322 §3.4) as text for people: name and address of each, never one that hides in the other.
import { decodeWords, oneLine, rawText, valueOf, type Tally } from './header-words.ts';

/** One mailbox; either may be empty. */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

// A header block is at most 1 MiB: some 50,000 addresses; nobody reads beyond a few hundred.
const MAILBOXES_MAX = 2000;

/**
 * Mailboxes of an address header line. Structure is read before RFC 2047 words are decoded, so that an encoded `,` or `<`
 * in a name makes no second address ("Composition Kills", USENIX Security 2020). Group names are dropped. Linear.
 */
export function mailboxesOf(line: string, tally?: Tally, hint = ''): readonly Mailbox[] {
  const text = rawText(valueOf(line), tally, hint);
  const found: Mailbox[] = [];
  let name = '';
  let comment = '';
  let angle: string | undefined;
  const take = (): void => {
    const words = oneLine(decodeWords(name.replace(/[ \t]+/g, ' ').trim(), tally));
    const specs = words.split(/\s+/);
    if (angle !== undefined)
      found.push({ name: words || oneLine(decodeWords(comment, tally)), address: address(angle) });
    else if (specs.length > 1 && specs.every((spec) => /^.+@./.test(spec)))
      // No comma between them: another reader may see any of them.
      for (const spec of specs) found.push({ name: '', address: address(spec) });
    else if (words !== '')
      found.push(
        words.includes('@')
          ? { name: oneLine(decodeWords(comment)), address: address(words) }
          : { name: words, address: '' },
      );
    name = '';
    comment = '';
    angle = undefined;
  };
  for (let at = 0; at < text.length && found.length < MAILBOXES_MAX;) {
    const letter = text[at];
    if (letter === '"') {
      const end = endOfQuoted(text, at + 1);
      name += text.slice(at + 1, end).replace(/\\(["\\])/g, '$1');
      at = end + 1;
    } else if (letter === '(') {
      const end = endOfComment(text, at);
      comment ||= text.slice(at + 1, end).trim();
      at = end + 1;
    } else if (letter === '<') {
      if (angle !== undefined) take(); // two addresses without a comma
      const end = text.indexOf('>', at);
      angle = text.slice(at + 1, end < 0 ? text.length : end);
      at = end < 0 ? text.length : end + 1;
    } else if (letter === ',' || letter === ';') {
      take();
      at += 1;
    } else if (letter === ':' && angle === undefined) {
      name = ''; // "Group:" or an old route; the name of a group is no mailbox
      at += 1;
    } else {
      const end = nextSpecial(text, at + 1);
      name += text.slice(at, end);
      at = end;
    }
  }
  take();
  return found;
}

const SPECIAL = /["(<,;:]/g;

function nextSpecial(text: string, from: number): number {
  SPECIAL.lastIndex = from;
  return SPECIAL.exec(text)?.index ?? text.length;
}

function endOfQuoted(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at;
  }
  return text.length;
}

function endOfComment(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '(') depth += 1;
    else if (text[at] === ')' && --depth === 0) return at;
  }
  return text.length;
}

function address(raw: string): string {
  return oneLine(raw).replace(/\s+/g, '').slice(0, 400);
}

/** Mailboxes as one line of at most `max` units: `name <address>, …`; what does not fit is counted at the end. */
export function formatMailboxes(mailboxes: readonly Mailbox[], max: number): string {
  let line = '';
  for (const [index, box] of mailboxes.entries()) {
    const piece = (index > 0 ? ', ' : '') + formatMailbox(box);
    if (line.length + piece.length > max - 20) return `${line.slice(0, max - 20)} …(+${mailboxes.length - index})`;
    line += piece;
  }
  return line;
}

function formatMailbox({ name, address: spec }: Mailbox): string {
  if (name === '') return spec;
  const shown = name.slice(0, 400).toWellFormed();
  const safe = /[",;:<>()@\\]/.test(shown) ? `"${shown.replace(/["\\]/g, '')}"` : shown;
  return spec === '' ? safe : `${safe} <${spec}>`;
}

/** True when a name shows an address that is not the real one: `"mayor@city.example" <x@evil.example>`. */
export function namesAnother({ name, address: spec }: Mailbox): boolean {
  const shown = name.split(/[\s"'<>()（）＜＞]+/).find((word) => /^.+[@＠]./.test(word));
  return shown !== undefined && shown.replace('＠', '@').toLowerCase() !== spec.toLowerCase();
}
