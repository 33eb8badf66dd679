// MAPI properties (MS-OXPROPS) as .msg files and TNEF streams hold them, and the message they describe.
import { decompressRTF } from '@kenjiuno/decompressrtf';
import { decodeText } from './charset.ts';
import { formatMailboxes, type Mailbox } from './addresses.ts';
import { LIMITS } from '../src/message/limits.ts';
import type { ToldBody, ToldFile, ToldMail } from './told-mail.ts';

/** Values by property id. Text of the 8-bit kind is still bytes: its charset is a property, too. */
export type Properties = ReadonlyMap<number, Buffer | string | number>;

export const PID = {
  subject: 0x0037,
  clientSubmitTime: 0x0039,
  senderName: 0x0c1a,
  senderEmail: 0x0c1f,
  senderSmtp: 0x5d01,
  representingName: 0x0042,
  representingEmail: 0x0065,
  representingSmtp: 0x5d02,
  transportHeaders: 0x007d,
  displayTo: 0x0e04,
  displayCc: 0x0e03,
  deliveryTime: 0x0e06,
  messageId: 0x1035,
  body: 0x1000,
  rtf: 0x1009,
  html: 0x1013,
  displayName: 0x3001,
  email: 0x3003,
  smtp: 0x39fe,
  recipientType: 0x0c15,
  attachData: 0x3701,
  attachMethod: 0x3705,
  attachFileName: 0x3704,
  attachLongName: 0x3707,
  attachMime: 0x370e,
  attachContentId: 0x3712,
  codepage: 0x3ffd,
  internetCodepage: 0x3fde,
} as const;

/** Charset label of a Windows code page; '' where it says nothing. */
export function labelOf(codepage: number): string {
  if (codepage === 65001) return 'utf-8';
  if (codepage === 20127 || codepage === 0) return '';
  if (codepage === 932) return 'shift_jis';
  if (codepage === 936) return 'gb18030';
  if (codepage === 949) return 'euc-kr';
  if (codepage === 950) return 'big5';
  if (codepage === 51932 || codepage === 20932) return 'euc-jp';
  if (codepage >= 50220 && codepage <= 50222) return 'iso-2022-jp';
  if (codepage === 20866) return 'koi8-r';
  if (codepage === 21866) return 'koi8-u';
  if (codepage >= 28591 && codepage <= 28605) return `iso-8859-${codepage - 28590}`;
  if ((codepage >= 1250 && codepage <= 1258) || codepage === 874) return `windows-${codepage}`;
  return '';
}

/** A text property; '' when there is none. */
export function textOf(properties: Properties, id: number, charset: string): string {
  const value = properties.get(id);
  if (value instanceof Buffer) return decodeText(untilNul(value), charset).text;
  const text = typeof value === 'string' ? value : '';
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/** An 8-bit text to its end mark: with it, it looks like UTF-16. */
export function untilNul(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

export function numberOf(properties: Properties, id: number): number {
  const value = properties.get(id);
  return typeof value === 'number' ? value : 0;
}

/** A message of its properties, those of its recipients and its files. */
export function mailOf(
  properties: Properties,
  recipients: readonly Properties[],
  files: readonly ToldFile[],
  codepage = 0,
): ToldMail {
  const internet = labelOf(numberOf(properties, PID.internetCodepage));
  const charset = labelOf(numberOf(properties, PID.codepage)) || labelOf(codepage) || internet;
  const text = (id: number): string => textOf(properties, id, charset);
  const to = boxesOf(recipients, 1, charset);
  const cc = boxesOf(recipients, 2, charset);
  const line = (boxes: readonly Mailbox[]): string => formatMailboxes(boxes, LIMITS.headerChars);
  const from: Mailbox = {
    name: text(PID.representingName) || text(PID.senderName),
    address:
      smtpOf(text(PID.representingSmtp), text(PID.representingEmail)) ||
      smtpOf(text(PID.senderSmtp), text(PID.senderEmail)),
  };
  const time = numberOf(properties, PID.clientSubmitTime) || numberOf(properties, PID.deliveryTime);
  return {
    headers: {
      from: from.name === '' && from.address === '' ? '' : line([from]),
      to: to.length > 0 ? line(to) : text(PID.displayTo),
      cc: cc.length > 0 ? line(cc) : text(PID.displayCc),
      subject: text(PID.subject),
      date: time > 0 && time < 8.64e15 ? new Date(time).toISOString() : '',
      messageId: text(PID.messageId),
    },
    bodies: bodiesOf(properties, charset, internet),
    files,
  };
}

function smtpOf(smtp: string, email: string): string {
  // Exchange gives its own directory path, /O=ORG/…: no address for people.
  return smtp.includes('@') ? smtp : email.includes('@') ? email : '';
}

function boxesOf(recipients: readonly Properties[], type: number, charset: string): Mailbox[] {
  return recipients
    .filter((one) => (numberOf(one, PID.recipientType) & 0xf) === type)
    .map((one) => {
      const address = smtpOf(textOf(one, PID.smtp, charset), textOf(one, PID.email, charset));
      const name = textOf(one, PID.displayName, charset);
      return { name: name === address ? '' : name, address };
    });
}

function bodiesOf(properties: Properties, charset: string, internet: string): ToldBody[] {
  const bodies: ToldBody[] = [];
  const plain = properties.get(PID.body);
  if (typeof plain === 'string' && plain.trim() !== '')
    bodies.push({ type: 'text/plain', bytes: withoutEnd(Buffer.from(plain, 'utf8')), charset: 'utf-8' });
  else if (plain instanceof Buffer && plain.length > 1)
    bodies.push({ type: 'text/plain', bytes: withoutEnd(plain), charset });
  // Before HTML: of two rich forms the later one is shown (RFC 2046 §5.1.4).
  bodies.push(...rtfOf(properties));
  const html = properties.get(PID.html);
  if (typeof html === 'string' && html.trim() !== '')
    bodies.push({ type: 'text/html', bytes: Buffer.from(html, 'utf8'), charset: 'utf-8' });
  else if (html instanceof Buffer && html.length > 1)
    bodies.push({ type: 'text/html', bytes: withoutEnd(html), charset: internet || charset });
  return bodies;
}

function withoutEnd(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return bytes.subarray(0, end);
}

/** Bytes that RTF may inflate to (LZFu packs some 10 to 1 at best in honest mail). */
const RTF_BYTES = 32 * 1024 * 1024;

/** The body in RTF, which Outlook keeps beside or in place of the others. */
function rtfOf(properties: Properties): ToldBody[] {
  const packed = properties.get(PID.rtf);
  if (!(packed instanceof Buffer) || packed.length < 16) return [];
  if (packed.readUInt32LE(4) > RTF_BYTES) return [];
  let bytes: Uint8Array;
  try {
    bytes = Uint8Array.from(decompressRTF(Array.from(packed)));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    bytes = packed; // broken: its row will say so
  }
  return [{ type: 'application/rtf', bytes: Buffer.from(bytes), charset: '' }];
}

/** FILETIME (100 ns since 1601) as milliseconds since 1970. */
export function timeOf(filetime: bigint): number {
  return Number(filetime / 10_000n) - 11_644_473_600_000;
}
