// The second factor: time-based one-time passwords (TOTP, RFC 6238), for whoever turned them on.
import { Secret, TOTP } from 'otpauth';
import { renderSVG } from 'uqr';
import { html, type Html } from '../message/html.ts';
import type { User } from './accounts.ts';
import type { Database } from './database.ts';
import type { Desk } from './desk.ts';
import { csrfField, frame } from './frame.ts';
import type { Answer, Glance, Visit } from './pages.ts';
import { beginSession } from './letting-in.ts';
import { by, onwardField, onwardOf } from './way-back.ts';
import { wordsOf, type Word } from './words.ts';

/** Wrong codes in a quarter of an hour: one of 10^6 codes in some 3 x 30 s is right. */
const WRONG_MOST = 5;
/** Milliseconds a secret waits for its first right code. */
const SETUP_MS = 15 * 60_000;

/** Secrets and the last step that was used: a code is good once. */
export class Totps {
  readonly #db: Database;
  readonly #now: () => number;
  constructor(db: Database, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** True when the code is right now and was not used before; it is used up by asking. */
  use(user: string, code: string): boolean {
    const row = this.#db.get('SELECT totp, totp_used FROM users WHERE name = ?', user);
    const secret = row?.['totp'];
    if (typeof secret !== 'string') return false;
    const step = this.#stepOf(secret, code);
    if (step === undefined) return false;
    return this.#db.run('UPDATE users SET totp_used = ? WHERE name = ? AND totp_used < ?', step, user, step) === 1;
  }

  /** Turns it on with a secret whose code was shown to be known. Never in the place of another one: that is turned off first. */
  turnOn(user: string, secret: string, code: string): boolean {
    const step = this.#stepOf(secret, code);
    if (step === undefined) return false;
    const sql = 'UPDATE users SET totp = ?, totp_used = ? WHERE name = ? AND totp IS NULL';
    return this.#db.run(sql, secret, step, user) === 1;
  }

  turnOff(user: string): void {
    this.#db.run('UPDATE users SET totp = NULL WHERE name = ?', user);
  }

  /** The step of a right code: this one, or one to each side. */
  #stepOf(secret: string, code: string): number | undefined {
    const timestamp = this.#now();
    const delta = totpOf(secret, '').validate({ token: code.replace(/\s/g, ''), window: 1, timestamp });
    return delta === null ? undefined : Math.floor(timestamp / 30_000) + delta;
  }
}

function totpOf(secret: string, label: string): TOTP {
  return new TOTP({ issuer: 'Mugai', label, secret: Secret.fromBase32(secret), digits: 6, period: 30 });
}

export function addSecondFactor(desk: Desk, totps: Totps): (visit: Visit) => Html {
  const { pages } = desk;
  const setups = new Map<string, { readonly secret: string; readonly at: number }>();
  pages.before('GET', '/sign-in/code', 'half-signed-in', async (glance) => elsewhere(glance) ?? codePage(glance));
  pages.before('POST', '/sign-in/code', 'half-signed-in', async (glance): Promise<Answer> => {
    const user = glance.session?.user;
    if (user === undefined) return 'not-found';
    const other = elsewhere(glance);
    if (other !== undefined) return other;
    const key = keyOf(user);
    if (desk.guesses.waitSeconds([[key, WRONG_MOST]]) > 0) return { status: 429, page: codePage(glance, 'signInWait') };
    if (!totps.use(user.name, glance.form.get('code') ?? '')) {
      desk.guesses.wrong(key);
      await desk.note({
        act: 'sign-in-failed',
        person: user.name,
        detail: { step: 'code', address: glance.request.ip },
      });
      return { status: 403, page: codePage(glance, 'totpWrong') };
    }
    desk.guesses.forget(key);
    await desk.note({ act: 'signed-in', person: user.name, detail: { step: 'all', address: glance.request.ip } });
    beginSession(desk, glance, user, 'full');
    return { to: onwardOf(glance) };
  });
  pages.post('/account/totp/begin', 'signed-in', async (visit) => {
    if (visit.user.hasTotp) return refuse(visit, 409, 'totpOffFirst');
    const secret = new Secret({ size: 20 }).base32;
    for (const [name, { at }] of setups) if (desk.now() - at > SETUP_MS) setups.delete(name);
    setups.set(visit.user.name, { secret, at: desk.now() });
    return setupPage(visit, secret);
  });
  // The picture is asked for by the page itself: inline pictures are not allowed by our policy.
  pages.get('/account/totp/qr.svg', 'signed-in', async (visit) => {
    const setup = setups.get(visit.user.name);
    if (setup === undefined) return 'not-found';
    await visit.reply.type('image/svg+xml').send(renderSVG(totpOf(setup.secret, visit.user.name).toString()));
    return 'sent';
  });
  pages.post('/account/totp', 'signed-in', async (visit) => {
    if (visit.user.hasTotp) return refuse(visit, 409, 'totpOffFirst');
    const setup = setups.get(visit.user.name);
    if (setup === undefined || desk.now() - setup.at > SETUP_MS) return 'not-found';
    if (!totps.turnOn(visit.user.name, setup.secret, visit.form.get('code') ?? ''))
      return { status: 403, page: setupPage(visit, setup.secret, 'totpWrong') };
    setups.delete(visit.user.name);
    await desk.note({ act: 'changed', person: visit.user.name, detail: { what: 'totp-on', of: visit.user.name } });
    return { to: '/account?saved=1' };
  });
  pages.post('/account/totp/off', 'signed-in', async (visit) => {
    if (!visit.user.hasTotp) return { to: '/account' };
    const key = keyOf(visit.user);
    if (desk.guesses.waitSeconds([[key, WRONG_MOST]]) > 0) return refuse(visit, 429, 'signInWait');
    if (!totps.use(visit.user.name, visit.form.get('code') ?? '')) {
      desk.guesses.wrong(key);
      return refuse(visit, 403, 'totpWrong');
    }
    desk.guesses.forget(key);
    await desk.note({ act: 'changed', person: visit.user.name, detail: { what: 'totp-off', of: visit.user.name } });
    totps.turnOff(visit.user.name);
    return { to: '/account?saved=1' };
  });
  return section;
}

/** Guesses are counted by person, wherever the code is asked for. */
const keyOf = ({ name }: User): string => `totp ${name}`;

/** Where somebody goes who owes no code: he gave it, or the second factor was turned off since his password was right. */
function elsewhere(glance: Glance): Answer | undefined {
  const { session } = glance;
  if (session?.level === 'full') return { to: onwardOf(glance) };
  return session === undefined || nextFactor(session.user) === undefined
    ? { to: by('/sign-in', onwardOf(glance)) }
    : undefined;
}

/** The second factor's part of the account page by itself, with what went wrong. */
function refuse(visit: Visit, status: number, fault: Word): Answer {
  const say = wordsOf(visit.language);
  const body = html`${section(visit)}
    <p><a href="/account">${say('back')}</a></p>`;
  return { status, page: frame(visit, { title: say('account'), note: { kind: 'bad', text: say(fault) }, body }) };
}

/** Where somebody goes whose password was right. */
export function nextFactor(user: User): string | undefined {
  return user.hasTotp ? '/sign-in/code' : undefined;
}

function codeField(glance: Glance): Html {
  const say = wordsOf(glance.language);
  return html`<p>
    <label for="totp">${say('totpCode')}</label
    ><input
      id="totp"
      name="code"
      inputmode="numeric"
      autocomplete="one-time-code"
      pattern="[0-9 ]{6,7}"
      maxlength="7"
      required
    />
  </p>`;
}

function codePage(glance: Glance, fault?: Word): Html {
  const say = wordsOf(glance.language);
  return frame(glance, {
    title: say('totpTitle'),
    note: fault === undefined ? undefined : { kind: 'bad', text: say(fault) },
    body: html`<form method="post" action="/sign-in/code" class="card form">
        ${csrfField(glance)}${onwardField(glance)}${codeField(glance)}
        <p><button>${say('signIn')}</button></p>
      </form>
      <div class="acts">
        <form method="post" action="/sign-out">
          ${csrfField(glance)}<button class="quiet">${say('signOut')}</button>
        </form>
      </div>`,
  });
}

function setupPage(visit: Visit, secret: string, fault?: Word): Html {
  const say = wordsOf(visit.language);
  return frame(visit, {
    title: say('totpTitle'),
    note: fault === undefined ? undefined : { kind: 'bad', text: say(fault) },
    body: html`<p>${say('totpLead')}</p>
      <p><img src="/account/totp/qr.svg" alt="QR" width="220" height="220" /></p>
      <p class="code" data-secret>${secret}</p>
      <form method="post" action="/account/totp" class="card form">
        ${csrfField(visit)}${codeField(visit)}
        <p><button>${say('totpOn')}</button></p>
      </form>`,
  });
}

function section(visit: Visit): Html {
  const say = wordsOf(visit.language);
  return html`<section>
    <h2>${say('totpTitle')}</h2>
    ${
      visit.user.hasTotp
        ? html`<p>${say('totpIsOn')}</p>
            <form method="post" action="/account/totp/off" class="card form">
              ${csrfField(visit)}${codeField(visit)}
              <p><button class="quiet">${say('totpOff')}</button></p>
            </form>`
        : html`<form method="post" action="/account/totp/begin">
            ${csrfField(visit)}<button class="quiet">${say('totpOn')}</button>
          </form>`
    }
  </section>`;
}
