// The operator's list: every message by its outside, found by words, address or number, with what can be done about it.
import { reasonWords } from '../message/account.ts';
import { html, type Html } from '../message/html.ts';
import { timeOf } from '../message/id.ts';
import { REASONS } from '../message/part.ts';
import type { AnyFilter } from '../portal/list-filters.ts';
import type { AnyLine } from '../portal/message-lists.ts';
import type { Visit } from '../portal/pages.ts';
import { timeWords } from '../portal/words-of-time.ts';
import { actFields } from './acts.ts';
import { consolePage, OPERATOR, sayOf, type ConsoleDeps } from './desk.ts';
import { consoleLinks, stepWords } from './overview.ts';

const LINES = 100;
const FILTERS = ['attention', 'all', 'held', 'refused', 'undelivered', 'waiting', 'broken'] as const;

export function addMessagesPage(deps: ConsoleDeps): void {
  deps.desk.pages.get('/console/messages', OPERATOR, async (visit) => {
    const { query } = visit;
    const words = (query.get('q') ?? '').slice(0, 200);
    const filter = FILTERS.find((one) => one === query.get('filter')) ?? (words === '' ? 'attention' : 'all');
    const given = Number(query.get('before') ?? Number.NaN);
    const before = Number.isSafeInteger(given) && given > 0 ? given : undefined;
    const { lines, more } = deps.desk.index.lists.listAll({ filter, words, before, most: LINES });
    const say = sayOf(visit);
    return consolePage(visit, {
      title: say('メールとファイル', 'Messages'),
      body: html`${consoleLinks(visit)} ${search(visit, words, filter)} ${underWay(deps, visit)}
      ${lines.length === 0 ? html`<p class="empty">${say('ありません。', 'Nothing here.')}</p>` : list(visit, lines)}
      ${
        more
          ? html`<p>
              <a
                class="button quiet"
                rel="next"
                href="/console/messages?${new URLSearchParams({ q: words, filter, before: String(lines.at(-1)?.key ?? '') }).toString()}"
                >${say('さらに古いもの', 'Older')}</a
              >
            </p>`
          : ''
      }`,
    });
  });
}

function search(visit: Visit, words: string, filter: AnyFilter): Html {
  const say = sayOf(visit);
  const names: { readonly [filter in AnyFilter]: string } = {
    attention: say('対応が要るもの', 'Needs somebody'),
    all: say('すべて', 'All'),
    held: say('保留', 'Held'),
    refused: say('拒否', 'Refused'),
    undelivered: say('不達', 'Not delivered'),
    waiting: say('配送待ち', 'Waiting for delivery'),
    broken: say('隔離', 'Quarantined'),
  };
  return html`<form method="get" action="/console/messages" class="filters" role="search">
    <span
      ><label for="q"
        >${say('件名・差出人・宛先・ファイル名・番号', 'Subject, sender, recipient, file or number')}</label
      ><input id="q" name="q" type="search" maxlength="200" value="${words}"
    /></span>
    <span
      ><label for="filter">${say('種類', 'Which')}</label
      ><select id="filter" name="filter">
        ${FILTERS.map((one) => html`<option value="${one}" ${one === filter ? html` selected` : ''}>${names[one]}</option>`)}
      </select></span
    >
    <span><button class="quiet">${say('表示', 'Show')}</button></span>
  </form>`;
}

/** What is in the queues now and has no package yet, or waits for its next attempt. */
function underWay({ statuses }: ConsoleDeps, visit: Visit): Html | undefined {
  const say = sayOf(visit);
  const failing = statuses
    .jobs()
    .filter(({ state, attempts }) => state === 'delayed' || attempts > 0)
    .slice(0, 100);
  if (failing.length === 0) return undefined;
  return html`<h2>${say('次の試行を待つもの', 'Waiting for the next attempt')}</h2>
    <ul class="plain">
      ${failing.map(
        ({ id, queue, attempts, failure, since }) =>
          html`<li>
            <a href="/console/messages/${id}"><code>${id}</code></a> ${stepWords(visit, queue)} ·
            ${say('失敗', 'failed')} ${attempts} · ${timeWords(since, visit.language)} ${failure}
          </li> `,
      )}
    </ul>`;
}

function list(visit: Visit, lines: readonly AnyLine[]): Html {
  const say = sayOf(visit);
  return html`<form method="post" action="/console/act">
    <table class="list">
      <thead>
        <tr>
          <th scope="col">
            <span class="hidden">${say('選択', 'Tick')}</span>
            <input type="checkbox" data-all hidden aria-label="${say('すべて選ぶ', 'Tick all')}" />
          </th>
          ${[
            say('状態', 'State'),
            say('理由', 'Reason'),
            say('差出人', 'From'),
            say('件名・名前', 'Subject or name'),
            say('受付', 'Received'),
          ].map((words) => html`<th scope="col">${words}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${lines.map((line) => {
          const subject = line.subject === '' ? line.id : line.subject;
          return html`<tr>
            <td><input type="checkbox" name="id" value="${line.id}" aria-label="${subject}" /></td>
            <td><span class="state ${lookOf(line)}">${stateWords(visit, line)}</span></td>
            <td>${reasonIn(visit, line)}</td>
            <td class="who">${line.sender}</td>
            <td class="subject"><a href="/console/messages/${line.id}">${subject}</a></td>
            <td class="time">${timeWords(timeOf(line.id), visit.language)}</td>
          </tr> `;
        })}
      </tbody>
    </table>
    ${actFields(visit)}
  </form>`;
}

export function lookOf(line: AnyLine): string {
  if (['quarantined', 'expired', 'rejected'].includes(line.stage) || line.state === 'refused') return 'bad';
  return line.state === 'held' || line.waiting > 0 || line.stage === 'sealed' ? 'wait' : 'good';
}

/** Why it is held or refused, in plain words. */
function reasonIn(visit: Visit, line: AnyLine): string {
  const reason = REASONS.find((one) => one === line.reason);
  return reason === undefined ? line.reason : reasonWords(reason, visit.language);
}

export function stateWords(visit: Visit, line: AnyLine): string {
  const say = sayOf(visit);
  const stages: { readonly [stage: string]: string } = {
    quarantined: say('改ざんの疑い', 'gate refused'),
    expired: say('配送断念', 'given up'),
    rejected: say('受取拒否', 'rejected'),
    sealed: say('配送待ち', 'waiting'),
  };
  const stage = stages[line.stage];
  if (stage !== undefined) return stage;
  if (line.reason === 'converter-failed') return say('隔離', 'quarantined');
  if (line.state === 'held' || line.waiting > 0) return say('保留', 'held');
  return line.state === 'refused' ? say('拒否', 'refused') : say('配送済み', 'delivered');
}
