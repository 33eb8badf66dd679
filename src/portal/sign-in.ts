// Signing in with a name and a password, and signing out.
import { parseName, type User } from './accounts.ts';
import type { Desk } from './desk.ts';
import type { Vouched } from './admitting.ts';
import { askLdap } from './directory.ts';
import { nameField, passwordField } from './fields.ts';
import { frame } from './frame.ts';
import { reasonOf } from '../message/errors.ts';
import { html, type Html } from '../message/html.ts';
import { householdOf } from '../message/networks.ts';
import { endSession, letIn } from './letting-in.ts';
import { proxiedName } from './proxy-header.ts';
import { SESSION_COOKIE, type Answer, type Glance } from './pages.ts';
import { checkPassword } from './passwords.ts';
import { strangerField } from './strangers.ts';
import { by, onwardField, onwardOf } from './way-back.ts';
import { wordsOf, type Word } from './words.ts';

/** Wrong guesses in a quarter of an hour, by account and by address (a city hall may sit behind one address). */
const WRONG_BY_NAME = 5;
const WRONG_BY_ADDRESS = 60;

export function addSignIn(desk: Desk): void {
  const { pages, nextFactor } = desk;
  pages.before('GET', '/sign-in', 'anybody', async (glance) => {
    if (glance.session?.level === 'full') return { to: onwardOf(glance) };
    const next = glance.session === undefined ? undefined : nextFactor(glance.session.user);
    if (next !== undefined) return { to: by(next, onwardOf(glance)) };
    // Over by itself, or half of a sign-in whose other half was turned off meanwhile: it begins anew.
    const ended = glance.request.cookies[SESSION_COOKIE] !== undefined;
    if (ended) endSession(desk, glance);
    const note =
      glance.session === undefined && ended ? 'signInEnded' : glance.query.has('out') ? 'signedOut' : undefined;
    const told = note === undefined ? undefined : ({ kind: 'good', word: note } as const);
    return signInPage(glance, told, desk);
  });
  pages.before('POST', '/sign-in', 'anybody', async (glance) => signIn(desk, glance));
  pages.before('POST', '/sign-out', 'half-signed-in', async (glance) => {
    if (glance.session !== undefined) await desk.note({ act: 'signed-out', person: glance.session.user.name });
    endSession(desk, glance);
    return { to: '/sign-in?out=1' };
  });
}

/** The answer to whoever was not let in by a directory. */
export function refuseSignIn(glance: Glance): Answer {
  return { status: 403, page: signInPage(glance, { kind: 'bad', word: 'signInRefused' }) };
}

/** `desk`: offers the other ways to sign in that there are. */
function signInPage(glance: Glance, note?: { readonly kind: 'good' | 'bad'; readonly word: Word }, desk?: Desk): Html {
  const say = wordsOf(glance.language);
  const to = onwardOf(glance);
  const proxy = desk?.directories.proxy;
  return frame(glance, {
    title: say('signIn'),
    note: note === undefined ? undefined : { kind: note.kind, text: say(note.word) },
    body: html`<form method="post" action="/sign-in" class="card form">
        ${strangerField(glance)}${onwardField(glance)}
        ${nameField(glance, { value: glance.form.get('name') ?? '', complete: 'username', first: true })}
        ${passwordField(glance, 'password', 'password', 'current-password')}
        <p><button>${say('signIn')}</button></p>
      </form>
      <p class="acts">
        ${desk?.passkeys === undefined ? '' : html`<a class="button quiet" href="${by('/sign-in/passkey', to)}">${say('passkeySignIn')}</a>`}
        ${desk?.directories.oidc === undefined ? '' : html`<a class="button quiet" href="${by('/sign-in/oidc', to)}">${say('signInOidc')}</a>`}
        ${proxy === undefined || proxiedName(glance, proxy) === undefined ? '' : html`<a class="button quiet" href="${by('/sign-in/proxy', to)}">${say('signInOidc')}</a>`}
      </p>
      <p><a href="/first">${say('firstLink')}</a></p>`,
  });
}

async function signIn(desk: Desk, glance: Glance): Promise<Answer> {
  const bad = (word: Word, status = 403): Answer => ({ status, page: signInPage(glance, { kind: 'bad', word }, desk) });
  const name = parseName(glance.form.get('name') ?? '') ?? '';
  const password = glance.form.get('password') ?? '';
  const keys = [`name ${name}`, `address ${householdOf(glance.request.ip)}`] as const;
  const wait = desk.guesses.waitSeconds([
    [keys[0], WRONG_BY_NAME],
    [keys[1], WRONG_BY_ADDRESS],
  ]);
  if (wait > 0) {
    glance.reply.header('Retry-After', String(wait));
    return bad('signInWait', 429);
  }
  const answer = await desk.guesses.during(keys, async () => {
    const found = await checkAnywhere(desk, name, password);
    if (found !== 'away' && (!found.right || found.user === undefined)) desk.guesses.wrong(...keys);
    return found;
  });
  if (answer === 'away') {
    glance.reply.header('Retry-After', '30');
    return bad('directoryAway', 503);
  }
  const { user, right } = answer;
  if (!right || user === undefined) {
    await desk.note({
      act: 'sign-in-failed',
      ...(user === undefined ? {} : { person: name }),
      detail: { address: glance.request.ip },
    });
    return bad('signInWrong');
  }
  desk.guesses.forget(keys[0]);
  return letIn(desk, glance, user, { step: 'password', onward: onwardOf(glance) });
}

/** The local password, or the directory's: people of a directory, and those nobody knows yet, are asked for there. `away`: it cannot be asked. */
async function checkAnywhere(
  desk: Desk,
  name: string,
  password: string,
): Promise<{ readonly user: User | undefined; readonly right: boolean } | 'away'> {
  const { ldap } = desk.directories;
  const known = desk.accounts.find(name);
  const user = known?.disabled === true ? undefined : known;
  const local = user?.source === 'local';
  // Always one hash: an unknown name takes as long as a wrong password, and gets the same answer.
  const right = await checkPassword(password, local ? desk.accounts.passwordHash(name) : undefined);
  if (ldap === undefined || known?.disabled === true || (known !== undefined && known.source !== 'ldap'))
    return { user: local ? user : undefined, right };
  let vouched: Vouched | undefined;
  try {
    vouched = await askLdap(ldap, name, password);
  } catch (error) {
    desk.log.warn({ error: reasonOf(error) }, 'LDAP sign-in not possible');
    return 'away';
  }
  const admitted = vouched === undefined ? undefined : await desk.admissions.admit(vouched, 'ldap');
  return { user: admitted ?? user, right: admitted !== undefined };
}
