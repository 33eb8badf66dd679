// `mugai user`: adds, lists and disables people of the portal, from the machine itself.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openJournal } from '../audit/journal.ts';
import { readConfig } from '../config.ts';
import { Accounts, parseAddress, parseName, parseRole, ROLES, type Role } from '../portal/accounts.ts';
import { Database } from '../portal/database.ts';
import { portalFolder } from '../zones/portal.ts';
import { demandTaken, type Takes } from './acts.ts';
import { say, UsageError, type Command } from './usage.ts';

const ACTS = {
  add: {
    usage: 'user add NAME [--display TEXT] [--address ADDRESS]… [--shared ADDRESS]… [--role ROLE]…',
    options: ['display', 'address', 'shared', 'role'],
    words: [1, 1],
  },
  code: { usage: 'user code NAME', words: [1, 1] },
  list: { usage: 'user list [--json]', options: ['json'], words: [0, 0] },
  disable: { usage: 'user disable NAME', words: [1, 1] },
} as const satisfies { readonly [act: string]: Takes };

export const user: Command = {
  help: `mugai user add NAME [--display TEXT] [--address ADDRESS]... [--shared ADDRESS]... [--role ROLE]...
mugai user code NAME
mugai user list [--json]
mugai user disable NAME

add      adds a person and prints a one-time code (24 hours) for the first sign-in; there are no default passwords
code     a new one-time code, for somebody who lost the password
list     one line a person: name, roles, mailboxes
disable  ends all sessions and lets the person in no more

--role is one of ${ROLES.join(', ')} (default: staff). --address is a mailbox of the person's own, --shared one of a section.

Example: mugai user add tanaka --display 田中 --address tanaka@city.example.lg.jp --shared soumu@city.example.lg.jp`,

  run: async (args) => {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      allowPositionals: true,
      tokens: true,
      options: {
        display: { type: 'string' },
        address: { type: 'string', multiple: true, default: [] },
        shared: { type: 'string', multiple: true, default: [] },
        role: { type: 'string', multiple: true, default: ['staff'] },
        json: { type: 'boolean', default: false },
      },
    });
    const [act, ...words] = positionals;
    const [typed] = words;
    if (act !== 'list' && act !== 'add' && act !== 'code' && act !== 'disable')
      throw new UsageError('say "user add", "user code", "user list" or "user disable"');
    demandTaken(ACTS[act], { tokens, words });
    const name = parseName(typed ?? '');
    if (act !== 'list' && name === undefined)
      throw new UsageError(`"${typed ?? ''}" is no user name: small letters, digits and . _ - @, 64 at most`);
    const roles = values.role.map((one) => mustRole(one));
    const own = values.address.map((one) => mustAddress(one));
    const shared = values.shared.map((one) => mustAddress(one));
    const config = readConfig();
    const db = new Database(portalFolder(config));
    const told = async (what: string, value = ''): Promise<void> => {
      const root = join(config.dataDir, 'journal');
      const journal = await openJournal({ root, zone: 'inner', keepDays: config.journalDays });
      await journal.append({ act: 'changed', person: '(command line)', detail: { what, of: name ?? '', value } });
      await journal.close();
    };
    try {
      const accounts = new Accounts(db);
      if (act === 'list') list(accounts, values.json);
      else if (act === 'disable') {
        if (accounts.find(name ?? '') === undefined) throw new UsageError(`there is no user "${name}"`);
        await told('person disabled');
        accounts.change(name ?? '', { disabled: true });
        say(`${name} is disabled`);
      } else {
        if (act === 'add') {
          await told('person added', [...roles, ...own, ...shared].join(' '));
          accounts.add(name ?? '', values.display ?? name ?? '', roles);
          for (const one of own) accounts.giveAddress(name ?? '', one, 'own', null, 'command line');
          for (const one of shared) accounts.giveAddress(name ?? '', one, 'shared', null, 'command line');
        } else if (accounts.find(name ?? '') === undefined) throw new UsageError(`there is no user "${name}"`);
        if (act === 'code') await told('code made');
        say(`one-time code  ${accounts.newCode(name ?? '')}`);
        say('first sign-in  at the portal under /first, within 24 hours');
      }
    } finally {
      db.close();
    }
    return 0;
  },
};

function list(accounts: Accounts, json: boolean): void {
  for (const one of accounts.list()) {
    const mailboxes = accounts.mailboxes(one.name).map(({ address }) => address);
    if (json) say(JSON.stringify({ ...one, mailboxes }));
    else say([one.name, one.disabled ? 'disabled' : one.roles.join(','), ...mailboxes].join('  '));
  }
}

function mustRole(text: string): Role {
  const role = parseRole(text);
  if (role === undefined) throw new UsageError(`--role is "${text}", not one of ${ROLES.join(', ')}`);
  return role;
}

function mustAddress(text: string): string {
  const address = parseAddress(text);
  if (address === undefined) throw new UsageError(`"${text}" is no mail address`);
  return address;
}
