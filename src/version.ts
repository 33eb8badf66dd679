// Our own version, from package.json, and the digests of the code that runs: a manifest names both.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageJson from '../package.json' with { type: 'json' };

export const VERSION: string = packageJson.version;

const ROOT = fileURLToPath(new URL('../', import.meta.url));
let known: Readonly<Record<string, string>> | undefined;

/**
 * sha256 of our own code (`src`), of the code of the jailed children (`workers`) and of the lock file that names every
 * package by its hash (`packages`). A tree's digest is that of the lines `<sha256>  <path>\n` of its files, sorted by path:
 * `find src -type f | LC_ALL=C sort | xargs sha256sum | sha256sum`.
 */
export function codeDigests(): Readonly<Record<string, string>> {
  known ??= {
    src: digestOfTree('src'),
    workers: digestOfTree('workers'),
    packages: sha256(readFileSync(join(ROOT, 'package-lock.json'))),
  };
  return known;
}

function digestOfTree(folder: string): string {
  const files = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
    .toSorted();
  return sha256(files.map((file) => `${sha256(readFileSync(join(ROOT, file)))}  ${file}\n`).join(''));
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
