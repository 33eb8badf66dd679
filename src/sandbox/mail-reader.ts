// Host side of the mail family: believes nothing. Every frame is checked against a small grammar and the limits of the road
// before a handler hears of it; texts are cleaned here.
//
//   mail   = { header | finding | loss } { node }
//   node   = part(multipart) { finding | loss }
//          | part(leaf) { finding | loss | bytes | text } partEnd
//
// Paths come in the order of the tree: the first is [] (a root multipart) or [1]; each next is the next child of a multipart
// that was named before, or of a leaf with text that was ended: a file that was written into the text.
import { LIMITS } from '../message/limits.ts';
import type { Remark } from '../message/part.ts';
import { countInvisible, forLine, forText } from '../message/untrusted.ts';
import type { FrameSink } from './child.ts';
import { RemarkReader } from './remark-reader.ts';
import { FRAME, FieldReader, HEADER_FIELD, PART_KIND, WireError, strictText, type Frame } from './wire.ts';

export type HeaderName = keyof typeof HEADER_FIELD;

/** A node of the MIME tree, cleaned. `path` counts from 1 at each level; a root multipart's is empty. */
export interface MailNode {
  readonly path: readonly number[];
  readonly kind: 'leaf' | 'multipart';
  /** Lower case; `application/octet-stream` where the declared one is no MIME type. */
  readonly type: string;
  /** What the mail says of a leaf's charset, in the letters of such names; '' when nothing. */
  readonly charset: string;
  /** File name as declared, one line; '' when none. */
  readonly name: string;
  readonly disposition: '' | 'inline' | 'attachment';
  readonly contentId: string;
}

/** Told what a mail holds, in its order. Remarks between a node and the next belong to the node, others to the mail. */
export interface MailHandlers {
  onHeader(field: HeaderName, text: string): void;
  onPart(node: MailNode): void | Promise<void>;
  /** Transfer-decoded bytes of the current leaf; the chunk is valid until the returned promise settles. */
  onBytes(chunk: Buffer): void | Promise<void>;
  /** Plain text of the current leaf, in pieces, cleaned (contract C1). */
  onText(piece: string): void;
  onPartEnd(): void | Promise<void>;
  onFinding(remark: Remark): void;
  onLoss(remark: Remark): void;
}

const TYPE = /^([a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+)(?:;charset=([\w.:+-]{1,60}))?$/;
const FIELD_NAMES = new Map<number, HeaderName>(
  (Object.keys(HEADER_FIELD) as HeaderName[]).map((name) => [HEADER_FIELD[name], name]),
);
/** Texts of all leaves together: a mail has one or two bodies, and children may repeat them. */
const ALL_TEXT = LIMITS.textChars * 4;

export class MailReader {
  readonly #handlers: MailHandlers;
  readonly #remarks: RemarkReader;
  readonly #headers = new Set<HeaderName>();
  /** Children seen of each multipart, by its path. */
  readonly #multiparts = new Map<string, number>();
  #nodes = 0;
  #inLeaf = false;
  /** The path of the current leaf: files that were written into its text may follow as its children. */
  #leaf = '';
  #bytes = 0;
  #text = 0;
  #allText = 0;
  #invisible = 0;

  constructor(handlers: MailHandlers) {
    this.#handlers = handlers;
    this.#remarks = new RemarkReader(handlers);
  }

  /** Takes the next frame; a `WireError` means that the child lies or is broken. */
  readonly take: FrameSink = (frame) => {
    switch (frame.type) {
      case FRAME.header:
        return this.#header(frame);
      case FRAME.part:
        return this.#part(frame);
      case FRAME.bytes:
        return this.#takeBytes(frame);
      case FRAME.text:
        return this.#takeText(frame);
      case FRAME.partEnd:
        return this.#partEnd(frame);
      case FRAME.finding:
      case FRAME.loss:
        return this.#remarks.take(frame);
      default:
        throw new WireError(`frame ${frame.type} in a mail`);
    }
  };

  /** To be called when the child says that it is done: a leaf that was not ended is a `WireError`. */
  finish(): void {
    if (this.#inLeaf) throw new WireError('mail cut inside a part');
  }

  #header(frame: Frame): void {
    if (this.#nodes > 0) throw new WireError('header after a part');
    const fields = new FieldReader(frame.payload);
    const name = FIELD_NAMES.get(fields.u32());
    const text = fields.text(LIMITS.headerChars * 4);
    fields.end();
    if (name === undefined) throw new WireError('unknown header field');
    if (this.#headers.has(name)) throw new WireError(`header ${name} twice`);
    this.#headers.add(name);
    this.#handlers.onHeader(name, name === 'date' ? isoOrNothing(text) : forLine(text, LIMITS.headerChars));
  }

  #part(frame: Frame): void | Promise<void> {
    if (this.#inLeaf) throw new WireError('part inside a part');
    if (this.#nodes >= LIMITS.parts) throw new WireError('too many parts');
    const fields = new FieldReader(frame.payload);
    const depth = fields.u32(LIMITS.mimeDepth);
    const path: number[] = [];
    for (let level = 0; level < depth; level++) path.push(fields.u32(LIMITS.parts));
    const kind = fields.u32();
    const [, type = '', charset = ''] = TYPE.exec(fields.text(1000).toLowerCase()) ?? [];
    const name = fields.text(8000);
    const disposition = fields.text(200).toLowerCase();
    const contentId = fields.text(2000);
    fields.end();
    if (kind !== PART_KIND.leaf && kind !== PART_KIND.multipart) throw new WireError(`part of kind ${kind}`);
    this.#place(path, kind === PART_KIND.multipart);
    this.#nodes += 1;
    this.#inLeaf = kind === PART_KIND.leaf;
    this.#text = 0;
    return this.#handlers.onPart({
      path,
      kind: this.#inLeaf ? 'leaf' : 'multipart',
      type: type !== '' && type.length <= 200 ? type : 'application/octet-stream',
      charset,
      name: forLine(name, 300),
      disposition: disposition === '' || disposition === 'inline' ? disposition : 'attachment',
      contentId: forLine(contentId, 300),
    });
  }

  /** Holds the path against the tree so far. */
  #place(path: readonly number[], multipart: boolean): void {
    const own = path.join('.');
    if (this.#nodes === 0) {
      if (multipart ? own !== '' : own !== '1') throw new WireError(`first path ${own}`);
    } else {
      const parent = path.slice(0, -1).join('.');
      const children = path.length === 0 ? undefined : this.#multiparts.get(parent);
      if (children === undefined || path[path.length - 1] !== children + 1)
        throw new WireError(`path ${own} out of order`);
      this.#multiparts.set(parent, children + 1);
    }
    if (multipart) this.#multiparts.set(own, 0);
    else this.#leaf = own;
  }

  #takeBytes(frame: Frame): void | Promise<void> {
    if (!this.#inLeaf) throw new WireError('bytes outside a part');
    if (frame.payload.length === 0) throw new WireError('no bytes in a frame of them');
    this.#bytes += frame.payload.length;
    if (this.#bytes > LIMITS.expandedBytes) throw new WireError('more bytes than allowed');
    return this.#handlers.onBytes(frame.payload);
  }

  #takeText(frame: Frame): void {
    if (!this.#inLeaf) throw new WireError('text outside a part');
    if (frame.payload.length === 0) throw new WireError('no text in a frame of it');
    const piece = strictText(frame.payload);
    this.#text += piece.length;
    this.#allText += piece.length;
    if (this.#text > LIMITS.textChars || this.#allText > ALL_TEXT) throw new WireError('more text than allowed');
    this.#invisible += countInvisible(piece);
    this.#handlers.onText(forText(piece));
  }

  #partEnd(frame: Frame): void | Promise<void> {
    new FieldReader(frame.payload).end();
    if (!this.#inLeaf) throw new WireError('end of no part');
    this.#inLeaf = false;
    if (this.#text > 0) this.#multiparts.set(this.#leaf, 0);
    if (this.#invisible > 0)
      this.#handlers.onFinding({ code: 'invisible-characters', detail: String(this.#invisible) });
    this.#invisible = 0;
    return this.#handlers.onPartEnd();
  }
}

function isoOrNothing(text: string): string {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/.test(text) ? text : '';
}
