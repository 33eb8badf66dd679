// The list of messages as SQLite knows it: a cache of what the outbox and the delivery records say, made again at will.
import type { KeyObject } from 'node:crypto';
import { createHash } from 'node:crypto';
import { parseMessageId, timeOf, type MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import { MugaiError } from '../message/errors.ts';
import type { DeliveryRecord } from '../message/stages.ts';
import { MANIFEST, openManifest, type Predicate } from '../outbox/manifest.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { parseAddress } from './accounts.ts';
import type { Database, Row } from './database.ts';
import { bigrams, matchOf } from './search-words.ts';

/** Where messages come from. `end`: how delivery ended, undefined while it has not. */
export interface MessageSource {
  readonly outbox: Outbox;
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly end: (id: MessageId) => Promise<DeliveryRecord | undefined>;
}

/** A line of the list. `stage` is `sealed` until delivery ends; `quarantined` is never readable. */
export interface Listed {
  readonly key: number;
  readonly id: MessageId;
  readonly kind: 'mail' | 'file';
  readonly sender: string;
  readonly subject: string;
  readonly state: string;
  readonly stage: string;
  readonly files: number;
  readonly pages: number;
  readonly remarks: number;
  readonly waiting: number;
  readonly read: boolean;
}

/** A line as the operator sees it: of any mailbox. */
export interface AnyLine extends Listed {
  readonly reason: string;
  /** The message that this is another version of; empty for a first version. */
  readonly revises: string;
}

/** What the operator's list shows: `attention` is everything somebody may have to do something about. */
export type AnyFilter = 'all' | 'attention' | 'held' | 'refused' | 'undelivered' | 'waiting' | 'broken';

const FILTER_SQL: { readonly [filter in AnyFilter]: string } = {
  all: '',
  attention: "AND (m.state = 'held' OR m.waiting > 0 OR m.stage NOT IN ('delivered', 'sealed'))",
  held: "AND (m.state = 'held' OR m.waiting > 0)",
  refused: "AND m.state = 'refused'",
  undelivered: "AND m.stage IN ('expired', 'rejected')",
  waiting: "AND m.stage = 'sealed'",
  broken: "AND (m.stage = 'quarantined' OR m.reason = 'converter-failed')",
};

/** What a list is asked for. `before`: the key of the last line of the page before. */
export interface Query {
  readonly user: string;
  readonly addresses: readonly string[];
  readonly state?: string | undefined;
  readonly unread?: boolean;
  readonly words?: string;
  readonly before?: number | undefined;
  readonly most: number;
}

/** A message of which something is new; `predicate` where its package was verified a moment ago. */
export interface Told {
  readonly id: MessageId;
  readonly predicate: Predicate | undefined;
  readonly stage: string;
}

const HOUR = 3_600_000;
const EPOCH = Date.UTC(2020, 0, 1);
/** Keys rise with the time of arrival and stay below 2^53 until the year 2089. */
const PER_MS = 4096;
/** Packages read at once, and written in one transaction, while the index is filled. */
const READ_AT_ONCE = 16;
const BATCH = 512;

function keyAt(time: number): number {
  return (time - EPOCH) * PER_MS;
}

/** The word that stands for a recipient in the full-text index. */
function whoWord(address: string): string {
  return `a${createHash('sha256').update(address).digest('hex').slice(0, 16)}`;
}

export class MessageIndex {
  readonly #db: Database;
  readonly #source: MessageSource;
  /** Shards that were compared when their hour was over: nothing comes to them any more. */
  readonly #closed = new Set<string>();
  #running: Promise<number> | undefined;
  /** True until what lies in the outbox was compared once. */
  filling = true;
  /** What is wrong with the index or its source; undefined when all is well. */
  fault: string | undefined;

  constructor(db: Database, source: MessageSource) {
    this.#db = db;
    this.#source = source;
  }

  /** Throws the index away and fills a new one. */
  async startAgain(signal: AbortSignal): Promise<number> {
    this.#closed.clear();
    this.filling = true;
    this.#db.attachIndex(true);
    return this.catchUp(signal);
  }

  /** Adds what is in the outbox and not in the index, and notes deliveries that ended since. How many it wrote. */
  async catchUp(signal: AbortSignal): Promise<number> {
    this.#running ??= this.#catchUp(signal)
      .then(
        (count) => {
          this.fault = undefined;
          this.filling = false;
          return count;
        },
        (error: unknown) => {
          this.fault = error instanceof Error ? error.message : String(error);
          throw error;
        },
      )
      .finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #catchUp(signal: AbortSignal): Promise<number> {
    if (!this.#db.indexInPlace()) {
      this.#closed.clear();
      this.filling = this.#db.attachIndex();
    }
    // A mount that is lost looks like an outbox without packages: what is known stays, and it is said.
    if (this.count() > 0 && !(await this.#source.outbox.isThere()))
      throw new MugaiError('store-failed', 'the outbox is empty though messages of it are known: is its mount lost?');
    let count = 0;
    for (const { id } of this.#open()) {
      const end = await this.#source.end(id);
      if (end === undefined) continue;
      this.#write([await this.#gather(id)]);
      count += 1;
    }
    for (const shard of await this.#source.outbox.shards()) {
      if (this.#closed.has(shard)) continue;
      const hour = hourOf(shard);
      if (hour === undefined) continue;
      const known = new Set(
        this.#db
          .all('SELECT id FROM messages WHERE key >= ? AND key < ?', keyAt(hour), keyAt(hour + HOUR))
          .map((row) => row['id']),
      );
      const missing = (await this.#source.outbox.idsOf(shard)).filter((id) => !known.has(id));
      for (let at = 0; at < missing.length; at += BATCH) {
        signal.throwIfAborted();
        count += await this.#take(missing.slice(at, at + BATCH));
      }
      if (Date.now() - hour > 2 * HOUR) this.#closed.add(shard);
    }
    return count;
  }

  /** Takes messages in again: they came, or their delivery ended. What the gate verified just now is not read again. */
  async refresh(told: readonly Told[]): Promise<void> {
    const there: Told[] = [];
    for (const one of told) if ((await this.#source.outbox.find(one.id)) !== undefined) there.push(one);
    this.#write(there.filter(({ predicate }) => predicate !== undefined));
    await this.#take(there.filter(({ predicate }) => predicate === undefined).map(({ id }) => id));
  }

  /** Takes a message out: its package was deleted. */
  forget(id: MessageId): void {
    this.#db.transaction(() => {
      const key = this.#db.get('SELECT key FROM messages WHERE id = ?', id)?.['key'];
      if (typeof key !== 'number') return;
      this.#db.run('DELETE FROM messages WHERE key = ?', key);
      this.#db.run('DELETE FROM recipients WHERE key = ?', key);
      this.#db.run('DELETE FROM idx.words WHERE rowid = ?', key);
      this.#db.run('DELETE FROM read_marks WHERE id = ?', id);
    });
  }

  async #take(ids: readonly MessageId[]): Promise<number> {
    if (ids.length === 0) return 0;
    const gathered: Told[] = [];
    const queue = ids.values();
    const lane = async (): Promise<void> => {
      for (const id of queue) gathered.push(await this.#gather(id));
    };
    await Promise.all(Array.from({ length: Math.min(READ_AT_ONCE, ids.length) }, lane));
    this.#write(gathered);
    return gathered.length;
  }

  async #gather(id: MessageId): Promise<Told> {
    const end = await this.#source.end(id);
    const stage = end?.stage ?? 'sealed';
    try {
      const bytes = await this.#source.outbox.files(id).get(MANIFEST, LIMITS.manifestBytes);
      if (bytes === undefined) throw new MugaiError('bad-package', 'no manifest', { permanent: true });
      const { predicate } = await openManifest(bytes, this.#source.keys);
      if (predicate.id !== id) throw new MugaiError('bad-package', 'another id', { permanent: true });
      return { id, predicate, stage };
    } catch (error) {
      if (!(error instanceof MugaiError) || !['bad-package', 'too-large'].includes(error.code)) throw error;
      return { id, predicate: undefined, stage: 'quarantined' }; // known, and nobody's: its recipients are not believed
    }
  }

  #write(gathered: readonly Told[]): void {
    if (gathered.length === 0) return;
    this.#db.transaction(() => {
      for (const { id, predicate, stage } of gathered) this.#writeOne(id, predicate, stage);
    });
  }

  #writeOne(id: MessageId, predicate: Predicate | undefined, stage: string): void {
    const known = this.#db.get('SELECT key FROM messages WHERE id = ?', id)?.['key'];
    if (known !== undefined) {
      this.#db.run('UPDATE messages SET stage = ? WHERE key = ?', stage, known);
      return;
    }
    const key = this.#freeKey(id);
    const parts = predicate?.parts ?? [];
    const sum = (of: (part: Predicate['parts'][number]) => number): number =>
      parts.reduce((total, part) => total + of(part), 0);
    const waiting = sum((part) => (part.verdict === 'held' ? 1 : 0));
    const sender = predicate?.headers?.from ?? predicate?.envelope.from ?? '';
    const subject = predicate?.headers?.subject ?? predicate?.source.name ?? '';
    this.#db.run(
      'INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      key,
      id,
      predicate?.source.kind ?? 'file',
      sender.slice(0, 300),
      subject.slice(0, 300),
      predicate?.state ?? 'refused',
      predicate?.reason ?? null,
      stage,
      sum((part) => part.outputs.filter((name) => name.startsWith('files/')).length),
      sum((part) => part.pages),
      sum((part) => part.findings.length),
      waiting,
      predicate?.revises ?? null,
      predicate?.answers === undefined && this.#isShown(id, predicate?.revises, waiting) ? 1 : 0,
    );
    const addresses = new Set((predicate?.envelope.to ?? []).map(parseAddress).filter((one) => one !== undefined));
    for (const address of addresses) this.#db.run('INSERT OR IGNORE INTO recipients VALUES (?, ?)', address, key);
    const names = parts.slice(0, 200).map(({ name }) => name);
    this.#db.run(
      'INSERT INTO words (rowid, who, what) VALUES (?, ?, ?)',
      key,
      [...addresses].map(whoWord).join(' '),
      [subject, sender, ...names].map(bigrams).join(' , '),
    );
  }

  /**
   * Another version of a message takes its place in the list when more of it can be read; otherwise (a wrong password, one
   * page drawn anew) it is found on the page of the first.
   */
  #isShown(id: MessageId, revises: string | undefined, waiting: number): boolean {
    if (revises === undefined) return true;
    const shown = this.#db.get(
      'SELECT key, waiting FROM messages WHERE (id = ? OR revises = ?) AND id <> ? AND shown = 1',
      revises,
      revises,
      id,
    );
    if (shown === undefined) return true;
    if (waiting >= Number(shown['waiting'])) return false;
    this.#db.run('UPDATE messages SET shown = 0 WHERE key = ?', shown['key'] ?? 0);
    return true;
  }

  /** All versions of a message, the first one first. */
  versions(id: MessageId): { readonly id: MessageId; readonly waiting: number; readonly shown: boolean }[] {
    const first = this.#db.get('SELECT revises FROM messages WHERE id = ?', id)?.['revises'] ?? id;
    return this.#db
      .all('SELECT id, waiting, shown FROM messages WHERE id = ? OR revises = ? ORDER BY key', first, first)
      .map((row) => ({
        id: String(row['id']) as MessageId,
        waiting: Number(row['waiting']),
        shown: row['shown'] === 1,
      }));
  }

  #freeKey(id: MessageId): number {
    let low = 0;
    for (const letter of id.slice(-4)) low = (low * 31 + letter.charCodeAt(0)) % PER_MS;
    let key = keyAt(timeOf(id)) + low;
    while (this.#db.get('SELECT 1 FROM messages WHERE key = ?', key) !== undefined) key += 1;
    return key;
  }

  #open(): { readonly id: MessageId }[] {
    return this.#db
      .all("SELECT id FROM messages WHERE stage = 'sealed' ORDER BY key LIMIT 20000")
      .map((row) => ({ id: parseMessageId(String(row['id'])) }))
      .filter((row): row is { readonly id: MessageId } => row.id !== undefined);
  }

  /** A page of somebody's list, newest first, and whether there is more. */
  list(query: Query): { readonly lines: Listed[]; readonly more: boolean } {
    const keys = new Set<number>();
    const most = query.most + 1;
    const match = query.words === undefined ? undefined : matchOf(query.words);
    if (match !== undefined) for (const key of this.#search(query, match, most)) keys.add(key);
    // One short walk along each mailbox's own index, instead of a sort over all of them.
    else for (const address of query.addresses) for (const key of this.#walk(query, address, most)) keys.add(key);
    const sorted = [...keys].toSorted((a, b) => b - a);
    const lines = sorted.slice(0, query.most).map((key) => this.#line(key, query.user));
    return { lines: lines.filter((line) => line !== undefined), more: sorted.length > query.most };
  }

  #walk(query: Query, address: string, most: number): number[] {
    const { sql, values } = filtersOf(query);
    return this.#db
      .all(
        `SELECT r.key FROM recipients r JOIN messages m ON m.key = r.key
         WHERE r.address = ? AND r.key < ? AND m.shown = 1 ${sql} ORDER BY r.key DESC LIMIT ?`,
        address,
        query.before ?? Number.MAX_SAFE_INTEGER,
        ...values,
        most,
      )
      .map((row) => Number(row['key']));
  }

  #search(query: Query, match: string, most: number): number[] {
    if (query.addresses.length === 0) return [];
    const who = query.addresses.map(whoWord).join(' OR ');
    const { sql, values } = filtersOf(query);
    return this.#db
      .all(
        `SELECT w.rowid AS key FROM idx.words w JOIN messages m ON m.key = w.rowid
         WHERE words MATCH ? AND w.rowid < ? AND m.shown = 1 ${sql} ORDER BY w.rowid DESC LIMIT ?`,
        `who:(${who}) AND what:(${match})`,
        query.before ?? Number.MAX_SAFE_INTEGER,
        ...values,
        most,
      )
      .map((row) => Number(row['key']));
  }

  #line(key: number, user: string): Listed | undefined {
    const row = this.#db.get(
      'SELECT m.*, (SELECT 1 FROM read_marks r WHERE r.user = ? AND r.id = m.id) AS read FROM messages m WHERE m.key = ?',
      user,
      key,
    );
    return row === undefined ? undefined : listedOf(row);
  }

  /** The operator's list, newest first: every mailbox, told by its outside only. */
  listAll(query: {
    readonly filter: AnyFilter;
    readonly words: string;
    readonly before: number | undefined;
    readonly most: number;
  }): { readonly lines: AnyLine[]; readonly more: boolean } {
    const before = query.before ?? Number.MAX_SAFE_INTEGER;
    const filter = FILTER_SQL[query.filter];
    const id = parseMessageId(query.words.trim().toLowerCase());
    const address = parseAddress(query.words.trim());
    const match = matchOf(query.words);
    const most = query.most + 1;
    let rows: Row[];
    if (id !== undefined)
      rows = this.#db.all('SELECT m.* FROM messages m WHERE (m.id = ? OR m.revises = ?) ORDER BY m.key DESC', id, id);
    else if (match === undefined)
      rows = this.#db.all(
        `SELECT m.* FROM messages m WHERE m.key < ? ${filter} ORDER BY m.key DESC LIMIT ?`,
        before,
        most,
      );
    else
      rows = this.#db.all(
        `SELECT m.* FROM idx.words w JOIN messages m ON m.key = w.rowid
         WHERE words MATCH ? AND w.rowid < ? ${filter} ORDER BY w.rowid DESC LIMIT ?`,
        address === undefined ? `what:(${match})` : `what:(${match}) OR who:${whoWord(address)}`,
        before,
        most,
      );
    const lines = rows.map(anyLineOf).filter((line) => line !== undefined);
    return { lines: lines.slice(0, query.most), more: lines.length > query.most };
  }

  /** A message of any mailbox, for the operator; undefined when the index has none of this id. */
  anyOf(id: MessageId): AnyLine | undefined {
    const row = this.#db.get('SELECT m.* FROM messages m WHERE m.id = ?', id);
    return row === undefined ? undefined : anyLineOf(row);
  }

  /** A message, when one of the addresses is among its recipients; otherwise undefined, as if it were not there. */
  find(id: MessageId, addresses: readonly string[], user: string): Listed | undefined {
    const key = this.#db.get('SELECT key FROM messages WHERE id = ?', id)?.['key'];
    if (typeof key !== 'number') return undefined;
    const mine = addresses.some(
      (address) => this.#db.get('SELECT 1 FROM recipients WHERE address = ? AND key = ?', address, key) !== undefined,
    );
    return mine ? this.#line(key, user) : undefined;
  }

  /** Key and stage of the newest line of any of these mailboxes: it changes when something came. */
  newest(addresses: readonly string[]): string {
    let newest = 0;
    for (const address of addresses) {
      const row = this.#db.get('SELECT max(key) AS key FROM recipients WHERE address = ?', address);
      newest = Math.max(newest, Number(row?.['key'] ?? 0));
    }
    return `${newest} ${String(this.#db.get('SELECT stage FROM messages WHERE key = ?', newest)?.['stage'] ?? '')}`;
  }

  markRead(user: string, id: MessageId, read: boolean): void {
    if (read) this.#db.run('INSERT OR IGNORE INTO read_marks VALUES (?, ?)', user, id);
    else this.#db.run('DELETE FROM read_marks WHERE user = ? AND id = ?', user, id);
  }

  count(): number {
    return Number(this.#db.get('SELECT count(*) AS n FROM messages')?.['n'] ?? 0);
  }
}

function filtersOf(query: Query): { readonly sql: string; readonly values: readonly string[] } {
  const values: string[] = [];
  let sql = '';
  if (query.state !== undefined) {
    sql += ' AND m.state = ?';
    values.push(query.state);
  }
  if (query.unread === true) {
    sql += ' AND NOT EXISTS (SELECT 1 FROM read_marks x WHERE x.user = ? AND x.id = m.id)';
    values.push(query.user);
  }
  return { sql, values };
}

/** The hour of a shard, milliseconds since the epoch. */
function hourOf(shard: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})-(\d{2})$/.exec(shard);
  if (match === null) return undefined;
  const [, year, month, day, hour] = match.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1, hour ?? 0);
}

function anyLineOf(row: Row): AnyLine | undefined {
  const line = listedOf(row);
  if (line === undefined) return undefined;
  return { ...line, reason: String(row['reason'] ?? ''), revises: String(row['revises'] ?? '') };
}

function listedOf(row: Row): Listed | undefined {
  const id = parseMessageId(String(row['id']));
  if (id === undefined) return undefined;
  return {
    key: Number(row['key']),
    id,
    kind: row['kind'] === 'mail' ? 'mail' : 'file',
    sender: String(row['sender']),
    subject: String(row['subject']),
    state: String(row['state']),
    stage: String(row['stage']),
    files: Number(row['files']),
    pages: Number(row['pages']),
    remarks: Number(row['remarks']),
    waiting: Number(row['waiting']),
    read: row['read'] === 1,
  };
}
