// An answer whose record cannot be written is written later, once, and nothing more is sent meanwhile.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newMessageId } from '../../src/message/id.ts';
import { Unrecorded } from '../../src/deliver/unrecorded.ts';

describe('answers of the inner server that wait for their record', () => {
  it('are written when the disk works again, by one attempt at a time, and until then nothing may be sent', async () => {
    const waiting = new Unrecorded<string>();
    const id = newMessageId();
    let full = true;
    let writes = 0;
    const write = async (): Promise<string> => {
      writes += 1;
      await Promise.resolve();
      if (full) throw new Error('full');
      return 'delivered';
    };
    await waiting.demandRoom();
    assert.equal(waiting.again(id), undefined);
    await assert.rejects(waiting.record(id, write), /full/);
    await assert.rejects(waiting.demandRoom(), /full/);
    full = false;
    writes = 0;
    const both = await Promise.all([waiting.again(id), waiting.demandRoom(), waiting.again(id)]);
    assert.deepEqual([both[0], both[2], writes], ['delivered', 'delivered', 1]);
    assert.equal(waiting.again(id), undefined);
    await waiting.demandRoom();
  });
});
