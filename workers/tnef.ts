// TNEF (winmail.dat), which Outlook sends in place of MIME: the message and the files in it (MS-OXTNEF).
import { decodeText } from './charset.ts';
import { LIMITS } from '../src/message/limits.ts';
import { PID, labelOf, mailOf, textOf, timeOf, untilNul, type Properties } from './mapi.ts';
import { Refusal, type Out } from './run.ts';
import { tellMail, type ToldFile } from './told-mail.ts';

const SIGNATURE = 0x223e9f78;
const ATTRIBUTE = {
  subject: 0x00018004,
  body: 0x0002800c,
  dateSent: 0x00038005,
  messageId: 0x00018009,
  from: 0x00008000,
  properties: 0x00069003,
  recipients: 0x00069004,
  codepage: 0x00069007,
  fileStart: 0x00069002,
  fileTitle: 0x00018010,
  fileData: 0x0006800f,
  fileProperties: 0x00069005,
} as const;

interface OpenFile {
  title: Buffer;
  data: Buffer;
  properties: Properties;
}

/** A reader over bytes that never reads past their end: what is missing is `damaged`. */
class Cursor {
  readonly bytes: Buffer;
  at = 0;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  get left(): number {
    return this.bytes.length - this.at;
  }
  take(length: number): Buffer {
    if (length > this.left) throw new RangeError('tnef: cut');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  u8 = (): number => this.take(1).readUInt8();
  u16 = (): number => this.take(2).readUInt16LE();
  u32 = (): number => this.take(4).readUInt32LE();
}

/** Tells a TNEF stream. What can be read of a broken one is told, with a loss; nothing readable is `damaged`. */
export function tellTnef(bytes: Buffer, out: Out): void {
  const cursor = new Cursor(bytes);
  if (bytes.length < 6 || cursor.u32() !== SIGNATURE) throw new Refusal('damaged', 'no TNEF signature');
  cursor.take(2); // the key
  const found = readAttributes(cursor);
  const properties = new Map(found.properties);
  const put = (id: number, value: Buffer | undefined): void => {
    if (value !== undefined && value.length > 1 && !properties.has(id)) properties.set(id, value);
  };
  put(PID.subject, found.attributes.get(ATTRIBUTE.subject));
  put(PID.body, found.attributes.get(ATTRIBUTE.body));
  put(PID.messageId, found.attributes.get(ATTRIBUTE.messageId));
  const charset = labelOf(found.codepage);
  const files = found.files.map((file) => fileOf(file, charset));
  if (found.damaged && found.attributes.size === 0 && files.length === 0) throw new Refusal('damaged', 'TNEF');
  if (found.damaged) out.loss('damaged', 'TNEF');
  tellMail(mailOf(properties, found.recipients, files, found.codepage), out);
}

interface Found {
  readonly attributes: Map<number, Buffer>;
  properties: Properties;
  recipients: readonly Properties[];
  readonly files: readonly OpenFile[];
  codepage: number;
  damaged: boolean;
}

function readAttributes(cursor: Cursor): Found {
  const files: OpenFile[] = [];
  const found: Found = {
    attributes: new Map(),
    properties: new Map(),
    recipients: [],
    files,
    codepage: 0,
    damaged: false,
  };
  try {
    while (cursor.left > 0) {
      const level = cursor.u8();
      if (level !== 1 && level !== 2) {
        found.damaged = !isPadding(cursor);
        break;
      }
      const id = cursor.u32();
      const data = cursor.take(cursor.u32());
      cursor.take(2); // a checksum nobody computes alike
      if (level === 2) takeFile(id, data, files);
      else if (id === ATTRIBUTE.codepage && data.length >= 4) found.codepage = data.readUInt32LE();
      else if (id === ATTRIBUTE.properties) found.properties = propertiesOf(new Cursor(data));
      else if (id === ATTRIBUTE.recipients) found.recipients = recipientsOf(new Cursor(data));
      else found.attributes.set(id, data);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    found.damaged = true;
  }
  return found;
}

function isPadding(cursor: Cursor): boolean {
  return cursor.bytes.subarray(cursor.at - 1).every((byte) => byte === 0);
}

function takeFile(id: number, data: Buffer, files: OpenFile[]): void {
  if (id === ATTRIBUTE.fileStart) {
    if (files.length >= LIMITS.parts) throw new Refusal('too-many-parts', 'TNEF');
    files.push({ title: Buffer.alloc(0), data: Buffer.alloc(0), properties: new Map() });
    return;
  }
  const file = files.at(-1);
  if (file === undefined) return;
  if (id === ATTRIBUTE.fileTitle) file.title = data;
  else if (id === ATTRIBUTE.fileData) file.data = data;
  else if (id === ATTRIBUTE.fileProperties) file.properties = propertiesOf(new Cursor(data));
}

/** Interface ids before the bytes of an object: IMessage means that a TNEF stream follows. */
const MESSAGE_ID = Buffer.from('0703020000000000c000000000000046', 'hex');

function fileOf({ title, data, properties }: OpenFile, charset: string): ToldFile {
  const titled = decodeText(untilNul(title), charset).text;
  const name =
    textOf(properties, PID.attachLongName, charset) ||
    (titled === 'Untitled Attachment' ? textOf(properties, PID.attachFileName, charset) : '') ||
    titled ||
    textOf(properties, PID.displayName, charset);
  const object = properties.get(PID.attachData);
  const inside = object instanceof Buffer ? object : undefined;
  const message = inside?.subarray(0, 16).equals(MESSAGE_ID) === true;
  const bytes = inside === undefined ? data : isObject(inside) ? inside.subarray(16) : inside;
  const contentId = textOf(properties, PID.attachContentId, charset).replace(/^<|>$/g, '');
  const type = textOf(properties, PID.attachMime, charset).toLowerCase();
  return {
    name,
    contentId,
    type: message ? 'application/vnd.ms-tnef' : /^[\w.+-]+\/[\w.+-]+$/.test(type) ? type : 'application/octet-stream',
    bytes,
  };
}

function isObject(bytes: Buffer): boolean {
  return bytes.length > 16 && bytes.subarray(8, 16).equals(MESSAGE_ID.subarray(8));
}

function recipientsOf(cursor: Cursor): Properties[] {
  const rows = cursor.u32();
  const all: Properties[] = [];
  for (let row = 0; row < rows && all.length < LIMITS.recipients; row++) all.push(propertiesOf(cursor));
  return all;
}

const SIZES: Readonly<Record<number, number>> = {
  0x02: 4,
  0x03: 4,
  0x04: 4,
  0x05: 8,
  0x06: 8,
  0x07: 8,
  0x0a: 4,
  0x0b: 4,
  0x14: 8,
  0x40: 8,
  0x48: 16,
};
const STRING8 = 0x1e;
const UNICODE = 0x1f;
const OBJECT = 0x0d;
const BINARY = 0x102;
const MULTIPLE = 0x1000;

/** Properties by id; named ones (0x8000 and up) and values past the first are read over. */
function propertiesOf(cursor: Cursor): Properties {
  const count = cursor.u32();
  const found = new Map<number, Buffer | string | number>();
  for (let index = 0; index < count && cursor.left > 0; index++) {
    const type = cursor.u16();
    const id = cursor.u16();
    if (id >= 0x8000) skipName(cursor);
    const base = type & ~MULTIPLE;
    const variable = base === STRING8 || base === UNICODE || base === OBJECT || base === BINARY;
    const values = variable || (type & MULTIPLE) !== 0 ? cursor.u32() : 1;
    for (let value = 0; value < values && cursor.left > 0; value++) {
      const size = variable ? cursor.u32() : SIZES[base];
      if (size === undefined) throw new RangeError(`tnef: type ${type}`);
      const data = cursor.take(size);
      if (variable) cursor.take(Math.min(cursor.left, -size & 3));
      if (value === 0 && id < 0x8000 && !found.has(id)) found.set(id, valueOf(base, data));
    }
  }
  return found;
}

function skipName(cursor: Cursor): void {
  cursor.take(16);
  if (cursor.u32() === 0) cursor.take(4);
  else {
    const length = cursor.u32();
    cursor.take(length);
    cursor.take(Math.min(cursor.left, -length & 3));
  }
}

function valueOf(type: number, data: Buffer): Buffer | string | number {
  switch (type) {
    case UNICODE:
      return data.toString('utf16le');
    case 0x02:
    case 0x0b:
      return data.readUInt16LE();
    case 0x03:
      return data.readInt32LE();
    case 0x40:
      return timeOf(data.readBigUInt64LE());
    default:
      return data;
  }
}
