// S/MIME (RFC 8551): what is signed is opened, its signature neither checked nor shown; what is encrypted stays closed.
import { inflateSync } from 'node:zlib';
import { LIMITS } from '../src/message/limits.ts';
import { tellMessage } from './mail-message.ts';
import { Refusal, type Out } from './run.ts';

const OID = {
  signed: '2a864886f70d010702',
  enveloped: '2a864886f70d010703',
  encrypted: '2a864886f70d010706',
  authEnveloped: '2a864886f70d0109100117',
  compressed: '2a864886f70d0109100109',
} as const;

/** An element of BER (X.690 §8): tag byte and where its content lies; of indefinite length, to its end marker. */
interface Element {
  readonly tag: number;
  readonly from: number;
  readonly to: number;
  /** Start of the next element. */
  readonly next: number;
}

const DEPTH = 40;

/** Tells the mail in a signed (or compressed) CMS message. Encrypted ones are `encrypted`; a bare signature is `empty`. */
export async function tellSigned(input: Buffer, out: Out): Promise<void> {
  const bytes = binaryOf(input);
  let content: Buffer | undefined;
  try {
    content = contentOf(bytes);
  } catch (error) {
    if (error instanceof Refusal || !(error instanceof RangeError)) throw error;
    throw new Refusal('damaged', 'CMS');
  }
  if (content === undefined) throw new Refusal('empty', 'a signature without its content');
  out.finding('signature', 'S/MIME');
  const whole = content;
  await tellMessage(
    (async function* () {
      for (let at = 0; at < whole.length; at += LIMITS.frameBytes) yield whole.subarray(at, at + LIMITS.frameBytes);
    })(),
    out,
  );
}

/** PEM and bare base64 are undone. */
function binaryOf(input: Buffer): Buffer {
  if (input[0] === 0x30) return input;
  const text = input.toString('latin1').replace(/-----[^-\n]{1,60}-----/g, '');
  return /^[A-Za-z0-9+/=\s]+$/.test(text.slice(0, 1000)) ? Buffer.from(text, 'base64') : input;
}

function contentOf(bytes: Buffer): Buffer | undefined {
  const outer = childrenOf(bytes, elementAt(bytes, 0, bytes.length, 0));
  const type = oidOf(bytes, outer[0]);
  if (type === OID.enveloped || type === OID.encrypted || type === OID.authEnveloped)
    throw new Refusal('encrypted', 'S/MIME');
  const wrapped = outer[1];
  if ((type !== OID.signed && type !== OID.compressed) || wrapped === undefined) throw new Refusal('damaged', 'CMS');
  const body = childrenOf(bytes, only(bytes, wrapped));
  // SignedData and CompressedData alike: version, algorithms, then SEQUENCE { type, [0] content }.
  const encapsulated = body.find((element) => {
    if (element.tag !== 0x30) return false;
    const [first, second] = childrenOf(bytes, element);
    return first?.tag === 0x06 && (second === undefined || second.tag === 0xa0);
  });
  const explicit = encapsulated === undefined ? undefined : childrenOf(bytes, encapsulated)[1];
  if (explicit === undefined) return undefined;
  const content = octetsOf(bytes, only(bytes, explicit), 0);
  return type === OID.compressed ? inflateSync(content, { maxOutputLength: LIMITS.messageBytes }) : content;
}

function only(bytes: Buffer, element: Element): Element {
  const [first] = childrenOf(bytes, element);
  if (first === undefined) throw new RangeError('ber: empty');
  return first;
}

function oidOf(bytes: Buffer, element: Element | undefined): string {
  return element?.tag === 0x06 ? bytes.toString('hex', element.from, element.to) : '';
}

/** An OCTET STRING, in pieces or whole. */
function octetsOf(bytes: Buffer, element: Element, depth: number): Buffer {
  if (depth > DEPTH) throw new RangeError('ber: deep');
  if ((element.tag & 0x20) === 0) return bytes.subarray(element.from, element.to);
  return Buffer.concat(childrenOf(bytes, element).map((piece) => octetsOf(bytes, piece, depth + 1)));
}

function childrenOf(bytes: Buffer, element: Element): Element[] {
  const found: Element[] = [];
  for (let at = element.from; at < element.to;) {
    if (bytes[at] === 0 && bytes[at + 1] === 0) break;
    const child = elementAt(bytes, at, element.to, 0);
    found.push(child);
    at = child.next;
  }
  return found;
}

function elementAt(bytes: Buffer, at: number, end: number, depth: number): Element {
  if (depth > DEPTH) throw new RangeError('ber: deep');
  const tag = byteAt(bytes, at, end);
  if ((tag & 0x1f) === 0x1f) throw new RangeError('ber: long tag');
  const first = byteAt(bytes, at + 1, end);
  let from = at + 2;
  if (first === 0x80) {
    let inner = from;
    while (byteAt(bytes, inner, end) !== 0 || byteAt(bytes, inner + 1, end) !== 0)
      inner = elementAt(bytes, inner, end, depth + 1).next;
    return { tag, from, to: inner, next: inner + 2 };
  }
  let length = first;
  if (first > 0x80) {
    const count = first & 0x7f;
    if (count > 4) throw new RangeError('ber: length');
    length = 0;
    for (let index = 0; index < count; index++) length = length * 256 + byteAt(bytes, from + index, end);
    from += count;
  }
  if (from + length > end) throw new RangeError('ber: cut');
  return { tag, from, to: from + length, next: from + length };
}

function byteAt(bytes: Buffer, at: number, end: number): number {
  const byte = at < end ? bytes[at] : undefined;
  if (byte === undefined) throw new RangeError('ber: cut');
  return byte;
}
