// The first sign-in of a person, with a one-time code: a password is chosen. The very first one names himself.
import { parseAddress, parseName } from './accounts.ts';
import type { Desk } from './desk.ts';
import { frame } from './frame.ts';
import { html, type Html } from '../message/html.ts';
import type { Answer, Glance } from './pages.ts';
import { newPasswordFault, newPasswordFields } from './password-fields.ts';
import { hashPassword } from './passwords.ts';
import { beginSession, strangerField } from './sign-in.ts';
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
  const addressHint = desk.firstAddress ?? '';
  return frame(glance, {
    title: say('firstTitle'),
    note: fault === undefined ? undefined : { kind: 'bad', text: say(fault) },
    body: html`<p>${say('firstLead')}</p>
      <form method="post" action="/first" class="card form">
        ${strangerField(glance)}
        <p>
          <label for="code">${say('code')}</label
          ><input
            id="code"
            name="code"
            autocomplete="one-time-code"
            required
            maxlength="60"
            class="code"
            value="${field('code')}"
          />
        </p>
        ${
          fresh
            ? html`<p>
                  <label for="name">${say('name')}</label
                  ><input
                    id="name"
                    name="name"
                    autocomplete="username"
                    required
                    maxlength="64"
                    value="${field('name')}"
                  />
                </p>
                <p>
                  <label for="display">${say('firstName')}</label
                  ><input id="display" name="display" required maxlength="100" value="${field('display')}" />
                </p>
                <p>
                  <label for="address">${say('firstAddress')}</label
                  ><input
                    id="address"
                    name="address"
                    maxlength="254"
                    value="${glance.form.get('address') ?? addressHint}"
                  />
                </p>`
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
  const key = `code ${glance.request.ip}`;
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
  desk.accounts.setPasswordHash(name, hash);
  const user = desk.accounts.find(name);
  if (user === undefined || user.disabled) return 'not-found';
  const next = desk.nextFactor(user);
  beginSession(desk, glance, user, next === undefined ? 'full' : 'password');
  return { to: next ?? '/' };
}
