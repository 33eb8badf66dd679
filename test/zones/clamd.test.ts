// A part that is larger than the scanner takes is told as not scanned; the scanner is not taken for one that is away.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { isTooLarge, partScanner } from '../../src/zones/clamd.ts';
import { startScanner } from '../support/scanner.ts';
import { scratch } from '../support/scratch.ts';

const { signal } = new AbortController();
const content = (size: number) => ({
  async *open() {
    yield Buffer.alloc(size);
  },
});

test('what is over its limit says nothing of the scanner: the next part is scanned, and no alarm is raised', async () => {
  await using folder = await scratch();
  await using scanner = await startScanner(join(folder.path, 'scanner.sock'));
  scanner.limit = 10_000;
  scanner.finds = 'A.Signature';
  const told: string[] = [];
  const scan = partScanner(scanner.socket, {
    found: (name) => told.push(name),
    away: (why) => told.push(`away: ${why}`),
  });
  await assert.rejects(scan(content(100_000), signal), isTooLarge);
  assert.equal(await scan(content(100), signal), 'A.Signature');
  assert.deepEqual(told, ['A.Signature']);
  scanner.away = true;
  await assert.rejects(scan(content(100), signal));
  scanner.away = false;
  await assert.rejects(scan(content(100), signal), /away a moment ago/);
  assert.match(told.at(-1) ?? '', /^away: /);
});
