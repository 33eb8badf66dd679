// Row 116: who was being opened when the process died is known to the next one.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { newMessageId } from '../../src/message/id.ts';
import { UnderWay } from '../../src/spool/under-way.ts';
import { scratch } from '../support/scratch.ts';

describe('row 116: messages under way', () => {
  it('are suspects of the next life, counted once for each death in which they were being opened', async () => {
    await using folder = await scratch();
    const [bad, innocent, done] = [newMessageId(), newMessageId(), newMessageId()];
    const first = new UnderWay(folder.path); // never closed: as after kill -9
    for (const id of [bad, innocent, done]) first.begin(id);
    first.end(done);
    const second = new UnderWay(folder.path);
    assert.deepEqual(
      new Map(second.suspects),
      new Map([
        [bad, 1],
        [innocent, 1],
      ]),
    );
    second.begin(bad); // alone; the other one only waits
    const third = new UnderWay(folder.path);
    assert.deepEqual(
      new Map(third.suspects),
      new Map([
        [bad, 2],
        [innocent, 1],
      ]),
    );
    third.end(bad);
    third.end(innocent);
    third.close();
    assert.equal(new UnderWay(folder.path).suspects.size, 0);
  });

  it('a file that a power cut left torn makes nobody suspect', async () => {
    await using folder = await scratch();
    writeFileSync(join(folder.path, '.under-way'), `\0\0\0garbage\n${newMessageId()} x a\n`);
    assert.equal(new UnderWay(folder.path).suspects.size, 0);
  });
});
