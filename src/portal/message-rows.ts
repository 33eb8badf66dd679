// A message as rows of the index: its line in the list, its recipients, its words, its files.
import { timeOf, type MessageId } from '../message/id.ts';
import type { Predicate, Statement } from '../outbox/manifest.ts';
import { parseAddress } from './accounts.ts';
import type { Database } from './database.ts';
import { SHELVES } from './list-filters.ts';
import { bigrams, whoWord } from './search-words.ts';

/** A message of which something is new; `statement` where its package was verified a moment ago. */
export interface Told {
  readonly id: MessageId;
  readonly statement: Statement | undefined;
  readonly stage: string;
}

const EPOCH = Date.UTC(2020, 0, 1);
/** Keys rise with the time of arrival and stay below 2^53 until the year 2089. */
const PER_MS = 4096;

/** The first key of what came at a time, milliseconds since the epoch. */
export function keyAt(time: number): number {
  return (time - EPOCH) * PER_MS;
}

/** What is kept of a digest (hex): enough to find a file, the signed manifest has the whole. */
export function shortDigest(sha256: string): string {
  return sha256.slice(0, 24);
}

/** Writes and takes out the rows of messages. */
export class MessageRows {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** Writes them in one transaction; of a message that is known, its stage. */
  write(gathered: readonly Told[]): void {
    if (gathered.length === 0) return;
    this.#db.transaction(() => {
      for (const { id, statement, stage } of gathered) this.#writeOne(id, statement, stage);
    });
  }

  #writeOne(id: MessageId, statement: Statement | undefined, stage: string): void {
    const predicate = statement?.predicate;
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
    const shown = predicate?.answers === undefined && this.#isShown(id, predicate?.revises, waiting);
    const shelf = shown ? SHELVES[predicate?.state ?? 'refused'] : 0;
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
      shown ? 1 : 0,
    );
    const addresses = new Set((predicate?.envelope.to ?? []).map(parseAddress).filter((one) => one !== undefined));
    for (const address of addresses)
      this.#db.run('INSERT OR IGNORE INTO recipients VALUES (?, ?, ?)', address, key, shelf);
    this.#db.run('INSERT OR IGNORE INTO seen SELECT user, ? FROM read_marks WHERE id = ?', key, id);
    for (const { digest } of statement?.subject ?? [])
      this.#db.run('INSERT OR IGNORE INTO files VALUES (?, ?)', shortDigest(digest.sha256), key);
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
    this.#db.run('UPDATE recipients SET shelf = 0 WHERE key = ?', shown['key'] ?? 0);
    return true;
  }

  #freeKey(id: MessageId): number {
    let low = 0;
    for (const letter of id.slice(-4)) low = (low * 31 + letter.charCodeAt(0)) % PER_MS;
    let key = keyAt(timeOf(id)) + low;
    while (this.#db.get('SELECT 1 FROM messages WHERE key = ?', key) !== undefined) key += 1;
    return key;
  }

  /** Takes a message out: its package was deleted. */
  remove(id: MessageId): void {
    this.#db.transaction(() => {
      const row = this.#db.get('SELECT key, revises, shown FROM messages WHERE id = ?', id);
      const key = row?.['key'];
      if (row === undefined || typeof key !== 'number') return;
      this.#db.run('DELETE FROM messages WHERE key = ?', key);
      this.#db.run('DELETE FROM recipients WHERE key = ?', key);
      this.#db.run('DELETE FROM idx.words WHERE rowid = ?', key);
      this.#db.run('DELETE FROM files WHERE key = ?', key);
      this.#db.run('DELETE FROM seen WHERE key = ? AND user IN (SELECT user FROM read_marks WHERE id = ?)', key, id);
      this.#db.run('DELETE FROM read_marks WHERE id = ?', id);
      if (row['shown'] === 1) this.#showInstead(String(row['revises'] ?? id));
    });
  }

  /** Another version of the message, the one with the least to wait for, stands in the list again. */
  #showInstead(first: string): void {
    const other = this.#db.get(
      'SELECT key, state FROM messages WHERE (id = ? OR revises = ?) ORDER BY waiting, key DESC LIMIT 1',
      first,
      first,
    );
    if (other === undefined) return;
    const shelf = SHELVES[other['state'] as keyof typeof SHELVES];
    this.#db.run('UPDATE messages SET shown = 1 WHERE key = ?', other['key'] ?? 0);
    this.#db.run('UPDATE recipients SET shelf = ? WHERE key = ?', shelf, other['key'] ?? 0);
  }
}
