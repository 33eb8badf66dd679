// The one template of all our pages: everything that is put in is escaped, unless this file made it.

/** Markup made by `html`. Nothing else may be put into a page unescaped. */
export interface Html {
  readonly __html: true;
  readonly text: string;
}

/** What may stand in a template: text is escaped; nothing is written for `undefined`, `null` and `false`. */
export type Value = string | number | Html | readonly Value[] | undefined | null | false;

const ENTITIES: { readonly [letter: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/**
 * Text for an element or a quoted attribute. Characters that reorder or hide text are shown as U+FFFD: a name must not
 * look like another one (CVE-2021-42574).
 */
export function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
    .replace(/[&<>"'`]/g, (letter) => ENTITIES[letter] ?? '');
}

/** Markup of a template. Attributes must be quoted; scripts, styles and event attributes must not hold values. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = parts[0] ?? '';
  for (const [at, value] of values.entries()) text += write(value) + (parts[at + 1] ?? '');
  return { __html: true, text };
}

function write(value: Value): string {
  if (value === undefined || value === null || value === false) return '';
  if (typeof value === 'string') return escape(value);
  if (typeof value === 'number') return String(value);
  if ('text' in value) return value.text;
  return value.map(write).join('');
}
