// Where a journal goes on when it is opened: after its last whole line, whatever the end of the run before left behind.
import { randomBytes } from 'node:crypto';
import { existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalZone } from '../message/act.ts';
import { headKeyIn, type HeadKey } from './head-key.ts';
import { FILE_NAME, chainNamedIn, countLines, fileName, journalFiles, mendTail } from './journal-files.ts';
import { GENESIS, parseLine, type Head } from './line.ts';

export interface Start {
  readonly chain: string;
  readonly key: HeadKey;
  readonly fd: number;
  readonly size: number;
  readonly day: string;
  readonly head: Head;
}

/** What was found broken, and is told by the line `recovered`. */
export type Recovered = Record<string, string | number>;

/**
 * Where a chain goes on: after its last whole line. A last line that is broken is kept, and a new file follows it with the
 * number that comes after as many lines; a file without a line end is put aside. Nothing that is there is written over.
 */
export async function startOf(
  folder: string,
  zone: JournalZone,
  now: number,
): Promise<{ readonly start: Start; readonly recovered: Recovered | undefined }> {
  const key = await headKeyIn(folder);
  const files = journalFiles(folder);
  let recovered: Recovered | undefined;
  for (const name of files.toReversed()) {
    const path = join(folder, name);
    const { line, hash, size, torn } = mendTail(path);
    if (torn > 0) recovered = { file: name, torn: torn + Number(recovered?.['torn'] ?? 0) };
    if (line === undefined) {
      if (size === 0) rmSync(path); // a file that was begun and never written
      else putAside(path);
      continue;
    }
    const parsed = parseLine(line);
    if ('fault' in parsed) {
      const seq = Number(FILE_NAME.exec(name)?.[2]) + countLines(path) - 1;
      const chain = chainIn(folder, files) ?? newChain(zone);
      const next = fileName(now, seq + 1);
      const fd = openSync(join(folder, next), 'wx', 0o600);
      return {
        start: { chain, key, fd, size: 0, day: next.slice(0, 8), head: { seq, hash } },
        recovered: { ...recovered, file: name, fault: parsed.fault },
      };
    }
    const head = { seq: parsed.seq, hash };
    const start = { chain: parsed.chain, key, fd: openSync(path, 'r+'), size, day: name.slice(0, 8), head };
    return { start, recovered };
  }
  const name = fileName(now, 1);
  const fd = openSync(join(folder, name), 'wx', 0o600);
  const head = { seq: 0, hash: GENESIS };
  return { start: { chain: newChain(zone), key, fd, size: 0, day: name.slice(0, 8), head }, recovered };
}

/** A file of bytes without a line end: torn while its first lines were written, or destroyed since. Kept for who looks. */
function putAside(path: string): void {
  for (let nth = 1; ; nth++) {
    const aside = `${path}.torn-${nth}`;
    if (existsSync(aside)) continue;
    renameSync(path, aside);
    return;
  }
}

/** The chain that the files of a folder name, the newest first. */
function chainIn(folder: string, files: readonly string[]): string | undefined {
  for (const name of files.toReversed()) {
    const path = join(folder, name);
    const chain = statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : chainNamedIn(path);
    if (chain !== undefined) return chain;
  }
  return undefined;
}

function newChain(zone: JournalZone): string {
  return `${zone}-${randomBytes(4).toString('hex')}`;
}
