// An Outlook item (.msg, MS-OXMSG): msgreader walks the compound file, its properties become a message.
import msgreader, { type FieldsData } from '@kenjiuno/msgreader';
import { mailOf, numberOf, PID, textOf, labelOf, type Properties } from './mapi.ts';
import { Refusal, type Out } from './run.ts';
import { tellMail, type ToldFile } from './told-mail.ts';

const MsgReader = msgreader.default; // CommonJS: Node's ESM wraps its default export once more

/** Tells an Outlook item. What msgreader cannot walk is `damaged`. */
export function tellMsg(bytes: Buffer, out: Out): void {
  const { item, contentOf } = open(bytes);
  const properties = propertiesOf(item);
  const kind = textOf(properties, 0x001a, '');
  if (kind !== '' && !/^(?:IPM\.Note|IPM$)/i.test(kind)) out.finding('outlook-item', kind);
  const charset = labelOf(numberOf(properties, PID.codepage)) || labelOf(numberOf(properties, PID.internetCodepage));
  const files = (item.attachments ?? []).map((attachment) => fileOf(attachment, contentOf, charset));
  tellMail(mailOf(properties, (item.recipients ?? []).map(propertiesOf), files), out);
}

interface Opened {
  readonly item: FieldsData;
  readonly contentOf: (attachment: FieldsData) => Uint8Array;
}

/** msgreader throws strings and errors of all kinds at broken files: each means the same. */
function open(bytes: Buffer): Opened {
  try {
    const reader = new MsgReader(new DataView(bytes.buffer, bytes.byteOffset, bytes.length));
    // latin1 keeps the bytes of 8-bit text: its charset is one of the item's properties, or has to be guessed.
    reader.parserConfig = { ansiEncoding: 'latin1', includeRawProps: true };
    const item = reader.getFileData();
    if (item.error !== undefined) throw new Error(item.error);
    return { item, contentOf: (attachment) => reader.getAttachment(attachment).content };
  } catch (error) {
    throw new Refusal('damaged', error instanceof Error ? error.message : String(error));
  }
}

/** The properties of an item, a recipient or an attachment; of two with one id, the one with more in it. */
function propertiesOf(item: FieldsData): Properties {
  const found = new Map<number, Buffer | string | number>();
  for (const { propertyTag = '', value } of item.rawProps ?? []) {
    const id = Number.parseInt(propertyTag.slice(0, 4), 16);
    const type = propertyTag.slice(4).toLowerCase();
    if (!(id < 0x8000) || found.has(id)) continue;
    if (typeof value === 'number' || typeof value === 'boolean') found.set(id, Number(value));
    else if (value instanceof Uint8Array) found.set(id, Buffer.from(value));
    else if (typeof value === 'string')
      found.set(id, type === '001e' ? Buffer.from(value, 'latin1') : type === '0040' ? Date.parse(value) : value);
  }
  return found;
}

function fileOf(attachment: FieldsData, contentOf: Opened['contentOf'], charset: string): ToldFile {
  const properties = propertiesOf(attachment);
  const item = attachment.innerMsgContent === true;
  const name =
    (item ? textOf(properties, PID.displayName, charset) : '') || // its file name is Outlook's "Untitled Attachment"
    textOf(properties, PID.attachLongName, charset) ||
    textOf(properties, PID.attachFileName, charset) ||
    textOf(properties, PID.displayName, charset);
  const mime = textOf(properties, PID.attachMime, charset).toLowerCase();
  let bytes: Uint8Array;
  try {
    bytes = contentOf(attachment);
  } catch {
    bytes = new Uint8Array(); // its row says that it is empty: nothing of it can be read
  }
  return {
    name: item && !/\.msg$/i.test(name) ? `${name}.msg` : name,
    type: item ? 'application/vnd.ms-outlook' : /^[\w.+-]+\/[\w.+-]+$/.test(mime) ? mime : 'application/octet-stream',
    contentId: textOf(properties, PID.attachContentId, charset).replace(/^<|>$/g, ''),
    bytes,
  };
}
