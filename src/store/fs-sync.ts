// What a power cut leaves of names: a folder's entries are durable only after a sync of the folder.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { systemCode } from '../message/errors.ts';

const syncAll = promisify(fsync);

/** Makes a folder, and those above it that are missing; all their names survive a power cut when it resolves. */
export async function makeFolder(path: string): Promise<void> {
  const first = makeMissing(path, 0o700);
  // Where all stood already, whoever made them may have died before the sync.
  const last = dirname(first ?? dirname(path));
  for (let at = path; ; at = dirname(at)) {
    await syncPath(at);
    if (at === last || at === dirname(at)) return;
  }
}

/**
 * Makes what is missing of a path, one folder after the other; the first one made, if any. Not Node's `recursive`: that
 * never ends where a file system has no folder and makes none (`/proc/x`).
 */
export function makeMissing(path: string, mode: number): string | undefined {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return undefined;
  const above = dirname(path);
  const first = above === path ? undefined : makeMissing(above, mode);
  try {
    mkdirSync(path, { mode });
    return first ?? path;
  } catch (error) {
    // Somebody else made it at the same moment.
    if (systemCode(error) === 'EEXIST' && statSync(path).isDirectory()) return first;
    throw error;
  }
}

/** A name of its own each time: what a kill left of an earlier try is in nobody's way, in a container neither, where all are number 1. */
function workName(path: string): string {
  return `${path}.${randomBytes(6).toString('hex')}.new`;
}

/** Makes a file durable under a name that must be free (`EEXIST` otherwise): whole or not there, whatever happens. */
export async function putFile(path: string, bytes: string | Uint8Array, mode: number): Promise<void> {
  const folder = dirname(path);
  await makeFolder(folder);
  const work = workName(path);
  const fd = openSync(work, 'wx', mode);
  try {
    writeFileSync(fd, bytes);
    await syncAll(fd);
    linkSync(work, path);
  } finally {
    closeSync(fd);
    unlinkSync(work);
  }
  await syncPath(folder);
}

/**
 * Makes a file durable under a name that may be taken: what was there before, or all of this, whatever happens. Whose file it
 * was stays whose it is where root does this for somebody else.
 */
export async function replaceFile(path: string, bytes: string | Uint8Array, mode: number): Promise<void> {
  const work = workName(path);
  const before = statSync(path, { throwIfNoEntry: false });
  const fd = openSync(work, 'wx', mode);
  try {
    writeFileSync(fd, bytes);
    fchmodSync(fd, mode); // whatever the umask
    if (before !== undefined && process.getuid?.() === 0) fchownSync(fd, before.uid, before.gid);
    await syncAll(fd);
    renameSync(work, path);
  } catch (error) {
    unlinkSync(work);
    throw error;
  } finally {
    closeSync(fd);
  }
  await syncPath(dirname(path));
}

/** Shares directory fsyncs: whoever asks while one runs is served by the next one, which begins after the asking. */
export class DirectorySync {
  readonly #running = new Map<string, Promise<void>>();
  readonly #waiting = new Map<string, Promise<void>>();
  readonly #owed = new Set<string>();

  /** Owes a sync of a parent; paid before the next `sync` resolves. */
  later(path: string): void {
    this.#owed.add(path);
  }

  async sync(path: string): Promise<void> {
    if (this.#owed.size > 0) {
      const owed = [...this.#owed];
      await Promise.all(owed.map(syncPath));
      for (const paid of owed) this.#owed.delete(paid);
    }
    const running = this.#running.get(path);
    if (running === undefined) return this.#start(path);
    let waiting = this.#waiting.get(path);
    if (waiting === undefined) {
      waiting = running
        .catch(() => undefined) // its own callers hear of it; this one tries again
        .then(() => {
          this.#waiting.delete(path);
          return this.#start(path);
        });
      this.#waiting.set(path, waiting);
    }
    return waiting;
  }

  #start(path: string): Promise<void> {
    const run = syncPath(path).finally(() => this.#running.delete(path));
    this.#running.set(path, run);
    return run;
  }
}

/** fsync of a file or folder by its path. */
export async function syncPath(path: string): Promise<void> {
  const fd = openSync(path, 'r');
  try {
    await syncAll(fd);
  } finally {
    closeSync(fd);
  }
}
