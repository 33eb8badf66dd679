// One mail (RFC 5322, MIME): its header fields, the nodes of its tree, the bytes and texts of its leaves, told to the host.
//
// Order on the wire: header fields and remarks of the mail; then for each node, in the order of the mail, `part`; for a leaf
// then its remarks, `bytes`, and for a text its `text`, and `partEnd`. Multiparts have no `partEnd`: paths say what is in what.
import { once } from 'node:events';
import { PART_KIND } from '../src/sandbox/wire.ts';
import { Burst } from './burst.ts';
import { extractFiles, tellEmbedded, type EmbeddedFile } from './embedded-files.ts';
import { decodeHeader, hasBidi, oneLine, type Tally } from './header-words.ts';
import { parametersOf } from './header-params.ts';
import { keptBytes, recordOf, textOfLeaf } from './leaf-text.ts';
import { mendHead } from './mail-head.ts';
import { lineOf, tellDuplicates, tellHeaders, tellLosses } from './mail-headers.ts';
import { MimeLeaves, type LeafSink, type MimeNode } from './mime-leaves.ts';
import { markOf, placeOf } from './picture-place.ts';
import type { Remark } from './remark.ts';
import type { Out } from './run.ts';
import { externalBodyText } from './told-parts.ts';

/** A part frame and its remarks, roughly. */
const NODE_BYTES = 2048;

// What is under text/ and no text, and reports that are text without being called so.
const NOT_TEXT = /^text\/rtf$/;
const EXTERNAL = 'message/external-body';
const REPORTS = /^message\/(?:(?:global-)?(?:delivery-status|disposition-notification|headers)|feedback-report)$/; // RFC 6533: those of UTF-8 addresses, too

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

/** Tells the host what the splitter found. Holds the bytes of one text leaf at most. */
class Teller implements LeafSink {
  readonly #out: Out;
  readonly #burst: Burst;
  /** Places of the multiparts whose parts belong together, by their paths. */
  readonly #related = new Map<string, string>();
  #text:
    | {
        readonly node: MimeNode;
        /** Said instead of what its bytes say. */
        readonly told?: string;
        readonly html: boolean;
        readonly beside?: string | undefined;
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
    const name = disposition.get('filename') || type.get('name') || '';
    const placed = /^[^:]*:\s*"?([A-Za-z-]+)/.exec(dispositionLine)?.[1]?.toLowerCase() ?? '';
    const id = decodeHeader(lineOf(node.headers, 'content-id')).replace(/^<|>$/g, '');
    const around = this.#around(node.path);
    const location = decodeHeader(lineOf(node.headers, 'content-location')).replace(/\s+/g, '');
    const place = placeOf(location, around ?? '');
    if (node.type === 'multipart/related') this.#related.set(node.path.join('.'), place);
    this.#out.part({
      path: node.path,
      kind: node.multipart ? PART_KIND.multipart : PART_KIND.leaf,
      type: node.type,
      charset: node.multipart ? '' : (type.get('charset') ?? ''),
      name,
      disposition: placed,
      contentId: [place === '' ? '' : markOf(place), id].filter((one) => one !== '').join(' '),
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
        ? {
            node,
            html: isHtml(node.type),
            beside: around === undefined ? undefined : place || around,
            charset: type.get('charset') ?? '',
            chunks: [],
            size: 0,
          }
        : undefined;
  }

  /** The place of the innermost multipart of related parts that a path lies in; undefined outside of any. */
  #around(path: readonly number[]): string | undefined {
    for (let depth = path.length - 1; depth >= 0; depth--) {
      const place = this.#related.get(path.slice(0, depth).join('.'));
      if (place !== undefined) return place;
    }
    return undefined;
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
      const { node, html, beside, charset, size } = text;
      const bytes = text.chunks.length === 1 ? (text.chunks[0] as Buffer) : Buffer.concat(text.chunks);
      const { rest, files } = html ? { rest: bytes, files: [] } : extractFiles(bytes, charset);
      const read = textOfLeaf(rest, {
        html,
        beside,
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
  return (type.startsWith('text/') && !NOT_TEXT.test(type)) || REPORTS.test(type);
}

function isHtml(type: string): boolean {
  return type === 'text/html' || type === 'text/x-html' || type === 'text/x-amp-html';
}
