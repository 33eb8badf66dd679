// A saved web page (MHTML, RFC 2557): its first page of HTML, and the pictures that it calls by their Content-ID or Content-Location.
import { once } from 'node:events';
import { LIMITS } from '../../src/message/limits.ts';
import { parametersOf } from '../header-params.ts';
import { decodeHeader } from '../header-words.ts';
import { lineOf } from '../mail-headers.ts';
import { MimeLeaves, type LeafSink, type MimeNode } from '../mime-leaves.ts';
import { Refusal } from '../run.ts';

/** What of a saved page is drawn. */
export interface SavedPage {
  readonly html: Buffer;
  /** As its part says it; '' when it does not. */
  readonly charset: string;
  readonly pictures: ReadonlyMap<string, Uint8Array>;
}

/** Reads a saved page. Throws a `Refusal` when there is no HTML in it, or more than the limits allow. */
export async function readMhtml(bytes: Buffer): Promise<SavedPage> {
  const parts = new Parts();
  const leaves = new MimeLeaves(parts);
  leaves.resume(); // its readable side says nothing we use
  try {
    const ended = once(leaves, 'end');
    leaves.end(bytes);
    await ended;
  } catch (error) {
    throw leaves.refusalOf(error);
  }
  if (parts.html === undefined) throw new Refusal('unsupported-type', 'no page in it');
  return { html: parts.html, charset: parts.charset, pictures: parts.pictures };
}

class Parts implements LeafSink {
  html: Buffer | undefined;
  charset = '';
  readonly pictures = new Map<string, Uint8Array>();
  #node: MimeNode | undefined;
  #chunks: Buffer[] = [];
  #size = 0;

  node(node: MimeNode): void {
    this.#node = node.multipart ? undefined : node;
    this.#chunks = [];
  }

  bytes(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > LIMITS.expandedBytes) throw new Refusal('too-large', 'parts');
    this.#chunks.push(chunk);
  }

  end(): void {
    const node = this.#node;
    if (node === undefined) return;
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [];
    if (/^(?:text\/html|application\/xhtml\+xml)$/.test(node.type) && this.html === undefined) {
      this.html = bytes;
      this.charset = parametersOf(lineOf(node.headers, 'content-type')).get('charset') ?? '';
    }
    if (!node.type.startsWith('image/')) return;
    const value = (name: string): string => decodeHeader(lineOf(node.headers, name)).trim();
    for (const name of [value('content-id').replace(/^<|>$/g, ''), value('content-location')])
      if (name !== '' && !this.pictures.has(name)) this.pictures.set(name, bytes);
  }

  stray(): void {
    // what stands between the parts is no page
  }
}
