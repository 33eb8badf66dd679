// What journals tell of a message: approvals always, and never fewer lines than there are without saying so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openJournal } from '../../src/audit/journal.ts';
import { placesOf, storyOf } from '../../src/audit/story.ts';
import { scratch } from '../support/scratch.ts';

test('approvals are told however many lines came before them, and what is left out is counted', async () => {
  await using root = await scratch();
  const journal = await openJournal({ root: root.path, zone: 'inner', keepDays: 9 });
  for (let i = 0; i < 510; i++) journal.enter({ act: 'viewed', message: 'm1', person: 'hanako' });
  await journal.append({ act: 'released', message: 'm1', person: 'kacho' });
  await journal.close();
  const { told, leftOut } = await storyOf([journal.folder], { messages: ['m1'], places: [], most: 500 });
  assert.deepEqual([told.length, leftOut, told.at(-1)?.line.act], [501, 10, 'released']);
});

test('the line at a place is told whatever it is about, and one that differs is not hidden by one that does not', async () => {
  await using root = await scratch();
  const journal = await openJournal({ root: root.path, zone: 'inner', keepDays: 9 });
  const position = await journal.append({ act: 'converted', message: 'other' });
  await journal.close();
  const another = position.replace(/[0-9a-f]{64}$/, '0'.repeat(64));
  for (const [place, known] of [
    [position, 'line'],
    [another, 'other'],
    [position.replace(/^inner-[0-9a-f]{8}/, 'inner-00000000'), 'elsewhere'],
  ] as const) {
    const { told, witnesses } = await storyOf([journal.folder], { messages: ['m1'], places: [place], most: 500 });
    assert.equal(placesOf([place], witnesses)[0]?.known, known);
    assert.deepEqual(told, []);
  }
});
