// Sessions: a random token in a cookie, its sha256 and end on the server. Attack row 111.
import { randomBytes } from 'node:crypto';
import { hashOf, type Accounts, type User } from './accounts.ts';
import type { Database } from './database.ts';

/** Milliseconds without a request after which a session is over, and after which it is over in any case. */
export const IDLE_MS = 30 * 60_000;
export const ABSOLUTE_MS = 12 * 3_600_000;
/** A request within this of the last noted one is not noted: a page with thirty pictures is one sign of life. */
const NOTE_MS = 60_000;

/** How far a sign-in came: `password` still waits for the second factor. */
export type Level = 'password' | 'full';

export interface Session {
  readonly hash: string;
  readonly user: User;
  /** Goes into every form; a state change without it is refused. */
  readonly csrf: string;
  readonly level: Level;
  readonly began: number;
}

/** The sessions of all who are signed in. Only hashes are kept: a stolen database opens no session. */
export class Sessions {
  readonly #db: Database;
  readonly #accounts: Accounts;
  readonly #now: () => number;

  constructor(db: Database, accounts: Accounts, now: () => number) {
    this.#db = db;
    this.#accounts = accounts;
    this.#now = now;
  }

  /** Begins a session; its token is told once. An earlier session of the same browser must be ended by the caller. */
  begin(user: string, level: Level): string {
    const token = randomBytes(32).toString('base64url');
    const now = this.#now();
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM sessions WHERE began < ? OR seen < ?', now - ABSOLUTE_MS, now - IDLE_MS);
      this.#db.run(
        'INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)',
        hashOf(token),
        user,
        randomBytes(24).toString('base64url'),
        now,
        now,
        level,
      );
    });
    return token;
  }

  /** The session of a token; undefined when it is over, its person is disabled, or there never was one. `alive`: somebody is there. */
  find(token: string, alive = true): Session | undefined {
    const hash = hashOf(token);
    const row = this.#db.get('SELECT user, csrf, began, seen, level FROM sessions WHERE hash = ?', hash);
    if (row === undefined) return undefined;
    const now = this.#now();
    const [began, seen] = [Number(row['began']), Number(row['seen'])];
    const user = this.#accounts.find(String(row['user']));
    if (now - began > ABSOLUTE_MS || now - seen > IDLE_MS || user === undefined || user.disabled) {
      this.end(hash);
      return undefined;
    }
    if (alive && now - seen > NOTE_MS) this.#db.run('UPDATE sessions SET seen = ? WHERE hash = ?', now, hash);
    return { hash, user, csrf: String(row['csrf']), level: row['level'] === 'full' ? 'full' : 'password', began };
  }

  /** True while a session is not over. */
  lives(hash: string): boolean {
    const row = this.#db.get('SELECT began, seen FROM sessions WHERE hash = ?', hash);
    const now = this.#now();
    return row !== undefined && now - Number(row['began']) <= ABSOLUTE_MS && now - Number(row['seen']) <= IDLE_MS;
  }

  end(hash: string): void {
    this.#db.run('DELETE FROM sessions WHERE hash = ?', hash);
  }

  /** Ends all sessions of a person, but for `except`. */
  endAll(user: string, except = ''): void {
    this.#db.run('DELETE FROM sessions WHERE user = ? AND hash <> ?', user, except);
  }
}
