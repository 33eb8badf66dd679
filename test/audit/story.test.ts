// What journals tell of a message: approvals always, and never fewer lines than there are without saying so.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openJournal } from '../../src/audit/journal.ts';
import { placesOf, storiesOf, type Asked, type Story } from '../../src/audit/story.ts';
import { scratch } from '../support/scratch.ts';

async function storyOf(folders: readonly string[], asked: Asked): Promise<Story> {
  const [story] = await storiesOf(folders, [asked]);
  assert.ok(story !== undefined);
  return story;
}

test('many ask at once, and each is told its own lines as if it asked alone', async () => {
  await using root = await scratch();
  const journal = await openJournal({ root: root.path, zone: 'inner', keepDays: 9 });
  const places: string[] = [];
  for (let i = 0; i < 60; i++) {
    places.push(await journal.append({ act: 'delivered', message: `m${i % 12}`, detail: { chain: places.slice(-1) } }));
    journal.enter({ act: 'viewed', detail: { message: `m${i % 12}` } });
    journal.enter({ act: 'viewed', message: `"message":"m${i % 12}"` });
  }
  await journal.close();
  const asked = Array.from({ length: 14 }, (_, i) => ({
    messages: i === 13 ? ['m2', 'm1'] : [`m${i}`],
    places: [places[i] ?? '', places[i + 1]?.replace(/[0-9a-f]{64}$/, '0'.repeat(64)) ?? ''],
    most: 4,
  }));
  const together = await storiesOf([journal.folder], asked);
  for (const [nth, one] of asked.entries()) assert.deepEqual(together[nth], await storyOf([journal.folder], one));
  assert.deepEqual(
    together.map(({ told, leftOut }) => [told.length, leftOut]),
    [...Array.from({ length: 12 }, () => [4, 1]), [0, 0], [4, 6]],
  );
  assert.deepEqual(await storiesOf([join(root.path, 'nowhere')], []), [], 'who asks nothing reads nothing');
});

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
