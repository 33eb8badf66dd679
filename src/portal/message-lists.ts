// The list of messages as its readers ask for it: a person's own, the operator's, one message, its versions.
import { parseMessageId, type MessageId } from '../message/id.ts';
import type { State } from '../message/part.ts';
import { parseAddress } from './accounts.ts';
import type { Database, Row } from './database.ts';
import type { AnyFilter } from './list-filters.ts';
import { walkOfAll, walksOf, type Walk } from './message-walks.ts';
import { matchOf, whoWord } from './search-words.ts';

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

/** What a list is asked for. `before`: the key of the last line of the page before. */
export interface Query {
  readonly user: string;
  readonly addresses: readonly string[];
  readonly state?: State | undefined;
  readonly unread?: boolean;
  readonly words?: string;
  readonly before?: number | undefined;
  readonly most: number;
}

/** Lines that are asked one by one for words, at some 0.2 ms each where everything has them. */
const FEW = 60;
const HAS_WORDS = 'SELECT 1 FROM words WHERE words MATCH ? AND rowid = CAST(? AS INTEGER)';
/** How large a mailbox is, as far as it matters. */
const SIZE = 'SELECT count(*) AS n FROM (SELECT 1 FROM recipients WHERE address = ? LIMIT 5000)';

/** Reads the index. Every answer about a message of a person is by the addresses that he may read. */
export class MessageLists {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** A page of somebody's list, newest first, and whether there is more. */
  list(query: Query): { readonly lines: Listed[]; readonly more: boolean } {
    const most = query.most + 1;
    const words = query.words ?? '';
    const match = matchOf(words);
    if (findsNothing(words, match)) return { lines: [], more: false };
    const { user, addresses, state, unread = false, before = Number.MAX_SAFE_INTEGER } = query;
    const sought = { user, addresses: this.#largestLast(addresses), state, unread, match, before, most };
    const few =
      match === undefined || (state === undefined && !unread)
        ? undefined
        : this.#fewWith(walksOf({ ...sought, match: undefined, most: FEW + 1 }), `what:(${match})`);
    const sorted = few ?? this.#keysOf(walksOf(sought));
    const lines = sorted.slice(0, query.most).map((key) => this.#line(key, user));
    return { lines: lines.filter((line) => line !== undefined), more: sorted.length > query.most };
  }

  /** Keys of some walks, newest first, each once. */
  #keysOf(walks: readonly Walk[]): number[] {
    const rows = walks.flatMap(({ sql, values }) => this.#db.all(sql, ...values));
    return [...new Set(rows.map((row) => Number(row['key'])))].toSorted((a, b) => b - a);
  }

  /**
   * Where a filter by itself leaves few lines, they are asked one by one whether they have the words: a walk along all that
   * have them might pass a hundred thousand. Undefined where they are not few.
   */
  #fewWith(walks: readonly Walk[], match: string): number[] | undefined {
    const keys = this.#keysOf(walks);
    if (keys.length > FEW) return undefined;
    return keys.filter((key) => this.#db.get(HAS_WORDS, match, key) !== undefined);
  }

  /** The first of many merged walks passes through all merges: it should be a short one. */
  #largestLast(addresses: readonly string[]): readonly string[] {
    if (addresses.length < 2) return addresses;
    const sizes = new Map(addresses.map((address) => [address, Number(this.#db.get(SIZE, address)?.['n'] ?? 0)]));
    return addresses.toSorted((a, b) => (sizes.get(a) ?? 0) - (sizes.get(b) ?? 0));
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
    const id = parseMessageId(query.words.trim().toLowerCase());
    const address = parseAddress(query.words.trim());
    const what = matchOf(query.words);
    if (findsNothing(query.words, what)) return { lines: [], more: false };
    const most = query.most + 1;
    let rows: Row[];
    if (id !== undefined)
      rows = this.#db.all('SELECT m.* FROM messages m WHERE (m.id = ? OR m.revises = ?) ORDER BY m.key DESC', id, id);
    else {
      const who = address === undefined ? '' : ` OR who:${whoWord(address)}`;
      const match = what === undefined ? undefined : `what:(${what})${who}`;
      const sought = { filter: query.filter, match, before, most };
      const few =
        match === undefined || query.filter === 'all'
          ? undefined
          : this.#fewWith([walkOfAll({ ...sought, match: undefined, most: FEW + 1 })], match)?.slice(0, most);
      const keys = few ?? this.#keysOf([walkOfAll(sought)]);
      rows = keys
        .map((key) => this.#db.get('SELECT m.* FROM messages m WHERE m.key = ?', key))
        .filter((row) => row !== undefined);
    }
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
    const key = this.#db.get('SELECT key FROM messages WHERE id = ?', id)?.['key'] ?? 0;
    this.#db.transaction(() => {
      if (read) {
        this.#db.run('INSERT OR IGNORE INTO read_marks VALUES (?, ?)', user, id);
        if (key !== 0) this.#db.run('INSERT OR IGNORE INTO seen VALUES (?, ?)', user, key);
      } else {
        this.#db.run('DELETE FROM read_marks WHERE user = ? AND id = ?', user, id);
        this.#db.run('DELETE FROM seen WHERE user = ? AND key = ?', user, key);
      }
    });
  }

  count(): number {
    return Number(this.#db.get('SELECT count(*) AS n FROM messages')?.['n'] ?? 0);
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
}

/** True when something was typed and nothing of it can be searched for: that is no question for everything. */
function findsNothing(typed: string, match: string | undefined): boolean {
  return match === undefined && typed.trim() !== '';
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
