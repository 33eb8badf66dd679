// Statuses after a clock that ran ahead was set back: what was written then is no news for days, and is not in the way of what is.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openFsStore } from '../../src/store/fs-store.ts';
import { StatusFiles } from '../../src/store/status-files.ts';
import { scratch } from '../support/scratch.ts';

const DAY = 86_400_000;

it('a status written while the clock was a day ahead gives way to the next one', async () => {
  await using folder = await scratch();
  const files = new StatusFiles(await openFsStore(folder.path));
  const now = Date.now();
  const publish = async (process: string, words: string, at: number) => files.publish(process, Buffer.from(words), at);
  await publish('worker-a-1', 'ahead', now + DAY);
  await publish('worker-a-1', 'ahead', now + DAY + 5000);
  await publish('worker-b-2', 'of one that is gone', now + DAY);
  await publish('worker-a-1', 'first', now);
  await publish('worker-a-1', 'second', now + 5000);
  const read = (await files.read(15_000, now + 6000)).map(({ bytes }) => bytes.toString());
  assert.deepEqual(read, ['second', 'first']);
});
