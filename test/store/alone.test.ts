// The hold on a folder: one at a time, gone with its process, whatever ended it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { holdAlone } from '../../src/store/alone.ts';
import { scratch } from '../support/scratch.ts';

const ALONE = new URL('../../src/store/alone.ts', import.meta.url).href;

describe('the hold on a folder', () => {
  it('is had by one at a time, and by the next when it was let go', async () => {
    await using folder = await scratch();
    const release = await holdAlone(folder.path);
    await assert.rejects(holdAlone(folder.path), { code: 'in-use' });
    await release();
    await (
      await holdAlone(folder.path)
    )();
  });

  it('ends with kill -9 of its process', async () => {
    await using folder = await scratch();
    const script = `import { holdAlone } from ${JSON.stringify(ALONE)};
      await holdAlone(${JSON.stringify(folder.path)}); console.log('held'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    await assert.rejects(holdAlone(folder.path), { code: 'in-use' });
    child.kill('SIGKILL');
    await exited;
    await (
      await holdAlone(folder.path)
    )();
  });

  it('works in a folder whose path is longer than a socket may have', async () => {
    await using folder = await scratch();
    const deep = join(folder.path, 'a'.repeat(120), 'b'.repeat(120));
    const release = await holdAlone(deep);
    await assert.rejects(holdAlone(deep), { code: 'in-use' });
    await release();
  });

  it('is had by one of many that come at once', async () => {
    await using folder = await scratch();
    const settled = await Promise.allSettled(Array.from({ length: 20 }, async () => holdAlone(folder.path)));
    const held = settled.filter((one) => one.status === 'fulfilled');
    assert.equal(held.length, 1);
    for (const one of held) await one.value();
  });

  it('is had by one of many that come at once after one that was killed', async () => {
    await using folder = await scratch();
    const script = `require('node:net').createServer().listen('.lock', () => process.kill(process.pid, 'SIGKILL'))`;
    const killed = spawn(process.execPath, ['-e', script], { cwd: folder.path, stdio: 'ignore' });
    await once(killed, 'exit');
    assert.ok(existsSync(join(folder.path, '.lock')), 'its socket stayed');
    const settled = await Promise.allSettled(Array.from({ length: 20 }, async () => holdAlone(folder.path)));
    const held = settled.filter((one) => one.status === 'fulfilled');
    for (const one of held) await one.value();
    assert.equal(held.length, 1);
    for (const one of settled) if (one.status === 'rejected') assert.equal(one.reason.code, 'in-use');
  });
});
