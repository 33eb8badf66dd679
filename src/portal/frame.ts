// The frame around every page: head, navigation by role, and the notes that belong to no page.
import type { Role } from './accounts.ts';
import { html, type Html, type Value } from '../message/html.ts';
import type { Glance } from './pages.ts';
import { wordsOf, type Word } from './words.ts';

/** What a page puts into the frame. */
export interface Framed {
  readonly title: string;
  readonly body: Value;
  /** Wide pages use the whole screen (page preview, tables). */
  readonly wide?: boolean;
  /** The page changes by itself: what `/live` is asked with. */
  readonly live?: string;
  /** A script of its own besides the one that every page has: its file among the assets. */
  readonly script?: string;
  /** Names of further assets, styles and scripts. */
  readonly assets?: { readonly styles: readonly string[]; readonly scripts: readonly string[] } | undefined;
  /** A sentence above the page: `bad` for what went wrong. */
  readonly note?: { readonly kind: 'good' | 'bad'; readonly text: string } | undefined;
}

const WORD_LINKS: readonly (readonly [path: string, word: Word, roles: readonly Role[]])[] = [
  ['/messages', 'messages', ['staff']],
  ['/originals', 'originals', ['staff']],
  ['/approvals', 'approvals', ['approver']],
  ['/people', 'people', ['administrator']],
];

/** A whole page. */
export function frame(glance: Glance, { title, body, wide, note, live, script, assets }: Framed): Html {
  const say = wordsOf(glance.language);
  return html`<!doctype html>
    <html lang="${glance.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} - ${say('product')}</title>
        <link rel="stylesheet" href="/assets/tokens.css" />
        <link rel="stylesheet" href="/assets/400.css" />
        <link rel="stylesheet" href="/assets/700.css" />
        <link rel="stylesheet" href="/assets/portal.css" />
        ${assets?.styles.map((name) => html`<link rel="stylesheet" href="/assets/${name}" />`)}
        <link rel="icon" href="/assets/mark.svg" type="image/svg+xml" />
        <script src="/assets/portal.js" defer></script>
        ${script === undefined ? '' : html`<script src="/assets/${script}" defer></script>`}
        ${assets?.scripts.map((name) => html`<script src="/assets/${name}" defer></script>`)}
      </head>
      <body>
        <a class="skip" href="#content">${say('skip')}</a>
        <header class="top">
          <div class="top-row">
            <a class="brand" href="/"><img src="/assets/mark.svg" alt="" width="32" height="32" />${say('product')}</a>
            ${navigation(glance)}
          </div>
        </header>
        <main
          id="content"
          tabindex="-1"
          class="${wide === true ? 'wide' : 'narrow'}"
          ${live === undefined ? '' : html` data-live="${live}"`}
        >
          <h1>${title}</h1>
          ${note === undefined ? '' : html`<p class="note ${note.kind}" role="${note.kind === 'bad' ? 'alert' : 'status'}">${note.text}</p>`}
          ${body}
        </main>
      </body>
    </html> `;
}

/** The navigation of whoever is signed in: what his roles open, and his own settings. */
export function linksOf({
  session,
  language,
  links,
}: Glance): readonly { readonly path: string; readonly word: string }[] {
  const say = wordsOf(language);
  const seen = (roles: readonly Role[]): boolean => roles.some((role) => session?.user.roles.includes(role) === true);
  const all = [
    ...WORD_LINKS.map(([path, word, roles]) => ({ path, word: say(word), roles })),
    ...links.map(({ path, words, roles }) => ({ path, word: words[language], roles })),
  ];
  return [...all.filter(({ roles }) => seen(roles)), { path: '/account', word: say('account') }];
}

function navigation(glance: Glance): Html | undefined {
  const { session, language } = glance;
  if (session === undefined || session.level !== 'full') return undefined;
  const say = wordsOf(language);
  return html`<nav aria-label="${say('product')}">
      <ul>
        ${linksOf(glance).map(
          ({ path, word }) =>
            html`<li>
              <a href="${path}" ${glance.path.startsWith(path) ? html` aria-current="page"` : ''}>${word}</a>
            </li> `,
        )}
      </ul>
    </nav>
    <form method="post" action="/sign-out" class="sign-out">
      ${csrfField(glance)}<span class="who">${session.user.display}</span>
      <button class="quiet">${say('signOut')}</button>
    </form>`;
}

/** The hidden field that proves a form is ours; every form that changes something carries it. */
export function csrfField(glance: Glance): Html {
  return html`<input type="hidden" name="csrf" value="${glance.session?.csrf ?? ''}" />`;
}
