// One message: where it stands, its text, what was in it and what became of each part.
import { isNote, reasonWords, remarkWords, sizeWords } from '../message/account.ts';
import { isToldAbove } from '../message/banner.ts';
import { timeOf } from '../message/id.ts';
import { MugaiError } from '../message/errors.ts';
import type { PartRow } from '../message/part.ts';
import type { Statement } from '../outbox/manifest.ts';
import { messageOf, type Desk } from './desk.ts';
import { locksOf } from './askable.ts';
import { askedSection, askForms, passwordForm, type Askable } from './asked.ts';
import type { AskingDeps } from './asking.ts';
import { csrfField, frame } from './frame.ts';
import { html, type Html } from '../message/html.ts';
import type { Listed } from './message-lists.ts';
import { stateOf } from './messages.ts';
import type { Glance, Visit } from './pages.ts';
import { wordsOf } from './words.ts';
import { timeWords } from './words-of-time.ts';

/** Bytes and characters of a text that a page shows; the rest is in the download. */
export const TEXT_BYTES = 32 * 1024 * 1024;
export const TEXT_SHOWN = 100_000;

/** `canScan`: whether an original could be given out at all. */
export function addMessage(desk: Desk, asking: AskingDeps, canScan: () => boolean): void {
  const { pages } = desk;
  pages.get('/messages/:id', ['staff'], async (visit) => {
    const line = messageOf(desk, visit);
    if (line === undefined) return 'not-found';
    const opened = await open(desk, line);
    if (opened === undefined) return brokenPage(visit, line);
    await desk.note({ act: 'viewed', person: visit.user.name, message: line.id });
    desk.index.lists.markRead(visit.user.name, line.id, true);
    return messagePage({ desk, asking, visit, line, canScan: canScan() }, opened);
  });
  pages.post('/messages/:id/unread', ['staff'], async (visit) => {
    const line = messageOf(desk, visit);
    if (line === undefined) return 'not-found';
    desk.index.lists.markRead(visit.user.name, line.id, false);
    return { to: '/messages' };
  });
}

interface Opened {
  readonly statement: Statement;
  /** The mail as text; undefined for a file. */
  readonly text: string | undefined;
}

/** The package of a message, verified now; undefined when the gate refused it or it does not hold any more. */
async function open(desk: Desk, line: Listed): Promise<Opened | undefined> {
  if (line.stage === 'quarantined') return undefined;
  try {
    const statement = await desk.packages.statement(line.id);
    const has = statement.subject.some(({ name }) => name === 'message.txt');
    const bytes = has ? await desk.packages.bytes(line.id, statement, 'message.txt', TEXT_BYTES) : undefined;
    return { statement, text: bytes?.toString('utf8') };
  } catch (error) {
    if (!(error instanceof MugaiError) || error.code !== 'bad-package') throw error;
    desk.log.error({ id: line.id, reason: error.message }, 'package does not hold in the portal');
    return undefined;
  }
}

/** In place of a message whose package the gate refused, or which does not hold any more. */
export function brokenPage(visit: Glance, { id }: { readonly id: string }): { status: number; page: Html } {
  const say = wordsOf(visit.language);
  const note = { kind: 'bad', text: `${say('brokenPackage')}${id}` } as const;
  return { status: 409, page: frame(visit, { title: say('stateBroken'), note, body: back(visit) }) };
}

function back(visit: Glance): Html {
  return html`<p><a href="/messages">${wordsOf(visit.language)('back')}</a></p>`;
}

/** Whose page is drawn of what. */
interface Shown {
  readonly desk: Desk;
  readonly asking: AskingDeps;
  readonly visit: Visit;
  readonly line: Listed;
  readonly canScan: boolean;
}

async function messagePage({ desk, asking, visit, line, canScan }: Shown, { statement, text }: Opened): Promise<Html> {
  const say = wordsOf(visit.language);
  const { predicate } = statement;
  const { headers } = predicate;
  const files = statement.subject.filter(({ name }) => name.startsWith('files/'));
  const subject = headers?.subject ?? line.subject;
  const title = subject === '' ? say('noSubject') : subject;
  const row = (word: string, value: string): Html | undefined =>
    value === ''
      ? undefined
      : html`<div>
          <dt>${word}</dt>
          <dd>${value}</dd>
        </div>`;
  const shown = withoutHeads(text ?? '');
  return frame(visit, {
    title,
    ...(asking.asks.of(desk.index.lists.versions(line.id)[0]?.id ?? line.id).length === 0 ? {} : { live: 'message' }),
    body: html`${road(visit, line)}
      <dl class="heads">
        ${row(say('from'), headers?.from ?? predicate.envelope.from)}
        ${row(say('to'), headers?.to ?? predicate.envelope.to.join(', '))} ${row(say('cc'), headers?.cc ?? '')}
        ${row(say('date'), dateWords(headers?.date ?? '', visit))}
        ${row(say('received'), timeWords(timeOf(line.id), visit.language))}
      </dl>
      ${standing(desk, visit, line, predicate)} ${await askedSection(desk, asking, visit, line)}
      ${fileCards(visit, line, predicate.parts)}
      ${
        text === undefined
          ? ''
          : html`<section>
              <h2>${say('text')}</h2>
              <pre class="text" tabindex="0">${shown.slice(0, TEXT_SHOWN).toWellFormed()}</pre>
              ${shown.length > TEXT_SHOWN ? html`<p class="note">${say('textCut')}</p>` : ''}
              <p>
                <a class="button quiet" href="/messages/${line.id}/files/message.txt" download
                  >${say('download')}: message.txt</a
                >
              </p>
            </section>`
      }
      <section>
        <h2>${say('account1')}</h2>
        ${partTable({ visit, line, canScan, locks: await locksOf(desk, line) }, predicate.parts)}
      </section>
      <div class="acts">
        ${files.length > 1 ? html`<a class="button" href="/messages/${line.id}/all.zip" download>${say('downloadAll')}</a>` : ''}
        <form method="post" action="/messages/${line.id}/unread">
          ${csrfField(visit)}<button class="quiet">${say('markUnread')}</button>
        </form>
        ${canScan ? html`<a class="button quiet" href="/messages/${line.id}/original">${say('originalTitle')}</a>` : ''}
      </div>
      ${canScan ? '' : html`<p class="small">${say('originalNoScanner')}</p>`} ${back(visit)}`,
  });
}

/** The heads of a mail stand above its text already: they are not read twice. */
function withoutHeads(text: string): string {
  return text.replace(/^(?:(?:From|To|Cc|Subject|Date): [^\n]*\n)*\n/, '');
}

/** What stands in the way of reading it and what one can do, or that a version has come that can be read. */
function standing(desk: Desk, visit: Visit, line: Listed, { reason }: Statement['predicate']): Html {
  const say = wordsOf(visit.language);
  const versions = desk.index.lists.versions(line.id);
  const better = versions.find(({ id, shown }) => shown && id !== line.id);
  const locked = reason === 'password-needed' || reason === 'password-wrong';
  const note =
    better !== undefined
      ? html`<div class="note good row">
          <span>${say('betterVersion')}</span> <a class="button" href="/messages/${better.id}">${say('betterOpen')}</a>
        </div>`
      : reason === null
        ? undefined
        : html`<div class="note ${line.state === 'held' ? 'wait' : 'bad'}">
            <p>${sentence(reasonWords(reason, visit.language))}</p>
            ${locked ? html`<p>${say('lockedHelp')}</p>` : line.state === 'refused' ? html`<p>${say('refusedHelp')}</p>` : ''}
          </div>`;
  return html`<div data-live-part="standing">${note}</div>`;
}

/** Words that stand alone begin with a capital and end with a stop. */
function sentence(words: string): string {
  return /^[a-z]/.test(words) ? `${words.charAt(0).toUpperCase()}${words.slice(1)}.` : `${words}。`;
}

/** The date that the sender wrote, as people here read it; whatever is no date stays as it was. */
function dateWords(date: string, visit: Visit): string {
  return /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(date) ? timeWords(date, visit.language) : date;
}

/** Where the message stands, as a road with four stations. What is held or refused came no further than to be made harmless. */
function road(visit: Visit, line: Listed): Html {
  const say = wordsOf(visit.language);
  const state = stateOf(line);
  const passed = line.state === 'sanitised';
  const whether = (done: boolean): string => (done && passed ? 'done' : 'open');
  const stations = [
    [say('roadReceived'), 'done'],
    passed ? [say('roadHarmless'), 'done'] : [say(state.word), state.look],
    [say('roadChecked'), whether(line.stage !== 'quarantined')],
    [line.stage === 'sealed' ? say('stateArriving') : say('roadDelivered'), whether(line.stage === 'delivered')],
  ] as const;
  return html`<div class="road-row">
    <ol class="road">
      ${stations.map(([word, look]) => html`<li class="${look}">${word}</li>`)}
    </ol>
    <span class="state ${state.look}">${say(state.word)}</span>
  </div>`;
}

/** Path of an output below its message's page. */
export function pathOfFile(line: Listed, output: string): string {
  return `/messages/${line.id}/files/${encodeURIComponent(output.replace(/^files\//, ''))}`;
}

function fileCards(visit: Visit, line: Listed, parts: readonly PartRow[]): Html | undefined {
  const say = wordsOf(visit.language);
  // A mail within a mail and its text became one file: it is listed once.
  const listed = new Set<string>();
  const cards = parts.flatMap((part) =>
    part.outputs
      .filter((name) => name.startsWith('files/') && !listed.has(name) && listed.add(name))
      .map((output) => {
        const path = pathOfFile(line, output);
        const shown = output.replace(/^files\//, '');
        const isText = output.endsWith('.txt');
        const seen = /\.(pdf|png|jpg)$/.test(output);
        const source = output.endsWith('.pdf') ? `${path}/pages/1` : `${path}/picture`;
        return html`<li class="card file">
          ${seen ? html`<a class="thumb" href="${path}/pages" tabindex="-1" aria-hidden="true"><img src="${source}" alt="" loading="lazy" decoding="async" /></a>` : html`<span class="thumb letters" aria-hidden="true">Aa</span>`}
          <div>
            <p class="file-name">${shown}</p>
            <p class="small">
              ${part.name === '' ? '' : html`${part.name} (${sizeWords(part.size)})`}${part.pages > 1 ? html` ${part.pages} ${say('pages')}` : ''}
            </p>
            <p class="acts">
              ${seen || isText ? html`<a class="button" href="${path}/pages">${say(isText ? 'read' : 'preview')}<span class="hidden"> ${shown}</span></a>` : ''}
              <a class="button quiet" href="${path}" download
                >${say('download')}<span class="hidden"> ${shown}</span></a
              >
            </p>
          </div>
        </li>`;
      }),
  );
  return cards.length === 0
    ? undefined
    : html`<section>
        <h2>${say('files')}</h2>
        <ul class="files">
          ${cards}
        </ul>
      </section>`;
}

const BECAME: { readonly [verdict in PartRow['verdict']]: readonly [ja: string, en: string] } = {
  text: ['文字にしました', 'made text'],
  pages: ['画像のPDFにしました', 'made a PDF of pictures'],
  image: ['画像にしました', 'drawn anew as a picture'],
  expanded: ['開いて中身を調べました', 'opened; see what was in it'],
  dropped: ['方針により取り除きました', 'removed by policy'],
  held: ['保留しています', 'held'],
  refused: ['届けられません', 'not delivered'],
};

/** What a part without a name is called. */
function nameless(visit: Visit, part: PartRow): string {
  const say = wordsOf(visit.language);
  return part.verdict === 'text' && part.outputs.includes('message.txt') ? say('text') : say('noName');
}

function partTable(askable: Askable, parts: readonly PartRow[]): Html {
  const { language } = askable.visit;
  const say = wordsOf(language);
  const at = language === 'ja' ? 0 : 1;
  const remarks = (word: string, list: PartRow['findings']): Html | undefined =>
    list.length === 0
      ? undefined
      : html`<p class="remark">
          <b>${word}:</b> ${list.map((one) => remarkWords(one, language)).join(language === 'ja' ? '、' : '; ')}
        </p>`;
  return html`<table class="parts">
    <thead>
      <tr>
        <th scope="col">${say('part')}</th>
        <th scope="col">${say('what')}</th>
        <th scope="col">${say('became')}</th>
      </tr>
    </thead>
    <tbody>
      ${parts.map(
        (part) =>
          html`<tr>
            <td>${part.path}</td>
            <td>
              ${part.name === '' ? nameless(askable.visit, part) : part.name}<br /><span class="small"
                >${part.detectedType}, ${sizeWords(part.size)}</span
              >
            </td>
            <td>
              <span
                class="state ${part.verdict === 'refused' ? 'bad' : part.verdict === 'held' || part.verdict === 'dropped' ? 'wait' : 'good'}"
                >${BECAME[part.verdict][at]}</span
              >${part.reason === null ? '' : html` ${reasonWords(part.reason, language)}`}
              ${part.findings
                .filter(({ code }) => isNote(code))
                .map((note) => html`<p class="remark">${remarkWords(note, language)}</p>`)}${remarks(
                say('removed'),
                part.findings.filter(({ code }) => !isToldAbove(code) && !isNote(code)),
              )}${remarks(say('unseen'), part.losses)}${passwordForm(askable, part)}${askForms(askable, part)}
            </td>
          </tr> `,
      )}
    </tbody>
  </table>`;
}
