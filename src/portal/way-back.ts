// The page somebody was on his way to when he had to sign in: carried through every step of signing in.
import { html, type Html } from '../message/html.ts';
import type { Glance } from './pages.ts';

/** A path of ours to go on to after signing in; never another site. */
export function onward(to: string | null | undefined): string {
  // Every character of an address; a backslash is none (browsers take it for a slash, and two of them name another site).
  return typeof to === 'string' && /^\/[a-z][!-[\]-~]{0,2000}$/i.test(to) && !to.startsWith('/sign-') ? to : '/';
}

/** Where whoever signs in with this request goes on. */
export function onwardOf({ form, query }: Glance): string {
  return onward(form.get('to') ?? query.get('to'));
}

/** Carries it on in a form. */
export function onwardField(glance: Glance): Html {
  return html`<input type="hidden" name="to" value="${onwardOf(glance)}" />`;
}

/** Carries it on to another page of signing in. */
export function by(path: string, to: string): string {
  return to === '/' ? path : `${path}?${new URLSearchParams({ to }).toString()}`;
}
