// The gate's walk through a JPEG's data looks at four bytes at once: wherever the data lies in memory, no marker is passed over.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readJpeg } from '../../src/outbox/read-jpeg.ts';
import { GateRefusal } from '../../src/outbox/refusal.ts';
import { ownFiles } from '../support/own-files.ts';

/** The rule and place of a refusal; undefined: taken. */
function refusalOf(bytes: Uint8Array): string | undefined {
  try {
    readJpeg(bytes, 0);
    return undefined;
  } catch (error) {
    if (!(error instanceof GateRefusal)) throw error;
    return `${error.rule} ${error.offset}`;
  }
}

describe('the data of a JPEG', async () => {
  const files = await ownFiles();

  for (const name of ['grey.jpg', 'colour.jpg'])
    it(`of ${name} is walked the same at any place in memory, and every marker in it is found`, () => {
      const honest = files.get(name) as Buffer;
      const scan = honest.lastIndexOf(Buffer.from([0xff, 0xda]));
      const data = scan + 2 + honest.readUInt16BE(scan + 2);
      assert.ok(honest.length - data > 8, 'enough data to walk');
      for (let shift = 0; shift < 8; shift++) {
        const room = Buffer.alloc(honest.length + shift);
        honest.copy(room, shift);
        const bytes = room.subarray(shift);
        assert.equal(refusalOf(bytes), undefined, `at ${shift}`);
        assert.equal(refusalOf(bytes.subarray(0, -1)), `jpeg-end ${honest.length - 1}`, 'its last byte is gone');
        for (let end = data; end < data + 9; end++)
          assert.equal(refusalOf(bytes.subarray(0, end)), `jpeg-end ${end}`, `its data ends at ${end}`);
        for (let at = data + 1; at < honest.length - 3; at++) {
          if (honest[at - 1] === 0xff || honest[at] === 0xff || honest[at + 1] === 0xff) continue;
          const [one, two] = [bytes[at] as number, bytes[at + 1] as number];
          for (const [marker, rule] of [
            [0xd0, `jpeg-scan ${at}`],
            [0xff, `jpeg-scan ${at}`],
            [0xd9, `jpeg-end ${at + 2}`],
          ] as const) {
            bytes[at] = 0xff;
            bytes[at + 1] = marker;
            assert.equal(refusalOf(bytes), rule, `marker ${marker.toString(16)} at ${at}, ${shift}`);
          }
          bytes[at + 1] = 0;
          assert.equal(refusalOf(bytes), undefined, 'an FF of the data');
          bytes[at] = one;
          bytes[at + 1] = two;
        }
      }
    });
});
