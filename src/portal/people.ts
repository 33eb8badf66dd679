// The administrator's pages: who may sign in, with which roles, for which mailboxes. Everything is journaled.
import { parseAddress, parseName, parseRole, ROLES, type Role, type User } from './accounts.ts';
import type { Desk } from './desk.ts';
import { nameField, textField } from './fields.ts';
import { csrfField, frame } from './frame.ts';
import { html, type Html } from '../message/html.ts';
import type { Answer, Visit } from './pages.ts';
import { Turns } from './turns.ts';
import { wordsOf, type Word } from './words.ts';
import { timeWords } from './words-of-time.ts';

const ADMINISTRATOR: readonly Role[] = ['administrator'];

interface Told {
  readonly note?: { readonly kind: 'good' | 'bad'; readonly word: Word } | undefined;
  /** A code that is shown this once. */
  readonly code?: string | undefined;
}

export function addPeople(desk: Desk): void {
  const { pages } = desk;
  pages.get('/people', ADMINISTRATOR, async (visit) => listPage(desk, visit, {}));
  pages.post('/people', ADMINISTRATOR, async (visit) => addPerson(desk, visit));
  pages.get('/people/:name', ADMINISTRATOR, async (visit) => {
    const person = personOf(desk, visit);
    return person === undefined ? 'not-found' : personPage(desk, visit, person, {});
  });
  const turns = new Turns();
  const act = (path: string, run: (visit: Visit, person: User) => Promise<Answer | Told>): void =>
    pages.post(`/people/:name/${path}`, ADMINISTRATOR, async (visit) => {
      // One after another: the last administrator is known only once the change before is made.
      const done = await turns.take('people', async () => {
        const person = personOf(desk, visit);
        return person === undefined ? undefined : { person, told: await run(visit, person) };
      });
      if (done === undefined) return 'not-found';
      const { person, told } = done;
      if (typeof told === 'string' || 'to' in told || 'page' in told || 'text' in told) return told;
      const page = personPage(desk, visit, desk.accounts.find(person.name) ?? person, told);
      return { status: told.note?.kind === 'bad' ? 400 : 200, page };
    });
  act('roles', async (visit, person) => changeRoles(desk, visit, person));
  act('code', async (visit, person) => {
    if (person.disabled || person.source !== 'local') return 'not-found';
    await desk.note({ act: 'changed', person: visit.user.name, detail: { what: 'code-made', of: person.name } });
    return { code: desk.accounts.newCode(person.name) };
  });
  act('factors', async (visit, person) => {
    if (!mayDropFactors(desk, visit, person)) return 'not-found';
    const detail = { what: 'factors-reset', of: person.name };
    await desk.note({ act: 'changed', person: visit.user.name, detail });
    desk.accounts.dropFactors(person.name);
    return { note: { kind: 'good', word: 'factorsTaken' } };
  });
  act('state', async (visit, person) => changeState(desk, visit, person));
  act('addresses', async (visit, person) => giveAddress(desk, visit, person));
  act('addresses/take', async (visit, person) => {
    const address = visit.form.get('address') ?? '';
    await desk.note({
      act: 'changed',
      person: visit.user.name,
      detail: { what: 'mailbox-taken', of: person.name, value: address },
    });
    desk.accounts.takeAddress(person.name, address);
    return { note: { kind: 'good', word: 'saved' } };
  });
}

/** One's own are turned off on one's own page, with the code: whoever finds an open browser gets no further. */
function mayDropFactors(desk: Desk, visit: Visit, person: User): boolean {
  return person.name !== visit.user.name && desk.accounts.hasFactors(person.name);
}

function personOf(desk: Desk, visit: Visit): User | undefined {
  const name = parseName(visit.params['name'] ?? '');
  return name === undefined ? undefined : desk.accounts.find(name);
}

function rolesOf(visit: Visit): Role[] {
  return visit.form
    .getAll('role')
    .map(parseRole)
    .filter((role) => role !== undefined);
}

async function addPerson(desk: Desk, visit: Visit): Promise<Answer> {
  const bad = (word: Word): Answer => ({
    status: 400,
    page: listPage(desk, visit, { note: { kind: 'bad', word } }),
  });
  const name = parseName(visit.form.get('name') ?? '');
  if (name === undefined) return bad('nameWrong');
  if (desk.accounts.find(name) !== undefined) return bad('nameTaken');
  const typed = visit.form.get('address')?.trim() ?? '';
  const address = typed === '' ? '' : parseAddress(typed);
  if (address === undefined) return bad('addressWrong');
  const roles = rolesOf(visit);
  await desk.note({
    act: 'changed',
    person: visit.user.name,
    detail: { what: 'person-added', of: name, value: roles.join(' ') },
  });
  const person = desk.accounts.add(name, visit.form.get('display')?.trim().slice(0, 100) || name, roles);
  if (address !== '') {
    await desk.note({
      act: 'changed',
      person: visit.user.name,
      detail: { what: 'mailbox-given', of: name, value: `own ${address}` },
    });
    desk.accounts.giveAddress(name, address, 'own', null, visit.user.name);
  }
  return personPage(desk, visit, person, { code: desk.accounts.newCode(name) });
}

/** True when nobody else could administer if this person could not. */
function isLast(desk: Desk, person: User): boolean {
  const able = (one: User): boolean => !one.disabled && one.roles.includes('administrator');
  return able(person) && !desk.accounts.list().some((one) => one.name !== person.name && able(one));
}

async function changeRoles(desk: Desk, visit: Visit, person: User): Promise<Answer | Told> {
  const roles = rolesOf(visit);
  if (!roles.includes('administrator') && isLast(desk, person))
    return { note: { kind: 'bad', word: 'lastAdministrator' } };
  await desk.note({
    act: 'changed',
    person: visit.user.name,
    detail: { what: 'roles-changed', of: person.name, value: roles.join(' ') },
  });
  desk.accounts.change(person.name, { roles });
  // Whoever changed his own roles was signed out with it, like everybody else whose roles change.
  return person.name === visit.user.name ? { to: '/sign-in' } : { note: { kind: 'good', word: 'saved' } };
}

async function changeState(desk: Desk, visit: Visit, person: User): Promise<Answer | Told> {
  const disabled = visit.form.get('disabled') === '1';
  if (disabled && isLast(desk, person)) return { note: { kind: 'bad', word: 'lastAdministrator' } };
  await desk.note({
    act: 'changed',
    person: visit.user.name,
    detail: { what: disabled ? 'person-disabled' : 'person-enabled', of: person.name },
  });
  desk.accounts.change(person.name, { disabled });
  return person.name === visit.user.name ? { to: '/sign-in' } : { note: { kind: 'good', word: 'saved' } };
}

async function giveAddress(desk: Desk, visit: Visit, person: User): Promise<Told> {
  const address = parseAddress(visit.form.get('address') ?? '');
  if (address === undefined) return { note: { kind: 'bad', word: 'addressWrong' } };
  const kind = visit.form.get('kind') === 'shared' ? 'shared' : 'own';
  const day = visit.form.get('until') ?? '';
  const until = day === '' ? null : Date.parse(`${day}T23:59:59+09:00`);
  if (until !== null && !(until > desk.now())) return { note: { kind: 'bad', word: 'delegateWrong' } };
  await desk.note({
    act: 'changed',
    person: visit.user.name,
    detail: { what: 'mailbox-given', of: person.name, value: `${kind} ${address} ${day}` },
  });
  desk.accounts.giveAddress(person.name, address, kind, until, visit.user.name);
  return { note: { kind: 'good', word: 'saved' } };
}

/** `titled`: a heading above says already what they are. */
function roleBoxes(visit: Visit, chosen: readonly Role[], titled = false): Html {
  const say = wordsOf(visit.language);
  return html`<fieldset class="${titled ? 'bare' : ''}">
    <legend class="${titled ? 'hidden' : ''}">${say('roles')}</legend>
    ${ROLES.map(
      (role) =>
        html`<span class="tick"
          ><input
            type="checkbox"
            id="role-${role}"
            name="role"
            value="${role}"
            ${chosen.includes(role) ? html` checked` : ''}
          /><label for="role-${role}">${say(`role_${role}`)}</label></span
        > `,
    )}
  </fieldset>`;
}

function codeNote(visit: Visit, code: string | undefined): Html | undefined {
  const say = wordsOf(visit.language);
  return code === undefined
    ? undefined
    : html`<p class="note good" role="status">${say('codeTold')}<br /><code class="code">${code}</code></p>`;
}

function listPage(desk: Desk, visit: Visit, { note }: Told): Html {
  const say = wordsOf(visit.language);
  return frame(visit, {
    title: say('people'),
    wide: true,
    note: note === undefined ? undefined : { kind: note.kind, text: say(note.word) },
    body: html`<table class="list">
        <thead>
          <tr>
            <th scope="col">${say('name')}</th>
            <th scope="col">${say('firstName')}</th>
            <th scope="col">${say('roles')}</th>
            <th scope="col">${say('state')}</th>
          </tr>
        </thead>
        <tbody>
          ${desk.accounts.list().map(
            (one) =>
              html`<tr>
                <td><a href="/people/${encodeURIComponent(one.name)}">${one.name}</a></td>
                <td>${one.display}</td>
                <td>${one.roles.map((role) => say(`role_${role}`)).join(visit.language === 'ja' ? '、' : ', ')}</td>
                <td>${one.disabled ? html`<span class="state bad">${say('disabled')}</span>` : ''}</td>
              </tr> `,
          )}
        </tbody>
      </table>
      <section>
        <h2>${say('addPerson')}</h2>
        <form method="post" action="/people" class="card form">
          ${csrfField(visit)} ${nameField(visit, { hint: 'nameHint' })}
          ${textField(visit, { id: 'display', label: 'firstName', most: 100 })}
          ${textField(visit, { id: 'address', label: 'address', most: 254, optional: true })}
          ${roleBoxes(visit, ['staff'])}
          <p><button>${say('add')}</button></p>
        </form>
      </section>`,
  });
}

function personPage(desk: Desk, visit: Visit, person: User, { note, code }: Told): Html {
  const say = wordsOf(visit.language);
  const path = `/people/${encodeURIComponent(person.name)}`;
  return frame(visit, {
    title: `${person.display} (${person.name})`,
    note: note === undefined ? undefined : { kind: note.kind, text: say(note.word) },
    body: html`${codeNote(visit, code)}
      ${person.disabled ? html`<p><span class="state bad">${say('disabled')}</span></p>` : ''}
      <section>
        <h2>${say('roles')}</h2>
        <form method="post" action="${path}/roles" class="card form">
          ${csrfField(visit)}${roleBoxes(visit, person.roles, true)}
          <p><button>${say('save')}</button></p>
        </form>
      </section>
      <section>
        <h2>${say('mayRead')}</h2>
        <ul class="plain">
          ${desk.accounts.mailboxes(person.name, desk.now()).map(
            (box) =>
              html`<li>
                <form method="post" action="${path}/addresses/take" class="row">
                  ${csrfField(visit)}<input type="hidden" name="address" value="${box.address}" />${box.address}
                  <span class="small"
                    >${say(box.kind)}${box.until === null ? '' : html`, ${say('until')} ${timeWords(box.until, visit.language)}`}</span
                  >${box.kind === 'delegated' ? '' : html` <button class="quiet">${say('takeAway')}<span class="hidden"> ${box.address}</span></button>`}
                </form>
              </li>`,
          )}
        </ul>
        <form method="post" action="${path}/addresses" class="card form">
          ${csrfField(visit)} ${textField(visit, { id: 'address', label: 'address', most: 254 })}
          <p>
            <label for="kind">${say('kind')}</label
            ><select id="kind" name="kind">
              <option value="own">${say('own')}</option>
              <option value="shared">${say('shared')}</option>
            </select>
          </p>
          <p><label for="until">${say('endDateMay')}</label><input id="until" name="until" type="date" /></p>
          <p><button>${say('giveAddress')}</button></p>
        </form>
      </section>
      <div class="acts">
        ${person.source === 'local' && !person.disabled ? html`<form method="post" action="${path}/code">${csrfField(visit)}<button class="quiet">${say('newCode')}</button></form>` : ''}
        ${mayDropFactors(desk, visit, person) ? html`<form method="post" action="${path}/factors">${csrfField(visit)}<button class="quiet">${say('dropFactors')}</button></form>` : ''}
        <form method="post" action="${path}/state">
          ${csrfField(visit)}<input type="hidden" name="disabled" value="${person.disabled ? 0 : 1}" /><button
            class="quiet"
          >
            ${say(person.disabled ? 'enable' : 'disable')}
          </button>
        </form>
      </div>
      <p><a href="/people">${say('back')}</a></p>`,
  });
}
