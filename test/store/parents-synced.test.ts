// The name of a folder that another process made may not be on the disk yet: whoever relies on it syncs it first.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { it } from 'node:test';
import { scratch } from '../support/scratch.ts';

it('a store syncs the folders above its first object, whoever made them', async () => {
  const synced: string[] = [];
  const fsync = fs.fsync;
  fs.fsync = Object.assign((fd: number, done: fs.NoParamCallback) => {
    synced.push(fs.readlinkSync(`/proc/self/fd/${fd}`));
    fsync(fd, done);
  }, fsync);
  syncBuiltinESMExports();
  const { openFsStore } = await import('../../src/store/fs-store.ts');
  await using folder = await scratch();
  const store = await openFsStore(folder.path);
  fs.mkdirSync(join(folder.path, 'hour/inner'), { recursive: true }); // by one that was killed right after
  synced.length = 0;
  await store.put('hour/inner', { name: 'a', content: Buffer.from('a') });
  const above = [folder.path, join(folder.path, 'hour')];
  assert.deepEqual(synced.slice(0, -1).toSorted(), above, 'before the object counts');
  assert.equal(synced.at(-1), join(folder.path, 'hour/inner'));
  synced.length = 0;
  await store.put('hour/inner', { name: 'b', content: Buffer.from('b') });
  assert.deepEqual(synced, [join(folder.path, 'hour/inner')], 'once a process');
});
