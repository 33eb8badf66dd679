// What Node remembers of our code between two starts: types stripped, JavaScript compiled. It is made beforehand by whoever
// may write beside the code, without any input; a child only reads it, from a read-only mount. A child starts with a third
// of the CPU then, and one that takes a single document in its life has little more to do than start.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CODE_ROOT } from './families.ts';

/** Folder of the children's cache, relative to the root of our code: whoever may write it may write the code as well. */
export const CODE_CACHE = 'node_modules/.cache/mugai-children';
/** File in it that tells what the code was that the cache was made of. */
export const STAMP = 'made-of';

/** What a child loads first to have Node read it. */
export const CODE_CACHE_READER = 'workers/code-cache.cjs';

/** True when there is a cache for children to read. An outdated one is of no harm: Node compares it with the code. */
export function hasCodeCache(): boolean {
  return existsSync(join(CODE_ROOT, CODE_CACHE, STAMP));
}
