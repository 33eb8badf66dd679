// Message ids.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { folderOf, newMessageId, parseMessageId, shardAt, timeOf } from '../../src/message/id.ts';

describe('message ids', () => {
  it('sort by arrival and tell their time', () => {
    const times = [0, 1, 1_700_000_000_000, 1_795_387_260_123, 2 ** 45];
    const ids = times.map((time) => newMessageId(time));
    assert.deepEqual(ids.toSorted(), ids);
    assert.deepEqual(ids.map(timeOf), times);
  });

  it('are taken only as we make them', () => {
    const id = newMessageId();
    assert.equal(parseMessageId(id), id);
    for (const bad of [
      '',
      'x',
      `${id}x`,
      id.toUpperCase(),
      '../../../../etc/passwd012345',
      `8${id.slice(1)}`,
      id.replace(/.$/, 'u'),
    ]) {
      assert.equal(parseMessageId(bad), undefined, bad);
    }
  });

  it('never meet in 10,000 of the same millisecond', () => {
    assert.equal(new Set(Array.from({ length: 10_000 }, () => newMessageId(5))).size, 10_000);
  });

  it('lie in the folder of their hour', () => {
    const id = newMessageId(Date.UTC(2026, 10, 22, 14, 59, 59));
    assert.equal(folderOf(id), `20261122-14/${id}`);
    assert.equal(shardAt(Date.UTC(2026, 0, 1)), '20260101-00');
  });
});
