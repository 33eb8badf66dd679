// Making passkeys and signing in with one. The browser's part is `passkey.js`; it puts what the device answers into the form.
import { html, type Html } from '../message/html.ts';
import type { Desk } from './desk.ts';
import { csrfField, frame } from './frame.ts';
import { PASSKEYS_MOST, type Passkeys } from './passkeys.ts';
import type { Answer, Glance, Visit } from './pages.ts';
import { beginSession } from './letting-in.ts';
import { strangerField } from './strangers.ts';
import { by, onwardField, onwardOf } from './way-back.ts';
import { wordsOf, type Word } from './words.ts';
import { timeWords } from './words-of-time.ts';

/** Wrong answers from one address in a quarter of an hour. */
const WRONG_MOST = 20;

/** Declares the pages; returns the account page's section. */
export function addPasskeys(desk: Desk, passkeys: Passkeys): (visit: Visit) => Html | undefined {
  const { pages } = desk;
  // Whoever comes from a directory is let in and shut out there: a passkey here would outlive that.
  const may = (visit: Visit): boolean => visit.user.source === 'local';
  pages.post('/account/passkeys/begin', 'signed-in', async (visit) =>
    may(visit) && passkeys.of(visit.user.name).length < PASSKEYS_MOST ? makePage(visit, passkeys) : 'not-found',
  );
  pages.post('/account/passkeys', 'signed-in', async (visit): Promise<Answer> => {
    if (!may(visit)) return 'not-found';
    const { name } = visit.user;
    const called = (visit.form.get('name') ?? '').trim().slice(0, 60) || 'passkey';
    await desk.note({ act: 'changed', person: name, detail: { what: 'passkey-added', of: name, value: called } });
    if (!(await passkeys.keep(name, visit.form.get('credential') ?? '', called)))
      return { status: 400, page: await makePage(visit, passkeys, 'passkeyBad') };
    return { to: '/account?saved=1' };
  });
  pages.post('/account/passkeys/remove', 'signed-in', async (visit): Promise<Answer> => {
    const { name } = visit.user;
    await desk.note({ act: 'changed', person: name, detail: { what: 'passkey-removed', of: name } });
    return passkeys.remove(name, visit.form.get('id') ?? '') ? { to: '/account?saved=1' } : 'not-found';
  });
  pages.before('GET', '/sign-in/passkey', 'anybody', async (glance) =>
    glance.session?.level === 'full' ? { to: onwardOf(glance) } : signInPage(glance, passkeys),
  );
  pages.before('POST', '/sign-in/passkey', 'anybody', async (glance) => signIn(desk, passkeys, glance));
  return (visit) => (may(visit) ? section(visit, passkeys) : undefined);
}

async function signIn(desk: Desk, passkeys: Passkeys, glance: Glance): Promise<Answer> {
  const address = glance.request.ip;
  const key = `passkey ${address}`;
  const bad = async (word: Word, status: number): Promise<Answer> => ({
    status,
    page: await signInPage(glance, passkeys, word),
  });
  if (desk.guesses.waitSeconds([[key, WRONG_MOST]]) > 0) return bad('signInWait', 429);
  const name = await passkeys.check(glance.form.get('credential') ?? '');
  const user = name === undefined ? undefined : desk.accounts.find(name);
  if (user === undefined || user.disabled || user.source !== 'local') {
    desk.guesses.wrong(key);
    await desk.note({ act: 'sign-in-failed', detail: { step: 'passkey', address } });
    return bad('signInRefused', 403);
  }
  // The device asked for its owner (PIN, finger): possession and knowledge in one. No further factor is wanted.
  await desk.note({ act: 'signed-in', person: user.name, detail: { step: 'passkey', address } });
  beginSession(desk, glance, user, 'full');
  return { to: onwardOf(glance) };
}

/** The form whose hidden field the script fills with what the device answers. */
function deviceForm(options: string, kind: 'create' | 'get', passkeys: Passkeys): Html {
  return html`data-passkey="${kind}" data-options="${options}" data-host="${passkeys.place.host}"`;
}

async function makePage(visit: Visit, passkeys: Passkeys, fault?: Word): Promise<Html> {
  const say = wordsOf(visit.language);
  const options = await passkeys.beginMaking(visit.user);
  return frame(visit, {
    title: say('passkeyMake'),
    script: 'passkey.js',
    note: fault === undefined ? undefined : { kind: 'bad', text: say(fault) },
    body: html`<p>${say('passkeyLead')}</p>
      <form method="post" action="/account/passkeys" class="card form" ${deviceForm(options, 'create', passkeys)}>
        ${csrfField(visit)}<input type="hidden" name="credential" />
        <p>
          <label for="name">${say('passkeyName')}</label
          ><input id="name" name="name" required maxlength="60" autocomplete="off" />
        </p>
        <p><button>${say('passkeyMake')}</button></p>
        ${trouble(visit, passkeys)}
      </form>
      <p><a href="/account">${say('back')}</a></p>`,
  });
}

async function signInPage(glance: Glance, passkeys: Passkeys, fault?: Word): Promise<Html> {
  const say = wordsOf(glance.language);
  const options = await passkeys.beginSignIn();
  return frame(glance, {
    title: say('passkeySignIn'),
    script: 'passkey.js',
    note: fault === undefined ? undefined : { kind: 'bad', text: say(fault) },
    body: html`<form method="post" action="/sign-in/passkey" class="card form" ${deviceForm(options, 'get', passkeys)}>
        ${strangerField(glance)}${onwardField(glance)}<input type="hidden" name="credential" />
        <p>${say('passkeySignInLead')}</p>
        <p><button>${say('passkeySignIn')}</button></p>
        ${trouble(glance, passkeys)}
      </form>
      <p><a href="${by('/sign-in', onwardOf(glance))}">${say('passkeyOther')}</a></p>`,
  });
}

/** What the script shows when the device or the browser does not take part. */
function trouble(glance: Glance, { place }: Passkeys): Html {
  const say = wordsOf(glance.language);
  return html`<p class="note bad" role="alert" data-trouble hidden>${say('passkeyTrouble')} ${place.origin}</p>
    <noscript><p class="note bad">${say('passkeyScript')}</p></noscript>`;
}

function section(visit: Visit, passkeys: Passkeys): Html {
  const say = wordsOf(visit.language);
  const mine = passkeys.of(visit.user.name);
  return html`<section>
    <h2>${say('passkeys')}</h2>
    <p>${say('passkeysLead')}</p>
    <ul class="plain">
      ${mine.map(
        ({ id, name, created, used }) =>
          html`<li>
            <form method="post" action="/account/passkeys/remove" class="row">
              ${csrfField(visit)}<input type="hidden" name="id" value="${id}" />${name}
              <span class="small"
                >${timeWords(created, visit.language)}${used === null ? '' : html`, ${say('passkeyUsed')} ${timeWords(used, visit.language)}`}</span
              >
              <button class="quiet">${say('takeAway')}<span class="hidden"> ${name}</span></button>
            </form>
          </li>`,
      )}
    </ul>
    ${
      mine.length >= PASSKEYS_MOST
        ? ''
        : html`<form method="post" action="/account/passkeys/begin">
            ${csrfField(visit)}<button class="quiet">${say('passkeyMake')}</button>
          </form>`
    }
  </section>`;
}
