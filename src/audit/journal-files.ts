// The files of one journal: `<day>-<number of the first line>.jsonl`, oldest first, and how one starts after an end of any kind.
import { isUtf8 } from 'node:buffer';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsync,
  ftruncateSync,
  openSync,
  readSync,
  readdirSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LINE_BYTES, hashOf } from './line.ts';

export const FILE_NAME = /^(\d{8})-(\d{15})\.jsonl$/;
const syncAll = promisify(fsync);

/** The name of a file whose first line has this number. */
export function fileName(now: number, firstSeq: number): string {
  return `${new Date(now).toISOString().slice(0, 10).replaceAll('-', '')}-${String(firstSeq).padStart(15, '0')}.jsonl`;
}

/** Names of a journal's files, in the order of the chain. Regular files only: to open a FIFO is to wait for its writer. */
export function journalFiles(folder: string): string[] {
  const first = (name: string): number => Number(FILE_NAME.exec(name)?.[2]);
  return readdirSync(folder)
    .filter((name) => FILE_NAME.test(name))
    .filter((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() === true)
    .toSorted((a, b) => first(a) - first(b));
}

/** Folders of journals under the one that holds them all; none where there is no such folder. */
export function journalsIn(root: string): string[] {
  if (!existsSync(root)) return [];
  const names = readdirSync(root).filter((name) => /^(outer|middle|inner)(-\d+)?$/.test(name));
  return names.toSorted().map((name) => join(root, name));
}

/** How far a journal has come: its files, and bytes of the last one. */
export interface Extent {
  readonly files: readonly string[];
  readonly end: number;
}

/** Times that a last line without its end is looked at again, and milliseconds between. */
const LOOKS = 20;
const LOOK_MS = 10;

/** How far a journal has come. One that is begun or written at this moment is looked at until its last line has its end. */
export async function extentOf(folder: string): Promise<Extent> {
  const files = existsSync(folder) ? journalFiles(folder) : [];
  const last = files.at(-1);
  if (last === undefined) return { files, end: 0 };
  const fd = openSync(join(folder, last), 'r');
  try {
    for (let looks = 1; ; looks++) {
      const { size } = fstatSync(fd);
      const byte = Buffer.alloc(1);
      const whole = size === 0 ? files.length > 1 : readSync(fd, byte, 0, 1, size - 1) === 1 && byte[0] === 0x0a;
      if (whole || looks === LOOKS) return { files, end: size };
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  } finally {
    closeSync(fd);
  }
}

/** The whole lines of a file as it was left: its last line, the hash of its bytes, and the bytes after it, which are cut off. */
export interface Tail {
  readonly line: string | undefined;
  readonly hash: string;
  readonly size: number;
  readonly torn: number;
}

/** Bytes that are read at a time on the way back to a line end. */
const PIECE = 64 * 1024;

/**
 * Reads the end of a file and cuts off what is no whole line: a power cut came while it was written, nobody was told yes. A
 * file without any line end stays as it is: what it was is for the caller to judge. A last line that is too long, or no UTF-8,
 * comes marked (and cut), so that it parses as none.
 */
export function mendTail(path: string): Tail {
  const fd = openSync(path, 'r+');
  try {
    const { size } = fstatSync(fd);
    const end = lineEndBefore(fd, size);
    if (end < 0) return { line: undefined, hash: '', size, torn: size };
    const torn = size - 1 - end;
    if (torn > 0) ftruncateSync(fd, size - torn);
    const start = lineEndBefore(fd, end, end - LINE_BYTES - 1) + 1;
    const tooLong = end - start > LINE_BYTES;
    const bytes = readAt(fd, start, Math.min(end - start, LINE_BYTES));
    const line = bytes.toString('utf8');
    return { line: tooLong || !isUtf8(bytes) ? `${line}…` : line, hash: hashOf(bytes), size: size - torn, torn };
  } finally {
    closeSync(fd);
  }
}

/** Where the last line end before this byte is, looked for as far back as `least`; one before `least` where there is none. */
function lineEndBefore(fd: number, before: number, least = 0): number {
  const stop = Math.max(0, least);
  for (let to = before; to > stop;) {
    const from = Math.max(stop, to - PIECE);
    const found = readAt(fd, from, to - from).lastIndexOf(0x0a);
    if (found >= 0) return from + found;
    to = from;
  }
  return stop - 1;
}

/** The chain that the first piece of a file that names one names as the chain of its line. */
export function chainNamedIn(path: string): string | undefined {
  const fd = openSync(path, 'r');
  try {
    for (let at = 0; ; at += PIECE) {
      const bytes = readAt(fd, at, PIECE + 100); // the words may stand over the border of two pieces
      const chain = /"chain":"((?:outer|middle|inner)-[0-9a-f]{8})"/.exec(bytes.toString('latin1'))?.[1];
      if (chain !== undefined || bytes.length <= PIECE) return chain;
    }
  } finally {
    closeSync(fd);
  }
}

/** How many line ends a file has. */
export function countLines(path: string): number {
  const fd = openSync(path, 'r');
  try {
    let count = 0;
    for (let at = 0; ;) {
      const bytes = readAt(fd, at, PIECE);
      for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, end + 1)) count += 1;
      if (bytes.length === 0) return count;
      at += bytes.length;
    }
  } finally {
    closeSync(fd);
  }
}

/** These bytes of a file, fewer where it ends. */
function readAt(fd: number, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const got = readSync(fd, bytes, at, length - at, from + at);
    if (got === 0) break;
    at += got;
  }
  return bytes.subarray(0, at);
}

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const fd = openSync(folder, 'r');
  try {
    await syncAll(fd);
  } finally {
    closeSync(fd);
  }
}

/** Path of a file of a journal. */
export function pathOf(folder: string, name: string): string {
  return join(folder, name);
}
