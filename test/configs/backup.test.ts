// docs/ops/backup.sh and restore.sh where something is wrong: a copy that lacks something must not look like a backup, and no data is
// written over. (That what is restored delivers: journeys/drill.test.ts.)
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from '../support/scratch.ts';

const BACKUP = fileURLToPath(new URL('../../docs/ops/backup.sh', import.meta.url));
const RESTORE = fileURLToPath(new URL('../../docs/ops/restore.sh', import.meta.url));

describe('backup.sh', () => {
  it('fails, and says where, when a store cannot be read; files that change meanwhile are no fault', async () => {
    await using folder = await scratch();
    const [data = '', tools = ''] = ['data', 'tools'].map((name) => join(folder.path, name));
    for (const store of ['keys', 'spool', 'outbox']) {
      await mkdir(join(data, store), { recursive: true });
      await writeFile(join(data, store, 'a'), store);
    }
    await mkdir(tools);
    // Root reads everything: the trouble of one store is tar's own words and code, as GNU tar has them.
    const reads = async (code: number): Promise<ReturnType<typeof spawnSync>> => {
      const last = code === 0 ? '' : `echo 'tar: spool/x: Cannot open: Input/output error' >&2; exit ${code}`;
      const tar = `#!/bin/sh\n/usr/bin/env PATH=/usr/bin:/bin tar "$@" || exit\ncase "$*" in *"-cf - spool"*) ${last} ;; esac\n`;
      await writeFile(join(tools, 'tar'), tar);
      await chmod(join(tools, 'tar'), 0o755);
      const env = { ...process.env, PATH: `${tools}:${process.env['PATH'] ?? ''}` };
      return spawnSync('sh', [BACKUP, data, join(folder.path, `copy${code}`)], { env, encoding: 'utf8' });
    };
    for (const code of [0, 1]) {
      const { status, stderr } = await reads(code);
      assert.equal(status, 0, String(stderr));
      assert.equal(await readFile(join(folder.path, `copy${code}`, 'outbox', 'a'), 'utf8'), 'outbox');
    }
    const { status, stderr } = await reads(2);
    assert.notEqual(status, 0);
    assert.match(String(stderr), /spool\/x: Cannot open: Input\/output error/);
    const put = said(RESTORE, join(folder.path, 'copy2'), join(folder.path, 'restored'));
    assert.equal(put.status, 2);
    assert.match(put.stderr, /not copied to its end/);
  });

  it('refuses a folder that is no data folder, one that is not there, and a target with something in it, a line each', async () => {
    await using folder = await scratch();
    const data = join(folder.path, 'data');
    await mkdir(join(data, 'spool'), { recursive: true });
    await mkdir(join(folder.path, 'other'));
    for (const [from, to, why] of [
      [join(folder.path, 'typo'), join(folder.path, 'copy'), /no data folder/],
      [join(folder.path, 'other'), join(folder.path, 'copy'), /no data folder/],
      [data, folder.path, /not empty/],
      [data, undefined, /TARGET are needed/],
    ] as const) {
      const { status, stderr } = said(BACKUP, from, to);
      assert.equal(status, 2);
      assert.match(stderr, why);
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
    }
    assert.ok(!existsSync(join(folder.path, 'copy')), 'nothing looks like a backup');
  });
});

describe('restore.sh', () => {
  it('puts a backup into a folder that is new or empty, whole, and writes over no data', async () => {
    await using folder = await scratch();
    const [data = '', copy = '', again = ''] = ['data', 'copy', 'again'].map((name) => join(folder.path, name));
    await mkdir(join(data, 'spool'), { recursive: true, mode: 0o700 });
    await writeFile(join(data, 'spool', 'a'), 'spool', { mode: 0o600 });
    assert.equal(said(BACKUP, data, copy).status, 0);
    await mkdir(again);
    for (const place of [`${again}/`, join(folder.path, 'new')]) {
      const { status, stderr } = said(RESTORE, copy, place);
      assert.equal(status, 0, stderr);
      assert.equal(await readFile(join(place, 'spool', 'a'), 'utf8'), 'spool');
      assert.equal((await stat(join(place, 'spool', 'a'))).mode & 0o777, 0o600);
    }
    for (const [from, to, why] of [
      [copy, data, /not empty/],
      [copy, '/', /no place for a data folder/],
      [join(folder.path, 'typo'), join(folder.path, 'x'), /no backup/],
      [copy, undefined, /DATA are needed/],
    ] as const) {
      const { status, stderr } = said(RESTORE, from, to);
      assert.equal(status, 2);
      assert.match(stderr, why);
    }
  });
});

function said(script: string, from: string, to?: string): { readonly status: number | null; readonly stderr: string } {
  return spawnSync('sh', [script, from, ...(to === undefined ? [] : [to])], { encoding: 'utf8' });
}
