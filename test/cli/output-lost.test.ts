// Output that cannot be written is not passed over: exit 1 and one line, whatever the command.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runMugai } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

const MAIN = fileURLToPath(new URL('../../src/mugai.js', import.meta.url));

/** Runs it with a full disk under its stdout. */
async function toFull(
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: unknown; readonly stderr: string }> {
  const env = { PATH: process.env['PATH'] ?? '', MUGAI_DATA_DIR: join(cwd, 'var') };
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env,
    timeout: 120_000,
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [unknown];
  return { code, stderr };
}

describe('a full disk under the output', () => {
  for (const args of [['--help'], ['audit', 'verify', '--help'], ['sanitise', 'in', '--out', 'out', '--json']])
    it(`mugai ${args.join(' ')}: exit 1, one line, nothing of its own left behind`, async () => {
      await using place = await scratch();
      await mkdir(join(place.path, 'in'));
      await writeFile(join(place.path, 'in', 'a.txt'), 'a');
      await writeFile(join(place.path, 'in', 'b.txt'), 'b');
      const { code, stderr } = await toFull(args, place.path);
      const said = stderr
        .trim()
        .split('\n')
        .filter((line) => !line.includes('the jail is not complete'));
      assert.equal(said.length, 1, stderr);
      assert.match(said[0] ?? '', /^mugai: the output could not be written: .*ENOSPC/);
      assert.equal(code, 1);
      if (args[0] === 'sanitise') assert.deepEqual(await readdir(join(place.path, 'out')), ['in']);
    });

  it('a reader that is slow gets the whole output', async () => {
    const child = spawn('sh', ['-c', '"$0" "$1" --help | { sleep 1; cat; }', process.execPath, MAIN], {
      timeout: 60_000,
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    await once(child, 'close');
    assert.equal(stdout, (await runMugai(['--help'])).stdout);
  });
});
