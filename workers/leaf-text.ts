// Bytes of one text leaf (or text file) to plain text, with what was found in it and what was lost.
import { LIMITS } from '../src/message/limits.ts';
import { calendarText } from './calendar-text.ts';
import { cardText } from './card-text.ts';
import { decodeText, withoutPrivate } from './charset.ts';
import { enrichedText, richText } from './enriched-text.ts';
import { htmlToText } from './html-text.ts';
import { plainText, withoutBase64 } from './plain-text.ts';
import type { Remark } from './remark.ts';
import { htmlCharset, textCharset } from './said-charset.ts';
import { headerText } from './told-parts.ts';

/** How a text is to be read. `cut` says that `bytes` are only the start of it. */
export interface TextForm {
  /** A calendar, cards of people, the header of a mail are told in words; text with the markup of old mailers without it. */
  readonly record?: 'calendar' | 'card' | 'header' | 'enriched' | 'richtext' | undefined;
  readonly html: boolean;
  /** The place of a page of HTML beside which pictures may have come. */
  readonly beside?: string | undefined;
  readonly charset: string;
  readonly flowed: boolean;
  readonly delSp: boolean;
  readonly cut: boolean;
  /** Text that is text only because its structure is broken. */
  readonly rough: boolean;
}

export interface LeafText {
  readonly text: string;
  readonly findings: readonly Remark[];
  readonly losses: readonly Remark[];
}

/** Bytes of a text leaf that are kept: three UTF-8 bytes a Japanese character. */
export function keptBytes(html: boolean): number {
  return html ? LIMITS.htmlBytes : LIMITS.textChars * 3;
}

/** The plain text of a leaf. Never throws for what the bytes are. */
export function textOfLeaf(bytes: Buffer, form: TextForm): LeafText {
  const losses: Remark[] = [];
  const charset = form.html ? htmlCharset(bytes, form.charset) : textCharset(bytes, form.charset);
  const whole = form.record === 'calendar' || form.record === 'card' ? unfolded(bytes) : bytes;
  const decoded = decodeText(whole, charset);
  if (decoded.undecodable > 0)
    losses.push({ code: 'undecodable-bytes', detail: `${decoded.undecodable} (${decoded.charset})` });
  if (decoded.charset === 'utf-7') losses.push({ code: 'undecodable-bytes', detail: 'utf-7' });
  if (decoded.guessed !== undefined) losses.push({ code: 'charset-guessed', detail: decoded.guessed });
  if (decoded.gaiji > 0) losses.push({ code: 'gaiji', detail: String(decoded.gaiji) });
  const read = readAs(decoded.text, form);
  const { findings } = read;
  losses.push(...read.losses);
  const { text, cut: encoded } = withoutBase64(read.text, form.rough);
  if (encoded) losses.push({ code: 'encoded-text', detail: '' });
  const short = text.length > LIMITS.textChars;
  if (form.cut || read.cut || short) losses.push({ code: 'text-cut', detail: String(LIMITS.textChars) });
  return { text: short ? text.slice(0, LIMITS.textChars).toWellFormed() : text, findings, losses };
}

/** Lines that were folded behind a byte of a letter (RFC 5545 §3.1 counts octets) put together while they are bytes. */
function unfolded(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('latin1').replace(/([\x80-\xff])\r?\n[ \t]/g, '$1'), 'latin1');
}

interface Read {
  readonly text: string;
  readonly findings: readonly Remark[];
  readonly losses: readonly Remark[];
  readonly cut: boolean;
}

function readAs(text: string, form: TextForm): Read {
  if (form.html) {
    const html = htmlToText(text, form.beside);
    const { text: shown, gaiji } = withoutPrivate(html.text);
    return { ...html, text: shown, losses: gaiji > 0 ? [{ code: 'gaiji', detail: String(gaiji) }] : [] };
  }
  const told = toldAs(text, form.record);
  if (told !== undefined) return { text: told, findings: [], losses: [], cut: false };
  return { ...plainText(text, form), cut: false };
}

function toldAs(text: string, record: TextForm['record']): string | undefined {
  switch (record) {
    case 'calendar':
      return calendarText(text);
    case 'card':
      return cardText(text);
    case 'header':
      return headerText(text);
    case 'enriched':
      return enrichedText(text);
    case 'richtext':
      return richText(text);
    case undefined:
      return undefined;
    default:
      return record satisfies never;
  }
}

/** What of a type is a record for programs, told in words. */
export function recordOf(type: string): TextForm['record'] {
  if (/^text\/(?:x-)?calendar$|^application\/ics$/.test(type)) return 'calendar';
  if (type === 'text/enriched') return 'enriched';
  if (type === 'text/richtext') return 'richtext';
  if (type === 'text/rfc822-headers' || type === 'message/global-headers') return 'header';
  return /^text\/(?:x-)?vcard$|^text\/directory$/.test(type) ? 'card' : undefined;
}
