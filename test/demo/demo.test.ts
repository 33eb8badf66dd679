// The journey of a newcomer: `npm run demo -- --once` relays every sample and ends well.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadSamples } from '../../src/demo/samples.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function demo(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['src/demo/main.ts', ...args],
      { cwd: ROOT, timeout: 580_000, maxBuffer: 16 << 20 },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr });
      },
    );
  });
}

describe('demo', () => {
  it('ends with 0, has a row for every sample and says where the results lie', async () => {
    const data = await mkdtemp(join(tmpdir(), 'mugai-demo-'));
    try {
      const { code, stdout, stderr } = await demo('--once', '--data', data);
      assert.equal(code, 0, `${stdout}\n${stderr}`);
      const samples = await loadSamples();
      const rows = stdout.split('\n').filter((line) => line.endsWith('✓'));
      assert.equal(rows.length, samples.length);
      for (const { file } of samples) {
        assert.ok(
          rows.some((row) => row.startsWith(basename(file).slice(0, 12))),
          `no row for ${file}`,
        );
      }
      assert.ok(stdout.includes(`${samples.length} samples, ${samples.length} as expected`));
      assert.ok(stdout.includes(join(data, 'delivered')));
    } finally {
      await rm(data, { recursive: true, force: true });
    }
  });

  it('writes into a new folder only', async () => {
    const data = await mkdtemp(join(tmpdir(), 'mugai-demo-'));
    try {
      await writeFile(join(data, 'mine.txt'), 'kept');
      const { code, stderr } = await demo('--once', '--data', data);
      assert.equal(code, 2);
      assert.match(stderr, /^demo: --data .* is not empty; name a new folder\n$/);
    } finally {
      await rm(data, { recursive: true, force: true });
    }
  });

  it('tells how it is used, and what is wrong with a wrong use', async () => {
    const help = await demo('--help');
    assert.equal(help.code, 0);
    assert.match(help.stdout, /--once/);
    const wrong = await demo('--twice');
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^demo: .*--twice/);
  });
});
