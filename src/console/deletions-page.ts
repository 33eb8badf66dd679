// Deletions by two persons: one operator asked, another one agrees here or refuses; the middle carries it out.
import { html } from '../message/html.ts';
import { parseMessageId } from '../message/id.ts';
import { csrfField } from '../portal/frame.ts';
import type { Answer, Visit } from '../portal/pages.ts';
import { timeWords } from '../portal/words-of-time.ts';
import { consolePage, OPERATOR, sayOf, type ConsoleDeps } from './desk.ts';
import type { Deletion } from './deletions.ts';
import { otherVersions } from './acts.ts';
import { consoleLinks } from './overview.ts';

const LINES = 200;

export function addDeletionsPage(deps: ConsoleDeps): void {
  const { pages } = deps.desk;
  pages.get('/console/deletions', OPERATOR, async (visit) => listPage(deps, visit));
  pages.post('/console/deletions/:id', OPERATOR, async (visit) => decide(deps, visit));
}

async function decide(deps: ConsoleDeps, visit: Visit): Promise<Answer> {
  const { desk, deletions, requests } = deps;
  const id = parseMessageId(visit.params['id'] ?? '');
  const deletion = id === undefined ? undefined : deletions.find(id);
  const yes = visit.form.get('decision') === 'delete';
  if (id === undefined || deletion?.state !== 'asked') return 'not-found';
  const person = visit.user.name;
  if (yes && deletion.by === person) return 'not-found'; // the page offers no button for it
  await desk.note({
    act: yes ? 'deleted' : 'delete-refused',
    person,
    message: id,
    detail: { reason: deletion.reason, askedBy: deletion.by },
  });
  if (!yes && deletion.by === person) deletions.withdraw(id, person, desk.now());
  else if (!deletions.decide(id, person, yes ? 'confirmed' : 'refused', desk.now())) return 'not-found';
  if (yes) {
    try {
      await requests.remove({ id, part: '', by: deletion.by }, { reason: deletion.reason, confirmedBy: person });
    } catch (error) {
      deletions.reopen(id); // nothing was asked of the middle: it is open again
      throw error;
    }
  }
  return { to: '/console/deletions' };
}

/** How far a deletion is, in words. */
export function deletionWords(visit: Visit, state: Deletion['state']): string {
  const say = sayOf(visit);
  const states: { readonly [state in Deletion['state']]: string } = {
    asked: say('承認待ち', 'waits for another operator'),
    confirmed: say('削除中', 'being deleted'),
    deleted: say('削除済み', 'deleted'),
    refused: say('却下', 'refused'),
  };
  return states[state];
}

async function listPage(deps: ConsoleDeps, visit: Visit): Promise<Answer> {
  const say = sayOf(visit);
  const lines = deps.deletions.list(LINES);
  return consolePage(visit, {
    title: say('削除の申請', 'Deletions'),
    body: html`${consoleLinks(visit)}
    ${
      lines.length === 0
        ? html`<p class="empty">${say('ありません。', 'None.')}</p>`
        : html`<table>
            <thead>
              <tr>
                ${[say('番号', 'Number'), say('申請者', 'Asked by'), say('理由', 'Reason'), say('日時', 'When'), say('状態', 'State'), say('操作', 'Decide')].map((words) => html`<th scope="col">${words}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${lines.map(
                (line) =>
                  html`<tr>
                    <td>
                      <a href="/console/messages/${line.id}"><code>${line.id}</code></a>
                      ${line.state === 'asked' ? otherVersions(deps, visit, line.id) : ''}
                    </td>
                    <td>${line.by}</td>
                    <td>${line.reason}</td>
                    <td class="time">${timeWords(line.at, visit.language)}</td>
                    <td>
                      <span class="state ${line.state === 'asked' ? 'wait' : line.state === 'deleted' ? 'good' : ''}"
                        >${deletionWords(visit, line.state)}</span
                      >
                      ${line.decidedBy}
                    </td>
                    <td>${line.state === 'asked' ? decision(visit, line) : ''}</td>
                  </tr> `,
              )}
            </tbody>
          </table>`
    }`,
  });
}

function decision(visit: Visit, { id, by }: Deletion) {
  const say = sayOf(visit);
  const mine = by === visit.user.name;
  return html`<form method="post" action="/console/deletions/${id}" class="row">
    ${csrfField(visit)}
    ${mine ? html`<span class="small">${say('別の担当者が承認します', 'another operator decides')}</span>` : html`<button name="decision" value="delete">${say('削除する', 'Delete')}</button>`}
    <button name="decision" value="refuse" class="quiet">
      ${mine ? say('取り下げる', 'Withdraw') : say('却下する', 'Refuse')}
    </button>
  </form>`;
}
