// What the inner side does before it believes a package: signature, names, digests of every file, and the grammar of each by
// a reader of its own. It streams; what is kept in memory is what `keepBytes` allows, and those kept bytes are the very
// ones that were checked.
import { createHash, type KeyObject } from 'node:crypto';
import { LIMITS } from '../message/limits.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { ByteSource } from './byte-source.ts';
import { MANIFEST, openManifest, type Statement } from './manifest.ts';
import { Purse } from './purse.ts';
import { readFile } from './read-file.ts';
import type { OnPageImage } from './read-pdf.ts';
import { GateRefusal } from './refusal.ts';

/** A package as its place offers it. */
export interface PackageFiles {
  /** Names of the files under the package, path relative to it: of each folder `most` at most. */
  names(most: number): Promise<string[]>;
  get(name: string, cap: number): Promise<Buffer | undefined>;
  open(name: string): Promise<AsyncIterable<Uint8Array> | undefined>;
}

/** One checked file; `bytes` are undefined when it was over what the caller wanted kept. */
export interface VerifiedFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly bytes: Buffer | undefined;
}

/** A package whose signature, names, digests and forms held. Made here only. */
export interface VerifiedPackage {
  readonly __verified: true;
  readonly statement: Statement;
  readonly files: readonly VerifiedFile[];
}

/**
 * Verifies a package. `keepBytes`: files are kept in memory in manifest order while their sum stays below it.
 * Throws `GateRefusal` with the rule for anything that does not hold.
 */
export async function verifyPackage(
  source: PackageFiles,
  keys: ReadonlyMap<string, KeyObject>,
  keepBytes: number,
  signal: AbortSignal,
): Promise<VerifiedPackage> {
  const statement = await verifyManifest(source, keys);
  const files: VerifiedFile[] = [];
  const purse = new Purse(statement.subject.length);
  let room = keepBytes;
  for (const { name } of statement.subject) {
    const isText = name === 'message.txt'; // always kept: without it a mail says nothing
    const keep = isText ? LIMITS.messageTextBytes : room;
    const file = await verifyFile(source, statement, name, { keepBytes: keep, purse }, signal);
    // A mail whose text is not there would be an empty mail that nobody wonders about.
    if (isText && file.bytes === undefined)
      throw new GateRefusal('file-too-large', `over ${LIMITS.messageTextBytes} bytes`, { file: name });
    if (file.bytes !== undefined && !isText) room -= file.size;
    files.push(file);
  }
  return { statement, files } as unknown as VerifiedPackage;
}

/** Signature, form and list of a package, without reading its files. */
export async function verifyManifest(source: PackageFiles, keys: ReadonlyMap<string, KeyObject>): Promise<Statement> {
  const manifest = await source.get(MANIFEST, LIMITS.manifestBytes).catch((error: unknown) => {
    if (!(error instanceof MugaiError) || error.code !== 'too-large') throw error;
    throw new GateRefusal('file-too-large', `over ${LIMITS.manifestBytes} bytes`, { file: MANIFEST });
  });
  if (manifest === undefined) throw new GateRefusal('manifest-missing', 'there is no manifest');
  const statement = await openManifest(manifest, keys);
  const listed = new Set(statement.subject.map((subject) => subject.name));
  // One name more than there may be: the manifest, `files`, what is listed. A folder stuffed with others costs no more.
  for (const name of await source.names(listed.size + 3)) {
    if (name !== MANIFEST && !listed.has(name))
      throw new GateRefusal('file-unlisted', 'the manifest does not list it', { file: name });
  }
  return statement;
}

/** What is wanted of one file: its bytes when they are few enough, and each page image of a PDF. */
export interface Wanted {
  readonly keepBytes: number;
  /** Called for each page while the file is read; what it hears counts only when `verifyFile` resolves. */
  readonly onPage?: OnPageImage;
  /** What is left for all files of the package; one of its own unless given. */
  readonly purse?: Purse;
}

/**
 * Verifies one file that the manifest lists: digest and grammar, in one pass. What `onPage` was given and what is returned
 * are the very bytes that were checked.
 */
export async function verifyFile(
  source: PackageFiles,
  statement: Statement,
  name: string,
  { keepBytes, onPage, purse = new Purse() }: Wanted,
  signal: AbortSignal,
): Promise<VerifiedFile> {
  const sha256 = statement.subject.find((subject) => subject.name === name)?.digest.sha256;
  if (sha256 === undefined) throw new GateRefusal('file-unlisted', 'the manifest does not list it', { file: name });
  const stream = await source.open(name);
  if (stream === undefined) throw new GateRefusal('file-missing', 'it is not there', { file: name });
  const seen = new Seen(stream, { room: keepBytes, purse }, signal);
  const bytes = new ByteSource(seen.chunks());
  try {
    try {
      await readFile(name, bytes, onPage, purse);
    } catch (error) {
      if (!(error instanceof GateRefusal) || error.rule === 'file-too-large') throw error;
      // Which of the two is it: was the file changed after it was sealed, or was it sealed like this?
      for (let more = await bytes.chunk(); more !== undefined;) more = await bytes.chunk();
      if (seen.digest() === sha256) throw error;
      const where = error.offset === undefined ? {} : { offset: error.offset };
      throw new GateRefusal('file-digest', `not the file that was sealed (${error.detail})`, where);
    }
    if (seen.digest() !== sha256) throw new GateRefusal('file-digest', 'not the file that was sealed');
  } catch (error) {
    if (error instanceof GateRefusal) throw error.in(name);
    if (error instanceof MugaiError || signal.aborted) throw error;
    throw new MugaiError('store-failed', `cannot read ${name}: ${reasonOf(error)}`, { cause: error });
  } finally {
    await bytes.stop();
  }
  return { name, size: seen.size, sha256, bytes: seen.kept() };
}

/** Digests and keeps what goes by. */
class Seen {
  readonly #stream: AsyncIterable<Uint8Array>;
  readonly #room: number;
  readonly #purse: Purse;
  readonly #signal: AbortSignal;
  readonly #hash = createHash('sha256');
  #kept: Uint8Array[] | undefined = [];
  #digest: string | undefined;
  size = 0;

  constructor(
    stream: AsyncIterable<Uint8Array>,
    { room, purse }: { readonly room: number; readonly purse: Purse },
    signal: AbortSignal,
  ) {
    this.#stream = stream;
    this.#room = room;
    this.#purse = purse;
    this.#signal = signal;
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const bytes of this.#stream) {
      this.#signal.throwIfAborted();
      this.size += bytes.length;
      if (this.size > LIMITS.outputBytes) throw new GateRefusal('file-too-large', `over ${LIMITS.outputBytes} bytes`);
      this.#purse.bytes(bytes.length);
      this.#hash.update(bytes);
      if (this.size > this.#room) this.#kept = undefined;
      this.#kept?.push(bytes);
      yield bytes;
    }
  }

  /** Digest of all that went by, in hex. */
  digest(): string {
    this.#digest ??= this.#hash.digest('hex');
    return this.#digest;
  }

  kept(): Buffer | undefined {
    return this.#kept === undefined ? undefined : Buffer.concat(this.#kept);
  }
}
