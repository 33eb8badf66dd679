// Which disks each role tells of, and when one is a fault.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { faultsOf } from '../../src/ops/health.ts';
import { diskChecks, disksOf } from '../../src/zones/disks.ts';
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
