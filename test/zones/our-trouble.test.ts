// What uses up a message's attempts, and what does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MugaiError } from '../../src/message/errors.ts';
import { newMessageId } from '../../src/message/id.ts';
import { OurTrouble } from '../../src/zones/our-trouble.ts';

const id = newMessageId();

test('a child that cannot be started is never a message’s fault, however often, is told each time, and is waited for longer and longer', () => {
  const told: string[] = [];
  const trouble = new OurTrouble((detail) => told.push(detail));
  const waits = Array.from({ length: 1000 }, () => trouble.waitAfter(id, new MugaiError('no-child', 'spawn EAGAIN')));
  assert.equal(told.length, 1000);
  assert.deepEqual(waits.slice(0, 4), [5000, 10_000, 20_000, 40_000]);
  assert.ok(waits.slice(6).every((ms) => ms === 300_000));
  trouble.over(id);
  assert.equal(trouble.waitAfter(id, new MugaiError('no-child', 'spawn EAGAIN')), 5000, 'it got through');
});

test('deaths from outside wait longer and longer, and count when there were too many for one message', () => {
  const trouble = new OurTrouble(assert.fail);
  const killed = new MugaiError('child-killed', 'a pdf child was killed from outside');
  const waits = Array.from({ length: 14 }, () => trouble.waitAfter(id, killed));
  assert.deepEqual(waits.slice(0, 4), [5000, 10_000, 20_000, 40_000]);
  assert.deepEqual(waits.slice(-3), [300_000, undefined, undefined]);
  assert.equal(trouble.waitAfter(newMessageId(), killed), 5000, 'another message has its own');
  trouble.over(id);
  assert.equal(trouble.waitAfter(id, killed), 5000, 'it got through');
});

test('a disk’s trouble waits; a name that no disk takes, and what fails of itself, counts', () => {
  const trouble = new OurTrouble(assert.fail);
  const of = (code: string): MugaiError =>
    new MugaiError('store-failed', 'x', { cause: Object.assign(new Error('x'), { code }) });
  assert.equal(trouble.waitAfter(id, new MugaiError('disk-full', 'x')), 5000);
  assert.equal(trouble.waitAfter(id, of('EIO')), 5000);
  for (const error of [of('ENAMETOOLONG'), new MugaiError('child-failed', 'x'), new TypeError('x')])
    assert.equal(trouble.waitAfter(id, error), undefined);
  assert.equal(trouble.waitAfter(id, new MugaiError('no-child', 'x', { permanent: true })), undefined);
});

test('what a store fails of one message while the outbox takes others counts; an outbox that takes nothing waits', async () => {
  const trouble = new OurTrouble(assert.fail);
  const failed = new MugaiError('store-failed', 'x', { cause: Object.assign(new Error('x'), { code: 'EIO' }) });
  assert.equal(await trouble.waitAfterSeal(id, failed, async () => true), undefined);
  assert.ok((await trouble.waitAfterSeal(id, failed, async () => false)) !== undefined);
  const full = new MugaiError('disk-full', 'x');
  for (const takes of [true, false])
    for (let time = 0; time < 3; time++) assert.equal(await trouble.waitAfterSeal(id, full, async () => takes), 5000);
  assert.equal(await trouble.waitAfterSeal(id, new TypeError('x'), async () => false), undefined);
});
