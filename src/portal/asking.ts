// What staff ask the middle for from a message's page: the password of a held part, some pages drawn anew.
import { parseMessageId, type MessageId } from '../message/id.ts';
import { MugaiError } from '../message/errors.ts';
import { html, type Html } from '../message/html.ts';
import type { PartRow } from '../message/part.ts';
import type { RequestWriter } from '../requests/requests.ts';
import type { Database } from './database.ts';
import { messageOf, type Desk } from './desk.ts';
import { csrfField, frame } from './frame.ts';
import type { Listed } from './message-index.ts';
import type { Answer, Visit } from './pages.ts';
import { timeWords, wordsOf, type Word } from './words.ts';

/** Requests of one kind for a message, or by a person, in a quarter of an hour. */
const PER_MESSAGE = 5;
const PER_PERSON = 30;
const WINDOW_MS = 15 * 60_000;
/** Milliseconds until an answer that was given is surely in the list. */
const SETTLE_MS = 120_000;
/** After this the middle gave the request up. */
const GIVE_UP_MS = 3_600_000;

/** A request that was sent to the middle. */
export interface Ask {
  readonly request: MessageId;
  readonly part: string;
  readonly kind: string;
  readonly at: number;
}

/** Remembers what was asked for, so that the answer finds its way to the page. */
export class Asks {
  readonly #db: Database;
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
      .map((row) => ({
        request: String(row['request']) as MessageId,
        part: String(row['part']),
        kind: String(row['kind']),
        at: Number(row['at']),
      }));
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
      if (![200, 300].includes(dpi) || from < 1 || to < from || to > 2000 || to - from > 50) return 'askPagesBad';
      return deps.requests.render({ id: firstOf(desk, line), part, by: visit.user.name }, { dpi, from, to });
    }),
  );
}

/** Requests are about the message that came in; a later version of it has no original of its own. */
function firstOf(desk: Desk, line: Listed): MessageId {
  return desk.index.versions(line.id)[0]?.id ?? line.id;
}

async function ask(
  desk: Desk,
  { asks }: AskingDeps,
  visit: Visit,
  kind: 'password' | 'render',
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
  if (!statement.predicate.parts.some(({ path }) => path === part)) return 'not-found';
  const now = desk.now();
  const first = firstOf(desk, line);
  if (!asks.mayAsk(first, visit.user.name, now)) return fault('askTooOften', 429);
  await desk.note({ act: 'asked', person: visit.user.name, message: first, detail: { kind, part } });
  let sent: MessageId | Word;
  try {
    sent = await send(line, part);
  } catch (error) {
    if (!(error instanceof MugaiError) || error.code !== 'bad-input') throw error;
    sent = 'askPasswordBad';
  }
  const request = parseMessageId(sent);
  if (request === undefined) return fault(sent as Word, 400);
  asks.note(request, first, { part, kind, at: now }, visit.user.name);
  return { to: `/messages/${line.id}#asked` };
}

/** What was asked for about a message, and how far it is; undefined when nothing was. */
export function askedSection(desk: Desk, deps: AskingDeps, visit: Visit, line: Listed): Html | undefined {
  const say = wordsOf(visit.language);
  const asks = deps.asks.of(firstOf(desk, line));
  const others = desk.index.versions(line.id).filter(({ id }) => id !== line.id);
  if (asks.length === 0 && others.length === 0) return undefined;
  const state = ({ request, at, kind }: Ask): Html => {
    const version = desk.index.versions(line.id).find(({ id }) => id === request);
    if (version !== undefined) {
      const word: Word = kind === 'password' && version.waiting > 0 && !version.shown ? 'askWrong' : 'askDone';
      return html`<span class="state ${word === 'askDone' ? 'good' : 'bad'}">${say(word)}</span
        >${request === line.id ? '' : html` <a href="/messages/${request}">${say('askOpen')}</a>`}`;
    }
    // Gone from the folder and still no answer: the middle refused it. The list may be some seconds behind.
    const gone = desk.now() - at > SETTLE_MS && !deps.requests.waiting(request);
    if (gone || desk.now() - at > GIVE_UP_MS) return html`<span class="state bad">${say('askFailed')}</span>`;
    return html`<span class="state wait" data-live>${say('askWaiting')}</span>`;
  };
  return html`<section id="asked">
    <h2>${say('askedTitle')}</h2>
    <ul class="plain">
      ${asks.map((one) => html`<li>${timeWords(one.at, visit.language)} ${say(one.kind === 'password' ? 'askPassword' : 'askRender')} [${one.part}] ${state(one)}</li> `)}
      ${others
        .filter(({ id }) => !asks.some(({ request }) => request === id))
        .map(({ id }) => html`<li><a href="/messages/${id}">${say('otherVersion')}</a></li>`)}
    </ul>
  </section>`;
}

/** The form for the password of a held part. */
export function passwordForm(visit: Visit, line: Listed, part: PartRow): Html | undefined {
  const locked = part.reason === 'password-needed' || part.reason === 'password-wrong';
  if (part.verdict !== 'held' || !locked) return undefined;
  const say = wordsOf(visit.language);
  const id = `password-${part.path.replaceAll('.', '-')}`;
  return html`<form method="post" action="/messages/${line.id}/password" class="row">
    ${csrfField(visit)}<input type="hidden" name="part" value="${part.path}" />
    <label for="${id}">${say('askPassword')}</label
    ><input
      id="${id}"
      name="password"
      type="text"
      required
      maxlength="127"
      autocomplete="off"
      autocapitalize="off"
      spellcheck="false"
    />
    <button>${say('askSend')}</button>
  </form>`;
}

/** The form for pages of a document at a higher resolution. */
export function renderForm(visit: Visit, line: Listed, part: PartRow): Html | undefined {
  if (part.verdict !== 'pages' || part.pages < 1) return undefined;
  const say = wordsOf(visit.language);
  const id = part.path.replaceAll('.', '-');
  return html`<details>
    <summary>${say('askRender')}</summary>
    <form method="post" action="/messages/${line.id}/render" class="row">
      ${csrfField(visit)}<input type="hidden" name="part" value="${part.path}" />
      <label for="from-${id}">${say('askFrom')}</label
      ><input id="from-${id}" name="from" type="number" min="1" max="${part.pages}" value="1" required />
      <label for="to-${id}">${say('askTo')}</label
      ><input
        id="to-${id}"
        name="to"
        type="number"
        min="1"
        max="${part.pages}"
        value="${Math.min(part.pages, 5)}"
        required
      />
      <label for="dpi-${id}">dpi</label
      ><select id="dpi-${id}" name="dpi">
        <option>300</option>
        <option>200</option>
      </select>
      <button class="quiet">${say('askSend')}</button>
    </form>
  </details>`;
}
