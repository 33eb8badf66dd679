// What a courier is: it takes one composed mail to the inner side's recipients and says how that ended.
import type { Mailbox } from './mailboxes.ts';

/** One file that goes with a mail; its bytes were verified by the gate. */
export interface Attachment {
  readonly filename: string;
  readonly contentType: string;
  readonly content: Buffer;
}

/** A mail composed from a verified package, in parts that need no parsing. */
export interface OutgoingMail {
  readonly id: string;
  readonly messageId: string;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly from: Mailbox;
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  readonly subject: string;
  readonly date: Date;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** What the text and the subject are written in; a text that ISO-2022-JP cannot hold goes as UTF-8. */
  readonly charset: 'utf-8' | 'iso-2022-jp';
  readonly attachments: readonly Attachment[];
}

/** How a delivery ended. `rejected` recipients were refused for good while others accepted; `deferred` ones may be tried again. */
export type CourierAnswer =
  | {
      readonly kind: 'delivered';
      readonly answer: string;
      readonly accepted: readonly string[];
      readonly rejected: readonly string[];
      readonly deferred: readonly string[];
    }
  | { readonly kind: 'deferred'; readonly answer: string }
  | { readonly kind: 'refused'; readonly answer: string };

export interface Courier {
  readonly name: string;
  deliver(mail: OutgoingMail, signal: AbortSignal): Promise<CourierAnswer>;
  close(): Promise<void>;
}
