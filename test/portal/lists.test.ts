// The lists by every filter and every pair of filters, page by page, against a plain look at every line; and how SQLite walks.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newMessageId, type MessageId } from '../../src/message/id.ts';
import { STATES } from '../../src/message/part.ts';
import type { Statement } from '../../src/outbox/manifest.ts';
import { Database } from '../../src/portal/database.ts';
import { MessageLists } from '../../src/portal/message-lists.ts';
import { MessageRows } from '../../src/portal/message-rows.ts';
import { walkOfAll, walksOf } from '../../src/portal/message-walks.ts';
import { entriesFor } from '../support/bare-portal.ts';
import { scratch } from '../support/scratch.ts';

const BOXES = ['a@city.example', 'b@city.example', 'c@city.example'] as const;
const FILTERS = ['all', 'attention', 'held', 'refused', 'undelivered', 'waiting', 'broken'] as const;
const STAGES = ['delivered', 'delivered', 'delivered', 'sealed', 'expired', 'rejected', 'quarantined'] as const;
const MOST = 7;

interface Line {
  readonly id: MessageId;
  readonly to: readonly string[];
  readonly state: (typeof STATES)[number];
  readonly stage: string;
  readonly word: string;
  readonly revises: MessageId | undefined;
}

/** Lines of every kind, some of them other versions of the line before. */
function manyLines(): Line[] {
  const lines: Line[] = [];
  for (let n = 0; n < 240; n++) {
    const before = lines.at(-1);
    const another = n % 20 === 19 && before !== undefined && before.state === 'held';
    lines.push({
      id: newMessageId(Date.UTC(2026, 10, 1) + n * 1000),
      to: another ? before.to : BOXES.filter((_, at) => n % (at + 2) === 0 || n % 5 === at),
      state: another ? 'sanitised' : (STATES[n % 20 === 18 ? 1 : n % 7 === 1 ? 1 : n % 11 === 2 ? 2 : 0] ?? 'held'),
      stage: STAGES[n % STAGES.length] ?? 'sealed',
      word: n % 3 === 0 ? 'お知らせ' : '回覧',
      revises: another ? before.id : undefined,
    });
  }
  return lines;
}

function statementOf({ id, to, state, word, revises }: Line): Statement {
  let made: Statement | undefined;
  entriesFor(id, word, (one) => {
    made = one;
    return Buffer.alloc(0);
  });
  assert.ok(made !== undefined);
  const { predicate } = made;
  const parts = predicate.parts.map((part) => (state === 'held' ? { ...part, verdict: 'held' as const } : part));
  return {
    ...made,
    predicate: {
      ...predicate,
      parts,
      state,
      envelope: { ...predicate.envelope, to: [...to] },
      ...(revises === undefined ? {} : { revises }),
    },
  };
}

async function openLists(lines: readonly Line[]) {
  const folder = await scratch();
  const db = new Database(folder.path);
  const rows = new MessageRows(db);
  rows.write(lines.map((line) => ({ id: line.id, statement: statementOf(line), stage: line.stage })));
  return {
    db,
    rows,
    lists: new MessageLists(db),
    folder: folder.path,
    [Symbol.asyncDispose]: async () => {
      db.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** All pages, one after the other. */
function turned(page: (before: number | undefined) => ReturnType<MessageLists['list']>): MessageId[] {
  const ids: MessageId[] = [];
  for (let before: number | undefined, more = true; more;) {
    const got = page(before);
    assert.ok(got.lines.length <= MOST && (got.lines.length === MOST || !got.more));
    ids.push(...got.lines.map(({ id }) => id));
    before = got.lines.at(-1)?.key;
    more = got.more;
  }
  return ids;
}

const isShown = (line: Line, lines: readonly Line[]): boolean => !lines.some(({ revises }) => revises === line.id);
const newestFirst = (lines: readonly Line[]): MessageId[] => lines.map(({ id }) => id).toReversed();

test("every filter and pair of filters of a person's list shows what a look at every line finds, on all pages", async () => {
  const lines = manyLines();
  await using open = await openLists(lines);
  const read = new Set(lines.filter((_, n) => n % 4 !== 0).map(({ id }) => id));
  for (const id of read) open.lists.markRead('reader', id, true);
  for (const addresses of [BOXES, BOXES.slice(0, 1), []])
    for (const state of [undefined, ...STATES])
      for (const unread of [false, true])
        for (const words of ['', 'お知らせ']) {
          const query = { user: 'reader', addresses, state, unread, words, most: MOST };
          const wanted = lines.filter(
            (line) =>
              line.to.some((one) => addresses.some((address) => address === one)) &&
              isShown(line, lines) &&
              (state === undefined || line.state === state) &&
              (!unread || !read.has(line.id)) &&
              (words === '' || line.word === words),
          );
          const name = JSON.stringify({ ...query, addresses: addresses.length });
          assert.deepEqual(
            turned((before) => open.lists.list({ ...query, before })),
            newestFirst(wanted),
            name,
          );
        }
});

test("every filter of the operator's list, with words and without, shows what a look at every line finds", async () => {
  const lines = manyLines();
  await using open = await openLists(lines);
  const shows: { readonly [filter in (typeof FILTERS)[number]]: (line: Line) => boolean } = {
    all: () => true,
    attention: ({ state, stage }) => state === 'held' || !['delivered', 'sealed'].includes(stage),
    held: ({ state }) => state === 'held',
    refused: ({ state }) => state === 'refused',
    undelivered: ({ stage }) => stage === 'expired' || stage === 'rejected',
    waiting: ({ stage }) => stage === 'sealed',
    broken: ({ stage }) => stage === 'quarantined',
  };
  for (const filter of FILTERS)
    for (const words of ['', 'お知らせ', BOXES[0]]) {
      const wanted = lines.filter(
        (line) =>
          shows[filter](line) && (words === '' || line.word === words || line.to.some((address) => address === words)),
      );
      assert.deepEqual(
        turned((before) => open.lists.listAll({ filter, words, before, most: MOST })),
        newestFirst(wanted),
        `${filter} ${words}`,
      );
    }
});

test('no filter looks at lines one by one: every walk is along an index in its order, nothing is sorted', async () => {
  await using open = await openLists(manyLines());
  const walks = FILTERS.flatMap((filter) =>
    [undefined, 'what:("お知")'].map((match) => walkOfAll({ filter, match, before: 9e15, most: MOST })),
  );
  for (const state of [undefined, ...STATES])
    for (const unread of [false, true])
      for (const match of [undefined, '"お知"'])
        walks.push(...walksOf({ user: 'reader', addresses: BOXES, state, unread, match, before: 9e15, most: MOST }));
  for (const { sql, values } of walks) {
    const plan = open.db.all(`EXPLAIN QUERY PLAN ${sql}`, ...values).map(({ detail }) => String(detail));
    for (const step of plan)
      assert.match(
        step,
        /^(LEFT|RIGHT|MERGE \(.*\)|SEARCH .* USING ((COVERING )?INDEX|PRIMARY KEY).*key<\?\)|SEARCH (idx\.)?messages USING INTEGER PRIMARY KEY \(rowid<\?\)|SCAN words VIRTUAL TABLE INDEX .*)$/,
        `${sql}\n${plan.join('\n')}`,
      );
  }
});

test('a message whose package is gone, or that is marked unread again, leaves no read mark in the index; a lost one comes back', async () => {
  const [first, second, third] = manyLines();
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  await using open = await openLists([first, second, third]);
  for (const { id } of [first, second, third]) open.lists.markRead('reader', id, true);
  open.lists.markRead('reader', second.id, false);
  open.rows.remove(first.id);
  const seen = (): unknown => open.db.get('SELECT count(*) AS n FROM seen')?.['n'];
  assert.equal(seen(), 1);
  assert.equal(
    open.db.get('SELECT count(*) AS n FROM recipients WHERE key NOT IN (SELECT key FROM messages)')?.['n'],
    0,
  );
  open.db.run('DELETE FROM seen');
  open.db.attachIndex();
  assert.equal(seen(), 1);
  // An index that is made again has the marks that were made before.
  open.db.attachIndex(true);
  open.rows.write([{ id: third.id, statement: statementOf(third), stage: 'sealed' }]);
  assert.equal(seen(), 1);
});

test('many messages go out of the index one after the other, and nothing else is troubled by it', async () => {
  const lines = manyLines().slice(0, 60);
  await using open = await openLists(lines);
  for (const { id } of lines) {
    open.rows.remove(id);
    open.lists.markRead('reader', id, true); // whatever else is written then
  }
  assert.equal(open.db.get('SELECT count(*) AS n FROM messages')?.['n'], 0);
  assert.equal(open.db.get('SELECT count(*) AS n FROM recipients')?.['n'], 0);
});

test('where the version that is shown is deleted, the one before stands in the list again', async () => {
  const [held, better] = ['held', 'sanitised'].map((state, at) => ({
    id: newMessageId(Date.UTC(2026, 10, 1) + at * 1000),
    to: [BOXES[0]],
    state: state as Line['state'],
    stage: 'sealed',
    word: 'お知らせ',
    revises: undefined,
  }));
  assert.ok(held !== undefined && better !== undefined);
  await using open = await openLists([held, { ...better, revises: held.id }]);
  const shown = (state?: 'held'): string[] =>
    open.lists.list({ user: 'reader', addresses: [BOXES[0]], state, most: 10 }).lines.map(({ id }) => id);
  assert.deepEqual(shown(), [better.id]);
  open.rows.remove(better.id);
  assert.deepEqual([shown(), shown('held')], [[held.id], [held.id]]);
  open.rows.remove(held.id);
  assert.deepEqual(shown(), []);
});
