// Mailboxes out of decoded header text, as name and address apart, so that no library parses sender-made addresses again
// (CVE-2025-13033: two parsers, two domains). One pass, no recursion; what is no plain address becomes part of a name.
import { forLine } from '../message/untrusted.ts';

export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

// The plain addr-spec of RFC 5321 with UTF-8 allowed (RFC 6531): no quoted local part, comment, route or literal.
const ADDRESS =
  /^[^\s<>()[\],;:\\"@\u0000-\u001f]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)*[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u;

/** True for an address that may stand in an envelope or a header as it is. */
export function isPlainAddress(text: string): boolean {
  return text.length <= 254 && ADDRESS.test(text);
}

/** The address that may stand as it is: this one, or what quotes that it does not need hold; undefined when there is none. */
export function plainAddress(text: string): string | undefined {
  // RFC 5321 §4.1.2: dots that stand side by side or at an end want quotes; who writes the mail puts them there again.
  const plain = text.replace(/^"([^"]*)"@/, '$1@');
  return isPlainAddress(plain) ? plain : undefined;
}

/** The mailboxes of a header field's text, at most `most`. Entries without a plain address are left out. */
export function parseMailboxes(text: string, most: number): Mailbox[] {
  const found: Mailbox[] = [];
  for (const piece of splitOutsideQuotes(text)) {
    const mailbox = parseMailbox(piece);
    if (mailbox !== undefined) found.push(mailbox);
    if (found.length >= most) break;
  }
  return found;
}

function parseMailbox(piece: string): Mailbox | undefined {
  const open = piece.lastIndexOf('<');
  const close = piece.indexOf('>', open + 1);
  const address = plainAddress((open >= 0 && close > open ? piece.slice(open + 1, close) : piece).trim());
  if (address === undefined) return undefined;
  const name = open > 0 ? piece.slice(0, open) : '';
  return { name: cleanName(name), address };
}

/** A display name: one line, no quotes or angle brackets, at most 200 characters. */
export function cleanName(name: string): string {
  return forLine(name.replace(/["\\<>]/g, ' ').replace(/\s+/g, ' '), 200);
}

function* splitOutsideQuotes(text: string): Generator<string> {
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if (letter === '\\') at += 1;
    else if (letter === '"') quoted = !quoted;
    else if ((letter === ',' || letter === ';') && !quoted) {
      yield text.slice(start, at);
      start = at + 1;
    }
  }
  yield text.slice(start);
}
