// What the portal shows of a package is checked at that moment: the manifest's signature, and the digest of each file.
import { createHash, type KeyObject } from 'node:crypto';
import type { MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { MANIFEST, openManifest, type Statement } from '../outbox/manifest.ts';
import type { Outbox } from '../outbox/outbox.ts';

/** A file of a package whose digest held when it was looked at; size in bytes. */
export interface Checked {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

/** Bytes of whole files that are kept between two pages of a preview. */
const KEEP_BYTES = 128 * 1024 * 1024;

/** Reads packages for the portal. Nothing it hands out was not verified. */
export class Packages {
  readonly #outbox: Outbox;
  readonly #keys: ReadonlyMap<string, KeyObject>;
  /** Verified bytes of files under preview, the last used at the end. */
  readonly #kept = new Map<string, Buffer>();

  constructor(outbox: Outbox, keys: ReadonlyMap<string, KeyObject>) {
    this.#outbox = outbox;
    this.#keys = keys;
  }

  /** The signed statement of a message; `bad-package` when it does not hold. */
  async statement(id: MessageId): Promise<Statement> {
    const bytes = await this.#outbox.files(id).get(MANIFEST, LIMITS.manifestBytes);
    if (bytes === undefined) throw bad('no manifest');
    const statement = await openManifest(bytes, this.#keys);
    if (statement.predicate.id !== id) throw bad('it is the package of another message');
    return statement;
  }

  /** The whole of a file, verified; `too-large` over `cap`. */
  async bytes(id: MessageId, statement: Statement, name: string, cap: number): Promise<Buffer> {
    const wanted = digestOf(statement, name);
    const bytes = await this.#outbox.files(id).get(name, cap);
    if (bytes === undefined) throw bad(`file is missing: ${name}`);
    if (createHash('sha256').update(bytes).digest('hex') !== wanted) throw bad(`digest of ${name} differs`);
    return bytes;
  }

  /** As `bytes`, for somebody who will come again for another page of the same file. */
  async keptBytes(id: MessageId, statement: Statement, name: string): Promise<Buffer> {
    const key = `${id}/${digestOf(statement, name)}`;
    const bytes = this.#kept.get(key) ?? (await this.bytes(id, statement, name, LIMITS.outputBytes));
    this.#kept.delete(key);
    this.#kept.set(key, bytes);
    let total = 0;
    for (const one of this.#kept.values()) total += one.length;
    for (const [oldest, one] of this.#kept) {
      if (total <= KEEP_BYTES || this.#kept.size === 1) break;
      this.#kept.delete(oldest);
      total -= one.length;
    }
    return bytes;
  }

  /** Reads a file once from end to end and compares its digest: only then is it offered. Memory stays flat. */
  async check(id: MessageId, statement: Statement, name: string): Promise<Checked> {
    const wanted = digestOf(statement, name);
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of await this.#open(id, name)) {
      size += chunk.length;
      if (size > LIMITS.outputBytes) throw bad(`${name} is over ${LIMITS.outputBytes} bytes`);
      hash.update(chunk);
    }
    if (hash.digest('hex') !== wanted) throw bad(`digest of ${name} differs`);
    return { name, size, sha256: wanted };
  }

  /**
   * The bytes of a checked file. It is read a second time, so its digest is taken a second time: when it changed in
   * between, the last bytes are not handed out and the reader's download breaks off.
   */
  async *stream(id: MessageId, { name, size, sha256 }: Checked): AsyncGenerator<Uint8Array> {
    const hash = createHash('sha256');
    let left = size;
    let held: Uint8Array | undefined;
    for await (const chunk of await this.#open(id, name)) {
      left -= chunk.length;
      if (left < 0) throw bad(`${name} grew`);
      hash.update(chunk);
      if (held !== undefined) yield held;
      held = chunk;
    }
    if (left !== 0 || hash.digest('hex') !== sha256) throw bad(`${name} changed while it was read`);
    if (held !== undefined) yield held;
  }

  async #open(id: MessageId, name: string): Promise<AsyncIterable<Uint8Array>> {
    try {
      const stream = await this.#outbox.files(id).open(name);
      if (stream === undefined) throw bad(`file is missing: ${name}`);
      return stream;
    } catch (error) {
      if (error instanceof MugaiError) throw error;
      throw new MugaiError('store-failed', `cannot read ${name}: ${reasonOf(error)}`, { cause: error });
    }
  }
}

/** Digest of a listed file; a name that is not listed is no file of the package. */
function digestOf(statement: Statement, name: string): string {
  const subject = statement.subject.find((one) => one.name === name);
  if (subject === undefined) throw new MugaiError('not-found', `${name} is not listed`, { permanent: true });
  return subject.digest.sha256;
}

function bad(why: string): MugaiError {
  return new MugaiError('bad-package', why, { permanent: true });
}
