// Links of an HTML mail as text: where they really lead, and whether their words say otherwise.
import { domainToASCII, domainToUnicode } from 'node:url';

/** A target as it is shown. `remark` names what is wrong with it: a finding code, or ''. */
export interface Target {
  /** '' when nothing is shown. */
  readonly shown: string;
  /** Host in ASCII, '' for other schemes. */
  readonly host: string;
  readonly remark: '' | 'script' | 'link-scheme' | 'link-userinfo';
  readonly detail: string;
}

const NOTHING: Target = { shown: '', host: '', remark: '', detail: '' };
// Invitations to meetings and links through a checking service take several hundred.
const WHOLE_MAX = 2000;
/** What is shown of one that is longer than any honest one. */
const SHOWN_MAX = 300;
const DROPPED = /[\u0000-\u001f]+/g;

/** What an `href` leads to, resolved against `<base>` where there is one. */
export function targetOf(href: string, base: string): Target {
  // Browsers drop these before they look at the scheme: `java\nscript:`.
  const plain = href.slice(0, 8192).replace(DROPPED, '').trim();
  if (plain === '' || plain.startsWith('#')) return NOTHING;
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(plain)?.[1]?.toLowerCase();
  if (scheme === 'mailto' || scheme === 'tel')
    return { ...NOTHING, shown: decoded(plain.slice(scheme.length + 1).split('?')[0] ?? '').slice(0, SHOWN_MAX) };
  if (scheme === 'cid' || scheme === 'mid') return NOTHING;
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    const active = scheme === 'javascript' || scheme === 'vbscript' || scheme === 'data';
    return { ...NOTHING, remark: active ? 'script' : 'link-scheme', detail: scheme };
  }
  if (scheme === undefined && plain.startsWith('\\\\')) return { ...NOTHING, remark: 'link-scheme', detail: 'unc' };
  return webTarget(scheme === undefined && plain.startsWith('//') ? `https:${plain}` : plain, base);
}

/** Percent signs undone, where they are UTF-8. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text).replace(DROPPED, '');
  } catch {
    return text;
  }
}

function webTarget(text: string, base: string): Target {
  const url = URL.parse(text, base === '' ? undefined : base);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return NOTHING; // relative without a base
  const disguised = url.username !== '' || url.password !== '';
  const ascii = url.hostname;
  const shownHost = ascii.includes('xn--') ? domainToUnicode(ascii) : ascii;
  const port = url.port === '' ? '' : `:${url.port}`;
  const path = `${url.pathname === '/' && url.search === '' ? '' : url.pathname}${url.search}${url.hash}`;
  const whole = `${url.protocol}//${shownHost || ascii}${port}${path}`;
  const shown = whole.length > WHOLE_MAX ? `${whole.slice(0, SHOWN_MAX).toWellFormed()}…` : whole;
  return {
    shown: shownHost === ascii ? shown : `${shown} (${ascii})`,
    host: ascii,
    remark: disguised ? 'link-userinfo' : '',
    detail: disguised ? ascii : '',
  };
}

// A URL or a bare host name in a link's words. Labels of letters (any script), digits and hyphens.
const SAID =
  /(?:h(?:tt|xx)ps?:\/\/)?((?:[\p{L}\p{N}-]{1,63}\.){1,10}[\p{L}]{2,24}|\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?(?=$|[\s/?#"'<>）)」』】。、，．,;:])/iu;

/** The host that a link's words show, in ASCII; '' when they show none. Only the words' first 500 units are looked at. */
export function hostSaid(words: string): string {
  const text = words
    .slice(0, 500)
    .normalize('NFKC') // full-width letters look like a host, too
    .replace(/[\s\u200b-\u200f\u2060\ufeff]+/g, ' ')
    .trim();
  const whole = /^(?:h(?:tt|xx)ps?:\/\/)/i.test(text) || /^\S+$/.test(text);
  const match = whole
    ? SAID.exec(text)
    : /h(?:tt|xx)ps?:\/\/[^\s]+/i.test(text)
      ? SAID.exec(text.slice(text.search(/h(?:tt|xx)ps?:\/\//i)))
      : null;
  if (match?.[1] === undefined || (match.index > 0 && text[match.index - 1] === '@')) return '';
  // A file name is no host: `report.pdf`.
  if (/^[^/]*\.(?:pdf|docx?|xlsx?|pptx?|zip|txt|csv|jpe?g|png|gif|html?)$/i.test(match[1]) && !match[0].includes('://'))
    return '';
  // Japanese goes on without a space: `詳しくはwww.example.jpをご覧ください`.
  const among = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(match[1])
    ? /[a-z\d-]+(?:\.[a-z\d-]+)+/i.exec(match[1])?.[0]
    : undefined;
  return domainToASCII((among ?? match[1]).toLowerCase());
}

/** The mail address that a link's words show; '' when they show none. */
export function addressSaid(words: string): string {
  const text = words.slice(0, 500).normalize('NFKC');
  return /[\w.+-]{1,64}@[\p{L}\p{N}.-]{1,200}/u.exec(text)?.[0]?.toLowerCase() ?? '';
}

/** True when the words show a host and the link leads to another one (a host below the shown one is its own). */
export function leadsElsewhere(said: string, host: string): boolean {
  if (said === '' || host === '') return false;
  const [a, b] = [said.replace(/^www\./, ''), host.replace(/^www\./, '')];
  return a !== b && !b.endsWith(`.${a}`);
}

/** True when the words are the target itself, so that showing it again says nothing. */
export function saysTarget(words: string, shown: string): boolean {
  return bare(words) === bare(shown);
}

function bare(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\/|^mailto:|^tel:/, '')
    .replace(/\/$/, '');
}
