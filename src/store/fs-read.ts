// Reading from the file system store without a turn through the thread pool where that costs more than the reading.
import { closeSync, constants, existsSync, fstatSync, lstatSync, opendirSync, openSync, readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { LIMITS } from '../message/limits.ts';
import { MugaiError, systemCode } from '../message/errors.ts';
import { isAbsent } from './fs-fault.ts';

/** Bytes of one read of a large object. */
export const READ_BYTES = 256 * 1024;

/**
 * How a file is opened that another zone may have put there. A FIFO would hold the whole process up until somebody writes into it,
 * a link lead to one, or elsewhere.
 */
const PLAIN = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** True when there is such a file or folder, or a link, wherever it leads; false when there is none; throws when nobody can tell. */
export function isThere(path: string): boolean {
  if (existsSync(path)) return true; // says no to any trouble, too
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (isAbsent(error) || systemCode(error) === 'ENAMETOOLONG') return false;
    throw error;
  }
}

/**
 * A file's size, and its bytes when they are few: those were mostly written a moment ago, and out of the page cache a
 * synchronous read takes some 20 µs. Undefined when there is no such file; `no-plain-file` for a FIFO, a folder, a link.
 */
export function readSmall(path: string): { readonly size: number; readonly bytes: Buffer | undefined } | undefined {
  if (!isThere(path)) return undefined; // often so, and an error that is thrown costs ten times as much
  let fd: number;
  try {
    fd = openSync(path, PLAIN);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw noPlainFile(path, error) ?? error;
  }
  try {
    const found = fstatSync(fd);
    if (!found.isFile()) throw noPlainFile(path);
    const { size } = found;
    if (size > LIMITS.inlineBytes) return { size, bytes: undefined };
    const bytes = Buffer.allocUnsafe(size);
    let at = 0;
    while (at < size) {
      const got = readSync(fd, bytes, at, size - at, at);
      if (got === 0) break;
      at += got;
    }
    return { size, bytes: bytes.subarray(0, at) };
  } finally {
    closeSync(fd);
  }
}

/** Opens a large file, to be read as it comes. */
export async function openLarge(path: string): Promise<FileHandle> {
  const file = await open(path, PLAIN).catch((error: unknown) => {
    throw noPlainFile(path, error) ?? error;
  });
  try {
    if ((await file.stat()).isFile()) return file;
    throw noPlainFile(path);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Nobody of ours puts anything else there, and it will not become one by waiting. Undefined: the error says something else. */
function noPlainFile(path: string): MugaiError;
function noPlainFile(path: string, error: unknown): MugaiError | undefined;
function noPlainFile(path: string, error?: unknown): MugaiError | undefined {
  // ELOOP: a link. ENXIO: a socket, or a device that nothing is behind.
  if (error !== undefined && !['ELOOP', 'ENXIO'].includes(systemCode(error) ?? '')) return undefined;
  return new MugaiError('no-plain-file', `${path} is no plain file`, { permanent: true, cause: error });
}

/** At most `most` names of a folder. */
export function readFew(path: string, most: number): string[] {
  const names: string[] = [];
  const directory = opendirSync(path);
  try {
    while (names.length < most) {
      const entry = directory.readSync();
      if (entry === null) break;
      names.push(entry.name);
    }
  } finally {
    directory.closeSync();
  }
  return names;
}
