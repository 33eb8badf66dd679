// How the HTTP door answers whoever sent something: JSON for programs, a page where the browser asks for one (a form that was sent
// without scripts), in the language that was asked for.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sizeWords } from '../message/account.ts';
import { html } from '../message/html.ts';
import { languageOf, languageOfProgram } from '../message/language.ts';
import { outerPage } from './outer-page.ts';
import type { Said } from './upload-words.ts';

/** A fault as it is told. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly said: Said;
  /** Seconds until it is worth coming again, where that is known. */
  readonly retryAfterSeconds?: number | undefined;
}

/** A file that was taken. */
export interface Taken {
  readonly id: string;
  readonly name: string;
  readonly size: number;
}

/** Browsers name it when somebody waits for a page; scripts and programs do not. */
function wantsPage(request: FastifyRequest): boolean {
  return /\btext\/html\b/i.test(request.headers.accept ?? '');
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const { status, code, said } = problem;
  const asked = request.headers['accept-language'];
  const language = wantsPage(request) ? languageOf(asked) : languageOfProgram(asked);
  const message = said[language === 'ja' ? 0 : 1];
  reply.code(status).header('Content-Language', language);
  if (!wantsPage(request)) return reply.send({ error: code, message });
  const [title, back] =
    language === 'ja' ? ['送れませんでした', '送るページに戻る'] : ['It was not sent', 'Back to sending'];
  const body = html`<p class="note" role="alert">${message}</p>
    <p><a href="/">${back}</a></p>`;
  return reply.type(HTML).send(outerPage(status === 404 ? message : title, body, language).text);
}

export function sendTaken(request: FastifyRequest, reply: FastifyReply, files: readonly Taken[]): FastifyReply {
  reply.code(202);
  if (!wantsPage(request)) return reply.send({ files });
  const language = languageOf(request.headers['accept-language']);
  const [title, told, more] =
    language === 'ja'
      ? [
          '受け付けました',
          '無害化して、職員に届けます。番号は問い合わせのときにお使いください。',
          'ほかのファイルを送る',
        ]
      : [
          'Received',
          'It is made harmless and handed to the staff. Keep the number for questions.',
          'Send another file',
        ];
  const body = html`<p role="status">${told}</p>
    <ul>
      ${files.map(({ id, name, size }) => html`<li>${name} (${sizeWords(size)}) <span class="code">${id}</span></li>`)}
    </ul>
    <p><a href="/">${more}</a></p>`;
  return reply
    .header('Content-Language', language)
    .type(HTML)
    .send(outerPage(title, body, language).text);
}

const HTML = 'text/html; charset=utf-8';
