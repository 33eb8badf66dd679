// Who may use the portal: people, their roles, the mail addresses whose messages they may read, and one-time codes.
import { createHash, randomBytes } from 'node:crypto';
import { comparedForm } from '../message/address.ts';
import { MugaiError } from '../message/errors.ts';
import type { Language } from '../message/account.ts';
import type { Database, Row } from './database.ts';

export const ROLES = ['staff', 'approver', 'operator', 'auditor', 'administrator'] as const;
export type Role = (typeof ROLES)[number];

/** A person who may sign in. */
export interface User {
  readonly name: string;
  readonly display: string;
  readonly roles: readonly Role[];
  readonly language: Language;
  readonly disabled: boolean;
  /** Where the password is checked: here, or in a directory. */
  readonly source: string;
  readonly hasPassword: boolean;
  readonly hasTotp: boolean;
}

/** An address whose messages somebody may read, and why; `until` in milliseconds since the epoch. */
export interface Mailbox {
  readonly address: string;
  readonly kind: 'own' | 'shared' | 'delegated';
  readonly until: number | null;
  readonly from: string;
}

const NAME = /^[a-z0-9][a-z0-9._@-]{0,63}$/;
const ADDRESS = /^[^\s@<>"]{1,64}@[^\s@<>"]{1,190}$/;
/** Milliseconds a one-time code lives. */
const CODE_MS = 24 * 3_600_000;
/** Longest delegation, milliseconds: nobody remembers one of last year. */
export const DELEGATION_MOST_MS = 92 * 24 * 3_600_000;

/** A sign-in name in the one form that is kept: lower case. Undefined when it is none. */
export function parseName(text: string): string | undefined {
  const name = text.normalize('NFKC').trim().toLowerCase();
  return NAME.test(name) ? name : undefined;
}

/** A mail address in the one form that is compared: lower case, its domain in ASCII. Undefined when it is none. */
export function parseAddress(text: string): string | undefined {
  const address = comparedForm(text.trim());
  return ADDRESS.test(address) ? address : undefined;
}

export function parseRole(text: string): Role | undefined {
  return ROLES.find((role) => role === text);
}

/** Tokens and codes are kept as their sha256 only. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** Everybody, by name. */
export function usersIn(db: Pick<Database, 'all'>): User[] {
  return db.all('SELECT * FROM users ORDER BY name LIMIT 10000').map(userOf);
}

export class Accounts {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  find(name: string): User | undefined {
    const row = this.#db.get('SELECT * FROM users WHERE name = ?', name);
    return row === undefined ? undefined : userOf(row);
  }

  list(): User[] {
    return usersIn(this.#db);
  }

  isEmpty(): boolean {
    return this.#db.get('SELECT 1 FROM users LIMIT 1') === undefined;
  }

  /** Adds a person. Throws `already-there` for a name that is taken. */
  add(name: string, display: string, roles: readonly Role[], source = 'local'): User {
    if (this.find(name) !== undefined)
      throw new MugaiError('already-there', `there is a user "${name}" already`, { permanent: true });
    this.#db.run(
      'INSERT INTO users (name, display, roles, source, created) VALUES (?, ?, ?, ?, ?)',
      name,
      display,
      roles.join(','),
      source,
      Date.now(),
    );
    return this.#must(name);
  }

  /** Changes what an administrator may change. Whoever loses a role or is disabled is signed out everywhere. */
  change(name: string, change: { display?: string; roles?: readonly Role[]; disabled?: boolean }): User {
    const user = this.#must(name);
    this.#db.transaction(() => {
      this.#db.run(
        'UPDATE users SET display = ?, roles = ?, disabled = ? WHERE name = ?',
        change.display ?? user.display,
        (change.roles ?? user.roles).join(','),
        (change.disabled ?? user.disabled) ? 1 : 0,
        name,
      );
      this.#db.run('DELETE FROM sessions WHERE user = ?', name);
      if (change.disabled === true) this.#db.run('DELETE FROM codes WHERE user = ?', name);
    });
    return this.#must(name);
  }

  setLanguage(name: string, language: Language): void {
    this.#db.run('UPDATE users SET language = ? WHERE name = ?', language, name);
  }

  passwordHash(name: string): string | undefined {
    const hash = this.#db.get('SELECT password FROM users WHERE name = ?', name)?.['password'];
    return typeof hash === 'string' ? hash : undefined;
  }

  /** Sets the password's hash; all sessions of the person end. */
  setPasswordHash(name: string, hash: string): void {
    this.#db.transaction(() => {
      this.#db.run('UPDATE users SET password = ? WHERE name = ?', hash, name);
      this.#db.run('DELETE FROM sessions WHERE user = ?', name);
    });
  }

  /** True when the person has a second factor, or a passkey, that could get lost. */
  hasFactors(name: string): boolean {
    const sql = 'SELECT 1 FROM users WHERE name = ? AND (totp IS NOT NULL OR name IN (SELECT user FROM passkeys))';
    return this.#db.get(sql, name) !== undefined;
  }

  /** Takes the second factor and all passkeys away; all sessions of the person end, half ones too. */
  dropFactors(name: string): void {
    this.#db.transaction(() => {
      this.#db.run('UPDATE users SET totp = NULL WHERE name = ?', name);
      this.#db.run('DELETE FROM passkeys WHERE user = ?', name);
      this.#db.run('DELETE FROM sessions WHERE user = ?', name);
    });
  }

  /** Makes a one-time code for the person's first sign-in or a new password; earlier ones end. Kept as a hash. */
  newCode(name: string): string {
    const code = randomBytes(15)
      .toString('hex')
      .toUpperCase()
      .replace(/(.{6})(?=.)/g, '$1-');
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM codes WHERE user = ? OR expires < ?', name, Date.now());
      this.#db.run('INSERT INTO codes VALUES (?, ?, ?)', codeHash(code), name, Date.now() + CODE_MS);
    });
    return code;
  }

  /** Whose code it is, while it lives; looking does not use it up. */
  ownerOfCode(code: string): string | undefined {
    const row = this.#db.get('SELECT user FROM codes WHERE hash = ? AND expires > ?', codeHash(code), Date.now());
    return row === undefined ? undefined : String(row['user']);
  }

  /** Uses a code up: its owner, once. */
  useCode(code: string): string | undefined {
    const owner = this.ownerOfCode(code);
    if (owner === undefined) return undefined;
    return this.#db.run('DELETE FROM codes WHERE hash = ?', codeHash(code)) === 1 ? owner : undefined;
  }

  /** Addresses whose messages the person may read at this moment. */
  mailboxes(name: string, now: number = Date.now()): Mailbox[] {
    const own = this.#db
      .all(
        'SELECT address, kind, until, given_by FROM addresses WHERE user = ? AND (until IS NULL OR until > ?) ORDER BY kind, address',
        name,
        now,
      )
      .map((row) => mailboxOf(row));
    const lent = this.#db
      .all(
        // Nobody lends for longer than he has it himself.
        `SELECT a.address, 'delegated' AS kind, min(coalesce(a.until, d.until), d.until) AS until, d.giver AS given_by
         FROM delegations d JOIN addresses a ON a.user = d.giver AND a.kind = 'own' AND (a.until IS NULL OR a.until > ?)
         JOIN users u ON u.name = d.giver AND u.disabled = 0
         WHERE d.taker = ? AND d.until > ? ORDER BY a.address`,
        now,
        name,
        now,
      )
      .map((row) => mailboxOf(row));
    const seen = new Set<string>();
    return [...own, ...lent].filter(({ address }) => !seen.has(address) && seen.add(address));
  }

  giveAddress(name: string, address: string, kind: 'own' | 'shared', until: number | null, by: string): void {
    this.#must(name);
    this.#db.run('INSERT OR REPLACE INTO addresses VALUES (?, ?, ?, ?, ?)', name, address, kind, until, by);
  }

  takeAddress(name: string, address: string): void {
    this.#db.run('DELETE FROM addresses WHERE user = ? AND address = ?', name, address);
  }

  /** Lends the giver's own addresses to somebody until a moment that must come. */
  delegate(giver: string, taker: string, until: number): void {
    this.#must(taker);
    this.#db.run('INSERT OR REPLACE INTO delegations VALUES (?, ?, ?)', giver, taker, until);
  }

  endDelegation(giver: string, taker: string): void {
    this.#db.run('DELETE FROM delegations WHERE giver = ? AND taker = ?', giver, taker);
  }

  delegationsOf(giver: string, now: number = Date.now()): { readonly taker: string; readonly until: number }[] {
    return this.#db
      .all('SELECT taker, until FROM delegations WHERE giver = ? AND until > ? ORDER BY until', giver, now)
      .map((row) => ({ taker: String(row['taker']), until: Number(row['until']) }));
  }

  #must(name: string): User {
    const user = this.find(name);
    if (user === undefined) throw new MugaiError('bad-input', `there is no user "${name}"`, { permanent: true });
    return user;
  }
}

/** A code as typed: case, spaces and dashes do not matter. */
function codeHash(code: string): string {
  return hashOf(
    code
      .normalize('NFKC')
      .replace(/[^0-9a-zA-Z]/g, '')
      .toUpperCase(),
  );
}

function mailboxOf(row: Row): Mailbox {
  return {
    address: String(row['address']),
    kind: row['kind'] as Mailbox['kind'],
    until: row['until'] === null ? null : Number(row['until']),
    from: String(row['given_by']),
  };
}

function userOf(row: Row): User {
  return {
    name: String(row['name']),
    display: String(row['display']),
    roles: String(row['roles'])
      .split(',')
      .map(parseRole)
      .filter((role) => role !== undefined),
    language: row['language'] === 'en' ? 'en' : 'ja',
    disabled: row['disabled'] !== 0,
    source: String(row['source']),
    hasPassword: row['password'] !== null,
    hasTotp: row['totp'] !== null,
  };
}
