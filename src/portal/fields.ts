// Fields of forms, the same wherever something is typed, and what is wrong with a new password.
import { html, type Html } from '../message/html.ts';
import type { Glance } from './pages.ts';
import { passwordFault, PASSWORD_MOST } from './passwords.ts';
import { wordsOf, type Word } from './words.ts';

/** A line of text that is typed. `id` names it in the page and in the form; `most` counts characters. */
export interface TextField {
  readonly id: string;
  readonly label: Word;
  readonly most: number;
  readonly value?: string;
  readonly optional?: boolean;
  /** A sentence below the label: what is wanted. */
  readonly hint?: Word;
  /** What password managers call it. */
  readonly complete?: string;
  /** The one field of the page where typing begins. */
  readonly first?: boolean;
  readonly look?: string;
}

export function textField(glance: Glance, field: TextField): Html {
  const say = wordsOf(glance.language);
  const { id, label, most, value, hint } = field;
  return html`<p>
    <label for="${id}">${say(label)}</label>
    ${hint === undefined ? '' : html`<span class="hint" id="${id}-hint">${say(hint)}</span>`}<input
      id="${id}"
      name="${id}"
      maxlength="${most}"
      value="${value ?? ''}"
      autocomplete="${field.complete ?? 'off'}"
      ${hint === undefined ? '' : html` aria-describedby="${id}-hint"`}${field.optional === true ? '' : html` required`}${field.first === true ? html` autofocus` : ''}${field.look === undefined ? '' : html` class="${field.look}"`}
    />
  </p>`;
}

/** The name that somebody signs in with. */
export function nameField(glance: Glance, more: Pick<TextField, 'value' | 'hint' | 'complete' | 'first'>): Html {
  return textField(glance, { id: 'name', label: 'name', most: 64, ...more });
}

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
