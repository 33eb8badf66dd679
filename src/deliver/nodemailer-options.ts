// A composed mail in nodemailer's words. Base64 for the text: Japanese lines stay whole and no line can end the DATA.
import type { SendMailOptions } from 'nodemailer';
import type { OutgoingMail } from './courier.ts';
import type { Mailbox } from './mailboxes.ts';

/** Options for one mail. Files and URLs are never read: every content is given as bytes. */
export function nodemailerOptions(mail: OutgoingMail): SendMailOptions {
  const address = ({ name, address: plain }: Mailbox): { name: string; address: string } => ({ name, address: plain });
  return {
    envelope: { from: mail.envelope.from, to: [...mail.envelope.to] },
    from: address(mail.from),
    to: mail.to.map(address),
    cc: mail.cc.map(address),
    subject: mail.subject,
    date: mail.date,
    messageId: `<${mail.messageId}>`,
    headers: { ...mail.headers },
    text: mail.text,
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
