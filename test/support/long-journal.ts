// A journal of many entries as a gateway writes them, and what following it takes in a process of its own.
import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fileName } from '../../src/audit/journal-files.ts';
import { GENESIS, hashOf, lineOf, type Head } from '../../src/audit/line.ts';

const FOLLOW = fileURLToPath(new URL('./follow-journal.ts', import.meta.url));
const AT_ONCE = 2000;
const FILE_BYTES = 64 * 1024 * 1024;

/** What following gave. */
export interface Followed {
  readonly entries: number;
  readonly broken: unknown;
  readonly ms: number;
  /** Most memory of the process, MB. */
  readonly rssMb: number;
}

/** Memory that following may take, MB: Node with the code of the verifier, its collector's slack, and 16 bytes a line twice while they grow. */
export function mostRssMb(baseMb: number, entries: number): number {
  return baseMb + 64 + (entries * 16 * 3) / 1e6;
}

/** Writes a journal of `entries` entries under `root`, line by line as the journal makes them, without waiting for the disk. */
export function writeLongJournal(root: string, entries: number): void {
  const folder = join(root, 'inner');
  mkdirSync(folder, { recursive: true });
  const now = Date.parse('2026-11-01T00:00:00Z');
  let head: Head = { seq: 0, hash: GENESIS };
  let file = '';
  let size = FILE_BYTES;
  for (let told = 0; told < entries;) {
    if (size >= FILE_BYTES) {
      file = join(folder, fileName(now, head.seq + 1));
      size = 0;
    }
    const lines: string[] = [];
    for (const end = Math.min(entries, told + AT_ONCE); told < end; told++) {
      const line = lineOf(
        {
          act: 'downloaded',
          message: '01jcxk3v9s8m7n6p5q4r3t2w1x',
          person: `user${told % 300}`,
          detail: { file: `files/01-見積書${told}.pdf` },
        },
        'inner-00000000',
        head,
        now + told,
      );
      head = { seq: head.seq + 1, hash: hashOf(line) };
      lines.push(line);
    }
    const bytes = Buffer.from(`${lines.join('\n')}\n`, 'utf8');
    appendFileSync(file, bytes);
    size += bytes.length;
  }
}

/** Follows the journals under `root` in a process of its own. */
export async function followApart(root: string): Promise<Followed> {
  const { stdout } = await promisify(execFile)(process.execPath, [FOLLOW, root]);
  return JSON.parse(stdout) as Followed;
}
