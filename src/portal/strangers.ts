// Forms of those who are not signed in yet: a cookie of theirs, and a token made of it, so that no other site can send one.
import { createHmac, randomBytes } from 'node:crypto';
import { html, type Html } from '../message/html.ts';
import type { Glance } from './pages.ts';

const STRANGER_COOKIE = '__Host-mugai-stranger';
const COOKIE = { path: '/', httpOnly: true, secure: true, sameSite: 'lax' } as const;
const strangerKey = randomBytes(32);

function tokenOf(cookie: string): string {
  return createHmac('sha256', strangerKey).update(cookie).digest('base64url');
}

/** The token that forms of this browser must bring; undefined when it has no cookie of ours. */
export function strangersToken(glance: Glance): string | undefined {
  const cookie = glance.request.cookies[STRANGER_COOKIE];
  return cookie === undefined ? undefined : tokenOf(cookie);
}

/** The hidden field of a form for somebody who is not signed in. */
export function strangerField(glance: Glance): Html {
  let token = strangersToken(glance);
  if (token === undefined) {
    const cookie = randomBytes(24).toString('base64url');
    glance.reply.setCookie(STRANGER_COOKIE, cookie, COOKIE);
    token = tokenOf(cookie);
  }
  return html`<input type="hidden" name="csrf" value="${token}" />`;
}
