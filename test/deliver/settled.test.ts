// Who had a mail already is forgotten by no note that comes in the same moment as another one.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Ledger } from '../../src/deliver/ledger.ts';
import { newMessageId } from '../../src/message/id.ts';
import type { DeliveryRecord } from '../../src/message/stages.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { scratch } from '../support/scratch.ts';

it('two notes of one moment are both kept', async (t) => {
  await using folder = await scratch();
  const ledger = new Ledger(await openFsStore(folder.path));
  const id = newMessageId();
  const at = new Date().toISOString();
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const noted = (accepted: string[]): DeliveryRecord => ({
    stage: 'delivered',
    id,
    at,
    courier: 'smtp',
    answer: '',
    accepted,
    rejected: [],
  });
  await ledger.recordSettled(id, noted(['a@city.example.lg.jp']));
  await ledger.recordSettled(id, noted(['b@city.example.lg.jp']));
  assert.deepEqual([...(await ledger.settled(id)).accepted], ['a@city.example.lg.jp', 'b@city.example.lg.jp']);
});
