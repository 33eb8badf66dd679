// Whose message it is: a mailbox is found under every form of its domain.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readerOf } from '../../src/outbox/board.ts';
import { Accounts, parseAddress } from '../../src/portal/accounts.ts';
import { Database } from '../../src/portal/database.ts';
import { scratch } from '../support/scratch.ts';

const UNICODE = 'staff@日本語.jp';
const ASCII = 'staff@xn--wgv71a119e.jp';

test('an address is one in all forms of its domain, for mailboxes and for what is on its way', () => {
  for (const form of [UNICODE, ASCII, ' Staff@XN--WGV71A119E.jp ', 'staff@日本語.ｊｐ']) {
    assert.equal(parseAddress(form), ASCII, form);
    assert.equal(readerOf(form), readerOf(ASCII), form);
  }
});

test('addresses of an older file come to that form when it is opened, and its index is made again', async () => {
  await using folder = await scratch();
  const before = new Database(folder.path);
  const accounts = new Accounts(before);
  accounts.add('staff', '職員', []);
  accounts.giveAddress('staff', UNICODE, 'own', null, 'test');
  accounts.giveAddress('staff', 'plain@city.example', 'shared', null, 'test');
  const rows = (db: Database): unknown => db.get('SELECT count(*) AS n FROM recipients')?.['n'];
  before.run('INSERT INTO recipients VALUES (?, 1, 1)', UNICODE);
  before.close();
  const after = new Database(folder.path);
  const had = new Accounts(after).mailboxes('staff').map(({ address }) => address);
  assert.deepEqual(had.toSorted(), ['plain@city.example', ASCII]);
  assert.equal(rows(after), 0);
  after.run('INSERT INTO recipients VALUES (?, 1, 1)', ASCII);
  after.close();
  const again = new Database(folder.path);
  assert.equal(rows(again), 1);
  again.close();
});
