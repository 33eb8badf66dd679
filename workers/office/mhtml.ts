// A saved web page (MHTML, RFC 2557): its first page of HTML, and the pictures that it calls by their Content-ID or Content-Location.
import { once } from 'node:events';
import { LIMITS } from '../../src/message/limits.ts';
import { parametersOf } from '../header-params.ts';
import { decodeHeader } from '../header-words.ts';
import { lineOf } from '../mail-headers.ts';
import { MimeLeaves, type LeafSink, type MimeNode } from '../mime-leaves.ts';
import { placeOf } from '../picture-place.ts';
import { Refusal } from '../run.ts';

/** What of a saved page is drawn. */
export interface SavedPage {
  readonly html: Buffer;
  /** As its part says it; '' when it does not. */
  readonly charset: string;
  /** Where it was; '' when its parts do not say. */
  readonly place: string;
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
  const { html, charset, place, pictures } = parts;
  return { html, charset, place, pictures };
}

class Parts implements LeafSink {
  html: Buffer | undefined;
  charset = '';
  place = '';
  #base = '';
  readonly pictures = new Map<string, Uint8Array>();
  #node: MimeNode | undefined;
  #chunks: Buffer[] = [];
  #size = 0;

  node(node: MimeNode): void {
    if (node.multipart) this.#base = locationOf(node) || this.#base;
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
      this.place = placeOf(locationOf(node), this.#base) || this.#base;
      this.charset = parametersOf(lineOf(node.headers, 'content-type')).get('charset') ?? '';
    }
    if (!node.type.startsWith('image/')) return;
    const id = decodeHeader(lineOf(node.headers, 'content-id')).trim().replace(/^<|>$/g, '');
    for (const name of [id, placeOf(locationOf(node), this.#base)])
      if (name !== '' && !this.pictures.has(name)) this.pictures.set(name, bytes);
  }

  stray(): void {
    // what stands between the parts is no page
  }
}

function locationOf(node: MimeNode): string {
  return decodeHeader(lineOf(node.headers, 'content-location')).replace(/\s+/g, '');
}
