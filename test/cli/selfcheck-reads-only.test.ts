// A self-check of another version beside a gateway at work: it looks at accounts, list and disks, and leaves each as it was.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { leastFree } from '../../src/cli/selfcheck/disk.ts';
import { people, waiting } from '../../src/cli/selfcheck/people.ts';
import { Accounts } from '../../src/portal/accounts.ts';
import { Database } from '../../src/portal/database.ts';
import { scratch } from '../support/scratch.ts';

/** Names, inodes and contents of a folder. */
async function stateOf(folder: string): Promise<string[]> {
  return Promise.all(
    (await readdir(folder)).toSorted().map(async (name) => {
      const path = join(folder, name);
      const sha256 = createHash('sha256')
        .update(await readFile(path))
        .digest('hex');
      return `${name} ${(await stat(path)).ino} ${sha256}`;
    }),
  );
}

describe('selfcheck reads only', () => {
  it('an index of another version, and accounts with columns to come, stay as they are', async () => {
    await using folder = await scratch();
    const portal = join(folder.path, 'portal');
    const db = new Database(portal);
    new Accounts(db).add('kacho', '課長', ['approver']);
    db.close();
    const accounts = new DatabaseSync(join(portal, 'accounts.sqlite'));
    accounts.exec('ALTER TABLE originals DROP COLUMN found');
    accounts.exec("INSERT INTO addresses VALUES ('kacho', 'ＫＡＣＨＯ@city.example.lg.jp', 'own', NULL, 'kacho')");
    accounts.close();
    const index = new DatabaseSync(join(portal, 'index.sqlite'));
    index.exec('PRAGMA user_version = 5');
    index.close();
    const before = await stateOf(portal);
    const [factor, users] = people(portal);
    assert.equal(factor?.en, '1: kacho');
    assert.match(users?.en ?? '', /^1 active \(administrator 0, approver 1, /);
    assert.equal(waiting(portal, Date.now()).en, '0 messages wait for a person, 0 requests for originals are open');
    assert.deepEqual(await stateOf(portal), before);
  });

  it('sees what a gateway at work wrote last, before it is in the file itself', async () => {
    await using folder = await scratch();
    const portal = join(folder.path, 'portal');
    const db = new Database(portal);
    try {
      new Accounts(db).add('joho', '情報', ['auditor']);
      const { ino } = await stat(join(portal, 'index.sqlite'));
      assert.equal(people(portal)[0]?.en, '1: joho');
      assert.equal((await stat(join(portal, 'index.sqlite'))).ino, ino);
      assert.ok(db.indexInPlace());
    } finally {
      db.close();
    }
  });

  it('a list without the tables that are asked for is told, and made by nobody', async () => {
    await using folder = await scratch();
    const portal = join(folder.path, 'portal');
    new Database(portal).close();
    const index = new DatabaseSync(join(portal, 'index.sqlite'));
    index.exec('DROP TABLE messages');
    index.close();
    const before = await stateOf(portal);
    const { state, en } = waiting(portal, Date.now());
    assert.equal(state, 'note');
    assert.match(en, /^not known \(no such table: messages\) messages wait/);
    assert.deepEqual(await stateOf(portal), before);
    await writeFile(join(portal, 'index.sqlite'), 'no database');
    assert.match(waiting(portal, Date.now()).en, /^not known \(file is not a database\)/);
  });
});

describe('selfcheck and disks', () => {
  it('looks at each folder that has a disk of its own, and the fullest one counts', async () => {
    await using folder = await scratch();
    for (const name of ['journal', 'outbox', 'delivered']) await mkdir(join(folder.path, name));
    const free = new Map([
      ['journal', 1_000_000],
      ['outbox', 5e9],
      ['delivered', 7e9],
    ]);
    const asked: string[] = [];
    const look = async (path: string): Promise<number | undefined> => {
      const name = path.slice(folder.path.length + 1);
      asked.push(name);
      return free.get(name);
    };
    const full = await leastFree(folder.path, look);
    assert.deepEqual(asked.toSorted(), [
      'delivered',
      'inner',
      'journal',
      'outbox',
      'policy',
      'portal',
      'requests',
      'spool',
    ]);
    assert.equal(full.state, 'fails');
    assert.equal(full.en, `0.0 GB free under ${folder.path}/journal (outbox 5.0, delivered 7.0)`);
    free.set('journal', 6e9);
    const enough = await leastFree(folder.path, look);
    assert.equal(enough.state, 'holds');
    assert.equal(enough.en, `5.0 GB free under ${folder.path}/outbox (journal 6.0, delivered 7.0)`);
    free.clear();
    assert.equal((await leastFree(folder.path, look)).state, 'note');
    assert.equal((await leastFree(folder.path)).state, 'holds', 'the disk of this machine');
  });
});
