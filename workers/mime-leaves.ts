// A mail as the nodes of its MIME tree and the decoded bytes of each leaf, streamed: mailparser's splitter, without its
// texts, addresses and attachment streams (it charset-decodes and joins text parts; measured in research/mail.md §4.2).
//
// Overrides `processChunk`, which mailparser marks internal: the version is pinned and test/workers/mail.test.ts holds it.
// oxlint-disable no-underscore-dangle -- names of node:stream and of mailsplit
import type { Transform } from 'node:stream';
import { MailParser } from 'mailparser';
import { LIMITS } from '../src/message/limits.ts';
import { Base64Text } from './base64-text.ts';
import { encodingOf, isBlank, withoutBoundaries } from './mime-lines.ts';
import { Refusal } from './run.ts';
import { UuDecoder } from './uuencode.ts';

/** What we use of mailsplit's MimeNode. */
interface SplitNode {
  readonly type: 'node';
  readonly root: boolean;
  readonly parentNode: SplitNode | false;
  readonly multipart: string | false;
  readonly contentType: string | false;
  readonly headers: false | { getList(): readonly HeaderLine[] };
  _boundary: Buffer | false;
  readonly flowed: boolean;
  readonly delSp: boolean;
  encoding: string | false;
  getDecoder(): Transform;
  parseHeaders(): void;
}

/** mailsplit's splitter: `node` is the one whose lines are being read. */
interface Splitter {
  node: SplitNode;
  readonly nodeCounter: number;
  newNode(parent?: SplitNode | false): void;
}

interface SplitBytes {
  readonly type: 'body' | 'data';
  readonly node: SplitNode;
  readonly value: Buffer;
}

type Done = (error?: Error | null) => void;

interface Internals {
  readonly splitter: Splitter;
  processChunk(chunk: SplitNode | SplitBytes, done: Done): void;
  getTextContent(): object;
}

interface Options {
  readonly maxHeadSize: number;
  readonly maxChildNodes: number;
  readonly ignoreEmbedded: boolean;
}

/** A header line: name in lower case, and the line as received, one latin1 character a byte. */
export interface HeaderLine {
  readonly key: string;
  readonly line: string;
}

/** A node of the tree. `path` counts from 1 at each level; a root multipart has an empty one, a root leaf [1]. */
export interface MimeNode {
  readonly path: readonly number[];
  readonly multipart: boolean;
  /** Lower case, as declared; `text/plain` where nothing was. */
  readonly type: string;
  readonly headers: readonly HeaderLine[];
  readonly flowed: boolean;
  readonly delSp: boolean;
  readonly root: boolean;
  /** Transfer encoding that nobody knows: the bytes are as sent. */
  readonly unknownEncoding: string;
  /** A multipart whose boundary is missing or never comes: all of it is given as one text leaf. */
  readonly rough: boolean;
}

/** Takes the nodes in order. Bytes and `end` belong to the last leaf. */
export interface LeafSink {
  node(node: MimeNode): void;
  bytes(chunk: Buffer): void;
  end(): void;
  /** Text before the first or after the last part of a multipart, with content in it. */
  stray(where: 'preamble' | 'epilogue', bytes: Buffer): void;
}

// The cast names what mailparser does not declare.
const Splitting = MailParser as unknown as new (options: Options) => Transform & Internals;

/** Bytes of a multipart's preamble that are kept until its first part shows that they are one. */
const PREAMBLE_BYTES = 1024 * 1024;

const CRLF = Buffer.from('\r\n');

interface Place {
  readonly path: readonly number[];
  children: number;
}

interface Leaf {
  readonly node: SplitNode;
  readonly write: (chunk: Buffer, done: Done) => void;
  readonly finish: (done: Done) => void;
}

export class MimeLeaves extends Splitting {
  readonly #sink: LeafSink;
  readonly #places = new Map<SplitNode, Place>();
  #leaf: Leaf | undefined;
  /** The last multipart while it has no child: what came before a first boundary. */
  #childless: { readonly node: SplitNode; readonly held: Buffer[]; size: number } | undefined;
  #epilogue: Buffer[] = [];
  readonly #disarmed = new WeakSet<SplitNode>();

  constructor(sink: LeafSink) {
    super({ maxHeadSize: LIMITS.headerBytes, maxChildNodes: LIMITS.parts, ignoreEmbedded: true });
    this.#sink = sink;
    const { splitter } = this;
    const newNode = splitter.newNode.bind(splitter);
    splitter.newNode = (parent) => {
      newNode(parent);
      this.#disarm(splitter.node);
    };
    this.#disarm(splitter.node);
  }

  /** A boundary parameter splits multiparts only: mailsplit would split a text/html by it, and no mail program does. */
  #disarm(node: SplitNode): void {
    const parse = node.parseHeaders.bind(node);
    node.parseHeaders = () => {
      parse();
      if (node.multipart !== false || node._boundary === false) return;
      node._boundary = false;
      this.#disarmed.add(node);
    };
  }

  /** Why the parser stopped: what its own error (one code for both of its limits) means to a reader. */
  refusalOf(error: unknown): Refusal {
    if (error instanceof Refusal) return error;
    if (!(error instanceof Error && 'code' in error && error.code === 'EMAXLEN')) throw error;
    return this.splitter.nodeCounter > LIMITS.parts
      ? new Refusal('too-many-parts', 'mail')
      : new Refusal('too-large', 'header');
  }

  override processChunk(chunk: SplitNode | SplitBytes, done: Done): void {
    try {
      if (chunk.type === 'node')
        this.#finishLeaf((error) => (error ? done(error) : this.#guard(done, () => this.#open(chunk))));
      else this.#bytes(chunk, done);
    } catch (error) {
      done(error as Error);
    }
  }

  override getTextContent(): object {
    return { type: 'text' };
  }

  /** After the last byte: ends the leaf that is open, gives what was held. */
  override _flush(done: Done): void {
    super._flush((error) => {
      if (error) return done(error);
      return this.#finishLeaf((failed) => (failed ? done(failed) : this.#guard(done, () => this.#close())));
    });
  }

  #guard(done: Done, act: () => void): void {
    try {
      act();
    } catch (error) {
      return done(error as Error);
    }
    return done();
  }

  #bytes({ node, value, type }: SplitBytes, done: Done): void {
    const leaf = this.#leaf;
    if (leaf !== undefined && leaf.node === node) return leaf.write(value, done);
    if (type === 'body') return done(); // after its leaf was closed: nothing reads it
    return this.#finishLeaf((error) => {
      if (error) return done(error);
      return this.#guard(done, () => this.#data(node, value));
    });
  }

  /** Bytes of a multipart outside its parts. A boundary line of a node to come has no headers yet. */
  #data(node: SplitNode, value: Buffer): void {
    if (node.headers === false) return;
    const text = withoutBoundaries(value, node);
    const childless = this.#childless;
    if (childless?.node === node) {
      if (childless.size < PREAMBLE_BYTES) childless.held.push(text.subarray(0, PREAMBLE_BYTES - childless.size));
      childless.size += text.length;
    } else if (this.#epilogue.length < 64) this.#epilogue.push(Buffer.from(text.subarray(0, 4096)));
  }

  #open(node: SplitNode): void {
    this.#closeEpilogue();
    const parent = node.parentNode === false ? undefined : this.#places.get(node.parentNode);
    if (this.#childless !== undefined) this.#settleChildless(node.parentNode === this.#childless.node);
    if (parent !== undefined) parent.children += 1;
    const whole = node.multipart !== false && node._boundary !== false;
    const path = parent === undefined ? (whole ? [] : [1]) : [...parent.path, parent.children];
    if (path.length > LIMITS.mimeDepth) throw new Refusal('too-deep', 'multiparts');
    this.#places.set(node, { path, children: 0 });
    if (whole) this.#childless = { node, held: [], size: 0 };
    const encoding = encodingOf(node.encoding);
    this.#sink.node({
      path,
      multipart: whole,
      type: node.multipart !== false && !whole ? 'text/plain' : typeOf(node),
      headers: node.headers === false ? [] : node.headers.getList(),
      flowed: node.flowed,
      delSp: node.delSp,
      root: parent === undefined,
      unknownEncoding: whole ? '' : encoding.unknown,
      rough: (node.multipart !== false && !whole) || this.#disarmed.has(node),
    });
    if (!whole) this.#leaf = this.#leafOf(node, encoding.name);
  }

  #leafOf(node: SplitNode, encoding: string): Leaf {
    const sink = this.#sink;
    if (encoding === 'uuencode') {
      const uu = new UuDecoder();
      return {
        node,
        write: (chunk, done) => this.#guard(done, () => sink.bytes(uu.push(chunk))),
        finish: (done) => this.#guard(done, () => (sink.bytes(uu.end()), sink.end())),
      };
    }
    if (encoding === '') {
      return {
        node,
        write: (chunk, done) => this.#guard(done, () => sink.bytes(chunk)),
        finish: (done) => this.#guard(done, () => sink.end()),
      };
    }
    node.encoding = encoding;
    const decoder = node.getDecoder();
    let failed: Error | undefined;
    decoder.on('data', (chunk: Buffer) => sink.bytes(chunk));
    decoder.on('error', (error: Error) => (failed ??= error));
    const text =
      encoding === 'base64' && (node.contentType || 'text/').startsWith('text/') ? new Base64Text() : undefined;
    return {
      node,
      write: (chunk, done) => void decoder.write(text?.push(chunk) ?? chunk, () => done(failed)),
      finish: (done) => {
        decoder.once('end', () =>
          this.#guard(done, () => {
            if (text !== undefined && text.tail.length > 0) for (const piece of [CRLF, ...text.tail]) sink.bytes(piece);
            sink.end();
          }),
        );
        decoder.end(text?.end());
      },
    };
  }

  #finishLeaf(done: Done): void {
    const leaf = this.#leaf;
    this.#leaf = undefined;
    if (leaf === undefined) done();
    else leaf.finish(done);
  }

  /** The last multipart got its first child (what was held is a preamble), or never will (it is all there is: text). */
  #settleChildless(hasChild: boolean): void {
    const childless = this.#childless;
    this.#childless = undefined;
    if (childless === undefined) return;
    const held = Buffer.concat(childless.held);
    if (isBlank(held)) return;
    if (hasChild) return this.#sink.stray('preamble', held);
    const place = this.#places.get(childless.node);
    if (place === undefined) return;
    place.children += 1;
    this.#sink.node({
      path: [...place.path, place.children],
      multipart: false,
      type: 'text/plain',
      headers: [],
      flowed: false,
      delSp: false,
      root: false,
      unknownEncoding: '',
      rough: true,
    });
    this.#sink.bytes(held);
    this.#sink.end();
  }

  #closeEpilogue(): void {
    if (this.#epilogue.length === 0) return;
    const bytes = Buffer.concat(this.#epilogue);
    this.#epilogue = [];
    if (!isBlank(bytes)) this.#sink.stray('epilogue', bytes);
  }

  #close(): void {
    this.#settleChildless(false);
    this.#closeEpilogue();
  }
}

/** `text` alone, of mailers before RFC 2045, is plain text. */
function typeOf(node: SplitNode): string {
  return node.contentType === false || node.contentType === '' || node.contentType === 'text'
    ? 'text/plain'
    : node.contentType;
}
