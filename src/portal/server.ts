// The portal's server: heads of every answer, errors as plain pages, and the pages of all rooms on it.
import type { KeyObject } from 'node:crypto';
import { dirname, join } from 'node:path';
import cookie from '@fastify/cookie';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Audit } from '../message/act.ts';
import type { ActEntry } from '../message/act.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import type { Log } from '../ops/log.ts';
import type { RequestWriter } from '../requests/requests.ts';
import { Accounts } from './accounts.ts';
import { Admissions } from './admitting.ts';
import { addAccountPage } from './account-page.ts';
import { addApprovals } from './approval-pages.ts';
import { addArriving } from './arriving-pages.ts';
import type { OnTheWay } from './arriving.ts';
import { addAsking, Asks } from './asking.ts';
import { addAssets } from './assets.ts';
import { addAudit } from './audit-page.ts';
import { isBroken, type Database } from './database.ts';
import type { Desk } from './desk.ts';
import { addDirectoryPages, type Directories } from './directory-pages.ts';
import { addFiles } from './files.ts';
import { frame, linksOf } from './frame.ts';
import { Guesses } from './guesses.ts';
import { html, type Html } from '../message/html.ts';
import { languageOf } from '../message/language.ts';
import { networksOf } from '../message/networks.ts';
import { LiveEvents } from './live-events.ts';
import type { MessageIndex } from './message-index.ts';
import { addMessage, brokenPage } from './message.ts';
import { addMessages } from './messages.ts';
import { addOriginals } from './original-pages.ts';
import { Originals, type OriginalsPolicyOf } from './originals.ts';
import type { Packages } from './packages.ts';
import { HTML, Pages, type Glance } from './pages.ts';
import { settleReleases, type EndOfRelease } from './released.ts';
import { addPasskeys } from './passkey-pages.ts';
import { passkeyPlace, Passkeys, type PasskeyPlace } from './passkeys.ts';
import { addPeople } from './people.ts';
import { addSecondFactor, nextFactor, Totps } from './second-factor.ts';
import { Sessions } from './sessions.ts';
import { addFirstSignIn, FIRST } from './first-sign-in.ts';
import { addSignIn } from './sign-in.ts';
import { strangersToken } from './strangers.ts';
import { Views } from './views.ts';
import { wordsOf, type Word } from './words.ts';

export interface PortalDeps {
  readonly db: Database;
  readonly index: MessageIndex;
  readonly packages: Packages;
  readonly onTheWay: OnTheWay;
  readonly log: Log;
  readonly requests: RequestWriter;
  readonly originals: OriginalsPolicyOf;
  /** How the release of an original ended, as the middle tells it. */
  readonly endOfRelease: EndOfRelease;
  /** False where no original can be scanned, and so none is given out. */
  readonly canScan: () => boolean;
  readonly outerUrl: string;
  /** Address of the portal as browsers see it. */
  readonly portalUrl: string;
  /** The journal of the zone. */
  readonly audit: Audit;
  /** Keys that packages are verified with, and the folders of the journals that are here: what an auditor's page believes. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly journals: () => readonly string[];
  /** Told of an error that speaks of a broken index. */
  readonly onIndexFault: () => void;
  readonly now?: () => number;
  readonly directories?: Directories;
  readonly firstAddress?: string | undefined;
  /** Reverse proxies whose word on who asks is believed: addresses or networks. */
  readonly trustedProxies?: readonly string[];
}

export interface Portal {
  readonly port: number;
  readonly pages: Pages;
  readonly desk: Desk;
  /** One-time code of the first administrator; undefined when there are people already. */
  readonly firstCode: string | undefined;
  /** Notes what became of originals meanwhile. */
  settleReleases(): Promise<void>;
  close(deadlineMs: number): Promise<void>;
}

/** Nothing but our own files, no inline script or style, no frame around us, forms to ourselves only. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
  'Cache-Control': 'no-store',
};

const FORM_BYTES = 64 * 1024;

/** Opens the portal. `addMore` puts further rooms' pages on the same server before it listens. */
export async function openPortal(
  listen: { readonly host: string; readonly port: number },
  deps: PortalDeps,
  addMore: (desk: Desk) => void = () => undefined,
): Promise<Portal> {
  const app = fastify({
    logger: false,
    trustProxy: networksOf(deps.trustedProxies ?? []),
    bodyLimit: FORM_BYTES,
    return503OnClosing: true,
    keepAliveTimeout: 5000,
    // An address that cannot be decoded, or is too long: no hook of ours sees it, not that of cookies either.
    frameworkErrors: (_error, request, reply) => void nothingHere(request, reply.headers(HEADERS)),
  });
  await app.register(cookie);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, new URLSearchParams(String(body))),
  );
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(HEADERS);
  });

  const now = deps.now ?? Date.now;
  const accounts = new Accounts(deps.db);
  const sessions = new Sessions(deps.db, accounts, now);
  const pages = new Pages(app, { sessions, notFound: notFoundPage, outdated: outdatedPage, strangersToken });
  const directories = deps.directories ?? { ldap: undefined, oidc: undefined, proxy: undefined };
  const portOf = (): number => {
    const address = app.server.address();
    return typeof address === 'object' && address !== null ? address.port : listen.port;
  };
  const canHavePasskeys = passkeyPlace(deps.portalUrl, listen.port) !== undefined;
  const place = (): PasskeyPlace => {
    const here = passkeyPlace(deps.portalUrl, portOf()); // the port is known once the server listens
    if (here === undefined) throw new TypeError('no place for passkeys');
    return here;
  };
  const passkeys = canHavePasskeys ? new Passkeys(deps.db, place, now) : undefined;
  const note = async (entry: ActEntry): Promise<unknown> => deps.audit.append(entry);
  const desk: Desk = {
    pages,
    accounts,
    admissions: new Admissions(deps.db, accounts, note),
    sessions,
    guesses: new Guesses(now),
    index: deps.index,
    packages: deps.packages,
    onTheWay: deps.onTheWay,
    passkeys,
    log: deps.log,
    now,
    note,
    views: new Views(note, now),
    nextFactor,
    directories,
    firstAddress: deps.firstAddress,
  };
  addAssets(app, pages.assets);
  addSignIn(desk);
  addFirstSignIn(desk);
  addDirectoryPages(desk, directories);
  // Everybody begins with the first of what he may open.
  pages.get('/', 'signed-in', async (visit) => ({ to: linksOf(visit)[0]?.path ?? '/account' }));
  addMessages(desk);
  const asking = { asks: new Asks(deps.db), requests: deps.requests };
  const originals = new Originals(deps.db, deps.originals, now);
  addMessage(desk, asking, deps.canScan);
  addAsking(desk, asking);
  addArriving(desk, asking.asks);
  const events = new LiveEvents(desk, asking.asks);
  events.add();
  addApprovals(desk, originals);
  const { requests, outerUrl, endOfRelease, canScan } = deps;
  addOriginals(desk, { originals, requests, outerUrl, endOfRelease, canScan });
  addFiles(desk);
  const sections = [addSecondFactor(desk, new Totps(deps.db, now))];
  addAccountPage(desk, passkeys === undefined ? sections : [addPasskeys(desk, passkeys), ...sections]);
  addPeople(desk);
  const aside = join(dirname(deps.db.indexFile), 'audit');
  addAudit(desk, { keys: deps.keys, journals: deps.journals, folder: aside });
  addMore(desk);
  errorPages(app, pages, deps);

  const firstCode = accounts.isEmpty() ? accounts.newCode(FIRST) : undefined;
  try {
    await app.listen(listen);
  } catch (error) {
    const why = `portal ${listen.host}:${listen.port} cannot be opened: ${reasonOf(error)}`;
    throw new MugaiError('port-in-use', why, { permanent: true, cause: error });
  }
  return {
    port: portOf(),
    pages,
    desk,
    firstCode,
    settleReleases: async () => settleReleases(desk, originals, endOfRelease),
    close: async (deadlineMs) => {
      const timer = setTimeout(() => app.server.closeAllConnections(), deadlineMs);
      events.close();
      app.server.closeIdleConnections();
      await app.close();
      clearTimeout(timer);
    },
  };
}

function plainPage(glance: Glance, title: Word, text: Word): Html {
  const say = wordsOf(glance.language);
  return frame(glance, {
    title: say(title),
    body: html`<p>${say(text)}</p>
      <p><a class="button quiet" href="/">${say('home')}</a></p>`,
  });
}

const notFoundPage = (glance: Glance): Html => plainPage(glance, 'notFoundTitle', 'notFound');
/** Browsers keep our cookies only from a safe place: over plain http to another machine a form would be out of date for ever. */
const outdatedPage = (glance: Glance): Html =>
  plainPage(glance, 'outdatedTitle', Object.keys(glance.request.cookies).length === 0 ? 'noCookies' : 'outdated');

function errorPages(app: FastifyInstance, pages: Pages, deps: PortalDeps): void {
  app.setNotFoundHandler(async (request, reply) => {
    const glance = pages.glance(request, reply);
    return reply.code(404).type(HTML).send(notFoundPage(glance).text);
  });
  app.setErrorHandler(async (error: unknown, request, reply) => {
    const status = statusOf(error);
    if (status < 500) return reply.code(status).type('text/plain; charset=utf-8').send('Bad request\n');
    deps.log.error({ path: request.routeOptions.url, error: reasonOf(error) }, 'portal');
    if (error instanceof MugaiError && error.code === 'not-found')
      return reply
        .code(404)
        .type(HTML)
        .send(notFoundPage(pages.glance(request, reply)).text);
    reply.removeHeader('Content-Disposition');
    reply.removeHeader('Content-Length');
    // Whatever page asked for it: a package that changed since it was listed is no trouble of the storage.
    if (error instanceof MugaiError && error.code === 'bad-package') {
      const glance = pages.glance(request, reply);
      const { status: conflict, page } = brokenPage(glance, { id: glance.params['id'] ?? '' });
      return reply.code(conflict).type(HTML).send(page.text);
    }
    if (isBroken(error)) deps.onIndexFault();
    return reply
      .code(503)
      .header('Retry-After', '30')
      .type(HTML)
      .send(plainPage(stranger(request, reply), 'troubleTitle', 'trouble').text);
  });
}

/** A glance of nobody in particular: no database is asked who it is. */
function stranger(request: FastifyRequest, reply: FastifyReply): Glance {
  return {
    request,
    reply,
    session: undefined,
    links: [],
    language: languageOf(request.headers['accept-language']),
    path: '',
    query: new URLSearchParams(),
    form: new URLSearchParams(),
    params: {},
  };
}

function nothingHere(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply
    .code(404)
    .type(HTML)
    .send(notFoundPage(stranger(request, reply)).text);
}

function statusOf(error: unknown): number {
  if (typeof error === 'object' && error !== null && 'statusCode' in error && typeof error.statusCode === 'number')
    return error.statusCode;
  return 500;
}
