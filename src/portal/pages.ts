// Every page of the inner side goes through here: who may see it is said where it is made, and nothing can be forgotten.
import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Language } from '../message/account.ts';
import { languageOf } from '../message/language.ts';
import type { Role, User } from './accounts.ts';
import type { Html } from '../message/html.ts';
import type { Session, Sessions } from './sessions.ts';
import { addUploadRoute, openForm, type SentFile, type UploadLimits } from './upload.ts';

/** `__Host-`: set by this host itself, over a safe connection (or loopback), for all its paths. */
export const SESSION_COOKIE = '__Host-mugai';

/** Header of a page that our script fetches because something changed: nobody asked for it. */
const BY_ITSELF = 'x-mugai-by-itself';

/** What a page answers. `sent`: it wrote to the reply itself. */
export type Answer =
  | Html
  | { readonly to: string }
  | { readonly status: number; readonly page: Html }
  | 'not-found'
  | 'sent';

/** A look at a page by somebody, signed in or not. */
export interface Glance {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly language: Language;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
  readonly params: Readonly<Record<string, string>>;
  readonly session: Session | undefined;
  /** Entries of the navigation besides the portal's own. */
  readonly links: readonly Link[];
}

/** An entry of the navigation, shown to whoever has one of the roles. */
export interface Link {
  readonly path: string;
  readonly words: { readonly ja: string; readonly en: string };
  readonly roles: readonly Role[];
}

/** A visit of somebody who is signed in and has one of the page's roles. */
export interface Visit extends Glance {
  readonly session: Session;
  readonly user: User;
}

/** Who may open a page: some roles, everybody who is signed in, who still owes the second factor, or anybody. */
export type Access = readonly Role[] | 'signed-in' | 'half-signed-in' | 'anybody';

/** A page as it was declared: the attack tests go through this list. */
export interface Declared {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly access: Access;
}

export interface PagesDeps {
  readonly sessions: Sessions;
  /** Draws the page that is not there, and the one that says that a form was out of date. */
  readonly notFound: (glance: Glance) => Html;
  readonly outdated: (glance: Glance) => Html;
  /** Where a page of those who are not signed in yet finds its form's token. */
  readonly strangersToken: (glance: Glance) => string | undefined;
}

/** Declares pages on a Fastify instance. */
export class Pages {
  readonly declared: Declared[] = [];
  /** Files besides the portal's own that `/assets/<name>` hands out: styles and scripts of other rooms. */
  readonly assets = new Map<string, string>();
  readonly #links: Link[] = [];
  readonly #quiet = new Set<string>();
  readonly #app: FastifyInstance;
  readonly #deps: PagesDeps;

  constructor(app: FastifyInstance, deps: PagesDeps) {
    this.#app = app;
    this.#deps = deps;
  }

  /** Adds an entry to the navigation. */
  link(path: string, roles: readonly Role[], words: Link['words']): void {
    this.#links.push({ path, roles, words });
  }

  /** A page to look at. It changes nothing: mail scanners and browsers open pages by themselves. */
  get(path: string, roles: readonly Role[] | 'signed-in', show: (visit: Visit) => Promise<Answer>): void {
    this.#declare('GET', path, roles, async (glance) => show(visitOf(glance)));
  }

  /** A page that asks by itself, again and again: it is no sign that somebody is there, so it keeps no session alive. */
  quiet(path: string, roles: readonly Role[], show: (visit: Visit) => Promise<Answer>): void {
    this.#quiet.add(path);
    this.get(path, roles, show);
  }

  /** An act. Refused without the session's own token. */
  post(path: string, roles: readonly Role[] | 'signed-in', act: (visit: Visit) => Promise<Answer>): void {
    this.#declare('POST', path, roles, async (glance) => act(visitOf(glance)));
  }

  /** An act with files. Without the role or the token, which is the form's first field, no byte of a file is read. */
  upload(
    path: string,
    roles: readonly Role[],
    limits: UploadLimits,
    act: (visit: Visit, files: AsyncIterable<SentFile>) => Promise<Answer>,
  ): void {
    this.declared.push({ method: 'POST', path, access: roles });
    addUploadRoute(this.#app, limits, {
      method: 'POST',
      url: path,
      handler: async (request, reply) =>
        this.#answer({ request, reply, access: roles }, async (glance) => {
          const { form, files } = await openForm(request, limits);
          return { glance: { ...glance, form }, answer: async (ours) => act(visitOf(ours), files) };
        }),
    });
  }

  /** The pages before somebody is signed in. */
  before(
    method: 'GET' | 'POST',
    path: string,
    access: 'half-signed-in' | 'anybody',
    answer: (glance: Glance) => Promise<Answer>,
  ): void {
    this.#declare(method, path, access, answer);
  }

  /** What is known of a request before any page looks at it. */
  glance(request: FastifyRequest, reply: FastifyReply): Glance {
    const token = request.cookies[SESSION_COOKIE];
    const at = request.url.indexOf('?');
    const path = at < 0 ? request.url : request.url.slice(0, at);
    const alive = !this.#quiet.has(path) && request.headers[BY_ITSELF] === undefined;
    const session = token === undefined || token.length > 100 ? undefined : this.#deps.sessions.find(token, alive);
    return {
      request,
      reply,
      session,
      language: session?.user.language ?? languageOf(request.headers['accept-language']),
      path,
      query: new URLSearchParams(at < 0 ? '' : request.url.slice(at)),
      form: request.body instanceof URLSearchParams ? request.body : new URLSearchParams(),
      links: this.#links,
      params: (request.params ?? {}) as Record<string, string>, // Fastify's router gives strings
    };
  }

  #declare(method: 'GET' | 'POST', path: string, access: Access, answer: (glance: Glance) => Promise<Answer>): void {
    this.declared.push({ method, path, access });
    this.#app.route({
      method,
      url: path,
      handler: async (request, reply) =>
        this.#answer({ request, reply, access }, async (glance) => ({ glance, answer })),
    });
  }

  /** `open` reads what the token is found in; it is called only for somebody who may. */
  async #answer(
    asked: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly access: Access },
    open: (
      glance: Glance,
    ) => Promise<{ readonly glance: Glance; readonly answer: (glance: Glance) => Promise<Answer> }>,
  ): Promise<FastifyReply> {
    const { request, reply, access } = asked;
    const seen = this.glance(request, reply);
    const verdict = may(seen, access);
    if (verdict === 'sign-in') {
      const back = request.method === 'GET' ? `?to=${encodeURIComponent(request.url)}` : '';
      return reply.redirect(`/sign-in${back}`, 303);
    }
    if (verdict === 'no') return this.#notFound(seen);
    const { glance, answer } = await open(seen);
    if (request.method === 'POST' && !this.#isOurForm(glance)) {
      return reply.code(403).type(HTML).send(this.#deps.outdated(glance).text);
    }
    const result = await answer(glance);
    if (result === 'sent') return reply;
    if (result === 'not-found') return this.#notFound(glance);
    if ('to' in result) return reply.redirect(result.to, 303);
    if ('page' in result) return reply.code(result.status).type(HTML).send(result.page.text);
    return reply.type(HTML).send(result.text);
  }

  #notFound(glance: Glance): FastifyReply {
    return glance.reply.code(404).type(HTML).send(this.#deps.notFound(glance).text);
  }

  /** Attack row 108: the browser says that the form came from us, where it says so at all; the token says it always. */
  #isOurForm(glance: Glance): boolean {
    const site = glance.request.headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
    const wanted = glance.session?.csrf ?? this.#deps.strangersToken(glance);
    return wanted !== undefined && sameText(glance.form.get('csrf') ?? '', wanted);
  }
}

export const HTML = 'text/html; charset=utf-8';

/** A glance of somebody whom `may` let in. */
function visitOf(glance: Glance): Visit {
  const { session } = glance;
  if (session === undefined) throw new TypeError('a visit without a session');
  return { ...glance, session, user: session.user };
}

function may(glance: Glance, access: Access): 'yes' | 'no' | 'sign-in' {
  if (access === 'anybody') return 'yes';
  const { session } = glance;
  if (session === undefined) return 'sign-in';
  if (access === 'half-signed-in') return 'yes';
  if (session.level !== 'full') return 'sign-in';
  if (access === 'signed-in') return 'yes';
  return access.some((role) => session.user.roles.includes(role)) ? 'yes' : 'no';
}

export function sameText(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
