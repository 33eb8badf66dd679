// What staff ask the middle for from a message's page: the password of a held part, some pages drawn anew.
import { parseMessageId, type MessageId } from '../message/id.ts';
import { MugaiError } from '../message/errors.ts';
import { html } from '../message/html.ts';
import type { RequestWriter } from '../requests/requests.ts';
import { canBeAsked, locksOf } from './askable.ts';
import type { Database, Row } from './database.ts';
import { messageOf, type Desk } from './desk.ts';
import { frame } from './frame.ts';
import type { Listed } from './message-lists.ts';
import type { Answer, Visit } from './pages.ts';
import { Turns } from './turns.ts';
import { wordsOf, type Word } from './words.ts';

/** Requests of one kind for a message, or by a person, in a quarter of an hour. */
const PER_MESSAGE = 5;
const PER_PERSON = 30;
const WINDOW_MS = 15 * 60_000;
/** Pages of one request for finer pictures: what the middle draws at most. */
const PAGES_MOST = 20;

/** A request that was sent to the middle. */
export interface Ask {
  readonly request: MessageId;
  readonly part: string;
  readonly kind: 'password' | 'render' | 'text' | 'values' | 'rerun';
  readonly at: number;
}

/** Remembers what was asked for, so that the answer finds its way to the page. */
export class Asks {
  readonly #db: Database;
  /** Whoever counts what was asked for and then asks takes his turn. */
  readonly turns = new Turns();
  constructor(db: Database) {
    this.#db = db;
  }

  note(request: MessageId, message: MessageId, asked: Pick<Ask, 'part' | 'kind' | 'at'>, user: string): void {
    this.#db.run(
      'INSERT INTO asks VALUES (?, ?, ?, ?, ?, ?)',
      request,
      message,
      asked.part,
      user,
      asked.kind,
      asked.at,
    );
  }

  of(message: MessageId): Ask[] {
    return this.#db
      .all('SELECT request, part, kind, at FROM asks WHERE message = ? ORDER BY at DESC LIMIT 20', message)
      .map(askOf);
  }

  /** What a person asked for since then, at most ten. */
  lately(user: string, since: number): Ask[] {
    return this.#db
      .all('SELECT request, part, kind, at FROM asks WHERE user = ? AND at > ? ORDER BY at DESC LIMIT 10', user, since)
      .map(askOf);
  }

  /** True when one more may be sent now. */
  mayAsk(message: MessageId, user: string, now: number): boolean {
    const count = (column: 'message' | 'user', value: string): number =>
      Number(
        this.#db.get(`SELECT count(*) AS n FROM asks WHERE ${column} = ? AND at > ?`, value, now - WINDOW_MS)?.['n'] ??
          0,
      );
    return count('message', message) < PER_MESSAGE && count('user', user) < PER_PERSON;
  }
}

export interface AskingDeps {
  readonly asks: Asks;
  readonly requests: RequestWriter;
}

export function addAsking(desk: Desk, deps: AskingDeps): void {
  desk.pages.post('/messages/:id/password', ['staff'], async (visit) =>
    ask(desk, deps, visit, 'password', async (line, part) => {
      const password = visit.form.get('password') ?? '';
      if (password === '' || password.length > 127) return 'askPasswordBad';
      return deps.requests.password({ id: firstOf(desk, line), part, by: visit.user.name }, [password]);
    }),
  );
  desk.pages.post('/messages/:id/render', ['staff'], async (visit) =>
    ask(desk, deps, visit, 'render', async (line, part) => {
      const [dpi, from, to] = ['dpi', 'from', 'to'].map((name) => Number(visit.form.get(name) ?? Number.NaN));
      const whole = [dpi, from, to].every((value) => Number.isInteger(value));
      if (!whole || dpi === undefined || from === undefined || to === undefined) return 'askPagesBad';
      if (![200, 300].includes(dpi) || from < 1 || to < from || to > 2000 || to - from >= PAGES_MOST)
        return 'askPagesBad';
      const colour = visit.form.get('colour') === '1' ? ({ colour: true } as const) : {};
      return deps.requests.render({ id: firstOf(desk, line), part, by: visit.user.name }, { dpi, from, to, ...colour });
    }),
  );
  for (const form of ['text', 'values'] as const)
    desk.pages.post(`/messages/:id/${form}`, ['staff'], async (visit) =>
      ask(desk, deps, visit, form, async (line, part) =>
        deps.requests.text({ id: firstOf(desk, line), part, by: visit.user.name }, form),
      ),
    );
}

/** A request as its row says it. */
function askOf(row: Row): Ask {
  return {
    request: String(row['request']) as MessageId,
    part: String(row['part']),
    kind: String(row['kind']) as Ask['kind'], // written by us
    at: Number(row['at']),
  };
}

/** Requests are about the message that came in; a later version of it has no original of its own. */
function firstOf(desk: Desk, line: Listed): MessageId {
  return desk.index.lists.versions(line.id)[0]?.id ?? line.id;
}

async function ask(
  desk: Desk,
  { asks }: AskingDeps,
  visit: Visit,
  kind: Exclude<Ask['kind'], 'rerun'>,
  send: (line: Listed, part: string) => Promise<MessageId | Word>,
): Promise<Answer> {
  const line = messageOf(desk, visit);
  if (line === undefined) return 'not-found';
  const part = visit.form.get('part') ?? '';
  const fault = (word: Word, status: number): Answer => {
    const say = wordsOf(visit.language);
    const body = html`<p><a href="/messages/${line.id}">${say('back')}</a></p>`;
    return { status, page: frame(visit, { title: line.subject, note: { kind: 'bad', text: say(word) }, body }) };
  };
  const statement = await desk.packages.statement(line.id);
  const row = statement.predicate.parts.find(({ path }) => path === part);
  if (row === undefined) return 'not-found';
  // Whatever the middle makes again is mailed to all recipients: it is not troubled for what cannot be had.
  if (!canBeAsked(kind, row, await locksOf(desk, line))) return fault('askImpossible', 400);
  const first = firstOf(desk, line);
  const by = visit.user.name;
  const askNow = async (): Promise<Answer> => {
    const now = desk.now();
    if (!asks.mayAsk(first, by, now)) return fault('askTooOften', 429);
    await desk.note({ act: 'asked', person: by, message: first, detail: { kind, part } });
    let sent: MessageId | Word;
    try {
      sent = await send(line, part);
    } catch (error) {
      if (!(error instanceof MugaiError) || error.code !== 'bad-input') throw error;
      sent = 'askPasswordBad';
    }
    const request = parseMessageId(sent);
    if (request === undefined) return fault(sent as Word, 400);
    asks.note(request, first, { part, kind, at: now }, by);
    return { to: `/messages/${line.id}#asked` };
  };
  // Both counts must still hold: first the person's turn, then the message's.
  return asks.turns.take(`by ${by}`, async () => asks.turns.take(first, askNow));
}
