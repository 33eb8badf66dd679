// `mugai apikey`: keys of those who send files by the API of the HTTP door.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openJournal } from '../audit/journal.ts';
import { readConfig, type Config } from '../config.ts';
import { isKeyName, newApiKey, parseApiKeys } from '../ingress/api-keys.ts';
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';
import { replaceFile } from '../store/fs-sync.ts';
import { say, UsageError, type Command } from './usage.ts';

export const apikey: Command = {
  help: `mugai apikey create NAME
mugai apikey list
mugai apikey revoke NAME

create   makes a key for a sender and prints it, this once; the file of MUGAI_API_KEYS keeps its sha256 only
list     names of the senders, one a line
revoke   the sender's key opens nothing any more

A door that runs takes changes within seconds. A file without keys lets nobody send; without MUGAI_API_KEYS no key is asked for.

Example: MUGAI_API_KEYS=/etc/mugai/api-keys mugai apikey create suido`,

  run: async (args) => {
    const [act, name = '', ...rest] = args;
    if (act !== 'create' && act !== 'list' && act !== 'revoke')
      throw new UsageError('say "apikey create", "apikey list" or "apikey revoke"');
    if (rest.length > 0 || (act === 'list' && name !== ''))
      throw new UsageError('that is too much; see mugai apikey --help');
    if (act !== 'list' && !isKeyName(name))
      throw new UsageError(`"${name}" is no name of a key: letters, digits and . _ -, 64 at most`);
    const config = readConfig();
    const file = config.apiKeysFile;
    if (file === undefined)
      throw new UsageError('set MUGAI_API_KEYS to the file of the keys, for example /etc/mugai/api-keys');
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT' && act === 'create') return '';
      throw new MugaiError('bad-config', `MUGAI_API_KEYS ${file}: ${reasonOf(error)}`, {
        permanent: true,
        cause: error,
      });
    });
    const names = namesOf(text, file);
    if (act === 'list') for (const one of names) say(one);
    else if (act === 'create') {
      if (names.includes(name)) throw new UsageError(`there is a key "${name}" already; revoke it first`);
      const { key, line } = newApiKey(name);
      await told(config, 'api-key-created', name);
      await replaceFile(file, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}`, 0o600);
      say(`key of ${name}  ${key}`);
      say('it is shown only now; send it as  Authorization: Bearer <key>');
    } else {
      if (!names.includes(name)) throw new UsageError(`there is no key "${name}"`);
      await told(config, 'api-key-revoked', name);
      const kept = text.split('\n').filter((line) => line.startsWith('#') || line.split(/\s/)[0] !== name);
      await replaceFile(file, kept.join('\n'), 0o600);
      say(`${name} is revoked`);
    }
    return 0;
  },
};

function namesOf(text: string, file: string): string[] {
  try {
    return [...parseApiKeys(text).values()].toSorted();
  } catch (error) {
    throw new MugaiError('bad-config', `MUGAI_API_KEYS ${file}: ${reasonOf(error)}`, { permanent: true, cause: error });
  }
}

/** The journal of the outer zone knows of a key before it opens anything. */
async function told({ dataDir, journalDays }: Config, what: string, of: string): Promise<void> {
  const journal = await openJournal({ root: join(dataDir, 'journal'), zone: 'outer', keepDays: journalDays });
  await journal.append({ act: 'changed', person: '(command line)', detail: { what, of } });
  await journal.close();
}
