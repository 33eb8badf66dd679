// A policy that was in force is kept whole under its digest, or not at all, wherever its writing is cut.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { keepVersion, versionOf } from '../../src/policy/versions.ts';
import { scratch } from '../support/scratch.ts';

const SHA256 = 'ab'.repeat(32);
const TEXT = `# ${'a policy with a long comment '.repeat(1000)}\n`;

/** Keeps the text in a process of its own whose files may have so many bytes: the disk ends where they do. */
async function keepWithin(bytes: number, folder: string): Promise<unknown> {
  const code = `
    process.on('SIGXFSZ', () => {});
    const { keepVersion } = await import(${JSON.stringify(new URL('../../src/policy/versions.ts', import.meta.url).href)});
    await keepVersion(${JSON.stringify(folder)}, ${JSON.stringify(SHA256)}, ${JSON.stringify(TEXT)});
  `;
  const args = [`--fsize=${bytes}`, process.execPath, '--input-type=module', '-e', code];
  // Node writes its code cache by the same limit: there is none here.
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
  const [exit] = (await once(spawn('prlimit', args, { stdio: 'ignore', env }), 'exit')) as [number | null];
  return exit;
}

test('a policy whose writing is cut is not there, and is whole when it is written again', async () => {
  await using folder = await scratch();
  for (const bytes of [0, 1, 4096, TEXT.length - 1]) {
    assert.notEqual(await keepWithin(bytes, folder.path), 0, `${bytes} bytes`);
    assert.equal(await versionOf(folder.path, SHA256), undefined, `${bytes} bytes`);
  }
  assert.equal(await keepWithin(TEXT.length, folder.path), 0);
  assert.equal(await versionOf(folder.path, SHA256), TEXT);
});

test('several that keep the same policy at once leave one whole text and nothing beside it', async () => {
  await using folder = await scratch();
  await Promise.all(Array.from({ length: 20 }, async () => keepVersion(folder.path, SHA256, TEXT)));
  assert.equal(await versionOf(folder.path, SHA256), TEXT);
  assert.deepEqual(await readdir(join(folder.path, 'policy', 'versions')), [`${SHA256}.yaml`]);
  await keepVersion(folder.path, SHA256, 'another text of this digest');
  assert.equal(await versionOf(folder.path, SHA256), TEXT, 'the first stays');
});
