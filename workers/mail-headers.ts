// The header of a mail, told to the host: who, to whom, what about, when, and what is odd in it.
import { LIMITS } from '../src/message/limits.ts';
import { HEADER_FIELD } from '../src/sandbox/wire.ts';
import { formatMailboxes, mailboxesOf, namesAnother } from './addresses.ts';
import { charsetOf } from './charset.ts';
import { parametersOf } from './header-params.ts';
import { decodeHeader, isoDate, type Tally } from './header-words.ts';
import type { HeaderLine } from './mime-leaves.ts';
import type { Out } from './run.ts';

const ADDRESS_FIELDS = [
  ['from', HEADER_FIELD.from],
  ['to', HEADER_FIELD.to],
  ['cc', HEADER_FIELD.cc],
  ['sender', HEADER_FIELD.sender],
  ['reply-to', HEADER_FIELD.replyTo],
] as const;

const TEXT_FIELDS = [
  ['subject', HEADER_FIELD.subject],
  ['message-id', HEADER_FIELD.messageId],
  ['auto-submitted', HEADER_FIELD.autoSubmitted],
] as const;

/** Headers whose second occurrence another reader may believe (attack rows 20 and 27). */
const ONCE = new Set([
  'from',
  'sender',
  'subject',
  'date',
  'message-id',
  'content-type',
  'content-transfer-encoding',
  'content-disposition',
]);

/** The first line of the field, as received; '' when there is none. */
export function lineOf(headers: readonly HeaderLine[], key: string): string {
  return headers.find((header) => header.key === key)?.line ?? '';
}

/** Characters that reorder or hide letters: the host drops them from what is shown, here they are told (UTS #39 §4). */
function hides(text: string): boolean {
  return /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u.test(text);
}

/** What of a header could not be read: told, as it is for bodies. */
export function tellLosses({ undecodable, gaiji }: Tally, where: string, out: Out): void {
  if (undecodable > 0) out.loss('undecodable-bytes', `${where} ${undecodable}`);
  if (gaiji > 0) out.loss('gaiji', `${where} ${gaiji}`);
}

/** The charset of raw header text where the mail's own names one that the bytes cannot: Korean looks like EUC-JP. */
function hintOf(headers: readonly HeaderLine[]): string {
  const label = parametersOf(lineOf(headers, 'content-type')).get('charset') ?? '';
  return /^(?:euc-kr|gb18030|big5|koi8-|windows-(?!1252)|iso-8859-|shift_jis|euc-j)/.test(charsetOf(label))
    ? label
    : '';
}

/** What the header of a mail says of it as a whole, and what is odd in it. */
export function tellHeaders(headers: readonly HeaderLine[], out: Out): void {
  const hint = hintOf(headers);
  for (const [key, field] of ADDRESS_FIELDS) {
    const lines = headers.filter((header) => header.key === key);
    const tally: Tally = { undecodable: 0, gaiji: 0 };
    const mailboxes = lines.flatMap((header) => mailboxesOf(header.line, tally, hint));
    tellLosses(tally, key, out);
    if (mailboxes.some(({ name, address }) => hides(`${name}${address}`)))
      out.finding('bidi-header', lines[0]?.key ?? key);
    if (key === 'from') {
      if (mailboxes.length !== 1) out.finding('from-count', String(mailboxes.length));
      for (const box of mailboxes.slice(0, 10)) if (namesAnother(box)) out.finding('name-spoof', box.name);
    }
    if (lines.length > 0) out.header(field, formatMailboxes(mailboxes, LIMITS.headerChars));
  }
  for (const [key, field] of TEXT_FIELDS) {
    const line = lineOf(headers, key);
    if (line === '') continue;
    const tally: Tally = { undecodable: 0, gaiji: 0 };
    const text = decodeHeader(line, tally, hint);
    out.header(field, text);
    if (key === 'subject' && hides(text)) out.finding('bidi-header', key);
    tellLosses(tally, key, out);
  }
  const date = lineOf(headers, 'date');
  if (date !== '') out.header(HEADER_FIELD.date, isoDate(date));
  tellDuplicates(headers, out);
}

/** Fields that stand there twice and must not. */
export function tellDuplicates(headers: readonly HeaderLine[], out: Out): void {
  const seen = new Set<string>();
  const told = new Set<string>();
  for (const { key } of headers) {
    if (!ONCE.has(key)) continue;
    if (seen.has(key) && !told.has(key)) out.finding('duplicate-header', key);
    if (seen.has(key)) told.add(key);
    seen.add(key);
  }
}
