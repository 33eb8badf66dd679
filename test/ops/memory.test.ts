// How much memory is left: drawn hierarchies, and a process in a real group that fills it with the cache of its files.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { leftInGroups, memoryLeft } from '../../src/ops/memory.ts';
import { MemoryGroup, findMemoryGroups } from '../../src/sandbox/memory-group.ts';
import { scratch, until } from '../support/scratch.ts';

async function drawn(folder: string, files: { readonly [name: string]: string }): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), `${text}\n`);
}

test('a group of version 2: its limit, less what it uses, and the cache of files is left', async () => {
  await using root = await scratch();
  const stat = 'anon 50\nfile 45\ninactive_file 30\nactive_file 10\nslab 1';
  await drawn(join(root.path, 'a/b'), { 'memory.max': '100', 'memory.current': '95', 'memory.stat': stat });
  assert.equal(leftInGroups(root.path, '0::/a/b\n'), 45);
  await drawn(join(root.path, 'a'), { 'memory.max': '70', 'memory.current': '60', 'memory.stat': 'inactive_file 1' });
  assert.equal(leftInGroups(root.path, '0::/a/b\n'), 11, 'the group above is fuller');
  await drawn(join(root.path, 'a'), { 'memory.max': 'max' });
  assert.equal(leftInGroups(root.path, '0::/a/b\n'), 45);
  assert.equal(leftInGroups(root.path, '0::/a\n'), Infinity);
});

test('a group of version 1, and a container that shows its own group as the root', async () => {
  await using root = await scratch();
  await drawn(join(root.path, 'memory'), {
    'memory.limit_in_bytes': '1000',
    'memory.usage_in_bytes': '990',
    'memory.stat': 'inactive_file 1\ntotal_inactive_file 200\ntotal_active_file 100',
  });
  for (const self of ['4:memory:/docker/abc\n0::/\n', '7:cpu,memory:/\n'])
    assert.equal(leftInGroups(root.path, self), 310);
});

test('a machine that tells nothing of groups limits nothing', () => {
  assert.equal(leftInGroups('/nonexistent', '4:pids:/\n'), Infinity);
  assert.equal(leftInGroups('/nonexistent', '0::/a\n'), Infinity);
  assert.ok(memoryLeft() > 1e6);
});

test('what a process wrote into files does not count as memory it uses', async () => {
  let groups;
  try {
    groups = findMemoryGroups();
  } catch (error) {
    assert.match(String(error), /memory group|not delegated|EACCES|EROFS|EPERM|EBUSY/);
    return;
  }
  await using folder = await scratch();
  const group = new MemoryGroup(groups, 300 << 20);
  const code = `
    import { memoryLeft } from ${JSON.stringify(new URL('../../src/ops/memory.ts', import.meta.url).href)};
    import { writeFileSync } from 'node:fs';
    process.stdin.once('data', () => {
      const bytes = Buffer.alloc(4 << 20, 1);
      for (let nth = 0; nth < 70; nth++) writeFileSync(${JSON.stringify(folder.path)} + '/' + nth, bytes);
      console.log(JSON.stringify([process.availableMemory(), memoryLeft()]));
    });
    console.log('ready');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exited = once(child, 'exit');
  try {
    await until(() => said.includes('ready\n'), 60_000, 'it runs');
    await group.take(child.pid ?? 0);
    child.stdin.end('go\n');
    await exited;
    const [withCache, left] = JSON.parse(said.slice('ready\n'.length)) as [number, number];
    assert.ok(withCache < 100 << 20, `the group is full of cache: ${withCache}`);
    assert.ok(left > 180 << 20, `and most of it is left: ${left}`);
  } finally {
    child.kill('SIGKILL');
    group.remove();
  }
});
