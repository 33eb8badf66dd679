// The port to durable bytes, with object semantics: put once, get, list by prefix, delete. Keys are `folder/name`.
import { MugaiError } from '../message/errors.ts';

/** Bytes that were written but are not visible yet; they become an object by `Store.commit`, or vanish by `discard`. */
export interface Staged {
  readonly size: number;
  /** sha256 in hex. */
  readonly sha256: string;
  /** The bytes themselves while they are few enough to be held in memory. */
  readonly inline: Uint8Array | undefined;
  /** The staged bytes from the start; may be called again. */
  open(): AsyncIterable<Uint8Array>;
  discard(): Promise<void>;
}

/** Takes bytes that will be staged. After `finish` or `abort` it takes no more. */
export interface StageWriter {
  /** Bytes taken so far. */
  readonly size: number;
  /** Adds a chunk; a promise when the disk must be waited for. Over the cap: `too-large`. */
  write(chunk: Uint8Array): void | Promise<void>;
  finish(): Staged;
  abort(): void;
}

/** Stages a whole stream. */
export async function stage(
  store: Store,
  chunks: AsyncIterable<Uint8Array>,
  cap: number,
  signal: AbortSignal,
): Promise<Staged> {
  const writer = store.begin(cap);
  try {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      await writer.write(chunk);
    }
    return writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/** One object of a commit. */
export interface Entry {
  readonly name: string;
  readonly content: Uint8Array | Staged;
}

/** What a store promises. Every driver passes one contract suite. */
export interface Store {
  /** Begins a staged object of at most `cap` bytes; the first `inlineBytes` stay in memory, more goes to disk. */
  begin(cap: number): StageWriter;
  /**
   * Makes a folder with these objects, all or nothing: when it resolves, every byte and name survives a power cut; when
   * the process dies before, the folder does not exist. `exists` when the folder was there already (nothing is changed).
   */
  commit(folder: string, entries: readonly Entry[]): Promise<'stored' | 'exists'>;
  /**
   * Adds objects to a folder, durable when it resolves; when it rejects, none of them is there. `exists` when there is one
   * of such a name: it is kept, and none is added.
   */
  put(folder: string, ...entries: readonly Entry[]): Promise<'stored' | 'exists'>;
  /**
   * Adds a small object that a power cut may take away again; one of that name is kept. On the file system it is there
   * when the call returns.
   */
  note(folder: string, name: string, bytes: Uint8Array): void | Promise<void>;
  /** An object's bytes; undefined when there is none. More than `cap` bytes: `too-large`; what is no plain file: `no-plain-file`. */
  get(folder: string, name: string, cap: number): Promise<Buffer | undefined>;
  /** An object's bytes as they come from the disk, undefined when there is none; `no-plain-file`. */
  open(
    folder: string,
    name: string,
  ): Promise<{ readonly size: number; readonly stream: AsyncIterable<Uint8Array> } | undefined>;
  /** True when there is such an object. */
  has(folder: string, name: string): boolean | Promise<boolean>;
  /**
   * Names directly under a folder ('' for the root), sorted; empty when there is no such folder. With `most` it reads so
   * many names at most, whichever come first, and holds up its caller for that long: for folders that should be small.
   */
  list(folder: string, most?: number): Promise<string[]>;
  /** Removes a folder with all it holds, or an object. */
  delete(folder: string): Promise<void>;
  /** Removes a folder that holds nothing; one that holds something, or is not there, is left as it is. */
  prune(folder: string): Promise<void>;
  /** Bytes that can still be written; undefined where the driver cannot tell. */
  freeBytes(): Promise<number | undefined>;
}

/** True for what `get` throws where something lies that nobody of ours wrote: over the cap, or no plain file. */
export function isForeign(error: unknown): boolean {
  return error instanceof MugaiError && (error.code === 'too-large' || error.code === 'no-plain-file');
}

/** As `Store.get`, where another zone may put anything: undefined, too, for what nobody of ours wrote. */
export async function getOurs(store: Store, folder: string, name: string, cap: number): Promise<Buffer | undefined> {
  try {
    return await store.get(folder, name, cap);
  } catch (error) {
    if (isForeign(error)) return undefined;
    throw error;
  }
}
