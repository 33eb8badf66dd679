// The requests folder: one file a request, written once by the inner side, read and then removed by the worker.
import type { KeyObject } from 'node:crypto';
import { newMessageId, parseMessageId, type MessageId } from '../message/id.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { isForeign, type Store } from '../store/store.ts';
import {
  REQUEST_BYTES,
  decodeRequest,
  encodeRequest,
  type DeleteRequest,
  type OriginalRequest,
  type RenderRequest,
  type Request,
  type RunLimits,
  type TextRequest,
} from './request.ts';
import { sealPasswords } from './sealed-box.ts';

const FOLDER = 'waiting';

/** What a request is about, and who asks. */
export interface Asked {
  readonly id: MessageId;
  /** Path of the part; '' for the whole message. */
  readonly part: string;
  readonly by: string;
}

/** The inner side's end: each call makes one durable request and tells its id, which is the id of the package that will answer. */
export class RequestWriter {
  readonly #store: Store;
  readonly #key: KeyObject;
  /** `key`: the worker's public X25519 key. */
  constructor(store: Store, key: KeyObject) {
    this.#store = store;
    this.#key = key;
  }

  /** Asks to try these passwords on what is held. `bad-input` when there are none, too many, or one is too long. */
  async password(asked: Asked, passwords: readonly string[]): Promise<MessageId> {
    const request = newMessageId();
    const box = sealPasswords(passwords, this.#key, { request, id: asked.id, part: asked.part });
    return this.#put({ kind: 'password', ...head(request, asked), box });
  }

  /** Asks for pages once more, at another resolution or in all their colours. */
  async render(asked: Asked, pages: Pick<RenderRequest, 'dpi' | 'from' | 'to' | 'colour'>): Promise<MessageId> {
    return this.#put({ kind: 'render', ...head(newMessageId(), asked), ...pages });
  }

  /** Asks for a part as text, or as the values of its sheets. */
  async text(asked: Asked, form: TextRequest['form']): Promise<MessageId> {
    return this.#put({ kind: 'text', ...head(newMessageId(), asked), form });
  }

  /** Asks for an original. */
  async original(
    asked: Asked,
    why: Omit<OriginalRequest, 'kind' | 'request' | 'id' | 'part' | 'by' | 'at'>,
  ): Promise<MessageId> {
    return this.#put({ kind: 'original', ...head(newMessageId(), asked), ...why });
  }

  /** Asks to try a waiting message now. */
  async retry(asked: Asked): Promise<MessageId> {
    return this.#put({ kind: 'retry', ...head(newMessageId(), asked) });
  }

  /** Asks to make a message harmless once more, with these limits. */
  async rerun(asked: Asked, limits: RunLimits): Promise<MessageId> {
    return this.#put({ kind: 'rerun', ...head(newMessageId(), asked), limits });
  }

  /** Asks to delete a message for good. */
  async remove(asked: Asked, why: Pick<DeleteRequest, 'reason' | 'confirmedBy'>): Promise<MessageId> {
    return this.#put({ kind: 'delete', ...head(newMessageId(), asked), ...why });
  }

  /** True while the worker has not answered. */
  async waiting(request: MessageId): Promise<boolean> {
    return this.#store.has(FOLDER, nameOf(request));
  }

  async #put(request: Request): Promise<MessageId> {
    await this.#store.put(FOLDER, { name: nameOf(request.request), content: encodeRequest(request) });
    return request.request as MessageId;
  }
}

/** A file of the folder: a request, or what is wrong with it. */
export type Found =
  | { readonly name: string; readonly request: Request }
  | { readonly name: string; readonly fault: string };

/** The worker's end. */
export class RequestReader {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  /** Names of all files that wait, oldest first. */
  async names(): Promise<string[]> {
    return this.#store.list(FOLDER);
  }

  /** The request in a file; undefined when it was answered meanwhile. A file that is none is told with its fault; nothing is thrown for it. */
  async read(name: string): Promise<Found | undefined> {
    try {
      const bytes = await this.#store.get(FOLDER, name, REQUEST_BYTES);
      if (bytes === undefined) return undefined;
      const request = decodeRequest(bytes);
      if (nameOf(request.request) !== name || parseMessageId(request.id) === undefined)
        throw new MugaiError('bad-record', 'a request under another name', { permanent: true });
      return { name, request };
    } catch (error) {
      const isNone = error instanceof MugaiError && error.code === 'bad-record';
      if (!isNone && !isForeign(error)) throw error;
      return { name, fault: reasonOf(error) };
    }
  }

  /** Removes a request that was answered, or that never will be. */
  async remove(name: string): Promise<void> {
    await this.#store.delete(`${FOLDER}/${name}`);
  }
}

function head(
  request: MessageId,
  { id, part, by }: Asked,
): { request: string; id: string; part: string; by: string; at: string } {
  return { request, id, part, by, at: new Date().toISOString() };
}

function nameOf(request: string): string {
  return `${request}.json`;
}
