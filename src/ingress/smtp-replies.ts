// What the SMTP door says for each thing that can happen, in one place: code, enhanced code (RFC 3463), words.
import { MugaiError } from '../message/errors.ts';

/** An error in smtp-server's form: the reply code travels on it. */
export class SmtpReply extends Error {
  readonly responseCode: number;
  /** Who hears this tried to make two readers of one stream disagree, or a machine that takes no turns. */
  readonly smuggling: boolean;
  constructor(responseCode: number, text: string, smuggling = false) {
    super(text);
    this.responseCode = responseCode;
    this.smuggling = smuggling;
  }
}

export const REPLY = {
  busy: () => new SmtpReply(421, '4.3.2 Too many connections, try again later'),
  tooManyRecipients: () => new SmtpReply(452, '4.5.3 Too many recipients'),
  badSender: () => new SmtpReply(553, '5.1.7 Bad sender address syntax'),
  badRecipient: () => new SmtpReply(553, '5.1.3 Bad recipient address syntax'),
  relay: () => new SmtpReply(550, '5.7.1 Relaying denied: this gateway takes mail for its own domains only'),
  tooLarge: () => new SmtpReply(552, '5.3.4 Message is larger than this gateway takes'),
  tooSlow: () => new SmtpReply(421, '4.4.2 The message took too long to arrive'),
  // What the wire says of bytes, all of them last words.
  tooEarly: () => new SmtpReply(554, '5.5.0 You talk before it is your turn', true),
  lineTooLong: () => new SmtpReply(500, '5.5.2 Command line too long'),
  bareLineFeed: () => new SmtpReply(554, '5.5.2 A command ends with CR LF', true),
  ambiguousEnd: () =>
    new SmtpReply(554, '5.5.2 Data holds an end that is none: a line with a dot, without CR LF around it', true),
  commandTooSlow: () => new SmtpReply(421, '4.4.2 Timeout'),
  leadsNowhere: () => new SmtpReply(421, '4.7.0 Too many commands without a mail'),
  tooManyErrors: () => new SmtpReply(421, '4.7.0 Too many errors'),
  control: () => new SmtpReply(501, '5.5.2 A command holds no control characters', true),
  recipientRate: () => new SmtpReply(452, '4.7.0 Too many recipients from your address, try again later'),
  loop: () => new SmtpReply(554, '5.4.6 This mail is going round in a loop'),
  /** RFC 3463: 4.3.1 mail system full, 4.3.2 system not accepting messages. */
  pressed: (reason: string) =>
    reason === 'disk'
      ? new SmtpReply(452, '4.3.1 Insufficient storage, try again later')
      : new SmtpReply(452, '4.3.2 Too much is waiting here, try again later'),
  stopping: () => new SmtpReply(421, '4.3.2 Shutting down'),
} as const;

/** The reply for a failed intake. Trouble of ours is always 4xx: the sender keeps the mail and comes again. */
export function replyFor(error: unknown): SmtpReply {
  if (error instanceof SmtpReply) return error;
  if (error instanceof MugaiError) {
    if (error.code === 'too-large') return REPLY.tooLarge();
    if (error.code === 'disk-full') return new SmtpReply(452, '4.3.1 Insufficient storage, try again later');
  }
  return new SmtpReply(451, '4.3.0 Local trouble, try again later');
}
