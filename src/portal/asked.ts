// What was asked for about a message and how far it is, and the forms with which one asks for more.
import { html, type Html } from '../message/html.ts';
import type { PartRow } from '../message/part.ts';
import { canBeAsked, isWithin, type Locks } from './askable.ts';
import type { Ask, AskingDeps } from './asking.ts';
import type { Desk } from './desk.ts';
import { csrfField } from './frame.ts';
import type { Listed } from './message-lists.ts';
import type { Visit } from './pages.ts';
import { wordsOf, type Word } from './words.ts';
import { timeWords } from './words-of-time.ts';

/** Milliseconds until an answer that was given is surely in the list. */
const SETTLE_MS = 120_000;
/** After this the middle gave the request up. */
const GIVE_UP_MS = 3_600_000;

const KINDS: { readonly [kind in Ask['kind']]: Word } = {
  password: 'askPassword',
  render: 'askRender',
  text: 'askText',
  values: 'askValues',
  rerun: 'askRerun',
};

/** What was asked for about a message; undefined when nothing was. */
export async function askedSection(desk: Desk, deps: AskingDeps, visit: Visit, line: Listed): Promise<Html> {
  const say = wordsOf(visit.language);
  const versions = desk.index.lists.versions(line.id);
  const first = versions[0]?.id ?? line.id;
  const asks = deps.asks.of(first);
  const others = versions.filter(({ id }) => id !== line.id && !asks.some(({ request }) => request === id));
  const lines = await Promise.all(
    asks.map(
      async (ask) =>
        html`<li>
          <span class="small">${timeWords(ask.at, visit.language)}</span> ${say(KINDS[ask.kind])} [${ask.part}]
          ${await stateOf(desk, deps, visit, { ask, line, first, newer: newerOf(ask, asks) })}
        </li> `,
    ),
  );
  return html`<div data-live-part="asked">
    ${
      asks.length === 0 && others.length === 0
        ? ''
        : html`<section id="asked">
            <h2>${say('askedTitle')}</h2>
            <ul class="plain">
              ${lines} ${others.map(({ id }) => html`<li><a href="/messages/${id}">${say('otherVersion')}</a></li>`)}
            </ul>
          </section>`
    }
  </div>`;
}

interface Of {
  readonly ask: Ask;
  readonly line: Listed;
  readonly first: string;
  /** Finer pictures of the same part were asked for later: they may have taken the place of these. */
  readonly newer: boolean;
}

function newerOf({ kind, part, at }: Ask, asks: readonly Ask[]): boolean {
  return kind === 'render' && asks.some((one) => one.kind === kind && one.part === part && one.at > at);
}

async function stateOf(desk: Desk, deps: AskingDeps, visit: Visit, { ask, line, first, newer }: Of): Promise<Html> {
  const say = wordsOf(visit.language);
  const { request, at, kind } = ask;
  const done = (word: Word, href: string): Html =>
    html`<span class="state ${word === 'askWrong' ? 'bad' : 'good'}">${say(word)}</span
      >${word === 'askWrong' || href === `/messages/${line.id}` ? '' : html` <a href="${href}">${say('askOpen')}</a>`}`;
  if (kind === 'render') {
    const [document] = await desk.onTheWay.documents(request);
    if (document !== undefined) {
      const href = `/messages/${first}/asked/${request}`;
      if (document.sealed === document.pages) return done('askDone', href);
      return html`<span class="state wait">${say('askWaiting')} ${document.sealed} / ${document.pages}</span>
        <a href="${href}">${say('askOpen')}</a>`;
    }
  }
  const version = desk.index.lists.versions(line.id).find(({ id }) => id === request);
  if (version !== undefined) {
    const wrong = kind === 'password' && version.waiting > 0 && !version.shown;
    return done(wrong ? 'askWrong' : 'askDone', `/messages/${request}`);
  }
  // Gone from the folder and still no answer: the middle refused it. The list may be some seconds behind.
  const gone = desk.now() - at > SETTLE_MS && !(await deps.requests.waiting(request));
  const over = gone || desk.now() - at > GIVE_UP_MS;
  if (over && newer) return html`<span class="small">${say('askSuperseded')}</span>`;
  if (over) return html`<span class="state bad">${say('askFailed')}</span>`;
  return html`<span class="state wait">${say('askWaiting')}</span>`;
}

/** What the forms of a message's parts go by: `canScan`, whether an original could be given out at all. */
export interface Askable {
  readonly visit: Visit;
  readonly line: Listed;
  readonly canScan: boolean;
  readonly locks: Locks;
}

/** The form for the password of a held part. */
export function passwordForm({ visit, line, locks }: Askable, part: PartRow): Html | undefined {
  if (!canBeAsked('password', part, locks)) return undefined;
  const say = wordsOf(visit.language);
  const id = `password-${part.path.replaceAll('.', '-')}`;
  return html`<form method="post" action="/messages/${line.id}/password" class="row asking">
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

/** What one may ask for instead of the pages that a part became, and its original. */
export function askForms({ visit, line, canScan, locks }: Askable, part: PartRow): Html | undefined {
  const hasOriginal = part.name !== '' && canScan && !isWithin(part.path, locks);
  const can = (kind: 'render' | 'text' | 'values'): boolean => canBeAsked(kind, part, locks);
  if (!hasOriginal && !can('render') && !can('text') && !can('values')) return undefined;
  const say = wordsOf(visit.language);
  const simple = (action: string, word: Word): Html =>
    html`<form method="post" action="/messages/${line.id}/${action}">
      ${csrfField(visit)}<input type="hidden" name="part" value="${part.path}" /><button class="quiet">
        ${say(word)}<span class="hidden"> [${part.path}]</span>
      </button>
    </form>`;
  return html`<details>
    <summary>${say('askOther')}<span class="hidden"> [${part.path}]</span></summary>
    ${can('render') ? renderForm(visit, line, part) : ''}
    <div class="acts">
      ${can('text') ? simple('text', 'askText') : ''} ${can('values') ? simple('values', 'askValues') : ''}
      ${
        !hasOriginal
          ? ''
          : html`<a class="button quiet" href="/messages/${line.id}/original?part=${part.path}"
              >${say('originalPart')}<span class="hidden"> [${part.path}]</span></a
            >`
      }
    </div>
  </details>`;
}

/** The form for pages of a document at a higher resolution. */
function renderForm(visit: Visit, line: Listed, part: PartRow): Html {
  const say = wordsOf(visit.language);
  const id = part.path.replaceAll('.', '-');
  const page = (name: 'from' | 'to', word: Word, value: number): Html =>
    html`<label for="${name}-${id}">${say(word)}</label
      ><input
        id="${name}-${id}"
        name="${name}"
        type="number"
        min="1"
        max="${part.pages}"
        value="${value}"
        class="few"
        required
      />`;
  return html`<form method="post" action="/messages/${line.id}/render" class="row asking">
    <span class="what">${say('askRender')}</span>
    ${csrfField(visit)}<input type="hidden" name="part" value="${part.path}" /> ${page('from', 'askFrom', 1)}
    ${page('to', 'askTo', Math.min(part.pages, 5))} <label for="dpi-${id}">dpi</label
    ><select id="dpi-${id}" name="dpi">
      <option>300</option>
      <option>200</option>
    </select>
    <label><input type="checkbox" name="colour" value="1" /> ${say('askColour')}</label>
    <button class="quiet">${say('askSend')}</button>
  </form>`;
}
