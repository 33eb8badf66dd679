// Signing in by OpenID Connect, and by the word of a reverse proxy at a named address.
import type { User } from './accounts.ts';
import type { Desk } from './desk.ts';
import type { LdapPlace, Oidc, OidcStart } from './directory.ts';
import { reasonOf } from '../message/errors.ts';
import type { Answer, Glance } from './pages.ts';
import { letIn, type Way } from './letting-in.ts';
import { proxiedName, type ProxyWord } from './proxy-header.ts';
import { refuseSignIn } from './sign-in.ts';
import { onwardOf } from './way-back.ts';

export interface Directories {
  readonly ldap: LdapPlace | undefined;
  readonly oidc: Oidc | undefined;
  readonly proxy: ProxyWord | undefined;
}

const START_COOKIE = '__Host-mugai-oidc';
const COOKIE = { path: '/', httpOnly: true, secure: true, sameSite: 'lax', maxAge: 600 } as const;
const STARTS_MOST = 10_000;
const START_MS = 10 * 60_000;

export function addDirectoryPages(desk: Desk, { oidc, proxy }: Directories): void {
  const { pages } = desk;
  if (oidc !== undefined) {
    const starts = new Map<string, OidcStart & { readonly at: number; readonly onward: string }>();
    pages.before('GET', '/sign-in/oidc', 'anybody', async (glance) => {
      const start = await oidc.begin();
      for (const [state, { at }] of starts) {
        if (desk.now() - at < START_MS && starts.size < STARTS_MOST) break;
        starts.delete(state);
      }
      starts.set(start.state, { ...start, at: desk.now(), onward: onwardOf(glance) });
      glance.reply.setCookie(START_COOKIE, start.state, COOKIE);
      return { to: start.to };
    });
    pages.before('GET', '/sign-in/oidc/back', 'anybody', async (glance): Promise<Answer> => {
      // The browser that comes back must be the one that was sent: nobody is signed in by a link of somebody else's.
      const state = glance.request.cookies[START_COOKIE] ?? '';
      const start = starts.get(state);
      starts.delete(state);
      glance.reply.clearCookie(START_COOKIE, COOKIE);
      if (start === undefined || desk.now() - start.at > START_MS) return refuseSignIn(glance);
      try {
        const vouched = await oidc.end(`?${glance.query.toString()}`, start);
        const user = vouched === undefined ? undefined : await desk.admissions.admit(vouched, 'oidc');
        return await take(desk, glance, user, { step: 'oidc', onward: start.onward });
      } catch (error) {
        desk.log.warn({ error: reasonOf(error) }, 'OpenID sign-in refused');
        await desk.note({ act: 'sign-in-failed', detail: { step: 'oidc', address: glance.request.ip } });
        return refuseSignIn(glance);
      }
    });
  }
  if (proxy !== undefined) {
    pages.before('GET', '/sign-in/proxy', 'anybody', async (glance) => {
      const name = proxiedName(glance, proxy);
      if (name === undefined) return 'not-found';
      const user = await desk.admissions.admit({ name, display: name, addresses: undefined }, 'proxy');
      return take(desk, glance, user, { step: 'proxy', onward: onwardOf(glance) });
    });
  }
}

/** Whoever a directory vouched for and who may be here is let in; the rest is journaled. */
async function take(desk: Desk, glance: Glance, user: User | undefined, way: Way): Promise<Answer> {
  if (user !== undefined) return letIn(desk, glance, user, way);
  await desk.note({ act: 'sign-in-failed', detail: { step: way.step, address: glance.request.ip } });
  return refuseSignIn(glance);
}
