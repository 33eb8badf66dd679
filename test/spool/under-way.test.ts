// Row 116: who was being opened when the process died is known to the next one.
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Lifecycle } from '../../src/lifecycle.ts';
import { newMessageId } from '../../src/message/id.ts';
import { openLog } from '../../src/ops/log.ts';
import { UnderWay } from '../../src/spool/under-way.ts';
import { clearSuspects } from '../../src/zones/suspects.ts';
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

  it('what ends after the file was closed is written into no other file', async () => {
    await using folder = await scratch();
    const underWay = new UnderWay(folder.path);
    const id = newMessageId();
    underWay.begin(id);
    underWay.close();
    const other = join(folder.path, 'other');
    const fd = openSync(other, 'w'); // gets the number that is free now
    underWay.end(id);
    underWay.begin(newMessageId());
    closeSync(fd);
    assert.equal(readFileSync(other, 'utf8'), '');
  });

  it('a disk that takes no note does not keep the others from their turn', async () => {
    const id = newMessageId();
    const log = openLog('silent', 'worker');
    const underWay = {
      suspects: new Map([[id, 1]]),
      end: () => {
        throw new Error('EIO');
      },
    };
    const opened: string[] = [];
    await clearSuspects(underWay as unknown as UnderWay, {
      life: new Lifecycle(log, 1000),
      log,
      sanitise: async (one) => void opened.push(one),
      giveUp: async () => undefined,
    });
    assert.deepEqual(opened, [id]);
  });
});
