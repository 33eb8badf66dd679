// The first sign-in of a person, with a one-time code: a password is chosen. The very first one names himself.
import { parseAddress, parseName } from './accounts.ts';
import type { Desk } from './desk.ts';
import { nameField, newPasswordFault, newPasswordFields, textField } from './fields.ts';
import { frame } from './frame.ts';
import { html, type Html } from '../message/html.ts';
import { householdOf } from '../message/networks.ts';
import type { Answer, Glance } from './pages.ts';
import { hashPassword } from './passwords.ts';
import { letIn } from './letting-in.ts';
import { strangerField } from './strangers.ts';
import { wordsOf, type Word } from './words.ts';

export function addFirstSignIn(desk: Desk): void {
  desk.pages.before('GET', '/first', 'anybody', async (glance) => firstPage(desk, glance));
  desk.pages.before('POST', '/first', 'anybody', async (glance) => first(desk, glance));
}

function firstPage(desk: Desk, glance: Glance, fault?: Word): Html {
  const say = wordsOf(glance.language);
  const field = (name: string): string => glance.form.get(name) ?? '';
  // The very first person names himself; everybody else was named by an administrator.
  const fresh = desk.accounts.isEmpty() || desk.accounts.ownerOfCode(field('code')) === FIRST;
  return frame(glance, {
    title: say('firstTitle'),
    note: fault === undefined ? undefined : { kind: 'bad', text: say(fault) },
    body: html`<p>${say(fresh ? 'firstLeadServer' : 'firstLead')}</p>
      <form method="post" action="/first" class="card form">
        ${strangerField(glance)}
        ${textField(glance, { id: 'code', label: 'code', most: 60, value: field('code'), complete: 'one-time-code', look: 'code', first: true })}
        ${
          fresh
            ? html`${nameField(glance, { value: field('name'), hint: 'nameHint', complete: 'username' })}
              ${textField(glance, { id: 'display', label: 'firstName', most: 100, value: field('display'), complete: 'name' })}
              ${textField(glance, { id: 'address', label: 'firstAddress', most: 254, value: glance.form.get('address') ?? desk.firstAddress ?? '', complete: 'email', optional: true })}`
            : ''
        }
        ${newPasswordFields(glance)}
        <p><button>${say('begin')}</button></p>
      </form>`,
  });
}

/** Owner of the code that the first start prints: whoever uses it becomes the first administrator. */
export const FIRST = '(first)';

async function first(desk: Desk, glance: Glance): Promise<Answer> {
  const bad = (word: Word, status = 403): Answer => ({ status, page: firstPage(desk, glance, word) });
  const field = (name: string): string => glance.form.get(name) ?? '';
  const key = `code ${householdOf(glance.request.ip)}`;
  if (desk.guesses.waitSeconds([[key, 20]]) > 0) return bad('signInWait', 429);
  const owner = desk.accounts.ownerOfCode(field('code'));
  if (owner === undefined) {
    desk.guesses.wrong(key);
    await desk.note({ act: 'sign-in-failed', detail: { address: glance.request.ip, step: 'code' } });
    return bad('codeWrong');
  }
  const fresh = owner === FIRST;
  const name = fresh ? parseName(field('name')) : owner;
  if (name === undefined) return bad('nameWrong', 400);
  const address = fresh && field('address').trim() !== '' ? parseAddress(field('address')) : '';
  if (address === undefined) return bad('addressWrong', 400);
  const fault = newPasswordFault(glance, name);
  if (fault !== undefined) return bad(fault, 400);
  if (fresh && desk.accounts.find(name) !== undefined) return bad('nameTaken', 400);
  const hash = await hashPassword(field('password'));
  await desk.note({
    act: 'changed',
    person: name,
    detail: { what: fresh ? 'first administrator' : 'password by code', address: glance.request.ip },
  });
  if (desk.accounts.useCode(field('code')) === undefined) return bad('codeWrong'); // somebody was faster
  if (fresh) {
    desk.accounts.add(name, field('display').trim() || name, ['staff', 'administrator']);
    if (address !== '') desk.accounts.giveAddress(name, address, 'own', null, name);
  }
  // Somebody new has chosen no language yet: the one that his browser asks for.
  if (desk.accounts.find(name)?.hasPassword === false) desk.accounts.setLanguage(name, glance.language);
  desk.accounts.setPasswordHash(name, hash);
  const user = desk.accounts.find(name);
  if (user === undefined || user.disabled) return 'not-found';
  return letIn(desk, glance, user, { step: 'code' });
}
