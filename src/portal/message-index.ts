// The index of messages: a cache of what the outbox and the delivery records say, kept in step with them, made again at will.
import type { KeyObject } from 'node:crypto';
import { parseMessageId, type MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import { MugaiError } from '../message/errors.ts';
import type { DeliveryRecord } from '../message/stages.ts';
import { MANIFEST, openManifest } from '../outbox/manifest.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Database } from './database.ts';
import { MessageLists } from './message-lists.ts';
import { keyAt, MessageRows, shortDigest, type Told } from './message-rows.ts';

/** Where messages come from. `end`: how delivery ended, undefined while it has not. */
export interface MessageSource {
  readonly outbox: Outbox;
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly end: (id: MessageId) => Promise<DeliveryRecord | undefined>;
}

const HOUR = 3_600_000;
/** Packages read at once while the index is filled, and written in one transaction: some 50 ms in which no page is made. */
const READ_AT_ONCE = 16;
const BATCH = 512;

export class MessageIndex {
  readonly #db: Database;
  readonly #source: MessageSource;
  readonly #rows: MessageRows;
  /** What is asked of it. */
  readonly lists: MessageLists;
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
    this.#rows = new MessageRows(db);
    this.lists = new MessageLists(db);
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
    for (const id of this.#open()) {
      const end = await this.#source.end(id);
      if (end === undefined) continue;
      this.#rows.write([await this.#gather(id)]);
      count += 1;
    }
    const over: string[] = [];
    const missing: MessageId[] = [];
    for (const shard of await this.#source.outbox.shards()) {
      const hour = hourOf(shard);
      if (hour === undefined || this.#closed.has(shard)) continue;
      missing.push(...(await this.#missing(shard, hour)));
      // One transaction for many costs less than one for each hour: the full-text index merges what it wrote less often.
      while (missing.length >= BATCH) {
        signal.throwIfAborted();
        count += await this.#take(missing.splice(0, BATCH));
      }
      if (Date.now() - hour > 2 * HOUR) over.push(shard);
    }
    count += await this.#take(missing);
    for (const shard of over) this.#closed.add(shard);
    return count;
  }

  /** Packages of a shard that are not in the index. */
  async #missing(shard: string, hour: number): Promise<MessageId[]> {
    const known = new Set(
      this.#db
        .all('SELECT id FROM messages WHERE key >= ? AND key < ?', keyAt(hour), keyAt(hour + HOUR))
        .map((row) => row['id']),
    );
    return (await this.#source.outbox.idsOf(shard)).filter((id) => !known.has(id));
  }

  /** Takes messages in again: they came, or their delivery ended. What the gate verified just now is not read again. */
  async refresh(told: readonly Told[]): Promise<void> {
    const there: Told[] = [];
    for (const one of told) if ((await this.#source.outbox.find(one.id)) !== undefined) there.push(one);
    this.#rows.write(there.filter(({ statement }) => statement !== undefined));
    await this.#take(there.filter(({ statement }) => statement === undefined).map(({ id }) => id));
  }

  /** Takes a message out: its package was deleted. */
  forget(id: MessageId): void {
    this.#rows.remove(id);
  }

  async #take(ids: readonly MessageId[]): Promise<number> {
    if (ids.length === 0) return 0;
    const gathered: Told[] = [];
    const queue = ids.values();
    const lane = async (): Promise<void> => {
      for (const id of queue) gathered.push(await this.#gather(id));
    };
    await Promise.all(Array.from({ length: Math.min(READ_AT_ONCE, ids.length) }, lane));
    // In the order they came: a later version of a message finds the one whose place it takes.
    this.#rows.write(gathered.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
    return gathered.length;
  }

  async #gather(id: MessageId): Promise<Told> {
    const end = await this.#source.end(id);
    const stage = end?.stage ?? 'sealed';
    try {
      const bytes = await this.#source.outbox.files(id).get(MANIFEST, LIMITS.manifestBytes);
      if (bytes === undefined) throw new MugaiError('bad-package', 'no manifest', { permanent: true });
      const statement = await openManifest(bytes, this.#source.keys);
      if (statement.predicate.id !== id) throw new MugaiError('bad-package', 'another id', { permanent: true });
      return { id, statement, stage };
    } catch (error) {
      if (!(error instanceof MugaiError) || !['bad-package', 'too-large'].includes(error.code)) throw error;
      return { id, statement: undefined, stage: 'quarantined' }; // known, and nobody's: its recipients are not believed
    }
  }

  #open(): MessageId[] {
    return this.#db
      .all("SELECT id FROM messages WHERE stage = 'sealed' ORDER BY key LIMIT 20000")
      .map((row) => parseMessageId(String(row['id'])))
      .filter((id) => id !== undefined);
  }

  /** Messages whose packages list a file of this digest, the newest first, `most` at most. */
  listing(sha256: string, most: number): MessageId[] {
    return this.#db
      .all(
        'SELECT m.id FROM files f JOIN messages m ON m.key = f.key WHERE f.digest = ? ORDER BY f.key DESC LIMIT ?',
        shortDigest(sha256),
        most,
      )
      .map((row) => parseMessageId(String(row['id'])))
      .filter((id) => id !== undefined);
  }

  /** How many messages it knows. */
  count(): number {
    return Number(this.#db.get('SELECT count(*) AS n FROM messages')?.['n'] ?? 0);
  }
}

/** The hour of a shard, milliseconds since the epoch. */
function hourOf(shard: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})-(\d{2})$/.exec(shard);
  if (match === null) return undefined;
  const [, year, month, day, hour] = match.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1, hour ?? 0);
}
