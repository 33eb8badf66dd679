// One message as the operator sees it: its road with times and seconds, its parts with their reasons, its deliveries. The
// signed manifest is all that is read of it; there is no way from here to what it said, and none to an original.
import { MugaiError, reasonOf } from '../message/errors.ts';
import { html, type Html } from '../message/html.ts';
import { parseMessageId, timeOf, type MessageId } from '../message/id.ts';
import type { PartRow } from '../message/part.ts';
import type { DeliveryRecord } from '../message/stages.ts';
import type { JobStatus } from '../message/status.ts';
import type { Predicate } from '../outbox/manifest.ts';
import type { Visit } from '../portal/pages.ts';
import { actFields } from './acts.ts';
import { deletionWords } from './deletions-page.ts';
import { consolePage, OPERATOR, sayOf, secondsWords, type ConsoleDeps } from './desk.ts';
import { lookOf, stateWords } from './messages.ts';
import { consoleLinks, stepWords } from './overview.ts';

const PARTS_SHOWN = 200;

/** A station of the road; `seconds` since the one before. */
interface Station {
  readonly words: string;
  readonly at: number;
  readonly took: number | undefined;
}

export function addMessagePage(deps: ConsoleDeps): void {
  deps.desk.pages.get('/console/messages/:id', OPERATOR, async (visit) => {
    const id = parseMessageId(visit.params['id'] ?? '');
    if (id === undefined) return 'not-found';
    const { desk, statuses, delivering } = deps;
    const line = desk.index.lists.anyOf(id);
    const events = statuses.events(id);
    const jobs = statuses.jobs().filter((job) => job.id === id);
    if (line === undefined && events.length === 0 && jobs.length === 0 && !(await deps.packaged(id)))
      return 'not-found';
    const say = sayOf(visit);
    const { predicate, fault } = await predicateOf(deps, id);
    const end = await delivering.end(id);
    const deferred = delivering.deferred().find((one) => one.id === id);
    const deletion = deps.deletions.find(id);
    const versions = desk.index.lists.versions(id).filter((version) => version.id !== id);
    return consolePage(visit, {
      title: line === undefined || line.subject === '' ? id : line.subject,
      note:
        fault === undefined
          ? undefined
          : { kind: 'bad', text: `${say('署名が確かめられません', 'The package does not hold')}: ${fault}` },
      body: html`${consoleLinks(visit)}
        <p>
          <code>${id}</code>
          ${line === undefined ? '' : html`<span class="state ${lookOf(line)}">${stateWords(visit, line)}</span> ${line.reason}`}
          ${deletion === undefined ? '' : html`<a href="/console/deletions">${say('削除の申請', 'Deletion')}: ${deletionWords(visit, deletion.state)}</a>`}
        </p>
        ${predicate === undefined ? '' : facts(visit, predicate)}
        ${road(visit, stations(visit, id, { predicate, end, events }))} ${deliveries(visit, end, deferred)}
        ${
          jobs.length === 0
            ? ''
            : html`<h2>${say('待ち行列', 'Queue')}</h2>
                <ul class="plain">
                  ${jobs.map(({ queue, state, attempts, failure }) => html`<li>${stepWords(visit, queue)}: ${jobWords(visit, state)} · ${say('失敗', 'failed')} ${attempts} ${failure}</li> `)}
                </ul>`
        }
        ${versions.length === 0 ? '' : html`<p>${say('別の版', 'Other versions')}: ${versions.map((one) => html`<a href="/console/messages/${one.id}"><code>${one.id}</code></a> `)}</p>`}
        ${predicate === undefined ? '' : parts(visit, predicate.parts)}
        <form method="post" action="/console/act">
          <input type="hidden" name="id" value="${id}" />
          ${actFields(visit)}
        </form>`,
    });
  });
}

function jobWords(visit: Visit, state: JobStatus['state']): string {
  const say = sayOf(visit);
  const words = { waiting: say('待機', 'waiting'), active: say('処理中', 'active'), delayed: say('延期', 'delayed') };
  return words[state];
}

async function predicateOf(
  { desk, packaged }: ConsoleDeps,
  id: MessageId,
): Promise<{ readonly predicate?: Predicate; readonly fault?: string }> {
  if (!(await packaged(id))) return {};
  try {
    return { predicate: (await desk.packages.statement(id)).predicate };
  } catch (error) {
    if (!(error instanceof MugaiError)) throw error;
    return { fault: reasonOf(error) };
  }
}

function facts(visit: Visit, { source, envelope, policy, engine }: Predicate): Html {
  const say = sayOf(visit);
  return html`<dl class="facts">
    <dt>${say('種類', 'Kind')}</dt>
    <dd>${source.kind === 'mail' ? say('メール', 'mail') : say('ファイル', 'file')} · ${source.size} bytes</dd>
    <dt>${say('送信元', 'Envelope')}</dt>
    <dd>${envelope.from === '' ? '<>' : envelope.from} → ${envelope.to.join(', ')}</dd>
    <dt>${say('方針', 'Policy')}</dt>
    <dd>${policy.name} ${policy.version} · ${engine.version}</dd>
  </dl>`;
}

/** The stations that are known: from the signed manifest, the inner side's record, and what processes told lately. */
function stations(
  visit: Visit,
  id: MessageId,
  of: {
    readonly predicate: Predicate | undefined;
    readonly end: DeliveryRecord | undefined;
    readonly events: readonly {
      readonly step: string;
      readonly outcome: string;
      readonly at: string;
      readonly seconds: number;
    }[];
  },
): Station[] {
  const { predicate, end, events } = of;
  const took = (step: string): number | undefined => events.findLast((event) => event.step === step)?.seconds;
  const found: Station[] = [
    {
      words: stepWords(visit, 'spooled'),
      at: predicate === undefined ? timeOf(id) : Date.parse(predicate.receivedAt),
      took: undefined,
    },
  ];
  if (predicate !== undefined)
    found.push({ words: stepWords(visit, 'sanitise'), at: Date.parse(predicate.sanitisedAt), took: took('sanitise') });
  for (const { step, outcome, at, seconds } of events)
    if (step === 'seal' || outcome === 'deferred' || (predicate === undefined && step === 'sanitise'))
      found.push({ words: `${stepWords(visit, step)} (${outcome})`, at: Date.parse(at), took: seconds });
  if (end !== undefined)
    found.push({
      words: `${stepWords(visit, 'deliver')} (${end.stage})`,
      at: Date.parse(end.at),
      took: took('deliver'),
    });
  return found.toSorted((a, b) => a.at - b.at);
}

function road(visit: Visit, found: readonly Station[]): Html {
  const say = sayOf(visit);
  const first = found[0]?.at ?? 0;
  const time = (at: number): string =>
    new Date(at).toLocaleString(visit.language === 'ja' ? 'ja-JP' : 'en-GB', { timeZone: 'Asia/Tokyo' });
  return html`<h2>${say('たどった道', 'Its road')}</h2>
    <table>
      <thead>
        <tr>
          ${[say('工程', 'Step'), say('時刻', 'Time'), say('前の工程から', 'Since the step before'), say('処理時間', 'Work'), say('受付から', 'Since arrival')].map((words) => html`<th scope="col">${words}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${found.map(({ words, at, took }, index) => {
          const before = found[index - 1]?.at;
          return html`<tr>
            <td>${words}</td>
            <td>${time(at)}</td>
            <td>${before === undefined ? '' : secondsWords((at - before) / 1000, visit.language)}</td>
            <td>${took === undefined ? '' : secondsWords(took, visit.language)}</td>
            <td>${secondsWords((at - first) / 1000, visit.language)}</td>
          </tr> `;
        })}
      </tbody>
    </table>`;
}

function deliveries(
  visit: Visit,
  end: DeliveryRecord | undefined,
  deferred: { readonly at: number; readonly times: number; readonly answer: string } | undefined,
): Html | undefined {
  const say = sayOf(visit);
  if (end === undefined && deferred === undefined) return undefined;
  return html`<h2>${say('配送', 'Delivery')}</h2>
    ${deferred === undefined ? '' : html`<p class="note">${say('延期', 'Deferred')} ×${deferred.times}: ${deferred.answer}</p>`}
    ${
      end === undefined
        ? ''
        : html`<dl class="facts">
            <dt>${say('返事', 'Answer')}</dt>
            <dd>${end.courier} ${end.answer}</dd>
            <dt>${say('受け取った宛先', 'Accepted')}</dt>
            <dd>${end.accepted.join(', ')}</dd>
            ${
              end.rejected.length === 0
                ? ''
                : html`<dt>${say('拒否した宛先', 'Rejected')}</dt>
                    <dd>${end.rejected.join(', ')}</dd>`
            }
          </dl>`
    }`;
}

function parts(visit: Visit, rows: readonly PartRow[]): Html {
  const say = sayOf(visit);
  return html`<h2>${say('部分', 'Parts')}</h2>
    <table>
      <thead>
        <tr>
          ${[say('場所', 'Place'), say('名前', 'Name'), say('種類', 'Type'), say('結果', 'Verdict'), say('理由', 'Reason'), say('ページ', 'Pages'), say('見つかったもの', 'Findings')].map((words) => html`<th scope="col">${words}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.slice(0, PARTS_SHOWN).map(
          ({ path, name, detectedType, verdict, reason, pages, findings }) =>
            html`<tr>
              <td>${path}</td>
              <td>${name}</td>
              <td>${detectedType}</td>
              <td>${verdict}</td>
              <td>${reason ?? ''}</td>
              <td>${pages > 0 ? pages : ''}</td>
              <td>
                ${findings.map(({ code, detail }) => html`${code}${detail === '' ? '' : ` (${detail.slice(0, 100)})`} `)}
              </td>
            </tr> `,
        )}
      </tbody>
    </table>`;
}
