// Bytes on their way into the file system store: the first in memory, more in a file without a final name.
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync, renameSync, rmSync, write as writeAsync } from 'node:fs';
import { promisify } from 'node:util';
import { LIMITS } from '../message/limits.ts';
import { MugaiError } from '../message/errors.ts';
import { storeError, type FaultPoint } from './fs-fault.ts';
import { READ_BYTES } from './fs-read.ts';
import type { StageWriter, Staged } from './store.ts';

const write = promisify(writeAsync);

/** Takes the bytes of one object. */
export class FsStageWriter implements StageWriter {
  readonly #cap: number;
  readonly #newPath: () => string;
  readonly #fault: FaultPoint;
  readonly #hash = createHash('sha256');
  #held: Uint8Array[] = [];
  #file: { readonly fd: number; readonly path: string } | undefined;
  /** Why a write failed: whatever came of it, the object is no whole any more. */
  #failed: MugaiError | undefined;
  /** Writes under way: their descriptor must not be closed, or the bytes go into whatever file gets its number next. */
  #under = 0;
  /** Finished, or given up: whoever still writes is late. */
  #over: 'finished' | 'aborted' | undefined;
  size = 0;

  constructor(cap: number, newPath: () => string, fault: FaultPoint) {
    this.#cap = cap;
    this.#newPath = newPath;
    this.#fault = fault;
  }

  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#failed !== undefined) throw this.#failed;
    if (this.#over !== undefined) throw new MugaiError('store-failed', `written after it was ${this.#over}`);
    this.size += chunk.length;
    if (this.size > this.#cap) throw new MugaiError('too-large', `more than ${this.#cap} bytes`, { permanent: true });
    this.#hash.update(chunk);
    if (this.#file === undefined && this.size <= LIMITS.inlineBytes) {
      this.#held.push(Uint8Array.prototype.slice.call(chunk)); // the caller may reuse its buffer
      return undefined;
    }
    return this.#writeFile(chunk);
  }

  finish(): Staged {
    const failed = this.#failed ?? this.#short();
    if (failed !== undefined) {
      this.abort(); // whoever asked has nothing to discard
      throw failed;
    }
    this.#over = 'finished';
    const sha256 = this.#hash.digest('hex');
    return this.#file === undefined
      ? new StagedBytes(Buffer.concat(this.#held), sha256)
      : new StagedFile(this.#file.fd, this.#file.path, this.size, sha256);
  }

  #short(): MugaiError | undefined {
    if (this.#file === undefined || fstatSync(this.#file.fd).size === this.size) return undefined;
    return new MugaiError('store-failed', `staged ${this.size} bytes, and the disk has another number`);
  }

  abort(): void {
    if (this.#over !== undefined) return;
    this.#over = 'aborted';
    this.#held = [];
    if (this.#under === 0) this.#drop();
  }

  #drop(): void {
    if (this.#file !== undefined) dropFile(this.#file.fd, this.#file.path);
    this.#file = undefined;
  }

  async #writeFile(chunk: Uint8Array): Promise<void> {
    this.#under += 1;
    try {
      if (this.#file === undefined) {
        const path = this.#newPath();
        this.#fault('write', path);
        this.#file = { fd: openSync(path, 'wx', 0o600), path };
        for (const first of this.#held) await writeWhole(this.#file.fd, first);
        this.#held = [];
      }
      this.#fault('write', this.#file.path);
      await writeWhole(this.#file.fd, chunk);
    } catch (error) {
      this.#failed = storeError(error, 'cannot stage');
      throw this.#failed;
    } finally {
      this.#under -= 1;
      if (this.#over === 'aborted' && this.#under === 0) this.#drop();
    }
  }
}

/** An object that is small enough to wait in memory. */
export class StagedBytes implements Staged {
  readonly bytes: Buffer;
  readonly sha256: string;
  constructor(bytes: Buffer, sha256: string) {
    this.bytes = bytes;
    this.sha256 = sha256;
  }
  get size(): number {
    return this.bytes.length;
  }
  get inline(): Uint8Array {
    return this.bytes;
  }
  open(): AsyncIterable<Uint8Array> {
    return once(this.bytes);
  }
  async discard(): Promise<void> {
    // Nothing but memory holds it.
  }
}

/** An object whose bytes are on the disk already, under a name of no meaning. */
export class StagedFile implements Staged {
  readonly fd: number;
  readonly size: number;
  readonly sha256: string;
  readonly inline = undefined;
  #path: string;
  #open = true;
  constructor(fd: number, path: string, size: number, sha256: string) {
    this.fd = fd;
    this.#path = path;
    this.size = size;
    this.sha256 = sha256;
  }
  open(): AsyncIterable<Uint8Array> {
    return createReadStream(this.#path, { highWaterMark: READ_BYTES });
  }
  /** Moves the bytes to their final name; they are the folder's from now on. */
  adopt(path: string): void {
    renameSync(this.#path, path);
    this.#path = path;
    if (this.#open) closeSync(this.fd);
    this.#open = false;
  }
  async discard(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    dropFile(this.fd, this.#path);
  }
}

/** Writes all of it, however many calls that takes. */
export async function writeWhole(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += (await write(fd, bytes, at, bytes.length - at)).bytesWritten;
}

function dropFile(fd: number, path: string): void {
  closeSync(fd);
  rmSync(path, { force: true });
}

/** A stream of these bytes. */
export async function* once(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  if (bytes.length > 0) yield bytes;
}
