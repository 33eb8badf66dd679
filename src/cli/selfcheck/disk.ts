// The room that is left for what a gateway writes. Each folder may be a volume of its own, beside a data folder that is none.
import { join } from 'node:path';
import { LIMITS } from '../../message/limits.ts';
import { freeBytes } from '../../zones/disks.ts';
import { elsewhere, found, type Evidence } from './evidence.ts';

const FOLDERS = ['journal', 'spool', 'outbox', 'inner', 'portal', 'delivered', 'requests', 'policy'] as const;

/** The folder with the least room, and the others beside it. `look`: bytes that are free for a folder, undefined where there is none. */
export async function leastFree(dataDir: string, look: typeof freeBytes = freeBytes): Promise<Evidence> {
  const looked = await Promise.all(FOLDERS.map(async (name) => ({ name, free: await look(join(dataDir, name)) })));
  const disks = looked.flatMap(({ name, free }) => (free === undefined ? [] : [{ name, free }]));
  const least = disks.toSorted((a, b) => a.free - b.free)[0];
  if (least === undefined) return elsewhere('disk', dataDir);
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
  const others = disks.filter(({ name }) => name !== least.name).map(({ name, free }) => `${name} ${gigabytes(free)}`);
  const folder = join(dataDir, least.name);
  return found(
    'disk',
    least.free < LIMITS.leastFreeBytes ? 'fails' : 'holds',
    `${folder} の空き ${gigabytes(least.free)} GB（${others.join('、')}）`,
    `${gigabytes(least.free)} GB free under ${folder} (${others.join(', ')})`,
  );
}
