// Reading from the file system store without a turn through the thread pool where that costs more than the reading.
import { closeSync, existsSync, fstatSync, opendirSync, openSync, readSync, statSync } from 'node:fs';
import { LIMITS } from '../message/limits.ts';
import { systemCode } from '../message/errors.ts';
import { isAbsent } from './fs-fault.ts';

/** Bytes of one read of a large object. */
export const READ_BYTES = 256 * 1024;

/** True when there is such a file or folder, false when there is none; throws when nobody can tell. */
export function isThere(path: string): boolean {
  if (existsSync(path)) return true; // says no to any trouble, too
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (systemCode(error) === 'ENAMETOOLONG') return false;
    throw error;
  }
}

/**
 * A file's size, and its bytes when they are few: those were mostly written a moment ago, and out of the page cache a
 * synchronous read takes some 20 µs. Undefined when there is no such file.
 */
export function readSmall(path: string): { readonly size: number; readonly bytes: Buffer | undefined } | undefined {
  if (!isThere(path)) return undefined; // often so, and an error that is thrown costs ten times as much
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  try {
    const { size } = fstatSync(fd);
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
