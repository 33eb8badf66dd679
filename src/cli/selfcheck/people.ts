// Who may sign in and by what, and what waits for a person: from the portal's files, which are only read.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../../message/errors.ts';
import { usersIn, type Role } from '../../portal/accounts.ts';
import { ReadDatabase } from '../../portal/database.ts';
import { elsewhere, found, type Evidence } from './evidence.ts';

/** Roles that change things, or see what is not theirs. */
const PRIVILEGED: readonly Role[] = ['administrator', 'approver', 'operator', 'auditor'];

const ACCOUNTS = 'accounts.sqlite';

/** Users, and privileged ones without a second factor. Throws where the accounts cannot be read. */
export function people(folder: string): Evidence[] {
  if (!existsSync(join(folder, ACCOUNTS))) return [elsewhere('users', folder), elsewhere('second-factor', folder)];
  using db = ReadDatabase.accounts(folder);
  const all = usersIn(db);
  const active = all.filter((user) => !user.disabled);
  // A passkey is two factors by itself, and none for whoever signs in with the password beside it.
  const keyed = new Set(db.all('SELECT DISTINCT user FROM passkeys').map((row) => String(row['user'])));
  const alone = active.filter(
    ({ name, source, hasTotp, hasPassword }) => source === 'local' && !hasTotp && (hasPassword || !keyed.has(name)),
  );
  const without = alone.filter((user) => PRIVILEGED.some((role) => user.roles.includes(role)));
  const named = (passkey: string): string =>
    without.map(({ name }) => (keyed.has(name) ? `${name}${passkey}` : name)).join(', ');
  const count = (role: Role): string => `${role} ${active.filter(({ roles }) => roles.includes(role)).length}`;
  const roles = [...PRIVILEGED, 'staff' as const].map(count).join(', ');
  const bare = alone.length;
  return [
    without.length > 0
      ? found(
          'second-factor',
          'fails',
          `${without.length} 人: ${named('（パスキーはあるがパスワードだけでも入れる）')}`,
          `${without.length}: ${named(' (has a passkey, and the password alone lets in, too)')}`,
        )
      : found('second-factor', 'holds', 'なし', 'none'),
    found(
      'users',
      'note',
      `有効 ${active.length} 人（${roles}）、停止 ${all.length - active.length} 人、二要素のない職員を含む利用者 ${bare} 人`,
      `${active.length} active (${roles}), ${all.length - active.length} disabled, ${bare} of all without a second factor`,
    ),
  ];
}

/** What waits for a person. The list is a cache, the requests lie with the accounts: either may be of another version. */
export function waiting(folder: string, now: number): Evidence {
  if (!existsSync(join(folder, ACCOUNTS))) return elsewhere('holds', folder);
  const held = counted(() => {
    using db = ReadDatabase.index(join(folder, 'index.sqlite'));
    return db.count('SELECT count(*) AS n FROM messages WHERE waiting > 0 AND shown = 1');
  });
  const asked = counted(() => {
    using db = ReadDatabase.accounts(folder);
    return db.count("SELECT count(*) AS n FROM originals WHERE state IN ('asked', 'approved') AND expires > ?", now);
  });
  return found(
    'holds',
    'note',
    `人の判断を待つもの ${held.ja}、原本の申請 ${asked.ja}`,
    `${held.en} messages wait for a person, ${asked.en} requests for originals are open`,
  );
}

function counted(count: () => number): Pick<Evidence, 'ja' | 'en'> {
  try {
    const n = count();
    return { ja: `${n} 件`, en: String(n) };
  } catch (error) {
    const why = reasonOf(error);
    return { ja: `不明（${why}）`, en: `not known (${why})` };
  }
}
