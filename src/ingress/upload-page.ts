// The page of the outer door: choose or drop files, name the recipient, watch them go. Without scripts it is a plain form.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import { html } from '../message/html.ts';
import { MESSAGE_BYTES } from './intake.ts';
import { outerPage } from './outer-page.ts';

const ASSETS = fileURLToPath(new URL('./assets/', import.meta.url));
const TYPES = { 'outer.css': 'text/css; charset=utf-8', 'outer.js': 'text/javascript; charset=utf-8' } as const;

/** Declares `/` and its assets. `asksKey`: the door takes files with an API key only. */
export function addUploadPage(app: FastifyInstance, domains: ReadonlySet<string>, asksKey: boolean): void {
  for (const [name, type] of Object.entries(TYPES)) {
    const bytes = readFileSync(`${ASSETS}${name}`);
    app.get(`/assets/${name}`, { schema: { hide: true } }, async (_request, reply) =>
      reply.type(type).header('Cache-Control', 'public, max-age=3600').send(bytes),
    );
  }
  const example = `shimin@${[...domains].find((domain) => domain.includes('.')) ?? 'city.example.lg.jp'}`;
  const page = outerPage(
    'ファイルを送る',
    html`<p>
        送ったファイルは無害化され、職員に画像または文字として届きます。一つ ${Math.floor(MESSAGE_BYTES / 1024 / 1024)}
        MB まで。
      </p>
      <p lang="en">What you send is made harmless and reaches the staff as pictures or text.</p>
      <form method="post" action="/v1/files" enctype="multipart/form-data" id="send" class="card">
        <p>
          <label for="to">宛先のメールアドレス <span lang="en">(To)</span></label
          ><input id="to" name="to" type="email" required maxlength="254" placeholder="${example}" autocomplete="off" />
        </p>
        ${
          asksKey
            ? html`<p>
                <label for="key">鍵 <span lang="en">(Key)</span></label
                ><input id="key" type="password" required maxlength="200" autocomplete="off" />
              </p>`
            : ''
        }
        <p class="drop" id="drop">
          <label for="file">ファイル <span lang="en">(Files)</span></label
          ><input id="file" name="file" type="file" multiple required /><span class="hint" hidden
            >ここにファイルを置くこともできます <span lang="en">(or drop them here)</span></span
          >
        </p>
        <p>
          <button>送る <span lang="en">(Send)</span></button>
        </p>
      </form>
      <ul id="list" aria-live="polite"></ul>`,
  ).text;
  app.get('/', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(page),
  );
}
