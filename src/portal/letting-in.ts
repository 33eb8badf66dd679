// Sessions of a browser, begun and ended: whoever proved who he is, by whichever way, is let in here.
import type { User } from './accounts.ts';
import type { Desk } from './desk.ts';
import { SESSION_COOKIE, type Glance } from './pages.ts';
import type { Level } from './sessions.ts';
import { by } from './way-back.ts';

const COOKIE = { path: '/', httpOnly: true, secure: true, sameSite: 'lax' } as const;

/** Begins a session in this browser; an earlier one of it ends (attack row 111: no id from before is kept). */
export function beginSession(desk: Desk, glance: Glance, user: User, level: Level): void {
  if (glance.session !== undefined) desk.sessions.end(glance.session.hash);
  glance.reply.setCookie(SESSION_COOKIE, desk.sessions.begin(user.name, level), COOKIE);
}

/** Ends the session of this browser, on the server too. */
export function endSession(desk: Desk, glance: Glance): void {
  if (glance.session !== undefined) desk.sessions.end(glance.session.hash);
  glance.reply.clearCookie(SESSION_COOKIE, COOKIE);
}

/** The first factor's name, and where he was on his way to. */
export interface Way {
  readonly step: string;
  readonly onward?: string;
}

/**
 * Lets somebody in whose first factor was right: journaled first, then a session that is whole or still waits for the
 * second factor. Returns where he goes on, `onward` when nothing is owed.
 */
export async function letIn(
  desk: Desk,
  glance: Glance,
  user: User,
  { step, onward = '/' }: Way,
): Promise<{ readonly to: string }> {
  const next = desk.nextFactor(user);
  const detail = { address: glance.request.ip, step: next === undefined ? 'all' : step };
  await desk.note({ act: 'signed-in', person: user.name, detail });
  beginSession(desk, glance, user, next === undefined ? 'full' : 'password');
  return { to: next === undefined ? onward : by(next, onward) };
}
