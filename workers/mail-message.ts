// One mail (RFC 5322, MIME): its header fields, the nodes of its tree, the bytes and texts of its leaves, told to the host.
//
// Order on the wire: header fields and remarks of the mail; then for each node, in the order of the mail, `part`; for a leaf
// then its remarks, `bytes`, and for a text its `text`, and `partEnd`. Multiparts have no `partEnd`: paths say what is in what.
import { once } from 'node:events';
import { LIMITS } from '../src/message/limits.ts';
import { HEADER_FIELD, PART_KIND } from '../src/sandbox/wire.ts';
import { formatMailboxes, mailboxesOf, namesAnother } from './addresses.ts';
import { extractFiles, tellEmbedded, type EmbeddedFile } from './embedded-files.ts';
import { decodeHeader, hasBidi, isoDate, oneLine, type Tally } from './header-words.ts';
import { parametersOf } from './header-params.ts';
import { keptBytes, recordOf, textOfLeaf } from './leaf-text.ts';
import { mendHead } from './mail-head.ts';
import { MimeLeaves, type HeaderLine, type LeafSink, type MimeNode } from './mime-leaves.ts';
import type { Remark } from './remark.ts';
import type { Out } from './run.ts';
import { externalBodyText } from './told-parts.ts';

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

/** Bytes of frames that wait for more before they are written. */
const BURST_BYTES = 64 * 1024;
/** A part frame and its remarks, roughly. */
const NODE_BYTES = 2048;

// What is under text/ and no text, and reports that are text without being called so.
const NOT_TEXT = /^text\/rtf$/;
const EXTERNAL = 'message/external-body';
const REPORTS = new Set(['message/delivery-status', 'message/disposition-notification', 'message/feedback-report']);

/** Reads `input` to its end as a mail. */
export async function tellMessage(input: AsyncIterable<Buffer>, out: Out): Promise<void> {
  const head = await mendHead(input);
  for (const mend of head.mended) out.finding('odd-structure', mend);
  const burst = new Burst();
  const leaves = new MimeLeaves(new Teller(out, burst));
  leaves.resume(); // its readable side says nothing we use
  try {
    await feed(head.bytes, leaves, burst, out);
  } catch (error) {
    throw leaves.refusalOf(error);
  } finally {
    burst.end();
  }
}

/** Writes the mail into the parser as fast as it takes it. By hand: `pipeline` costs 0.06 ms, a third of a small mail. */
async function feed(bytes: AsyncIterable<Buffer>, leaves: MimeLeaves, burst: Burst, out: Out): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    leaves.once('end', resolve);
    leaves.once('error', reject);
  });
  const write = async (): Promise<void> => {
    for await (const chunk of bytes) {
      if (leaves.destroyed) return;
      await burst.drained(out);
      if (!leaves.write(chunk)) await Promise.race([once(leaves, 'drain'), ended]);
    }
    if (!leaves.destroyed) leaves.end();
  };
  await Promise.all([write(), ended]);
}

/** Frames of a small mail leave in one write: the host wakes once, not a dozen times (measured: 2.5 times the mails a second). */
class Burst {
  #held = 0;
  #waiting = false;

  constructor() {
    process.stdout.cork();
  }

  /** To be called before so many bytes are sent: what is held never grows beyond BURST_BYTES and one piece. */
  room(bytes: number): void {
    this.#held += bytes;
    if (this.#held <= BURST_BYTES) return;
    process.stdout.uncork();
    // A decoder may hand out bytes while the mail waits for the host: held back then, they would be waited for for ever.
    if (!this.#waiting) process.stdout.cork();
    this.#held = bytes;
  }

  /** Waits while the host is behind by more than a burst. */
  async drained(out: Out): Promise<void> {
    if (process.stdout.writableLength <= 2 * BURST_BYTES) return;
    process.stdout.uncork();
    this.#waiting = true;
    await out.drained();
    this.#waiting = false;
    process.stdout.cork();
  }

  end(): void {
    process.stdout.uncork();
  }
}

/** Tells the host what the splitter found. Holds the bytes of one text leaf at most. */
class Teller implements LeafSink {
  readonly #out: Out;
  readonly #burst: Burst;
  #text:
    | {
        readonly node: MimeNode;
        /** Said instead of what its bytes say. */
        readonly told?: string;
        readonly html: boolean;
        readonly charset: string;
        readonly chunks: Buffer[];
        size: number;
      }
    | undefined;

  constructor(out: Out, burst: Burst) {
    this.#out = out;
    this.#burst = burst;
  }

  node(node: MimeNode): void {
    this.#burst.room(NODE_BYTES);
    if (node.root) tellHeaders(node.headers, this.#out);
    const typeLine = lineOf(node.headers, 'content-type');
    const tally: Tally = { undecodable: 0, gaiji: 0 };
    const type = parametersOf(typeLine, tally);
    const dispositionLine = lineOf(node.headers, 'content-disposition');
    const disposition = parametersOf(dispositionLine, tally);
    const name = disposition.get('filename') ?? type.get('name') ?? '';
    const placed = /^[^:]*:\s*"?([A-Za-z-]+)/.exec(dispositionLine)?.[1]?.toLowerCase() ?? '';
    this.#out.part({
      path: node.path,
      kind: node.multipart ? PART_KIND.multipart : PART_KIND.leaf,
      type: node.type,
      name,
      disposition: placed,
      contentId: decodeHeader(lineOf(node.headers, 'content-id')).replace(/^<|>$/g, ''),
    });
    if (!node.root) tellDuplicates(node.headers, this.#out);
    tellLosses(tally, 'name', this.#out);
    if (hasBidi(name)) this.#out.finding('bidi-name', name);
    if (node.unknownEncoding !== '') this.#out.finding('unknown-encoding', node.unknownEncoding);
    if (node.rough) this.#out.finding('odd-structure', 'boundary');
    if (node.multipart && (typeLine.match(/boundary\s*(?:\*\d*\*?\s*)?=/gi)?.length ?? 0) > 1) {
      this.#out.finding('duplicate-header', 'boundary'); // two readers, two trees ("Inbox Invasion", CCS 2024)
    }
    if (node.type === EXTERNAL) {
      const where = externalBodyText(type);
      this.#out.finding('external-body', oneLine(where.split('\n').slice(1).join(' ')));
      this.#text = { node, told: where, html: false, charset: '', chunks: [], size: 0 };
      return;
    }
    const isBody = placed !== 'attachment' && (name === '' || (node.root && placed === ''));
    this.#text =
      !node.multipart && isBody && isText(node.type)
        ? { node, html: isHtml(node.type), charset: type.get('charset') ?? '', chunks: [], size: 0 }
        : undefined;
  }

  bytes(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#burst.room(chunk.length);
    this.#out.bytes(chunk);
    const text = this.#text;
    if (text === undefined) return;
    const room = keptBytes(text.html) - text.size;
    if (room > 0) text.chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    text.size += chunk.length;
  }

  end(): void {
    const text = this.#text;
    this.#text = undefined;
    if (text?.told !== undefined) {
      this.#burst.room(text.told.length);
      this.#out.text(text.told);
      this.#out.partEnd();
      return;
    }
    if (text !== undefined && text.size > 0) {
      const { node, html, charset, size } = text;
      const bytes = text.chunks.length === 1 ? (text.chunks[0] as Buffer) : Buffer.concat(text.chunks);
      const { rest, files } = html ? { rest: bytes, files: [] } : extractFiles(bytes, charset);
      const read = textOfLeaf(rest, {
        html,
        record: recordOf(node.type),
        charset,
        flowed: node.flowed,
        delSp: node.delSp,
        cut: size > keptBytes(html),
        // What a transfer encoding of an unknown name left may be text, or not.
        rough: node.rough || node.unknownEncoding !== '',
      });
      tell(read.findings, (code, detail) => this.#out.finding(code, detail));
      tell(read.losses, (code, detail) => this.#out.loss(code, detail));
      this.#burst.room(read.text.length);
      this.#out.text(withMarks(read.text, files));
      for (const { encoding, name } of files) this.#out.finding(encoding, name);
      this.#out.partEnd();
      for (const [index, file] of files.entries()) {
        this.#burst.room(file.bytes.length);
        tellEmbedded([...node.path, index + 1], file, this.#out);
      }
      return;
    }
    this.#out.partEnd();
  }

  stray(where: 'preamble' | 'epilogue', bytes: Buffer): void {
    const text = decodeHeader(`:${bytes.toString('latin1', 0, Math.min(bytes.length, 1000))}`);
    // The notice that every mailer puts there says nothing.
    if (where === 'preamble' && /multi-?part|MIME/i.test(text)) return;
    this.#out.loss(where, text.slice(0, 200));
  }
}

/** A line that names each file where it stood. */
function withMarks(text: string, files: readonly EmbeddedFile[]): string {
  if (files.length === 0) return text;
  return text.replace(/\u0002(\d{1,3})\u0002/g, (_mark, index: string) => {
    const file = files[Number(index)];
    return file === undefined ? '' : `［${file.encoding}: ${file.name}］`;
  });
}

function tell(remarks: readonly Remark[], say: (code: string, detail: string) => void): void {
  for (const { code, detail } of remarks) say(code, detail);
}

function isText(type: string): boolean {
  return (type.startsWith('text/') && !NOT_TEXT.test(type)) || REPORTS.has(type);
}

function isHtml(type: string): boolean {
  return type === 'text/html' || type === 'text/x-html' || type === 'text/x-amp-html';
}

function lineOf(headers: readonly HeaderLine[], key: string): string {
  return headers.find((header) => header.key === key)?.line ?? '';
}

/** Characters that reorder or hide letters: the host drops them from what is shown, here they are told (UTS #39 §4). */
function hides(text: string): boolean {
  return /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/u.test(text);
}

/** What of a header could not be read: told, as it is for bodies. */
function tellLosses({ undecodable, gaiji }: Tally, where: string, out: Out): void {
  if (undecodable > 0) out.loss('undecodable-bytes', `${where} ${undecodable}`);
  if (gaiji > 0) out.loss('gaiji', `${where} ${gaiji}`);
}

function tellHeaders(headers: readonly HeaderLine[], out: Out): void {
  for (const [key, field] of ADDRESS_FIELDS) {
    const lines = headers.filter((header) => header.key === key);
    const tally: Tally = { undecodable: 0, gaiji: 0 };
    const mailboxes = lines.flatMap((header) => mailboxesOf(header.line, tally));
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
    const text = decodeHeader(line, tally);
    out.header(field, text);
    if (key === 'subject' && hides(text)) out.finding('bidi-header', key);
    tellLosses(tally, key, out);
  }
  const date = lineOf(headers, 'date');
  if (date !== '') out.header(HEADER_FIELD.date, isoDate(date));
  tellDuplicates(headers, out);
}

function tellDuplicates(headers: readonly HeaderLine[], out: Out): void {
  const seen = new Set<string>();
  const told = new Set<string>();
  for (const { key } of headers) {
    if (!ONCE.has(key)) continue;
    if (seen.has(key) && !told.has(key)) out.finding('duplicate-header', key);
    if (seen.has(key)) told.add(key);
    seen.add(key);
  }
}
