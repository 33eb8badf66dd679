// Who a mail says it is from, and what speaks against it: remarks for the reader, from cleaned header text and the envelope.
import { domainToASCII, domainToUnicode } from 'node:url';
import type { Remark } from '../message/part.ts';

/** What is compared. `from`, `sender`, `replyTo` are header text as the mail child gave it, cleaned. */
export interface Identity {
  readonly from: string;
  readonly sender: string;
  readonly replyTo: string;
  /** Undefined for a mail inside another: it came by no envelope that we saw. */
  readonly envelope: { readonly from: string; readonly to: readonly string[] } | undefined;
}

/** Remarks on a mail's identity; empty for most mail. */
export function identityRemarks(identity: Identity): Remark[] {
  const from = addressesIn(identity.from)[0] ?? '';
  const domain = domainOf(from);
  const remarks: Remark[] = [];
  const add = (code: string, detail: string): void => void remarks.push({ code, detail: detail.slice(0, 400) });
  if (domain !== '') {
    const unicode = domainToUnicode(domain) || domain;
    if (isMixed(unicode)) add('mixed-script', `${unicode} (${domain})`);
    else if (unicode !== domain) add('foreign-domain', `${unicode} (${domain})`);
  }
  const sender = addressesIn(identity.sender)[0] ?? '';
  if (differs(domain, domainOf(sender))) add('sender-mismatch', `${from} / ${sender}`);
  const reply = addressesIn(identity.replyTo).find((address) => differs(domain, domainOf(address)));
  if (reply !== undefined) add('reply-elsewhere', `${from} / ${reply}`);
  const { envelope } = identity;
  if (envelope === undefined) return remarks;
  if (differs(domain, domainOf(envelope.from))) add('envelope-mismatch', `${from} / ${envelope.from}`);
  const inner = [...new Set(envelope.to.map(domainOf))].filter((own) => own !== '');
  if (inner.some((own) => domain === own || domain.endsWith(`.${own}`))) add('inner-domain', from);
  else {
    const twin = inner.find((own) => looksLike(domain, own));
    if (twin !== undefined) add('lookalike-domain', `${domainToUnicode(domain) || domain} / ${twin}`);
    const named = inner.find((own) => nameOf(identity.from).normalize('NFKC').toLowerCase().includes(own));
    if (named !== undefined) add('inner-name', named);
  }
  return remarks;
}

/** The addresses of a header's text: in angle brackets, or bare ones between commas. Each without quotes, route and comment. */
export function addressesIn(text: string): string[] {
  return specsIn(text)
    .map(plainSpec)
    .filter((address) => /^\S+@[^\s@]+$/.test(address));
}

const SPECS_MAX = 50;

/** What stands in the angle brackets of each mailbox, or where one has none, all of it. A comma within quotes or brackets parts nothing. */
function specsIn(text: string): string[] {
  const found: string[] = [];
  let bare = '';
  let angle: string | undefined;
  for (let at = 0; at <= text.length && found.length < SPECS_MAX;) {
    const letter = text[at];
    if (letter === undefined || letter === ',') {
      found.push(angle ?? bare.trim());
      bare = '';
      angle = undefined;
      at += 1;
    } else if (letter === '<' || letter === '"') {
      const end = text.indexOf(letter === '<' ? '>' : '"', at + 1);
      const inside = text.slice(at + 1, end < 0 ? text.length : end);
      if (letter === '<') angle = inside;
      at = end < 0 ? text.length : end + 1;
    } else {
      SIGN.lastIndex = at + 1;
      const end = SIGN.exec(text)?.index ?? text.length;
      bare += text.slice(at, end);
      at = end;
    }
  }
  return found;
}

const SIGN = /[,<"]/g;

/** An address as it is meant (RFC 5322 §3.4.1, §4.4): quotes, comments, blanks, a route in front and a last dot left away. */
function plainSpec(spec: string): string {
  let kept = '';
  let isQuoted = false;
  let depth = 0;
  for (let at = 0; at < spec.length; at++) {
    const letter = spec[at] ?? '';
    if (letter === '\\') {
      at += 1;
      if (depth === 0) kept += spec[at] ?? '';
    } else if (letter === '"' && depth === 0) isQuoted = !isQuoted;
    else if (letter === '(' && !isQuoted) depth += 1;
    else if (letter === ')' && depth > 0) depth -= 1;
    else if (depth === 0) kept += letter;
  }
  // A comment that does not end: what is in it may be all there is.
  if (depth > 0) kept = spec.replace(/["()\\]/g, '');
  const whole = kept.replace(/\s+/g, '');
  const start = whole.startsWith('@') ? whole.indexOf(':') + 1 : 0;
  let end = whole.length;
  while (end > 0 && whole[end - 1] === '.') end -= 1;
  return whole.slice(start, end);
}

/** The text that stands as a sender's name where the mail is delivered: all of it where the address cannot be shown as one. */
function nameOf(from: string): string {
  const [spec = ''] = specsIn(from);
  return /^[^\s@<>()[\],;:"\\]+@[^\s@<>()[\],;:"\\]+$/.test(spec) ? from.replace(/<[^<>]*>\s*$/, '') : from;
}

/** The domain of an address in ASCII and lower case; '' when there is none. */
function domainOf(address: string): string {
  const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
  return address.includes('@') ? domainToASCII(domain) || domain : '';
}

function differs(a: string, b: string): boolean {
  return a !== '' && b !== '' && organisationOf(a) !== organisationOf(b);
}

/**
 * The part of a domain that one organisation registers: two labels, three below second-level names of countries
 * (`co.jp`, `lg.jp`, `ac.uk`). A list of all public suffixes would know more; a mismatch is a remark only.
 */
function organisationOf(domain: string): string {
  const labels = domain.split('.');
  const country =
    /^[a-z]{2}$/.test(labels.at(-1) ?? '') && /^(?:[a-z]{2}|com|org|net|gov|edu)$/.test(labels.at(-2) ?? '');
  return labels.slice(country ? -3 : -2).join('.');
}

/** Letters of two alphabets in one label, which no honest name has (UTS #39 §5.2: Japanese mixes its own with Latin). */
function isMixed(domain: string): boolean {
  return domain.split('.').some((label) => {
    const scripts = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Armenian}/u];
    return scripts.filter((script) => script.test(label)).length > 1;
  });
}

// Letters that look like Latin ones (a part of UTS #39's confusables: those that registries let through).
const LOOKS: Readonly<Record<string, string>> = {
  а: 'a',
  в: 'b',
  е: 'e',
  к: 'k',
  м: 'm',
  н: 'h',
  о: 'o',
  р: 'p',
  с: 'c',
  т: 't',
  у: 'y',
  х: 'x',
  і: 'i',
  ј: 'j',
  ѕ: 's',
  ԁ: 'd',
  ԛ: 'q',
  ԝ: 'w',
  ɡ: 'g',
  ո: 'n',
  ս: 'u',
  α: 'a',
  ε: 'e',
  ι: 'i',
  κ: 'k',
  ν: 'v',
  ο: 'o',
  ρ: 'p',
  τ: 't',
  υ: 'u',
  χ: 'x',
  ー: '-',
  一: '-',
};

/** What a domain looks like at a glance: homoglyphs, marks, digits for letters and `rn` undone. */
function looksOf(domain: string): string {
  const letters = (domainToUnicode(domain) || domain).normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return Array.from(letters, (letter) => LOOKS[letter] ?? letter)
    .join('')
    .replace(/0/g, 'o')
    .replace(/[1|!ı]/g, 'l')
    .replace(/i/g, 'l')
    .replace(/5/g, 's')
    .replace(/rn/g, 'm')
    .replace(/vv/g, 'w')
    .replace(/-/g, '');
}

/** True when another domain looks like ours, or is one letter off, or has our name in front of its own. */
function looksLike(domain: string, own: string): boolean {
  if (domain === '' || domain === own || own.length < 6) return false;
  const [a, b] = [looksOf(domain), looksOf(own)];
  // A host below a domain that looks like ours: as many labels from its end.
  const end = a.split('.').slice(-b.split('.').length).join('.');
  return a === b || a.startsWith(`${b}.`) || oneApart(a, b) || (end !== a && oneApart(end, b));
}

/** One letter more, less, other, or two in the other order. */
function oneApart(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let from = 0;
  while (from < a.length && a[from] === b[from]) from += 1;
  let end = 0;
  while (end < Math.min(a.length, b.length) - from && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const [left, right] = [a.slice(from, a.length - end), b.slice(from, b.length - end)];
  return left.length + right.length <= 2 || (left.length === 2 && left[0] === right[1] && left[1] === right[0]);
}
