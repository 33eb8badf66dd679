// A verified package as a mail: contracts §5. Every header is made here from cleaned text; nothing of the outside's
// headers is copied.
import { posix } from 'node:path';
import { accountOfParts, type Language } from '../message/account.ts';
import { forLine } from '../message/untrusted.ts';
import type { VerifiedFile, VerifiedPackage } from '../outbox/verify.ts';
import { cleanZips } from './clean-zip.ts';
import type { Attachment, OutgoingMail } from './courier.ts';
import { cleanName, isPlainAddress, plainAddress, parseMailboxes, type Mailbox } from './mailboxes.ts';

const CONTENT_TYPE: { readonly [extension: string]: string } = {
  pdf: 'application/pdf',
  png: 'image/png',
  jpg: 'image/jpeg',
  txt: 'text/plain; charset=utf-8',
};

const LEFT_OUT = {
  ja: '次のファイルはこのメールに付いていません。ポータルで受け取れます',
  en: 'These files are not attached to this mail; the portal has them',
} as const;

/** Who stands in From when the sender's is no plain address. */
const UNKNOWN_SENDER = 'unknown-sender@mugai.invalid';

/** How delivered mail is written. */
export interface MailForm {
  readonly language: Language;
  readonly charset: OutgoingMail['charset'];
  /** What came in one archive: file by file, or in one zip. */
  readonly archives: 'files' | 'zip';
  /** Address of the portal as browsers see it. */
  readonly portalUrl: string;
}

const NO_ZIPS = { zips: [], packed: new Set<string>() } as const;

/** Composes the mail of a package. `domain` is the right side of the Message-ID, the same at every attempt. */
export function compose(verified: VerifiedPackage, domain: string, form: MailForm): OutgoingMail {
  const { predicate } = verified.statement;
  const headers = predicate.headers;
  const { zips, packed } = form.archives === 'zip' ? cleanZips(verified) : NO_ZIPS;
  const attachments: Attachment[] = [...zips];
  const left: VerifiedFile[] = [];
  for (const file of verified.files) {
    if (file.name === 'message.txt' || packed.has(file.name)) continue;
    if (file.bytes === undefined) left.push(file);
    else attachments.push(attachmentOf(file, file.bytes));
  }
  const date = new Date(headers !== null && headers.date !== '' ? headers.date : predicate.receivedAt);
  return {
    id: predicate.id,
    messageId: `${predicate.id}@${domain}`,
    envelope: {
      from: plainAddress(predicate.envelope.from) ?? '',
      to: predicate.envelope.to,
    },
    from: senderOf(headers?.from ?? '', predicate.envelope.from),
    to:
      headers === null
        ? predicate.envelope.to.filter(isPlainAddress).map((address) => ({ name: '', address }))
        : parseMailboxes(headers.to, 200),
    cc: headers === null ? [] : parseMailboxes(headers.cc, 200),
    subject: forLine(headers === null ? predicate.source.name : headers.subject),
    date: Number.isNaN(date.getTime()) ? new Date(predicate.receivedAt) : date,
    headers: {
      ...(predicate.autoSubmitted === '' ? {} : { 'Auto-Submitted': autoSubmitted(predicate.autoSubmitted) }),
      'X-Mugai-Id': predicate.id,
      'X-Mugai-State': predicate.state,
      'X-Mugai-Policy': forLine(`${predicate.policy.name} ${predicate.policy.version}`, 200),
    },
    text: textOf(verified, left, form),
    charset: form.charset,
    attachments,
  };
}

function attachmentOf(file: VerifiedFile, content: Buffer): Attachment {
  const filename = posix.basename(file.name);
  const type = CONTENT_TYPE[posix.extname(filename).slice(1)] ?? 'application/octet-stream';
  return { filename, contentType: type, content };
}

/** Exactly one From: the first plain address; a header without one shows its text as the name of an unknown sender. */
function senderOf(from: string, envelopeFrom: string): Mailbox {
  const first = parseMailboxes(from, 1)[0];
  if (first !== undefined) return first;
  const envelope = plainAddress(envelopeFrom);
  if (from === '' && envelope !== undefined) return { name: '', address: envelope };
  return { name: cleanName(from), address: UNKNOWN_SENDER };
}

/** RFC 3834 §5: one of three keywords; anything else the sender wrote still means an automatic mail. */
function autoSubmitted(value: string): string {
  const keyword = value.toLowerCase().split(/[;\s]/)[0];
  return keyword === 'no' || keyword === 'auto-replied' ? keyword : 'auto-generated';
}

function textOf(verified: VerifiedPackage, left: readonly VerifiedFile[], { language, portalUrl }: MailForm): string {
  const { predicate } = verified.statement;
  const message = verified.files.find((file) => file.name === 'message.txt');
  // message.txt is headers, a blank line, the rest; the headers stand in the mail itself.
  const whole = message?.bytes?.toString('utf8');
  const text =
    whole === undefined
      ? accountOfParts(predicate, language)
      : whole.slice(whole.indexOf('\n\n') + 2).replace(/^\n+/, '');
  if (left.length === 0) return text;
  const names = left.map((file) => `  ${posix.basename(file.name)}`).join('\n');
  return `${text}\n${LEFT_OUT[language]}:\n  ${portalUrl}/messages/${predicate.id}\n${names}\n`;
}
