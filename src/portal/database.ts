// The portal's two SQLite files behind one connection: accounts (durable, they are the truth) and the index (a cache).
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { addressForm } from '../message/address.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { FILTER_INDEXES } from './list-filters.ts';

const ACCOUNTS = `
CREATE TABLE IF NOT EXISTS users (
  name TEXT PRIMARY KEY, display TEXT NOT NULL, roles TEXT NOT NULL, language TEXT NOT NULL DEFAULT 'ja',
  password TEXT, totp TEXT, totp_used INTEGER NOT NULL DEFAULT 0, disabled INTEGER NOT NULL DEFAULT 0,
  source TEXT NOT NULL DEFAULT 'local', created INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS addresses (
  user TEXT NOT NULL, address TEXT NOT NULL, kind TEXT NOT NULL, until INTEGER, given_by TEXT NOT NULL,
  PRIMARY KEY (user, address, kind)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS passkeys (
  id TEXT PRIMARY KEY, user TEXT NOT NULL, public_key TEXT NOT NULL, counter INTEGER NOT NULL, name TEXT NOT NULL,
  created INTEGER NOT NULL, used INTEGER) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS passkeys_user ON passkeys (user);
CREATE TABLE IF NOT EXISTS identities (
  issuer TEXT NOT NULL, subject TEXT NOT NULL, user TEXT NOT NULL UNIQUE, PRIMARY KEY (issuer, subject)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS delegations (
  giver TEXT NOT NULL, taker TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (giver, taker)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS codes (
  hash TEXT PRIMARY KEY, user TEXT NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
  hash TEXT PRIMARY KEY, user TEXT NOT NULL, csrf TEXT NOT NULL, began INTEGER NOT NULL, seen INTEGER NOT NULL,
  level TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_user ON sessions (user);
CREATE TABLE IF NOT EXISTS read_marks (
  user TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (user, id)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS read_marks_id ON read_marks (id);
CREATE TABLE IF NOT EXISTS asks (
  request TEXT PRIMARY KEY, message TEXT NOT NULL, part TEXT NOT NULL, user TEXT NOT NULL, kind TEXT NOT NULL,
  at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS asks_message ON asks (message);
CREATE TABLE IF NOT EXISTS originals (
  id TEXT PRIMARY KEY, message TEXT NOT NULL, user TEXT NOT NULL, reason TEXT NOT NULL, sha256 TEXT NOT NULL,
  size INTEGER NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, expires INTEGER NOT NULL, state TEXT NOT NULL,
  level INTEGER NOT NULL, part TEXT NOT NULL DEFAULT '', request TEXT NOT NULL DEFAULT '', outcome TEXT NOT NULL DEFAULT '',
  found TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;
DROP INDEX IF EXISTS originals_user;
CREATE INDEX IF NOT EXISTS originals_of ON originals (user, at, id);
CREATE INDEX IF NOT EXISTS originals_open ON originals (state, expires);
CREATE TABLE IF NOT EXISTS deletions (
  id TEXT PRIMARY KEY, by TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL, state TEXT NOT NULL,
  decided_by TEXT, decided INTEGER) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS decisions (
  original TEXT NOT NULL, level INTEGER NOT NULL, by TEXT NOT NULL, at INTEGER NOT NULL, yes INTEGER NOT NULL,
  PRIMARY KEY (original, level)) STRICT, WITHOUT ROWID;
`;

/** Columns that came after a table: an older file gets them when it is opened. */
const LATER = ['part', 'request', 'outcome', 'found'].map(
  (column) => ['originals', column, "TEXT NOT NULL DEFAULT ''"] as const,
);

const INDEX = `
CREATE TABLE idx.messages (
  key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, sender TEXT NOT NULL, subject TEXT NOT NULL,
  state TEXT NOT NULL, reason TEXT, stage TEXT NOT NULL, files INTEGER NOT NULL, pages INTEGER NOT NULL,
  remarks INTEGER NOT NULL, waiting INTEGER NOT NULL, revises TEXT, shown INTEGER NOT NULL) STRICT;
CREATE INDEX idx.messages_revises ON messages (revises) WHERE revises IS NOT NULL;
CREATE TABLE idx.recipients (
  address TEXT NOT NULL, key INTEGER NOT NULL, shelf INTEGER NOT NULL, PRIMARY KEY (address, key)) STRICT, WITHOUT ROWID;
CREATE INDEX idx.recipients_key ON recipients (key);
CREATE TABLE idx.seen (user TEXT NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (user, key)) STRICT, WITHOUT ROWID;
${FILTER_INDEXES}
CREATE VIRTUAL TABLE idx.words USING fts5(who, what, content='', contentless_delete=1, detail=full, tokenize='unicode61');
CREATE TABLE idx.files (digest TEXT NOT NULL, key INTEGER NOT NULL, PRIMARY KEY (digest, key)) STRICT, WITHOUT ROWID;
CREATE INDEX idx.files_key ON files (key);
PRAGMA idx.user_version = 4;
`;
const INDEX_VERSION = 4;
const ACCOUNTS_FILE = 'accounts.sqlite';
const INDEX_FILE = 'index.sqlite';
/** Pages of the index kept in memory: digests come in no order, and 100,000 of them do not fit into SQLite's usual 2 MB. */
const CACHE_KIB = 32_000;

/** SQLite's codes for a file that is no database (any more). */
const BROKEN = new Set([11, 26]);

/** True for an error that says that a file of the database is broken. */
export function isBroken(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return false;
  return typeof error.errcode === 'number' && BROKEN.has(error.errcode & 0xff);
}

/** A row as SQLite gives it; callers name the columns they asked for. */
export type Row = Readonly<Record<string, string | number | null>>;

/** One of the two files to look at, beside a gateway of any version: what a query names may not be there, and then it throws. */
export class ReadDatabase implements Disposable {
  readonly #db: DatabaseSync;

  constructor(file: string | URL) {
    this.#db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  }

  static accounts(folder: string): ReadDatabase {
    const file = join(folder, ACCOUNTS_FILE);
    const url = pathToFileURL(file);
    // Nobody has it open: even a reader would leave the two files beside it that whoever writes needs.
    if (!existsSync(`${file}-wal`)) url.search = 'immutable=1';
    return new ReadDatabase(url);
  }

  static index(file: string): ReadDatabase {
    return new ReadDatabase(file);
  }

  all(sql: string, ...values: readonly SQLInputValue[]): Row[] {
    return this.#db.prepare(sql).all(...values) as Row[];
  }

  /** The number in the column `n` of the first row. */
  count(sql: string, ...values: readonly SQLInputValue[]): number {
    return Number(this.all(sql, ...values)[0]?.['n'] ?? 0);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

/** How many messages the index in `file` knows, without changing it; 0 where there is none, or none of ours. */
export function messagesIn(file: string): number {
  if (!existsSync(file)) return 0;
  using db = ReadDatabase.index(file);
  try {
    const isOurs = db.all("SELECT 1 FROM sqlite_master WHERE name = 'messages'").length > 0;
    return isOurs ? db.count('SELECT count(*) AS n FROM messages') : 0;
  } catch (error) {
    if (isBroken(error)) return 0;
    throw error;
  }
}

/** The portal's tables. Every call is synchronous and short: SQLite is in the process. */
export class Database {
  readonly #db: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();
  #inode = 0;

  /** File of the index. */
  readonly indexFile: string;

  /** Opens (and makes) both files under `folder`. An index that cannot be used is thrown away: it is made again. */
  constructor(folder: string, indexName = INDEX_FILE) {
    this.indexFile = join(folder, indexName);
    let renamed: boolean;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      this.#db = new DatabaseSync(join(folder, ACCOUNTS_FILE));
      this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;');
      this.#db.exec(ACCOUNTS);
      for (const [table, column, type] of LATER) this.#addColumn(table, column, type);
      renamed = this.#renameAddresses();
    } catch (error) {
      throw new MugaiError('store-failed', `cannot use ${folder}/${ACCOUNTS_FILE}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
    this.attachIndex(renamed);
  }

  /** Attaches the index file, a new one where there is none or it is `broken`. True when it is new and must be filled. */
  attachIndex(broken = false): boolean {
    this.#prepared.clear();
    this.#detach();
    for (const fresh of broken ? [true] : [false, true]) {
      try {
        if (fresh) rmSync(this.indexFile, { force: true });
        const there = existsSync(this.indexFile) && statSync(this.indexFile).size > 0;
        this.#db.exec(`ATTACH '${this.indexFile.replaceAll("'", "''")}' AS idx`);
        // A cache needs no journal on disk: whatever a crash leaves is checked at the next start and made again.
        this.#db.exec('PRAGMA idx.journal_mode = MEMORY; PRAGMA idx.synchronous = OFF;');
        this.#db.exec(`PRAGMA idx.cache_size = -${CACHE_KIB}`);
        if (!there) this.#db.exec(INDEX);
        const version = this.#db.prepare('PRAGMA idx.user_version').get()?.['user_version'];
        const check = this.#db.prepare('PRAGMA idx.quick_check(1)').get()?.['quick_check'];
        if (version !== INDEX_VERSION || check !== 'ok') throw new Error(`index: ${String(check)}`);
        this.#copyReadMarks();
        this.#inode = statSync(this.indexFile).ino;
        return !there;
      } catch (error) {
        this.#detach();
        if (fresh) throw new MugaiError('store-failed', `cannot make the index: ${reasonOf(error)}`, { cause: error });
      }
    }
    return true;
  }

  /** Brings addresses of an older file to the one form in which they are compared. True when there were any: the index is older, too. */
  #renameAddresses(): boolean {
    const old = this.#db.prepare("SELECT DISTINCT address FROM addresses WHERE address GLOB '*[^ -~]*'").all();
    const changed = old.map(({ address }) => String(address)).filter((address) => addressForm(address) !== address);
    for (const address of changed)
      this.#db
        .prepare('UPDATE OR REPLACE addresses SET address = ? WHERE address = ?')
        .run(addressForm(address), address);
    return changed.length > 0;
  }

  /** True while the attached index is the file that lies in its place. */
  indexInPlace(): boolean {
    try {
      return statSync(this.indexFile).ino === this.#inode;
    } catch {
      return false; // gone: whoever asked attaches a new one
    }
  }

  all(sql: string, ...values: readonly SQLInputValue[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  get(sql: string, ...values: readonly SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined;
  }

  /** Rows changed. The full-text index has row numbers beyond 2^53, which only a BigInt can tell: without, the call throws. */
  run(sql: string, ...values: readonly SQLInputValue[]): number {
    const statement = this.#statement(sql);
    statement.setReadBigInts(true);
    return Number(statement.run(...values).changes);
  }

  /** Runs `work` in one transaction: all of it is durable, or none. */
  transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #statement(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      if (this.#prepared.size > 500) this.#prepared.clear();
      this.#prepared.set(sql, statement);
    }
    return statement;
  }

  #addColumn(table: string, column: string, type: string): void {
    const there = this.#db.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get(table, column);
    if (there === undefined) this.#db.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
  }

  /** Read marks are durable in the accounts; the index has them by key. What a crash or a rebuild left out is made good. */
  #copyReadMarks(): void {
    const count = (table: string): unknown => this.#db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'];
    if (count('read_marks') === count('idx.seen')) return;
    this.transaction(() => {
      this.#db.exec('DELETE FROM idx.seen');
      this.#db.exec('INSERT INTO idx.seen SELECT r.user, m.key FROM read_marks r JOIN idx.messages m ON m.id = r.id');
    });
  }

  #detach(): void {
    const attached = this.#db.prepare("SELECT 1 FROM pragma_database_list WHERE name = 'idx'").get();
    if (attached !== undefined) this.#db.exec('DETACH idx');
  }
}
