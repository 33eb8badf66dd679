// The command's entry and `mugai prepare`.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { spawnSync } from 'node:child_process';
import { CODE_CACHE } from '../../src/sandbox/code-cache.ts';
import { CODE_ROOT } from '../../src/sandbox/families.ts';
import { mugai } from '../support/run-command.ts';
import { scratch } from '../support/scratch.ts';

describe('mugai prepare', { timeout: 580_000 }, () => {
  it('keeps compiled code beside the code, for gateway and children', async () => {
    const { code, stdout, stderr } = await mugai(['prepare'], {});
    assert.equal(code, 0, stderr);
    const [, own = '', children = ''] = /kept in (\S+) and (\S+)$/m.exec(stdout) ?? [];
    assert.ok(existsSync(own), stdout);
    assert.equal(children, join(CODE_ROOT, CODE_CACHE));
    assert.ok(existsSync(children));
  });

  it('takes no arguments', async () => {
    const { code, stderr } = await mugai(['prepare', 'all'], {});
    assert.equal(code, 2);
    assert.equal(stderr, 'mugai: "prepare" takes no arguments\n');
  });
});

describe('the entry', () => {
  it('says in one line that an older Node will not do', async () => {
    await using folder = await scratch();
    const older = join(folder.path, 'older.cjs');
    await writeFile(
      older,
      `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });`,
    );
    const entry = join(CODE_ROOT, 'src/mugai.js');
    const run = spawnSync(process.execPath, ['--require', older, entry, '--version'], { encoding: 'utf8' });
    assert.equal(run.status, 2);
    assert.equal(run.stdout, '');
    assert.match(run.stderr, /^mugai: Node 26 or newer is needed, and this is 20\.20\.2; [^\n]*\n$/);
  });
});
