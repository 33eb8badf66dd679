// Who is who of a directory: identities that outlive names, names that are given again, addresses that follow the directory.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActEntry } from '../../src/message/act.ts';
import { Accounts } from '../../src/portal/accounts.ts';
import { Admissions, type Vouched } from '../../src/portal/admitting.ts';
import { Database } from '../../src/portal/database.ts';
import { scratch } from '../support/scratch.ts';

async function openAdmissions() {
  const folder = await scratch();
  const db = new Database(folder.path);
  const accounts = new Accounts(db);
  const journal: ActEntry[] = [];
  let fault: Error | undefined;
  const note = async (entry: ActEntry): Promise<void> => {
    if (fault !== undefined) throw fault;
    journal.push(entry);
  };
  return {
    accounts,
    admissions: new Admissions(db, accounts, note),
    journal,
    breakJournal: (error: Error | undefined) => void (fault = error),
    boxes: (name: string) => accounts.mailboxes(name).map(({ address }) => address),
    [Symbol.asyncDispose]: async () => {
      db.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const person = (subject: string, name: string, addresses?: readonly string[]): Vouched => ({
  name,
  display: `${name}さん`,
  addresses,
  identity: { issuer: 'https://id.example', subject },
});

test('an OpenID account is its issuer and subject: a new name stays the person, a name given again is somebody else', async () => {
  await using open = await openAdmissions();
  const { admissions, accounts } = open;
  const yamada = await admissions.admit(person('1', 'yamada', ['yamada@city.example']), 'oidc');
  assert.equal(yamada?.name, 'yamada');
  assert.equal((await admissions.admit(person('1', 'suzuki'), 'oidc'))?.name, 'yamada', 'renamed');
  const again = await admissions.admit(person('2', 'yamada', ['new@city.example']), 'oidc');
  assert.equal(again?.name, 'yamada-2', 'readable, and another');
  assert.deepEqual(open.boxes('yamada-2'), ['new@city.example']);
  assert.deepEqual(open.boxes('yamada'), ['yamada@city.example']);
  assert.equal((await admissions.admit(person('2', 'yamada'), 'oidc'))?.name, 'yamada-2');
  const elsewhere = { ...person('1', 'yamada'), identity: { issuer: 'https://other.example', subject: '1' } };
  assert.equal((await admissions.admit(elsewhere, 'oidc'))?.name, 'yamada-3', 'a subject is one only at its issuer');
  // Whoever has the name already under another identity does not get it by a new one, not even disabled.
  accounts.change('yamada', { disabled: true });
  assert.equal(await admissions.admit(person('1', 'yamada'), 'oidc'), undefined);
  assert.equal((await admissions.admit(person('4', 'yamada'), 'oidc'))?.name, 'yamada-4');
  accounts.add('local', 'local', ['administrator']);
  assert.equal(await admissions.admit(person('5', 'local'), 'oidc'), undefined, 'local names stay local');
  assert.equal(
    await admissions.admit({ ...person('1', 'yamada-2') }, 'proxy'),
    undefined,
    'and each source has its own',
  );
});

test('accounts from before identities: the name and the address it was given make the person, an address of another does not', async () => {
  await using open = await openAdmissions();
  const { admissions, accounts } = open;
  for (const name of ['same', 'moved', 'bare']) accounts.add(name, name, ['staff'], 'oidc');
  accounts.giveAddress('same', 'same@city.example', 'own', null, 'oidc');
  accounts.giveAddress('moved', 'moved@city.example', 'own', null, 'oidc');
  assert.equal((await admissions.admit(person('1', 'same', ['same@city.example']), 'oidc'))?.name, 'same');
  assert.deepEqual(open.journal.at(-1), {
    act: 'changed',
    person: 'same',
    detail: { what: 'identity-bound', of: 'same', value: 'https://id.example 1' },
  });
  assert.equal((await admissions.admit(person('2', 'same', ['same@city.example']), 'oidc'))?.name, 'same-2', 'once');
  assert.equal((await admissions.admit(person('3', 'moved', ['other@city.example']), 'oidc'))?.name, 'moved-2');
  assert.equal((await admissions.admit(person('4', 'moved'), 'oidc'))?.name, 'moved-3', 'no address is no proof');
  assert.equal((await admissions.admit(person('5', 'bare'), 'oidc'))?.name, 'bare', 'nothing to compare, and to gain');
  // What an administrator gave is not for whoever first comes with the name.
  accounts.add('boss', 'boss', ['staff', 'approver'], 'oidc');
  accounts.add('tanaka', 'tanaka', ['staff'], 'oidc');
  accounts.giveAddress('tanaka', 'tanaka@city.example', 'own', null, 'kanri');
  accounts.add('office', 'office', ['staff'], 'oidc');
  accounts.giveAddress('office', 'office@city.example', 'shared', null, 'kanri');
  for (const [at, name] of ['boss', 'tanaka', 'office'].entries())
    assert.equal((await admissions.admit(person(`6${at}`, name), 'oidc'))?.name, `${name}-2`);
  assert.equal((await admissions.admit(person('70', 'tanaka', ['tanaka@city.example']), 'oidc'))?.name, 'tanaka');
});

test('own addresses follow the directory: what it gave and says no more is gone; an administrator has the last word', async () => {
  await using open = await openAdmissions();
  const { admissions, accounts, boxes } = open;
  const tanaka = (addresses: readonly string[] | undefined): Vouched => ({
    name: 'tanaka',
    display: '田中',
    addresses,
  });
  await admissions.admit(tanaka(['a@city.example', 'b@city.example']), 'ldap');
  assert.deepEqual(boxes('tanaka'), ['a@city.example', 'b@city.example']);
  accounts.giveAddress('tanaka', 'office@city.example', 'shared', null, 'kanri');
  await admissions.admit(tanaka(undefined), 'ldap');
  assert.equal(boxes('tanaka').length, 3, 'a directory that says nothing of addresses takes none');
  open.breakJournal(new Error('disk full'));
  await assert.rejects(admissions.admit(tanaka(['b@city.example', 'c@city.example']), 'ldap'));
  assert.equal(boxes('tanaka').includes('a@city.example'), true, 'nothing that was not journaled');
  open.breakJournal(undefined);
  await admissions.admit(tanaka(['b@city.example', 'c@city.example']), 'ldap');
  assert.deepEqual(boxes('tanaka'), ['b@city.example', 'c@city.example', 'office@city.example']);
  assert.deepEqual(
    open.journal.slice(-2).map(({ detail }) => [detail?.['what'], detail?.['value']]),
    [
      ['mailbox-taken', 'own a@city.example'],
      ['mailbox-given', 'own c@city.example'],
    ],
  );
  accounts.takeAddress('tanaka', 'c@city.example');
  await admissions.admit(tanaka(['b@city.example', 'c@city.example']), 'ldap');
  assert.deepEqual(boxes('tanaka'), ['b@city.example', 'office@city.example']);
  await admissions.admit(tanaka([]), 'ldap');
  assert.deepEqual(boxes('tanaka'), ['office@city.example']);
});
