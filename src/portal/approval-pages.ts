// Pages of those who decide on originals: on what they saw, each once, never on a request of their own.
import { remarkWords } from '../message/account.ts';
import { bannerWords } from '../message/banner.ts';
import { html, type Html } from '../message/html.ts';
import type { Desk } from './desk.ts';
import { csrfField, frame } from './frame.ts';
import { digestNow, facts, row } from './original-cards.ts';
import { placeOf, type Hindrance, type OriginalAsked, type Originals } from './originals.ts';
import type { Answer, Visit } from './pages.ts';
import { wordsOf, type Word } from './words.ts';

/** Findings that an approver is told, at most. */
const FOUND_MOST = 20;
/** Requests of one page. */
const CARDS = 50;

export function addApprovals(desk: Desk, originals: Originals): void {
  const { pages } = desk;
  pages.get('/approvals', ['approver'], async (visit) => approvalsPage(desk, visit, originals, undefined));
  pages.post('/approvals/:original', ['approver'], async (visit) => decide(desk, originals, visit));
}

async function approvalsPage(desk: Desk, visit: Visit, originals: Originals, fault: Word | undefined): Promise<Html> {
  const say = wordsOf(visit.language);
  const after = placeOf(visit.query.get('after') ?? '');
  const { asked: waiting, more } = await originals.waitingFor(visit.user.name, CARDS, after);
  const last = waiting.at(-1);
  const cards = await Promise.all(
    waiting.map(
      async (one) =>
        html`<li class="card">
          ${facts(visit, one, await known(desk, visit, one))}
          <p class="small">SHA-256 <span class="code">${one.sha256}</span></p>
          <form method="post" action="/approvals/${one.id}" class="acts">
            ${csrfField(visit)}<input type="hidden" name="sha256" value="${one.sha256}" />
            <button name="yes" value="1">${say('approve')}<span class="hidden"> ${one.name}</span></button
            ><button name="yes" value="0" class="quiet">
              ${say('reject')}<span class="hidden"> ${one.name}</span>
            </button>
          </form>
        </li> `,
    ),
  );
  return frame(visit, {
    title: say('approvals'),
    note: fault === undefined ? undefined : { kind: 'bad', text: say(fault) },
    body: html`<p>${say('approvalsLead')}</p>
      ${waiting.length === 0 ? html`<p class="empty">${say('approvalsNone')}</p>` : ''}
      <ul class="plain">
        ${cards}
      </ul>
      <nav class="turn" aria-label="${say('page')}">
        ${after === undefined ? '' : html`<a class="button quiet" href="/approvals">${say('oldest')}</a>`}
        ${more && last !== undefined ? html`<a class="button quiet" rel="next" href="/approvals?after=${last.at}-${last.id}">${say('newer')}</a>` : ''}
      </nav>`,
  });
}

/** What an approver has to know: who asks, who sent it, what was found in it when it was made harmless. */
async function known(desk: Desk, visit: Visit, one: OriginalAsked): Promise<Html> {
  const say = wordsOf(visit.language);
  const { headers, envelope, parts } = (await desk.packages.statement(one.message)).predicate;
  const about =
    one.part === '' ? parts : parts.filter(({ path }) => path === one.part || path.startsWith(`${one.part}.`));
  const found = new Set(
    about.flatMap(({ findings }) =>
      findings.map((finding) => bannerWords(finding, visit.language) ?? remarkWords(finding, visit.language)),
    ),
  );
  const words = [...found].slice(0, FOUND_MOST).join(visit.language === 'ja' ? '、' : '; ');
  const sender = headers?.from ?? envelope.from;
  const asker = desk.accounts.find(one.user)?.display ?? one.user;
  return html`${row(say('askedBy'), `${asker} (${one.user})`)}
  ${row(say('from'), sender === '' ? say('noSender') : sender)}
  ${row(say('originalFound'), words === '' ? say('originalFoundNone') : words)}`;
}

const HINDRANCES: { readonly [hindrance in Hindrance]: Word } = {
  'not-yours': 'approveNotYours',
  'own-request': 'approveOwn',
  'decided-before': 'approveTwice',
  'not-open': 'approveNotOpen',
  changed: 'approveChanged',
};

async function decide(desk: Desk, originals: Originals, visit: Visit): Promise<Answer> {
  const id = visit.params['original'] ?? '';
  const decided = await originals.turns.take(id, async () => decideNow(desk, originals, visit, id));
  if (decided === 'counted') return { to: '/approvals' };
  if (decided === 'not-found') return decided;
  return { status: 409, page: await approvalsPage(desk, visit, originals, HINDRANCES[decided]) };
}

/** Journals a decision that counts, then lets it count; nobody else decides on the request in between. */
async function decideNow(
  desk: Desk,
  originals: Originals,
  visit: Visit,
  id: string,
): Promise<Hindrance | 'counted' | 'not-found'> {
  const one = originals.find(id);
  const answer = visit.form.get('yes');
  if (one === undefined || (answer !== '1' && answer !== '0')) return 'not-found';
  const sha256 = visit.form.get('sha256') ?? '';
  const policy = await originals.policyOf(one.message);
  if (policy === undefined) return 'not-found';
  const hindrance = originals.hindrance(one, visit.user.name, policy);
  if (hindrance !== undefined) return hindrance === 'not-yours' ? 'not-found' : hindrance;
  if ((await digestNow(desk, one)) !== sha256 || sha256 !== one.sha256) return 'changed';
  await desk.note({
    act: answer === '1' ? 'approved' : 'rejected',
    person: visit.user.name,
    message: one.message,
    detail: { request: id, sha256, for: one.user, level: one.level + 1 },
  });
  return originals.decide(id, { by: visit.user.name, yes: answer === '1', sha256 }, policy) ?? 'counted';
}
