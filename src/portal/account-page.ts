// A person's own settings: language, password, mailboxes, stand-ins.
import type { Language } from '../message/account.ts';
import { DELEGATION_MOST_MS, parseName, type Mailbox } from './accounts.ts';
import { mailboxesOf, type Desk } from './desk.ts';
import { csrfField, frame } from './frame.ts';
import { html, type Html } from '../message/html.ts';
import type { Answer, Visit } from './pages.ts';
import { newPasswordFault, newPasswordFields, passwordField, textField } from './fields.ts';
import { checkPassword, hashPassword } from './passwords.ts';
import { beginSession } from './letting-in.ts';
import { wordsOf, type Word } from './words.ts';
import { timeWords } from './words-of-time.ts';

/** A part of the page that another file adds (second factors). */
export type Section = (visit: Visit) => Html | undefined;

export function addAccountPage(desk: Desk, sections: readonly Section[]): void {
  const { pages } = desk;
  const show = (visit: Visit, note?: { readonly kind: 'good' | 'bad'; readonly word: Word }): Html =>
    accountPage(desk, visit, sections, note);
  pages.get('/account', 'signed-in', async (visit) =>
    show(visit, visit.query.has('saved') ? { kind: 'good', word: 'saved' } : undefined),
  );
  pages.post('/account/language', 'signed-in', async (visit) => {
    desk.accounts.setLanguage(visit.user.name, visit.form.get('language') === 'en' ? 'en' : 'ja');
    return { to: '/account?saved=1' };
  });
  pages.post('/account/password', 'signed-in', async (visit) => {
    const fault = await changePassword(desk, visit);
    if (fault !== undefined) return { status: 400, page: show(visit, { kind: 'bad', word: fault }) };
    return { to: '/account?saved=1' };
  });
  pages.post('/account/delegate', 'signed-in', async (visit) => {
    const fault = await delegate(desk, visit);
    if (fault !== undefined) return { status: 400, page: show(visit, { kind: 'bad', word: fault }) };
    return { to: '/account?saved=1' };
  });
  pages.post('/account/delegate/end', 'signed-in', async (visit): Promise<Answer> => {
    const taker = visit.form.get('taker') ?? '';
    await desk.note({ act: 'changed', person: visit.user.name, detail: { what: 'delegation-ended', of: taker } });
    desk.accounts.endDelegation(visit.user.name, taker);
    return { to: '/account?saved=1' };
  });
}

async function changePassword(desk: Desk, visit: Visit): Promise<Word | undefined> {
  const { name } = visit.user;
  const field = (one: string): string => visit.form.get(one) ?? '';
  if (visit.user.source !== 'local') return 'signInWrong';
  const key = `name ${name}`;
  if (desk.guesses.waitSeconds([[key, 5]]) > 0) return 'signInWait';
  const right = await desk.guesses.during([key], async () => {
    const same = await checkPassword(field('old'), desk.accounts.passwordHash(name));
    if (!same) desk.guesses.wrong(key);
    return same;
  });
  if (!right) return 'signInWrong';
  const fault = newPasswordFault(visit, name);
  if (fault !== undefined) return fault;
  const hash = await hashPassword(field('password'));
  await desk.note({ act: 'changed', person: name, detail: { what: 'password-changed', of: name } });
  desk.accounts.setPasswordHash(name, hash); // ends all sessions, this one too
  beginSession(desk, visit, visit.user, 'full');
  return undefined;
}

async function delegate(desk: Desk, visit: Visit): Promise<Word | undefined> {
  const taker = parseName(visit.form.get('taker') ?? '');
  // The day's end in Japan.
  const until = Date.parse(`${visit.form.get('until') ?? ''}T23:59:59+09:00`);
  const now = desk.now();
  const known = taker === undefined ? undefined : desk.accounts.find(taker);
  if (known === undefined || known.disabled || known.name === visit.user.name) return 'delegateWrong';
  if (!Number.isFinite(until) || until <= now || until > now + DELEGATION_MOST_MS) return 'delegateWrong';
  await desk.note({
    act: 'changed',
    person: visit.user.name,
    detail: { what: 'delegated', of: known.name, value: new Date(until).toISOString() },
  });
  desk.accounts.delegate(visit.user.name, known.name, until);
  return undefined;
}

function accountPage(
  desk: Desk,
  visit: Visit,
  sections: readonly Section[],
  note: { readonly kind: 'good' | 'bad'; readonly word: Word } | undefined,
): Html {
  const say = wordsOf(visit.language);
  const { user } = visit;
  const boxes = mailboxesOf(desk, visit);
  return frame(visit, {
    title: say('account'),
    note: note === undefined ? undefined : { kind: note.kind, text: say(note.word) },
    body: html`<p>${user.display} (${user.name})</p>
      ${boxes.length === 0 ? '' : mailboxSection(visit, boxes)} ${languageSection(visit)}
      ${boxes.some(({ kind }) => kind === 'own') ? delegateSection(desk, visit) : ''}
      ${sections.map((section) => section(visit))} ${user.source === 'local' ? passwordSection(visit) : ''}`,
  });
}

function untilWords(visit: Visit, until: number | null): string {
  const say = wordsOf(visit.language);
  return until === null ? say('forever') : `${say('until')} ${timeWords(until, visit.language)}`;
}

function mailboxSection(visit: Visit, boxes: readonly Mailbox[]): Html {
  const say = wordsOf(visit.language);
  return html`<section>
    <h2>${say('myMailboxes')}</h2>
    <ul class="plain">
      ${boxes.map(
        (box) =>
          html`<li>
            ${box.address}
            <span class="small"
              >${say(box.kind)}${box.kind === 'delegated' ? html` ${box.from}` : ''},
              ${untilWords(visit, box.until)}</span
            >
          </li>`,
      )}
    </ul>
  </section>`;
}

function languageSection(visit: Visit): Html {
  const say = wordsOf(visit.language);
  const option = (value: Language, name: string): Html =>
    html`<option value="${value}" ${visit.language === value ? html` selected` : ''}>${name}</option>`;
  return html`<section>
    <h2>${say('language')}</h2>
    <form method="post" action="/account/language" class="row">
      ${csrfField(visit)} <label for="language" class="hidden">${say('language')}</label
      ><select id="language" name="language">
        ${option('ja', '日本語')}${option('en', 'English')}
      </select>
      <button class="quiet">${say('save')}</button>
    </form>
  </section>`;
}

/** For whoever has mail of his own to let somebody else read. */
function delegateSection(desk: Desk, visit: Visit): Html {
  const say = wordsOf(visit.language);
  return html`<section>
    <h2>${say('delegate')}</h2>
    <p>${say('delegateLead')}</p>
    <ul class="plain">
      ${desk.accounts.delegationsOf(visit.user.name, desk.now()).map(
        ({ taker, until }) =>
          html`<li>
            <form method="post" action="/account/delegate/end" class="row">
              ${csrfField(visit)}<input type="hidden" name="taker" value="${taker}" />${taker}
              <span class="small">${untilWords(visit, until)}</span>
              <button class="quiet">${say('end')}<span class="hidden"> ${taker}</span></button>
            </form>
          </li>`,
      )}
    </ul>
    <form method="post" action="/account/delegate" class="card form">
      ${csrfField(visit)} ${textField(visit, { id: 'taker', label: 'taker', most: 64 })}
      <p><label for="until">${say('endDate')}</label><input id="until" name="until" type="date" required /></p>
      <p><button>${say('delegate')}</button></p>
    </form>
  </section>`;
}

function passwordSection(visit: Visit): Html {
  const say = wordsOf(visit.language);
  return html`<section>
    <h2>${say('changePassword')}</h2>
    <form method="post" action="/account/password" class="card form">
      ${csrfField(visit)} ${passwordField(visit, 'old', 'oldPassword', 'current-password')}${newPasswordFields(visit)}
      <p><button>${say('changePassword')}</button></p>
    </form>
  </section>`;
}
