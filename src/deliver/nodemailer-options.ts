// A composed mail in nodemailer's words. Base64 for the text: Japanese lines stay whole and no line can end the DATA.
import type { SendMailOptions } from 'nodemailer';
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import type { OutgoingMail } from './courier.ts';
import { looksEncoded, toJisWords, toUtf8Words } from './encoded-words.ts';
import { toIso2022Jp } from './iso-2022-jp.ts';
import type { Mailbox } from './mailboxes.ts';

/** Options for one mail. Files and URLs are never read: every content is given as bytes. */
export function nodemailerOptions(mail: OutgoingMail): SendMailOptions {
  const address = ({ name, address: plain }: Mailbox): { name: string; address: string } => ({
    // Many readers decode words in quotes, too: broken up, it is what was looked at.
    name: name.replaceAll('=?', '=？'),
    address: plain,
  });
  return {
    envelope: { from: mail.envelope.from, to: [...mail.envelope.to] },
    from: address(mail.from),
    to: mail.to.map(address),
    cc: mail.cc.map(address),
    subject: looksEncoded(mail.subject) ? toUtf8Words(mail.subject) : mail.subject,
    date: mail.date,
    messageId: `<${mail.messageId}>`,
    headers: { ...mail.headers },
    text: withCrlf(mail.text),
    textEncoding: 'base64',
    xMailer: false,
    disableFileAccess: true,
    disableUrlAccess: true,
    attachments: mail.attachments.map(({ filename, contentType, content }) => ({
      filename,
      contentType,
      content,
      contentDisposition: 'attachment' as const,
    })),
  };
}

/** RFC 2045 §6.8: encoded text has CRLF too; old programs show bare LF as one long line. */
function withCrlf(text: string): string {
  return text.replaceAll('\n', '\r\n');
}

/**
 * What is given to nodemailer's transports: the whole mail where it is ours to write, otherwise the options, so that attachments
 * are streamed.
 */
export async function toSend(mail: OutgoingMail): Promise<SendMailOptions> {
  const options = nodemailerOptions(mail);
  const raw = await rawOf(mail, options);
  return raw === undefined ? options : { envelope: options.envelope, messageId: options.messageId, raw };
}

/** An address of an envelope as nodemailer sends it, and names it in its answers. */
export function asSent(address: string): string {
  const { to } = new MailComposer({ envelope: { from: '', to: [address] } }).compile().getEnvelope();
  return to[0] ?? address;
}

/** The mail as bytes, for a courier that writes files. */
export async function toBytes(mail: OutgoingMail): Promise<Buffer> {
  const options = nodemailerOptions(mail);
  return (await rawOf(mail, options)) ?? (await new MailComposer(options).compile().build());
}

async function rawOf(mail: OutgoingMail, options: SendMailOptions): Promise<Buffer | undefined> {
  const raw = mail.charset === 'iso-2022-jp' ? await rawInJis(mail, options) : undefined;
  return raw ?? (mail.attachments.length === 0 ? rawOfText(mail, options) : undefined);
}

/** A mail that is text alone, byte for byte as nodemailer writes it and at a third of the CPU: a stream is for what is large. */
function rawOfText(mail: OutgoingMail, options: SendMailOptions): Buffer | undefined {
  const root = new MailComposer(options).compile();
  if (root.getTransferEncoding() !== 'base64') return undefined; // ASCII is left as it is
  const head = root.buildHeaders();
  const body = Buffer.from(withCrlf(mail.text)).toString('base64');
  return Buffer.from(`${head}\r\n\r\n${body.replace(/.{76}(?=.)/g, '$&\r\n')}\r\n`);
}

/**
 * The mail with its text and subject as ISO-2022-JP. A mail with a letter that JIS X 0208 lacks goes as UTF-8 whole: a reader gets
 * it right or not at all.
 */
async function rawInJis(mail: OutgoingMail, options: SendMailOptions): Promise<Buffer | undefined> {
  const text = toIso2022Jp(withCrlf(mail.text));
  const subject = toJisWords(mail.subject);
  if (text === undefined || subject === undefined) return undefined;
  const root = new MailComposer({ ...options, subject }).compile();
  const body = root.childNodes[0] ?? root;
  body.setHeader('Content-Type', 'text/plain; charset=ISO-2022-JP');
  body.setContent(text);
  return root.build();
}
