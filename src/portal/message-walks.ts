// Keys of a list's lines, newest first. Each walk goes along indexes that are in the list's order, merges them and ends with
// the page: no line is looked up to be left out, nothing is sorted.
import type { State } from '../message/part.ts';
import type { AnyFilter } from './list-filters.ts';
import { fromFew, onShelf } from './list-filters.ts';
import { whoWord } from './search-words.ts';

/** A statement and its values; it gives a column `key`. */
export interface Walk {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

/** What a walk looks for. `match`: an expression for the words of a message. */
export interface Sought {
  readonly user: string;
  readonly addresses: readonly string[];
  readonly state: State | undefined;
  readonly unread: boolean;
  readonly match: string | undefined;
  readonly before: number;
  readonly most: number;
}

/** Mailboxes merged in one statement: SQLite takes no more than 500 terms. */
const MAILBOXES_AT_ONCE = 100;

/** Walks whose keys together are a person's page; each gives at most `most`. */
export function walksOf(sought: Sought): Walk[] {
  const { addresses, unread, match } = sought;
  const walks: Walk[] = [];
  // Without more to compare a short walk along each mailbox is enough.
  const atOnce = unread || match !== undefined ? MAILBOXES_AT_ONCE : 1;
  for (let at = 0; at < addresses.length; at += atOnce)
    walks.push(walkOf({ ...sought, addresses: addresses.slice(at, at + atOnce) }));
  return walks;
}

function walkOf({ user, addresses, state, unread, match, before, most }: Sought): Walk {
  const values: (string | number)[] = [];
  const below = (...more: readonly string[]): void => void values.push(...more, before);
  let sql: string;
  if (match === undefined) {
    const one = `SELECT key FROM recipients WHERE address = ? AND key < ? AND ${onShelf(state)}`;
    sql = addresses.map(() => one).join(' UNION ALL ');
    for (const address of addresses) below(address);
  } else {
    sql = WORDS;
    below(`who:(${addresses.map(whoWord).join(' OR ')}) AND what:(${match})`);
    if (state === 'held' || state === 'refused') {
      sql += ` INTERSECT SELECT key ${fromFew(state === 'held' ? 'wholeHeld' : state)} AND key < ?`;
      below();
    }
    // What passed is whatever is none of the others: those are few.
    for (const few of state === 'sanitised' ? (['wholeHeld', 'refused', 'hidden'] as const) : (['hidden'] as const)) {
      sql += ` EXCEPT SELECT key ${fromFew(few)} AND key < ?`;
      below();
    }
  }
  if (unread) {
    sql += ' EXCEPT SELECT key FROM seen WHERE user = ? AND key < ?';
    below(user);
  }
  return { sql: `${sql} ORDER BY key DESC LIMIT ?`, values: [...values, most] };
}

/** Numbers come as floating ones, which FTS5 does not take for a limit: it would walk from the newest. */
const WORDS = 'SELECT rowid AS key FROM words WHERE words MATCH ? AND rowid < CAST(? AS INTEGER)';

/** A walk over every mailbox, for the operator. `match`: a whole expression of the full-text index. */
export function walkOfAll(sought: {
  readonly filter: AnyFilter;
  readonly match: string | undefined;
  readonly before: number;
  readonly most: number;
}): Walk {
  const { filter, match, before, most } = sought;
  const few = filter === 'all' ? 'FROM idx.messages WHERE true' : fromFew(filter);
  const of = `SELECT key ${few} AND key < ?`;
  if (match === undefined) return { sql: `${of} ORDER BY key DESC LIMIT ?`, values: [before, most] };
  const both = filter === 'all' ? WORDS : `${WORDS} INTERSECT ${of}`;
  const values = filter === 'all' ? [match, before] : [match, before, before];
  return { sql: `${both} ORDER BY key DESC LIMIT ?`, values: [...values, most] };
}
