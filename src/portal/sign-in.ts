// Signing in and out, and the first sign-in with a one-time code.
import { createHmac, randomBytes } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import { parseName, type User } from './accounts.ts';
import type { Desk } from './desk.ts';
import { admit, askLdap } from './directory.ts';
import { frame, csrfField } from './frame.ts';
import { html, type Html } from '../message/html.ts';
import { SESSION_COOKIE, type Answer, type Glance } from './pages.ts';
import { passwordField } from './password-fields.ts';
import { checkPassword } from './passwords.ts';
import type { Level } from './sessions.ts';
import { wordsOf, type Word } from './words.ts';

/** Cookie of those who are not signed in: the token in their forms is made of it, so that no other site can send one. */
const STRANGER_COOKIE = '__Host-mugai-stranger';
const strangerKey = randomBytes(32);

/** Wrong guesses in a quarter of an hour, by account and by address (a city hall may sit behind one address). */
const WRONG_BY_NAME = 5;
const WRONG_BY_ADDRESS = 60;

const COOKIE = { path: '/', httpOnly: true, secure: true, sameSite: 'lax' } as const;

export function strangersToken(glance: Glance): string | undefined {
  const cookie = glance.request.cookies[STRANGER_COOKIE];
  return cookie === undefined ? undefined : createHmac('sha256', strangerKey).update(cookie).digest('base64url');
}

/** The hidden field of a form for somebody who is not signed in. */
export function strangerField(glance: Glance): Html {
  let token = strangersToken(glance);
  if (token === undefined) {
    const cookie = randomBytes(24).toString('base64url');
    glance.reply.setCookie(STRANGER_COOKIE, cookie, COOKIE);
    token = createHmac('sha256', strangerKey).update(cookie).digest('base64url');
  }
  return html`<input type="hidden" name="csrf" value="${token}" />`;
}

/** Begins a session in this browser; an earlier one of it ends (attack row 111: no id from before is kept). */
export function beginSession(desk: Desk, glance: Glance, user: User, level: Level): void {
  if (glance.session !== undefined) desk.sessions.end(glance.session.hash);
  glance.reply.setCookie(SESSION_COOKIE, desk.sessions.begin(user.name, level), COOKIE);
}

/** A path of ours to go on to after signing in; never another site. */
function onward(to: string | null): string {
  return to !== null && /^\/[a-z][\w/?=&%.-]{0,500}$/i.test(to) && !to.startsWith('/sign-') ? to : '/';
}

export function addSignIn(desk: Desk): void {
  const { pages, nextFactor } = desk;
  pages.before('GET', '/sign-in', 'anybody', async (glance) => {
    if (glance.session?.level === 'full') return { to: onward(glance.query.get('to')) };
    if (glance.session !== undefined) return { to: nextFactor(glance.session.user) ?? '/sign-out' };
    const ended = glance.request.cookies[SESSION_COOKIE] !== undefined;
    if (ended) glance.reply.clearCookie(SESSION_COOKIE, COOKIE);
    const note = ended ? 'signInEnded' : glance.query.has('out') ? 'signedOut' : undefined;
    const told = note === undefined ? undefined : ({ kind: 'good', word: note } as const);
    return signInPage(glance, told, desk);
  });
  pages.before('POST', '/sign-in', 'anybody', async (glance) => signIn(desk, glance));
  pages.before('POST', '/sign-out', 'half-signed-in', async (glance) => {
    if (glance.session !== undefined) await desk.note({ act: 'signed-out', person: glance.session.user.name });
    signOut(desk, glance, glance.reply);
    return { to: '/sign-in?out=1' };
  });
}

/** The answer to whoever was not let in by a directory. */
export function refuseSignIn(glance: Glance): Answer {
  return { status: 403, page: signInPage(glance, { kind: 'bad', word: 'signInRefused' }) };
}

function signOut(desk: Desk, glance: Glance, reply: FastifyReply): void {
  if (glance.session !== undefined) desk.sessions.end(glance.session.hash);
  reply.clearCookie(SESSION_COOKIE, COOKIE);
}

/** `desk`: offers the other ways to sign in that there are. */
function signInPage(glance: Glance, note?: { readonly kind: 'good' | 'bad'; readonly word: Word }, desk?: Desk): Html {
  const say = wordsOf(glance.language);
  const to = glance.form.get('to') ?? glance.query.get('to') ?? '';
  return frame(glance, {
    title: say('signIn'),
    note: note === undefined ? undefined : { kind: note.kind, text: say(note.word) },
    body: html`<form method="post" action="/sign-in" class="card form">
        ${strangerField(glance)}<input type="hidden" name="to" value="${to}" />
        <p>
          <label for="name">${say('name')}</label
          ><input
            id="name"
            name="name"
            autocomplete="username"
            required
            maxlength="64"
            value="${glance.form.get('name') ?? ''}"
          />
        </p>
        ${passwordField(glance, 'password', 'password', 'current-password')}
        <p><button>${say('signIn')}</button></p>
      </form>
      <p class="acts">
        ${desk?.passkeys === undefined ? '' : html`<a class="button quiet" href="/sign-in/passkey">${say('passkeySignIn')}</a>`}
        ${desk?.directories.oidc === undefined ? '' : html`<a class="button quiet" href="/sign-in/oidc">${say('signInOidc')}</a>`}
      </p>
      <p><a href="/first">${say('firstLink')}</a></p>`,
  });
}

async function signIn(desk: Desk, glance: Glance): Promise<Answer> {
  const bad = (word: Word, status = 403): Answer => ({ status, page: signInPage(glance, { kind: 'bad', word }, desk) });
  const name = parseName(glance.form.get('name') ?? '') ?? '';
  const password = glance.form.get('password') ?? '';
  const keys = [`name ${name}`, `address ${glance.request.ip}`] as const;
  const wait = desk.guesses.waitSeconds([
    [keys[0], WRONG_BY_NAME],
    [keys[1], WRONG_BY_ADDRESS],
  ]);
  if (wait > 0) {
    glance.reply.header('Retry-After', String(wait));
    return bad('signInWait', 429);
  }
  const { user, right } = await checkAnywhere(desk, name, password);
  if (!right || user === undefined) {
    desk.guesses.wrong(...keys);
    await desk.note({
      act: 'sign-in-failed',
      ...(user === undefined ? {} : { person: name }),
      detail: { address: glance.request.ip },
    });
    return bad('signInWrong');
  }
  desk.guesses.forget(keys[0]);
  const next = desk.nextFactor(user);
  await desk.note({
    act: 'signed-in',
    person: name,
    detail: { address: glance.request.ip, step: next === undefined ? 'all' : 'password' },
  });
  beginSession(desk, glance, user, next === undefined ? 'full' : 'password');
  return { to: next ?? onward(glance.form.get('to')) };
}

/** The local password, or the directory's: people of a directory, and those nobody knows yet, are asked for there. */
async function checkAnywhere(
  desk: Desk,
  name: string,
  password: string,
): Promise<{ readonly user: User | undefined; readonly right: boolean }> {
  const { ldap } = desk.directories;
  const known = desk.accounts.find(name);
  const user = known?.disabled === true ? undefined : known;
  const local = user?.source === 'local';
  // Always one hash: an unknown name takes as long as a wrong password, and gets the same answer.
  const right = await checkPassword(password, local ? desk.accounts.passwordHash(name) : undefined);
  if (ldap === undefined || known?.disabled === true || (known !== undefined && known.source !== 'ldap'))
    return { user: local ? user : undefined, right };
  const vouched = await askLdap(ldap, name, password);
  const admitted = vouched === undefined ? undefined : admit(desk.accounts, vouched, 'ldap');
  return { user: admitted ?? user, right: admitted !== undefined };
}

/** The form's token for pages that both kinds of visitors see. */
export function anyField(glance: Glance): Html {
  return glance.session === undefined ? strangerField(glance) : csrfField(glance);
}
