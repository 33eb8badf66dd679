// A journal of many entries as a gateway writes them, and what following it takes in a process of its own.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openJournal } from '../../src/audit/journal.ts';

const FOLLOW = fileURLToPath(new URL('./follow-journal.ts', import.meta.url));
const TOLD_AT_ONCE = 2000;

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

/** Writes a journal of `entries` entries under `root`, beside what it tells of itself. */
export async function writeLongJournal(root: string, entries: number): Promise<void> {
  const journal = await openJournal({ root, zone: 'inner', keepDays: 9, fileBytes: 64 * 1024 * 1024 });
  for (let told = 0; told < entries; told += TOLD_AT_ONCE)
    await Promise.all(
      Array.from({ length: Math.min(TOLD_AT_ONCE, entries - told) }, async (_, nth) =>
        journal.append({
          act: 'downloaded',
          message: '01jcxk3v9s8m7n6p5q4r3t2w1x',
          person: `user${nth % 300}`,
          detail: { file: `files/01-見積書${nth}.pdf` },
        }),
      ),
    );
  await journal.close();
}

/** Follows the journals under `root` in a process of its own. */
export async function followApart(root: string): Promise<Followed> {
  const { stdout } = await promisify(execFile)(process.execPath, [FOLLOW, root]);
  return JSON.parse(stdout) as Followed;
}
