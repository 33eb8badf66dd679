// The frame of the few pages that the outer side shows.
import type { Language } from '../message/account.ts';
import { html, type Html, type Value } from '../message/html.ts';

/** A page of the outer door, in Japanese with an English line where it matters, or in the language that was asked for. */
export function outerPage(title: string, body: Value, language: Language = 'ja'): Html {
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} - Mugai</title>
        <link rel="stylesheet" href="/assets/outer.css" />
        <script src="/assets/outer.js" defer></script>
      </head>
      <body>
        <header><p>Mugai 無害化</p></header>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html> `;
}
