// The list of messages: search, filter, unread, one page at a time.
import { timeOf } from '../message/id.ts';
import { STATES, type State } from '../message/part.ts';
import type { Mailbox } from './accounts.ts';
import { mailboxesOf, type Desk } from './desk.ts';
import { arrivingSection } from './arriving-pages.ts';
import type { Arriving } from './arriving.ts';
import { frame } from './frame.ts';
import { html, type Html } from '../message/html.ts';
import type { Listed } from './message-lists.ts';
import type { Visit } from './pages.ts';
import { wordsOf, type Word } from './words.ts';
import { timeWords } from './words-of-time.ts';

/** Lines of a page of the list. */
const LINES = 50;

export function addMessages(desk: Desk): void {
  desk.pages.get('/messages', ['staff'], async (visit) => {
    const boxes = mailboxesOf(desk, visit);
    const asked = askedOf(visit, boxes);
    const { lines, more } = desk.index.lists.list({
      user: visit.user.name,
      addresses: asked.box === '' ? boxes.map(({ address }) => address) : [asked.box],
      state: asked.state,
      unread: asked.unread,
      words: asked.words,
      before: asked.before,
      most: LINES,
    });
    // Further pages and searches are about what has come.
    const first = asked.before === undefined && asked.words === '';
    const arriving = first ? await desk.onTheWay.of(boxes.map(({ address }) => address)) : [];
    // What came a moment ago may still stand on the board.
    const coming = arriving.filter(({ id }) => !lines.some((line) => line.id === id));
    return listPage(visit, { desk, boxes, asked, arriving: coming, lines, more });
  });
}

interface Asked {
  readonly words: string;
  readonly state: State | undefined;
  readonly unread: boolean;
  /** One of the person's own mailboxes, or empty for all. */
  readonly box: string;
  readonly before: number | undefined;
}

function askedOf(visit: Visit, boxes: readonly Mailbox[]): Asked {
  const { query } = visit;
  const before = Number(query.get('before') ?? Number.NaN);
  return {
    words: (query.get('q') ?? '').slice(0, 200),
    state: STATES.find((state) => state === query.get('state')),
    unread: query.get('unread') === '1',
    box: boxes.find(({ address }) => address === query.get('box'))?.address ?? '',
    before: Number.isSafeInteger(before) && before > 0 ? before : undefined,
  };
}

interface ListOf {
  readonly desk: Desk;
  readonly boxes: readonly Mailbox[];
  readonly asked: Asked;
  readonly arriving: readonly Arriving[];
  readonly lines: readonly Listed[];
  readonly more: boolean;
}

function listPage(visit: Visit, { desk, boxes, asked, arriving, lines, more }: ListOf): Html {
  const say = wordsOf(visit.language);
  return frame(visit, {
    title: say('messages'),
    wide: true,
    note: desk.index.filling ? { kind: 'good', text: say('rebuilding') } : undefined,
    live: 'list',
    body: html`${filters(visit, boxes, asked)}${arrivingSection(visit, arriving)}
      <div data-live-part="lines">
        ${
          boxes.length === 0
            ? html`<p class="empty">${say('noMailbox')}</p>`
            : lines.length === 0
              ? html`<p class="empty">${say('nothing')}</p>`
              : table(
                  visit,
                  lines.map((line) => (desk.packages.isBroken(line.id) ? { ...line, stage: 'quarantined' } : line)),
                )
        }
      </div>
      <nav class="turn" aria-label="${say('page')}">
        ${asked.before === undefined ? '' : html`<a class="button quiet" href="${hrefOf(asked, undefined)}">${say('newest')}</a>`}
        ${more ? html`<a class="button quiet" rel="next" href="${hrefOf(asked, lines.at(-1)?.key)}">${say('older')}</a>` : ''}
      </nav>`,
  });
}

function hrefOf(asked: Asked, before: number | undefined): string {
  const query = new URLSearchParams();
  if (asked.words !== '') query.set('q', asked.words);
  if (asked.state !== undefined) query.set('state', asked.state);
  if (asked.unread) query.set('unread', '1');
  if (asked.box !== '') query.set('box', asked.box);
  if (before !== undefined) query.set('before', String(before));
  return `/messages?${query.toString()}`;
}

const STATE_WORDS = { sanitised: 'stateSanitised', held: 'stateHeld', refused: 'stateRefused' } as const;

function filters(visit: Visit, boxes: readonly Mailbox[], asked: Asked): Html {
  const say = wordsOf(visit.language);
  const option = (value: string, text: string, chosen: boolean): Html =>
    html`<option value="${value}" ${chosen ? html` selected` : ''}>${text}</option>`;
  return html`<form method="get" action="/messages" class="filters" role="search">
    <span
      ><label for="q">${say('search')}</label
      ><input id="q" name="q" type="search" maxlength="200" placeholder="${say('searchHint')}" value="${asked.words}"
    /></span>
    <span
      ><label for="state">${say('state')}</label
      ><select id="state" name="state">
        ${option('', say('all'), asked.state === undefined)}${STATES.map((state) =>
          option(state, say(STATE_WORDS[state]), asked.state === state),
        )}
      </select></span
    >
    ${
      boxes.length < 2
        ? ''
        : html`<span
            ><label for="box">${say('mailbox')}</label
            ><select id="box" name="box">
              ${option('', say('allMailboxes'), asked.box === '')}${boxes.map(({ address }) =>
                option(address, address, asked.box === address),
              )}
            </select></span
          >`
    }
    <span class="tick"
      ><input id="unread" name="unread" type="checkbox" value="1" ${asked.unread ? html` checked` : ''} /><label
        for="unread"
        >${say('unread')}</label
      ></span
    >
    <span><button class="quiet">${say('show')}</button></span>
  </form>`;
}

/** The state of a message in a word, and its look. */
export function stateOf(line: Listed): { readonly word: Word; readonly look: string } {
  if (line.stage === 'quarantined') return { word: 'stateBroken', look: 'bad' };
  if (line.state === 'held') return { word: 'stateHeld', look: 'wait' };
  if (line.state === 'refused') return { word: 'stateRefused', look: 'bad' };
  return { word: 'stateSanitised', look: 'good' };
}

function table(visit: Visit, lines: readonly Listed[]): Html {
  const say = wordsOf(visit.language);
  return html`<table class="list">
    <thead>
      <tr>
        <th scope="col">${say('state')}</th>
        <th scope="col">${say('from')}</th>
        <th scope="col">${say('subject')}</th>
        <th scope="col" class="number">${say('pagesOf')}</th>
        <th scope="col">${say('received')}</th>
      </tr>
    </thead>
    <tbody>
      ${lines.map((line) => {
        const state = stateOf(line);
        const subject = line.subject === '' ? say('noSubject') : line.subject;
        return html`<tr${line.read ? '' : html` class="unread"`}>
<td><span class="state ${state.look}">${say(state.word)}</span></td>
<td class="who">${line.sender === '' ? say(line.kind === 'file' ? 'sentFile' : 'noSender') : line.sender}</td>
<td class="subject"><a href="/messages/${line.id}">${line.read ? '' : html`<span class="dot" title="${say('unread')}"></span><span class="hidden">${say('unread')} </span>`}${subject}</a>${line.waiting > 0 ? html` <span class="state wait">${say('waiting')}</span>` : ''}</td>
<td class="number">${line.pages > 0 ? line.pages : ''}</td>
<td class="time"><time datetime="${new Date(timeOf(line.id)).toISOString()}">${timeWords(timeOf(line.id), visit.language)}</time></td>
</tr>
`;
      })}
    </tbody>
  </table>`;
}
