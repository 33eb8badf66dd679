// Pages of what is not there as a whole yet: a message on its way, with its place in the queue and the pages that are drawn;
// and pages that somebody asked to be drawn anew, which never become a package.
import { parseMessageId, type MessageId } from '../message/id.ts';
import { html, type Html } from '../message/html.ts';
import type { LiveDocument } from '../outbox/live.ts';
import type { Arriving } from './arriving.ts';
import type { Asks } from './asking.ts';
import { mailboxesOf, messageOf, type Desk } from './desk.ts';
import { frame } from './frame.ts';
import { pictureOf } from './page-picture.ts';
import type { Answer, Visit } from './pages.ts';
import { sendPicture, sheetOf, viewerBar } from './sheets.ts';
import type { Looked } from './views.ts';
import { wordsOf } from './words.ts';
import { aboutWords, aheadWords, drawnWords } from './words-of-time.ts';

export function addArriving(desk: Desk, asks: Asks): void {
  const { pages } = desk;
  pages.get('/messages/:id/arriving', ['staff'], async (visit) => {
    const arriving = await arrivingOf(desk, visit);
    if (arriving === undefined) return hasCome(desk, visit);
    // Every drawn page brings the same visit again: the journal tells of it once.
    await desk.views.brought(visit, { message: arriving.id, detail: { live: true } });
    return arrivingPage(desk, visit, arriving);
  });
  pages.get('/messages/:id/arriving/:name/:page', ['staff'], async (visit) => {
    const arriving = await arrivingOf(desk, visit);
    return arriving === undefined
      ? 'not-found'
      : livePicture(desk, visit, arriving.id, { message: arriving.id, detail: { live: true } });
  });
  pages.get('/messages/:id/asked/:request', ['staff'], async (visit) => {
    const asked = askedOf(desk, asks, visit);
    if (asked === undefined) return 'not-found';
    await desk.views.opened(visit, lookedAt(asked));
    return askedPage(desk, visit, asked);
  });
  pages.get('/messages/:id/asked/:request/:name/:page', ['staff'], async (visit) => {
    const asked = askedOf(desk, asks, visit);
    return asked === undefined ? 'not-found' : livePicture(desk, visit, asked.request, lookedAt(asked));
  });
}

async function arrivingOf(desk: Desk, visit: Visit): Promise<Arriving | undefined> {
  const id = parseMessageId(visit.params['id'] ?? '');
  if (id === undefined || messageOf(desk, visit) !== undefined) return undefined;
  const addresses = mailboxesOf(desk, visit).map(({ address }) => address);
  return desk.onTheWay.find(id, addresses);
}

/** Where a message is that was on its way: on its own page, or nowhere that this person knows of. */
function hasCome(desk: Desk, visit: Visit): Answer {
  const line = messageOf(desk, visit);
  return line === undefined ? 'not-found' : { to: `/messages/${line.id}` };
}

async function livePicture(desk: Desk, visit: Visit, id: MessageId, { message, detail }: Looked): Promise<Answer> {
  const number = visit.params['page'] ?? '';
  if (!/^[1-9]\d{0,4}$/.test(number)) return 'not-found';
  // The name is looked up among the documents there are, never put together into a path.
  const output = `files/${visit.params['name'] ?? ''}`;
  const document = (await desk.onTheWay.documents(id)).find((one) => one.output === output);
  if (document === undefined || Number(number) > document.sealed) return 'not-found';
  const page = await desk.onTheWay.page(id, output, Number(number));
  if (page === undefined) return 'not-found';
  await desk.views.brought(visit, { message, detail: { ...detail, file: output } });
  return sendPicture(visit, await pictureOf(page.image, page.stored));
}

/** What is on its way, above the list; nothing when nothing is. */
export function arrivingSection(visit: Visit, arriving: readonly Arriving[]): Html {
  const say = wordsOf(visit.language);
  return html`<div data-live-part="arriving">
    ${
      arriving.length === 0
        ? ''
        : html`<section class="arriving">
            <h2>${say('arrivingTitle')}</h2>
            <ul class="plain">
              ${arriving.map(
                (one) =>
                  html`<li class="card on-way">
                    <div>
                      <a href="/messages/${one.id}/arriving"><b>${nameOf(visit, one)}</b></a
                      >${one.from === '' ? '' : html` <span class="small">${say('from')}: ${one.from}</span>`}
                    </div>
                    ${progress(visit, one)}
                  </li> `,
              )}
            </ul>
          </section>`
    }
  </div>`;
}

function nameOf(visit: Visit, { kind, name }: Arriving): string {
  return name === '' ? wordsOf(visit.language)(kind === 'mail' ? 'arrivingMail' : 'uploadedFile') : name;
}

/** How far it is: a sentence and, while pages are drawn, a bar. */
function progress(visit: Visit, { ahead, done, pages, seconds }: Arriving): Html {
  const say = wordsOf(visit.language);
  const left = seconds === null ? '' : aboutWords(seconds, visit.language);
  if (pages > 0)
    return html`<p class="progress">
      <progress max="${pages}" value="${done}" aria-label="${say('arrivingDrawn')}"></progress>
      <span>${drawnWords(done, pages, visit.language)}</span> <span class="small">${left}</span>
    </p>`;
  return html`<p class="progress">
    <span class="state wait">${ahead === 0 ? say('arrivingNow') : aheadWords(ahead, visit.language)}</span>
    <span class="small">${left}</span>
  </p>`;
}

async function arrivingPage(desk: Desk, visit: Visit, arriving: Arriving): Promise<Html> {
  const say = wordsOf(visit.language);
  const documents = await desk.onTheWay.documents(arriving.id);
  const path = `/messages/${arriving.id}/arriving`;
  return frame(visit, {
    title: nameOf(visit, arriving),
    wide: documents.length > 0,
    live: `id=${arriving.id}`,
    body: html`${viewerBar(visit, '/messages', undefined)}
      <div data-live-part="progress" data-ready="${say('arrivingCome')}" role="status">
        ${progress(visit, arriving)}
      </div>
      <p class="small">${say(documents.length === 0 ? 'arrivingWait' : 'arrivingRead')}</p>
      ${await liveSheets(desk, visit, arriving.id, path, documents)}`,
  });
}

/** The pages of each document that are there, in its own list: scripts add those that come. */
async function liveSheets(
  desk: Desk,
  visit: Visit,
  id: MessageId,
  path: string,
  documents: readonly LiveDocument[],
): Promise<Html> {
  const drawn = await Promise.all(
    documents.map(async ({ output, sealed }) => {
      // All pages are given the size of the first until they come: the browser need not fetch all to know where each is.
      const image = (await desk.onTheWay.page(id, output, 1))?.image;
      const name = output.replace(/^files\//, '');
      const sheets = Array.from({ length: sealed }, (_, index) =>
        sheetOf(visit, {
          source: `${path}/${encodeURIComponent(name)}/${index + 1}`,
          at: index + 1,
          width: image?.width,
          height: image?.height,
        }),
      );
      return html`<h2>${name}</h2>
        <ol class="sheets" data-live-grow="${name}">
          ${sheets}
        </ol>`;
    }),
  );
  return html`<div data-live-part="documents" data-live-keep>${drawn}</div>`;
}

interface Asked {
  readonly request: MessageId;
  readonly message: MessageId;
  readonly part: string;
}

function lookedAt({ message, part }: Asked): Looked {
  return { message, detail: { live: true, part } };
}

/** A request about a message that this person may read. */
function askedOf(desk: Desk, asks: Asks, visit: Visit): Asked | undefined {
  const line = messageOf(desk, visit);
  const request = parseMessageId(visit.params['request'] ?? '');
  if (line === undefined || request === undefined) return undefined;
  const message = desk.index.lists.versions(line.id)[0]?.id ?? line.id;
  const ask = asks.of(message).find((one) => one.request === request && one.kind === 'render');
  return ask === undefined ? undefined : { request, message, part: ask.part };
}

async function askedPage(desk: Desk, visit: Visit, { request, message }: Asked): Promise<Answer> {
  const say = wordsOf(visit.language);
  const documents = await desk.onTheWay.documents(request);
  const [first] = documents;
  const back = `/messages/${message}#asked`;
  const path = `/messages/${message}/asked/${request}`;
  const words = first === undefined ? '' : `${first.sealed} / ${first.pages} ${say('pages')}`;
  return frame(visit, {
    title: say('askRendered'),
    wide: true,
    live: 'asks',
    body: html`${viewerBar(visit, back, undefined)}
      <div data-live-part="progress" role="status"><p>${first === undefined ? say('askGone') : words}</p></div>
      ${await liveSheets(desk, visit, request, path, documents)}`,
  });
}
