// docs/ops/backup.sh where something cannot be read: a copy that lacks something must not look like a backup.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch } from '../support/scratch.ts';

const BACKUP = fileURLToPath(new URL('../../docs/ops/backup.sh', import.meta.url));

describe('backup.sh', () => {
  it('fails, and says where, when a store cannot be read; files that change meanwhile are no fault', async () => {
    await using folder = await scratch();
    const [data, target, tools] = ['data', 'copy', 'tools'].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ];
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
      return spawnSync('sh', [BACKUP, data, target], { env, encoding: 'utf8' });
    };
    for (const code of [0, 1]) {
      const { status, stderr } = await reads(code);
      assert.equal(status, 0, String(stderr));
      assert.equal(await readFile(join(target, 'outbox', 'a'), 'utf8'), 'outbox');
    }
    const { status, stderr } = await reads(2);
    assert.notEqual(status, 0);
    assert.match(String(stderr), /spool\/x: Cannot open: Input\/output error/);
  });
});
