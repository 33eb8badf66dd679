// Binaries are what was looked at, and one changed byte keeps a worker from starting.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PINNED, checkPinned } from '../../src/sandbox/pinned.ts';
import { scratch } from '../support/scratch.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

describe('pinned binaries', () => {
  it('are those that are installed', async () => {
    await checkPinned();
  });

  it('that were changed by one byte, or are missing, are named', async () => {
    await using folder = await scratch();
    const path = '7z-wasm/7zz.wasm';
    const pinned = { [path]: PINNED[path] ?? '' };
    await assert.rejects(checkPinned(folder.path, pinned), /7z-wasm.*cannot be read.*npm ci/);
    const bytes = await readFile(join(ROOT, 'node_modules', path));
    await mkdir(dirname(join(folder.path, path)), { recursive: true });
    await writeFile(join(folder.path, path), bytes);
    await checkPinned(folder.path, pinned);
    bytes.writeUInt8(bytes.readUInt8(1000) ^ 1, 1000);
    await writeFile(join(folder.path, path), bytes);
    await assert.rejects(checkPinned(folder.path, pinned), /7z-wasm.*was changed/);
  });

  it('are all that workers load as WebAssembly', () => {
    const files = readdirSync(join(ROOT, 'workers'), { recursive: true, encoding: 'utf8' }).filter((n) =>
      n.endsWith('.ts'),
    );
    const loaded = files.flatMap((file) => {
      const text = readFileSync(join(ROOT, 'workers', file), 'utf8');
      return [...text.matchAll(/['"`](?:@[\w-]+\/)?[\w-]+\/[\w/-]*?([\w-]+)\.wasm['"`]/g)].map(
        ([, name]) => name ?? '',
      );
    });
    assert.ok(loaded.length >= 3, loaded.join());
    for (const name of loaded)
      assert.ok(
        Object.keys(PINNED).some((path) => path.endsWith(`/${name}.wasm`)),
        name,
      );
  });
});
