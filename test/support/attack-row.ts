// A test of one row of the attack catalogue: its name begins with the row, which is how docs/attacks.md finds it.
import { it } from 'node:test';
import { readFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';

const CORPUS = new URL('../../../shared/corpus/', import.meta.url);

/** Declares the test of row `number`. */
export function row(number: number, promise: string, test: () => Promise<void> | void): void {
  void it(`row ${number}: ${promise}`, test);
}

/** A file of the shared corpus. */
export async function corpus(path: string): Promise<Buffer> {
  return readFile(new URL(path.split('/').map(encodeURIComponent).join('/'), CORPUS));
}

/** Names under a folder of the corpus that fit a pattern, sorted; at least one, or the row would test nothing. */
export function corpusFiles(folder: string, pattern: RegExp = /./): string[] {
  const names = readdirSync(new URL(`${folder}/`, CORPUS), { withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => `${folder}/${entry.name}`)
    .toSorted();
  if (names.length === 0) throw new Error(`the corpus has no ${folder}/${pattern}`);
  return names;
}

/** Seeded numbers from 0 to 1: the same at every run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
