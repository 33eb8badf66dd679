// Fields for passwords, the same wherever one is typed, and what is wrong with a new one.
import { html, type Html } from '../message/html.ts';
import type { Glance } from './pages.ts';
import { passwordFault, PASSWORD_MOST } from './passwords.ts';
import { wordsOf, type Word } from './words.ts';

/** One password field; `complete` tells password managers which it is. */
export function passwordField(
  glance: Glance,
  id: 'old' | 'password' | 'again',
  label: Word,
  complete: 'current-password' | 'new-password',
): Html {
  return html`<p>
    <label for="${id}">${wordsOf(glance.language)(label)}</label
    ><input id="${id}" name="${id}" type="password" autocomplete="${complete}" required maxlength="${PASSWORD_MOST}" />
  </p>`;
}

/** A new password, typed twice. */
export function newPasswordFields(glance: Glance): Html {
  return html`${passwordField(glance, 'password', 'newPassword', 'new-password')}${passwordField(
    glance,
    'again',
    'again',
    'new-password',
  )}`;
}

const FAULTS = { short: 'passwordShort', long: 'passwordLong', easy: 'passwordEasy' } as const;

/** What is wrong with the new password of a form; undefined when nothing is. */
export function newPasswordFault(glance: Glance, name: string): Word | undefined {
  const password = glance.form.get('password') ?? '';
  if (password !== (glance.form.get('again') ?? '')) return 'passwordDiffers';
  const fault = passwordFault(password, name);
  return fault === undefined ? undefined : FAULTS[fault];
}
