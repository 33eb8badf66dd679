// What the portal shows of a package is checked at that moment: the manifest's signature, the digest and form of each file.
import { createHash, type KeyObject } from 'node:crypto';
import type { MessageId } from '../message/id.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { MANIFEST, type Statement } from '../outbox/manifest.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { PageImage } from '../outbox/read-pdf.ts';
import { GateRefusal } from '../outbox/refusal.ts';
import { verifyFile, verifyManifest } from '../outbox/verify.ts';
import { noting, unchanged } from './blocks.ts';

/** A file of a package whose digest held when it was looked at; size in bytes. */
export interface Checked {
  readonly name: string;
  readonly size: number;
  /** Digests of its blocks. */
  readonly blocks: readonly string[];
}

/** Bytes of a file up to which the whole of it is kept between two pages of a preview, and of all kept files. */
const KEEP_FILE = 32 * 1024 * 1024;
const KEEP_ALL = 128 * 1024 * 1024;
/** Packages that did not hold which are remembered. */
const BROKEN = 10_000;
/** Files whose page tables are remembered. */
const TABLES = 50;

/** A page of a verified PDF: where its image lies, and the digest of those bytes. */
interface Page {
  readonly image: PageImage;
  readonly sha256: string;
}

/** A PDF that was verified from end to end. */
interface Previewed {
  readonly pages: readonly Page[];
  readonly bytes: Buffer | undefined;
}

/** Hears of a package that is not as it was sealed, like one that the gate refused. */
export type OnRefusal = (id: MessageId, refusal: GateRefusal) => void;

/** Reads packages for the portal. Nothing it hands out was not verified. */
export class Packages {
  readonly #outbox: Outbox;
  readonly #keys: ReadonlyMap<string, KeyObject>;
  /** Files under preview, the last used at the end. */
  readonly #previewed = new Map<string, Previewed>();
  /** Of packages that did not hold when they were looked at last: which of their files did not. */
  readonly #broken = new Map<MessageId, Set<string>>();

  readonly #onRefusal: OnRefusal;

  /** `onRefusal`: told of each look at which a package did not hold (any more). */
  constructor(outbox: Outbox, keys: ReadonlyMap<string, KeyObject>, onRefusal: OnRefusal = () => undefined) {
    this.#outbox = outbox;
    this.#keys = keys;
    this.#onRefusal = onRefusal;
  }

  /** The signed statement of a message; `bad-package` when it does not hold. */
  async statement(id: MessageId): Promise<Statement> {
    if ((await this.#outbox.find(id)) === undefined) await this.#missing(id);
    return this.#noting(id, MANIFEST, async () => {
      const statement = await verifyManifest(this.#outbox.files(id), this.#keys);
      if (statement.predicate.id !== id) throw new GateRefusal('manifest-id', 'it is the package of another message');
      return statement;
    });
  }

  /** True when something of the package did not hold when it was looked at last, whatever the index says. */
  isBroken(id: MessageId): boolean {
    return this.#broken.has(id);
  }

  /** Remembers what does not hold; what holds again is as it was. */
  async #noting<T>(id: MessageId, name: string, look: () => Promise<T>): Promise<T> {
    try {
      const seen = await look();
      const names = this.#broken.get(id);
      if (names?.delete(name) === true && names.size === 0) this.#broken.delete(id);
      return seen;
    } catch (error) {
      await this.#refused(id, name, error);
      throw error;
    }
  }

  /** Remembers and tells of what did not hold. */
  async #refused(id: MessageId, name: string, error: unknown): Promise<void> {
    if (!(error instanceof MugaiError) || error.code !== 'bad-package') return;
    const names = this.#broken.get(id) ?? new Set();
    this.#broken.set(id, names.add(name));
    const [oldest] = this.#broken.keys();
    if (this.#broken.size > BROKEN && oldest !== undefined) this.#broken.delete(oldest);
    await this.#tell(id, error);
  }

  /** Tells of a refusal. What is gone as a whole, with its outbox or after its time, was not tampered with. */
  async #tell(id: MessageId, error: unknown): Promise<void> {
    if (!(error instanceof GateRefusal)) return;
    const isGone = error.rule === 'file-missing' || error.rule === 'manifest-missing';
    if (isGone && (await this.#outbox.find(id).catch(() => undefined)) === undefined) return;
    this.#onRefusal(id, error);
  }

  /** A package that was there: deleted after its time, or the whole outbox is gone for a while. These are different answers. */
  async #missing(id: MessageId): Promise<never> {
    if (await this.#outbox.isThere()) throw new MugaiError('not-found', `package ${id} is not kept any more`);
    throw new MugaiError('store-failed', 'the outbox cannot be read');
  }

  /** The whole of a file, its digest and its form verified; `bad-package` over `cap`. */
  async bytes(id: MessageId, statement: Statement, name: string, cap: number): Promise<Buffer> {
    const never = new AbortController().signal;
    const file = await this.#noting(id, name, async () =>
      verifyFile(this.#outbox.files(id), statement, name, { keepBytes: cap }, never),
    );
    if (file.bytes === undefined) throw bad(`${name} is over ${cap} bytes`);
    return file.bytes;
  }

  /** The pages of a PDF of the package. */
  async pages(id: MessageId, statement: Statement, name: string): Promise<readonly PageImage[]> {
    return (await this.#preview(id, statement, name)).pages.map(({ image }) => image);
  }

  /** The image of one page (from 0) and its bytes as they lie in the PDF; undefined when there is no such page. */
  async page(
    id: MessageId,
    statement: Statement,
    name: string,
    at: number,
  ): Promise<{ readonly image: PageImage; readonly stored: Buffer } | undefined> {
    const { pages, bytes } = await this.#preview(id, statement, name);
    const page = pages[at];
    if (page === undefined) return undefined;
    const { offset, length } = page.image;
    if (bytes !== undefined) return { image: page.image, stored: bytes.subarray(offset, offset + length) };
    const stored = await this.#slice(id, name, offset, length);
    // A large file is read again for each page: these bytes must be those that were verified with the whole.
    if (createHash('sha256').update(stored).digest('hex') !== page.sha256) {
      const refusal = changed(name);
      await this.#refused(id, name, refusal);
      throw refusal;
    }
    return { image: page.image, stored };
  }

  async #preview(id: MessageId, statement: Statement, name: string): Promise<Previewed> {
    const key = `${id}/${name}/${digestOf(statement, name)}`;
    let previewed = this.#previewed.get(key);
    if (previewed === undefined) {
      const pages: Page[] = [];
      const onPage = (image: PageImage, data: Buffer): void =>
        void pages.push({ image, sha256: createHash('sha256').update(data).digest('hex') });
      const never = new AbortController().signal;
      const wanted = { keepBytes: KEEP_FILE, onPage };
      const { bytes } = await this.#noting(id, name, async () =>
        verifyFile(this.#outbox.files(id), statement, name, wanted, never),
      );
      previewed = { pages, bytes };
    }
    this.#previewed.delete(key);
    this.#previewed.set(key, previewed);
    let total = 0;
    for (const one of this.#previewed.values()) total += one.bytes?.length ?? 0;
    for (const [oldest, one] of this.#previewed) {
      if (this.#previewed.size === 1 || (total <= KEEP_ALL && this.#previewed.size <= TABLES)) break;
      this.#previewed.delete(oldest);
      total -= one.bytes?.length ?? 0;
    }
    return previewed;
  }

  async #slice(id: MessageId, name: string, from: number, length: number): Promise<Buffer> {
    const kept: Uint8Array[] = [];
    let at = 0;
    for await (const chunk of await this.#open(id, name)) {
      const begin = Math.max(0, from - at);
      const end = Math.min(chunk.length, from + length - at);
      if (begin < end) kept.push(chunk.subarray(begin, end));
      at += chunk.length;
      if (at >= from + length) break;
    }
    return Buffer.concat(kept);
  }

  /** Reads a file once from end to end, its digest and its form: only then is it offered. Memory stays flat. */
  async check(id: MessageId, statement: Statement, name: string): Promise<Checked> {
    const never = new AbortController().signal;
    const files = this.#outbox.files(id);
    const blocks: string[] = [];
    const open = async (): Promise<AsyncIterable<Uint8Array> | undefined> => {
      const stream = await files.open(name);
      return stream === undefined ? undefined : noting(stream, blocks);
    };
    const { size } = await this.#noting(id, name, async () =>
      verifyFile({ ...files, open }, statement, name, { keepBytes: 0 }, never),
    );
    return { name, size, blocks };
  }

  /**
   * The bytes of a checked file. It is read a second time: each block is compared with what was checked before it is handed
   * out. When the file changed in between, the reader's download breaks off, and no byte of the other file is in it.
   */
  async *stream(id: MessageId, { name, blocks }: Checked): AsyncGenerator<Uint8Array> {
    try {
      yield* unchanged(await this.#open(id, name), blocks, () => changed(name));
    } catch (error) {
      await this.#refused(id, name, error);
      throw error;
    }
  }

  async #open(id: MessageId, name: string): Promise<AsyncIterable<Uint8Array>> {
    try {
      const stream = await this.#outbox.files(id).open(name);
      if (stream === undefined) throw new GateRefusal('file-missing', 'it is not there any more', { file: name });
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

function changed(name: string): GateRefusal {
  return new GateRefusal('file-digest', 'it changed while it was read', { file: name });
}

function bad(why: string): MugaiError {
  return new MugaiError('bad-package', why, { permanent: true });
}
