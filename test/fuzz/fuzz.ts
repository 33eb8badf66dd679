// Runs a target for some seconds: the samples first, then seeded changes of its seeds. What breaks becomes a sample.
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Dice, mutate } from './mutate.ts';
import type { Target } from './targets.ts';

export const SAMPLES = fileURLToPath(new URL('samples/', import.meta.url));

export interface Found {
  readonly target: string;
  readonly inputs: number;
  /** The first input that broke a promise, where it lies now, and how. */
  readonly crash: { readonly path: string; readonly error: unknown } | undefined;
}

const folderOf = (target: Target): string => join(SAMPLES, target.name.toLowerCase().replaceAll(/[^a-z]+/g, '-'));

/** Inputs that broke something once. */
export async function samplesOf(target: Target): Promise<Buffer[]> {
  const names = await readdir(folderOf(target)).catch((): string[] => []);
  return Promise.all(names.toSorted().map(async (name) => readFile(join(folderOf(target), name))));
}

/** Fuzzes for `ms`; stops at the first crash. `keep`: crashes are written to the samples. */
export async function fuzz(target: Target, ms: number, seed: number, keep: boolean): Promise<Found> {
  const end = performance.now() + ms;
  const seeds = await target.seeds();
  const samples = await samplesOf(target);
  let inputs = 0;
  const attempt = async (input: Buffer): Promise<Found['crash']> => {
    inputs += 1;
    try {
      await target.run(input);
      return undefined;
    } catch (error) {
      const path = join(folderOf(target), `${createHash('sha256').update(input).digest('hex').slice(0, 16)}.bin`);
      if (keep) {
        await mkdir(folderOf(target), { recursive: true });
        await writeFile(path, input);
      }
      return { path, error };
    }
  };
  for (const input of [...seeds, ...samples]) {
    const crash = await attempt(input);
    if (crash !== undefined) return { target: target.name, inputs, crash };
  }
  for (let round = 0; performance.now() < end; round++) {
    const dice = new Dice(seed + round);
    const crash = await attempt(mutate(dice.of([...seeds, ...samples]), dice, target.words));
    if (crash !== undefined) return { target: target.name, inputs, crash };
    // What answers at once would keep timers and children waiting.
    if (round % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return { target: target.name, inputs, crash: undefined };
}
