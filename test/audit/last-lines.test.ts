// How the last lines of a journal are read: a run that was closed stays closed, however long ago; what is signed waits for no head.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openJournal } from '../../src/audit/journal.ts';
import { leftAs } from '../../src/audit/last-lines.ts';
import { scratch } from '../support/scratch.ts';

test('a journal that a command closed days ago is closed; one that is open, or that a day began in, is not', async () => {
  await using root = await scratch();
  let now = Date.parse('2026-11-01T10:00:00.000Z');
  const options = { root: root.path, zone: 'inner', keepDays: 30, now: () => now } as const;
  const journal = await openJournal(options);
  const opened = '2026-11-01T10:00:00.000Z';
  assert.deepEqual(await leftAs(journal.folder), { signed: opened, unsigned: opened, closed: false });
  now += 86_400_000;
  await journal.append({ act: 'viewed' }); // in the file of the next day, which has no head yet
  assert.deepEqual(await leftAs(journal.folder), { signed: opened, unsigned: opened, closed: false });
  await journal.close();
  assert.deepEqual(await leftAs(journal.folder), { signed: '2026-11-02T10:00:00.000Z', unsigned: '', closed: true });
});

test('the oldest line behind the newest head waits for the next one; an hour without a line leaves none', async () => {
  await using root = await scratch();
  let now = Date.parse('2026-11-01T22:00:00.000Z');
  const journal = await openJournal({ root: root.path, zone: 'outer', keepDays: 30, now: () => now });
  await journal.signHead();
  for (let hour = 1; hour <= 4; hour++) {
    now += 3_600_000;
    await journal.signHead();
  }
  const signed = '2026-11-01T22:00:00.000Z';
  assert.deepEqual(await leftAs(journal.folder), { signed, unsigned: '', closed: false });
  await journal.append({ act: 'received' }); // 2 o'clock, in the file of the next day
  now += 600_000;
  await journal.append({ act: 'received' });
  assert.deepEqual(await leftAs(journal.folder), { signed, unsigned: '2026-11-02T02:00:00.000Z', closed: false });
  await journal.close();
});
