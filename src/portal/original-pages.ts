// Pages of whoever wants an original: he asks with a reason, sees how far it is, and takes the link once.
import { createHash, randomBytes } from 'node:crypto';
import { sizeWords } from '../message/account.ts';
import { html, type Html } from '../message/html.ts';
import type { MessageId } from '../message/id.ts';
import type { RequestWriter } from '../requests/requests.ts';
import { messageOf, type Desk } from './desk.ts';
import { csrfField, frame } from './frame.ts';
import type { Listed } from './message-lists.ts';
import { digestNow, facts, row } from './original-cards.ts';
import { placeOf, type OriginalAsked, type Originals } from './originals.ts';
import type { Answer, Visit } from './pages.ts';
import { settleReleases, type EndOfRelease } from './released.ts';
import { wordsOf, type Word } from './words.ts';
import { timeWords } from './words-of-time.ts';

export interface OriginalPagesDeps {
  readonly originals: Originals;
  readonly requests: RequestWriter;
  readonly endOfRelease: EndOfRelease;
  /** False: nothing could be given out, since nothing could be scanned. */
  readonly canScan: () => boolean;
  /** Address of the outer door as people type it. */
  readonly outerUrl: string;
}

const REASON_LEAST = 5;
const REASON_MOST = 400;
/** Requests of one page. */
const CARDS = 50;
/** Requests of a person in a quarter of an hour: each is a card before every approver. */
const PER_PERSON = 30;

export function addOriginals(desk: Desk, deps: OriginalPagesDeps): void {
  const { pages } = desk;
  const { originals } = deps;
  pages.get('/messages/:id/original', ['staff'], async (visit) => {
    const line = messageOf(desk, visit);
    if (line === undefined || line.stage === 'quarantined') return 'not-found';
    if (!deps.canScan()) return noScannerPage(visit, `/messages/${line.id}`);
    const what = await wantedOf(desk, line, visit.query.get('part') ?? '');
    return what === undefined ? 'not-found' : askPage(visit, line, what);
  });
  pages.post('/messages/:id/original', ['staff'], async (visit) => ask(desk, deps, visit));
  pages.get('/originals', ['staff'], async (visit) => {
    await settleReleases(desk, originals, deps.endOfRelease);
    return minePage(desk, visit, originals);
  });
  pages.post('/originals/:original/link', ['staff'], async (visit) => link(desk, deps, visit));
}

/** What an original is asked of: the whole message, or one of its parts, as the signed manifest tells it. */
interface Wanted {
  readonly message: MessageId;
  readonly part: string;
  readonly name: string;
  readonly sha256: string;
  readonly size: number;
}

async function wantedOf(desk: Desk, line: Listed, part: string): Promise<Wanted | undefined> {
  const message = desk.index.lists.versions(line.id)[0]?.id ?? line.id;
  const { source, parts } = (await desk.packages.statement(message)).predicate;
  const { sha256, size } = source;
  if (part === '') return { message, part, sha256, size, name: source.kind === 'mail' ? line.subject : source.name };
  const found = parts.find(({ path }) => path === part);
  return found === undefined || found.name === ''
    ? undefined
    : { message, part, name: found.name, sha256: found.sha256, size: found.size };
}

/** Said in place of what could not be kept: an approval that ends in nothing. */
function noScannerPage(visit: Visit, back: string): { status: number; page: Html } {
  const say = wordsOf(visit.language);
  const note = { kind: 'bad', text: say('originalNoScanner') } as const;
  const body = html`<p><a href="${back}">${say('back')}</a></p>`;
  return { status: 409, page: frame(visit, { title: say('originalTitle'), note, body }) };
}

function askPage(visit: Visit, line: Listed, wanted: Wanted, fault?: Word): Html {
  const say = wordsOf(visit.language);
  return frame(visit, {
    title: say('originalTitle'),
    note: fault === undefined ? undefined : { kind: 'bad', text: say(fault) },
    body: html`<p>
        <b>${wanted.name === '' ? say('noSubject') : wanted.name}</b>
        <span class="small"
          >${sizeWords(wanted.size)}${wanted.part === '' ? '' : html`, ${say('part')} ${wanted.part}`}</span
        >
      </p>
      <p>${say('originalLead')}</p>
      <p>${say('originalSteps')}</p>
      <form method="post" action="/messages/${line.id}/original" class="card form">
        ${csrfField(visit)}<input type="hidden" name="part" value="${wanted.part}" />
        <p>
          <label for="reason">${say('originalReason')}</label
          ><textarea id="reason" name="reason" rows="4" required minlength="${REASON_LEAST}" maxlength="${REASON_MOST}">
${visit.form.get('reason') ?? ''}</textarea>
        </p>
        <p><button>${say('originalAsk')}</button></p>
      </form>
      <p><a href="/messages/${line.id}">${say('back')}</a></p>`,
  });
}

async function ask(desk: Desk, { originals, canScan }: OriginalPagesDeps, visit: Visit): Promise<Answer> {
  const line = messageOf(desk, visit);
  if (line === undefined || line.stage === 'quarantined') return 'not-found';
  if (!canScan()) return noScannerPage(visit, `/messages/${line.id}`);
  const wanted = await wantedOf(desk, line, visit.form.get('part') ?? '');
  if (wanted === undefined) return 'not-found';
  const reason = (visit.form.get('reason') ?? '').trim();
  if (reason.length < REASON_LEAST || reason.length > REASON_MOST)
    return { status: 400, page: askPage(visit, line, wanted, 'originalReasonBad') };
  return originals.turns.take(`by ${visit.user.name}`, async () =>
    askNow(desk, originals, visit, { line, wanted, reason }),
  );
}

async function askNow(
  desk: Desk,
  originals: Originals,
  visit: Visit,
  { line, wanted, reason }: { readonly line: Listed; readonly wanted: Wanted; readonly reason: string },
): Promise<Answer> {
  const { message, part, sha256 } = wanted;
  const policy = await originals.policyOf(message);
  if (policy === undefined) return 'not-found';
  const user = visit.user.name;
  if (originals.openOf({ message, user, part }) !== undefined) return { to: '/originals' };
  const key = `original ${user}`;
  const wait = desk.guesses.waitSeconds([[key, PER_PERSON]]);
  if (wait > 0) {
    visit.reply.header('Retry-After', String(wait));
    return { status: 429, page: askPage(visit, line, wanted, 'originalTooOften') };
  }
  desk.guesses.wrong(key); // counts what is right here, too
  await desk.note({
    act: 'asked',
    person: user,
    message,
    detail: { kind: 'original', reason, sha256, ...(part === '' ? {} : { part }) },
  });
  originals.ask({ ...wanted, user, reason }, policy);
  return { to: '/originals' };
}

/** Who decides next, by the policy in force: names, or whoever is an approver. */
async function decidersOf(
  desk: Desk,
  visit: Visit,
  originals: Originals,
  one: OriginalAsked,
): Promise<Html | undefined> {
  if (one.state !== 'asked') return undefined;
  const say = wordsOf(visit.language);
  const named = (await originals.policyOf(one.message))?.levels[one.level] ?? [];
  const names = named.map((name) => desk.accounts.find(name)?.display ?? name);
  const who = names.length === 0 ? say('role_approver') : names.join(visit.language === 'ja' ? '、' : ', ');
  return row(say('originalDecides'), who);
}

async function minePage(desk: Desk, visit: Visit, originals: Originals, told?: Html): Promise<Html> {
  const say = wordsOf(visit.language);
  const before = placeOf(visit.query.get('before') ?? '');
  const { asked: mine, more } = originals.ofUser(visit.user.name, CARDS, before);
  const last = mine.at(-1);
  const cards = await Promise.all(
    mine.map(
      async (one) =>
        html`<li class="card">
          ${facts(visit, one, await decidersOf(desk, visit, originals, one))}
          ${one.state === 'approved' ? html`<form method="post" action="/originals/${one.id}/link">${csrfField(visit)}<button>${say('originalLink')}</button></form>` : ''}
        </li> `,
    ),
  );
  return frame(visit, {
    title: say('originals'),
    body: html`${told} ${mine.length === 0 ? html`<p class="empty">${say('originalsNone')}</p>` : ''}
      <ul class="plain">
        ${cards}
      </ul>
      <nav class="turn" aria-label="${say('page')}">
        ${before === undefined ? '' : html`<a class="button quiet" href="/originals">${say('newest')}</a>`}
        ${more && last !== undefined ? html`<a class="button quiet" rel="next" href="/originals?before=${last.at}-${last.id}">${say('older')}</a>` : ''}
      </nav>`,
  });
}

async function link(desk: Desk, deps: OriginalPagesDeps, visit: Visit): Promise<Answer> {
  const id = visit.params['original'] ?? '';
  return deps.originals.turns.take(id, async () => linkNow(desk, deps, visit, id));
}

/** Uses the approval up: one link, whose token nobody but the requester ever sees. */
async function linkNow(desk: Desk, deps: OriginalPagesDeps, visit: Visit, id: string): Promise<Answer> {
  const { originals, outerUrl } = deps;
  const one = originals.find(id);
  if (one === undefined || one.user !== visit.user.name) return 'not-found';
  // What was approved must still be what the signed manifest says, and still be this person's to read.
  const boxes = desk.accounts.mailboxes(visit.user.name, desk.now()).map(({ address }) => address);
  if (desk.index.lists.find(one.message, boxes, visit.user.name) === undefined) return 'not-found';
  const policy = await originals.policyOf(one.message);
  if (policy === undefined) return 'not-found';
  if ((await digestNow(desk, one)) !== one.sha256 || one.state !== 'approved') return 'not-found';
  if (!deps.canScan()) return noScannerPage(visit, '/originals'); // the approval stays
  await desk.note({
    act: 'asked',
    person: visit.user.name,
    message: one.message,
    detail: { kind: 'release', sha256: one.sha256 },
  });
  const token = randomBytes(32).toString('base64url');
  const approved = Math.max(...one.decisions.map(({ at }) => at));
  const from = approved + policy.waitMinutes * 60_000;
  const expires = Math.max(from, desk.now()) + policy.linkHours * 3_600_000;
  // The request is written first: where that fails the approval is still there. A request whose token nobody was told
  // gives nothing out.
  const request = await deps.requests.original(
    { id: one.message, part: one.part, by: visit.user.name },
    {
      purpose: one.reason,
      approvedBy: one.decisions
        .map(({ by }) => by)
        .join(', ')
        .slice(0, 200),
      sha256: one.sha256,
      token: createHash('sha256').update(token).digest('hex'),
      notBefore: new Date(from).toISOString(),
      expires: new Date(expires).toISOString(),
    },
  );
  if (!originals.release(one.id, request, expires)) return 'not-found';
  const say = wordsOf(visit.language);
  const told = html`<div class="note good" role="status">
    <p>${say('originalLinkTold')}</p>
    <p class="code" data-link>${outerUrl}/originals/${one.message}.${token}</p>
    <p>${say('originalFrom')} ${timeWords(Math.max(from, desk.now()), visit.language)}</p>
  </div>`;
  return minePage(desk, visit, originals, told);
}
