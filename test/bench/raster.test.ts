// The raster bench on machines that lack something: what is missing is named, and nothing else is counted against it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from '../support/scratch.ts';
import type { Printed } from './lines.ts';
import { RASTER_SET } from './raster-set.ts';
import { textDocument } from './text-document.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

async function bench(
  groups: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number; readonly lines: Printed[]; readonly stderr: string }> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, timeout: 280_000 };
    execFile(process.execPath, [MAIN, 'raster', ...groups], options, (error, stdout, stderr) => {
      const lines = stdout.split('\n').filter((text) => text !== '');
      resolve({ code: Number(error?.code ?? 0), lines: lines.map((text) => JSON.parse(text) as Printed), stderr });
    });
  });
}

describe('the raster bench', { timeout: 300_000 }, () => {
  it('refuses a group that it has not, and names those it has', async () => {
    const { code, lines, stderr } = await bench(['text', 'pictuers'], {});
    assert.equal(code, 2);
    assert.deepEqual(lines, []);
    for (const group of ['pictuers', ...Object.keys(RASTER_SET), 'lengths']) assert.ok(stderr.includes(group), group);
    assert.equal(stderr.trim().split('\n').length, 1);
  });

  it('says in a line that the corpus is not there', async () => {
    await using folder = await scratch();
    const { code, stderr } = await bench(['text'], { MUGAI_CORPUS: join(folder.path, 'none') });
    assert.equal(code, 1);
    assert.match(stderr, /^bench: .*none.*MUGAI_CORPUS\n$/);
  });

  it('names each peer that is not installed as missing, with no value and no failure', async () => {
    await using folder = await scratch();
    const programs = join(folder.path, 'bin');
    await mkdir(programs);
    for (const path of [process.execPath, '/usr/bin/taskset', '/usr/bin/bash'])
      await symlink(path, join(programs, path.slice(path.lastIndexOf('/') + 1)));
    for (const name of RASTER_SET['forms'] ?? []) {
      const path = join(folder.path, 'corpus', 'pdf', name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, await textDocument(1));
    }
    const env = { PATH: programs, MUGAI_BENCH_PYTHON: 'none', MUGAI_BENCH_PART: '0.01' };
    const { code, lines, stderr } = await bench(['forms'], { ...env, MUGAI_CORPUS: join(folder.path, 'corpus') });
    assert.equal(code, 0, stderr);
    for (const name of ['dangerzone-method', 'pdftoppm+img2pdf', 'ghostscript']) {
      const its = lines.filter(({ peer }) => peer.startsWith(name));
      assert.ok(its.length >= 4, `${name}: ${its.length} lines`);
      for (const { peer, peerValue, ours, metric } of its) {
        assert.deepEqual([peer, peerValue], [`${name} (missing)`, null]);
        assert.ok(metric === 'failures' ? ours === 0 : ours > 0, metric);
      }
    }
    const beside = lines.find(({ peer, metric }) => peer === 'render-only' && metric === 'pages_per_second');
    assert.ok((beside?.peerValue ?? 0) > 0, 'what is there is measured');
  });
});
