// Which disks each role tells of, and when one is a fault.
import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultsOf } from '../../src/ops/health.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { diskChecks, disksOf, storeCheck } from '../../src/zones/disks.ts';
import { scratch } from '../support/scratch.ts';

const ALL = ['ingress', 'worker', 'inner'] as const;

test('every store that a role writes is told once, a folder that is not made yet is not', async () => {
  await using place = await scratch();
  const config = { dataDir: place.path, store: undefined };
  assert.deepEqual(await disksOf(ALL, config), []);
  for (const name of ['spool', 'outbox', 'requests', 'inner', 'portal', 'journal']) await mkdir(join(place.path, name));
  const names = async (...roles: readonly (typeof ALL)[number][]): Promise<string[]> =>
    (await disksOf(roles, config)).map(({ store }) => store);
  assert.deepEqual(await names('ingress'), ['spool', 'journal']);
  assert.deepEqual(await names('inner'), ['outbox', 'requests', 'inner', 'portal', 'journal']);
  assert.equal((await names(...ALL)).length, 6);
  for (const { freeBytes } of await disksOf(ALL, config)) assert.ok(freeBytes > 0);
});

test('each has a check of its own, which says how little is left', async () => {
  await using place = await scratch();
  const config = { dataDir: place.path, store: undefined };
  await mkdir(join(place.path, 'inner'));
  await mkdir(join(place.path, 'journal'));
  assert.deepEqual(await faultsOf(diskChecks(['inner'], config, 1)), {});
  const faults = await faultsOf(diskChecks(['inner'], config, Number.MAX_SAFE_INTEGER));
  assert.deepEqual(Object.keys(faults).toSorted(), ['inner disk', 'journal disk']);
  assert.match(faults['inner disk'] ?? '', /^only \d+ bytes free$/);
});

test('a store that does not answer is a fault, on a disk and elsewhere; one without an end is none', async () => {
  const gone = async (): Promise<never> => Promise.reject(new Error('gone'));
  assert.deepEqual(await faultsOf([storeCheck('spool', { freeBytes: async () => undefined })]), {});
  assert.match((await faultsOf([storeCheck('outbox', { freeBytes: gone })]))['outbox'] ?? '', /gone/);
  assert.match(
    (await faultsOf([storeCheck('spool', { freeBytes: async () => 5 })]))['spool'] ?? '',
    /^only 5 bytes free$/,
  );
  await using place = await scratch();
  const store = await openFsStore(join(place.path, 'spool'));
  assert.deepEqual(await faultsOf([storeCheck('spool', store, 1)]), {});
  await rm(join(place.path, 'spool'), { recursive: true });
  assert.ok('spool' in (await faultsOf([storeCheck('spool', store, 1)])), 'its folder is gone');
});
