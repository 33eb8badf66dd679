// Downloads and the page preview. What goes out was verified a moment before, and the journal knew of it first.
import { Readable } from 'node:stream';
import yazl from 'yazl';
import { LIMITS } from '../message/limits.ts';
import { bundlesOf } from '../outbox/folders.ts';
import type { Statement } from '../outbox/manifest.ts';
import { messageOf, type Desk } from './desk.ts';
import { frame } from './frame.ts';
import { html, type Html } from '../message/html.ts';
import type { Listed } from './message-lists.ts';
import { brokenPage, pathOfFile, TEXT_BYTES, TEXT_SHOWN } from './message.ts';
import { pictureOf } from './page-picture.ts';
import type { Answer, Visit } from './pages.ts';
import { sendPicture, sheetOf, viewerBar } from './sheets.ts';
import { wordsOf } from './words.ts';

/** A file of a message that this person may read. */
interface Asked {
  readonly line: Listed;
  readonly statement: Statement;
  /** Its name in the package. */
  readonly name: string;
}

export function addFiles(desk: Desk): void {
  const { pages } = desk;
  pages.get('/messages/:id/files/:name', ['staff'], async (visit) =>
    withFile(desk, visit, async (asked) => download(desk, visit, asked)),
  );
  pages.get('/messages/:id/files/:name/pages', ['staff'], async (visit) =>
    withFile(desk, visit, async (asked) => previewPage(desk, visit, asked)),
  );
  pages.get('/messages/:id/files/:name/pages/:page', ['staff'], async (visit) =>
    withFile(desk, visit, async (asked) => onePage(desk, visit, asked)),
  );
  pages.get('/messages/:id/files/:name/picture', ['staff'], async (visit) =>
    withFile(desk, visit, async (asked) => picture(desk, visit, asked)),
  );
  pages.get('/messages/:id/all.zip', ['staff'], async (visit) => {
    const line = messageOf(desk, visit);
    if (line === undefined) return 'not-found';
    if (line.stage === 'quarantined') return brokenPage(visit, line);
    return zip(desk, visit, line);
  });
}

async function withFile(desk: Desk, visit: Visit, act: (asked: Asked) => Promise<Answer>): Promise<Answer> {
  const line = messageOf(desk, visit);
  if (line === undefined) return 'not-found';
  if (line.stage === 'quarantined') return brokenPage(visit, line);
  const statement = await desk.packages.statement(line.id);
  const asked = visit.params['name'] ?? '';
  const name = asked === 'message.txt' ? asked : `files/${asked}`;
  // The name is looked up, never put together into a path of ours.
  if (!statement.subject.some((subject) => subject.name === name)) return 'not-found';
  return act({ line, statement, name });
}

/** Heads of a download: it is saved, never opened in our origin, whatever a browser thinks it is. Attack row 110. */
export function saved(visit: Visit, name: string, type = 'application/octet-stream'): void {
  const plain = name.replace(/[^A-Za-z0-9._-]/g, '_');
  visit.reply
    .header('Content-Type', type)
    .header('Content-Disposition', `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`)
    .header('Content-Security-Policy', "default-src 'none'; sandbox")
    .header('Cache-Control', 'private, no-store');
}

async function download(desk: Desk, visit: Visit, { line, statement, name }: Asked): Promise<Answer> {
  const checked = await desk.packages.check(line.id, statement, name);
  await desk.note({ act: 'downloaded', person: visit.user.name, message: line.id, detail: { file: name } });
  saved(visit, name.replace(/^files\//, ''));
  visit.reply.header('Content-Length', checked.size);
  await visit.reply.send(Readable.from(desk.packages.stream(line.id, checked)));
  return 'sent';
}

async function zip(desk: Desk, visit: Visit, line: Listed): Promise<Answer> {
  const statement = await desk.packages.statement(line.id);
  const checked = [];
  for (const { name } of statement.subject) checked.push(await desk.packages.check(line.id, statement, name));
  await desk.note({ act: 'downloaded', person: visit.user.name, message: line.id, detail: { file: 'all' } });
  const places = new Map(
    bundlesOf(statement.predicate.parts).flatMap(({ stem, places: within }) =>
      [...within].map(([name, place]) => [name, `${stem}/${place}`] as const),
    ),
  );
  const file = new yazl.ZipFile();
  const broken = (error: Error): void => void file.outputStream.emit('error', error);
  file.on('error', broken);
  for (const one of checked) {
    // Images do not shrink any more: stored as they are, so that the size is known before.
    file.addReadStreamLazy(
      places.get(one.name) ?? one.name.replace(/^files\//, ''),
      { compress: false, size: one.size, mtime: new Date(statement.predicate.sanitisedAt) },
      (give) => give(null, Readable.from(desk.packages.stream(line.id, one))),
    );
  }
  file.end();
  saved(visit, `${line.id}.zip`, 'application/zip');
  await visit.reply.send(file.outputStream);
  return 'sent';
}

async function previewPage(desk: Desk, visit: Visit, { line, statement, name }: Asked): Promise<Answer> {
  const say = wordsOf(visit.language);
  const shown = name.replace(/^files\//, '');
  const path = pathOfFile(line, name);
  await desk.views.opened(visit, { message: line.id, detail: { file: name } });
  let body: Html | readonly Html[];
  if (name.endsWith('.pdf')) {
    const images = await desk.packages.pages(line.id, statement, name);
    body = images.map(({ width, height }, at) =>
      sheetOf(visit, { source: `${path}/pages/${at + 1}`, at: at + 1, width, height }),
    );
  } else if (/\.(png|jpg)$/.test(name)) {
    body = sheetOf(visit, { source: `${path}/picture`, at: 1 });
  } else if (name.endsWith('.txt')) {
    const text = (await desk.packages.bytes(line.id, statement, name, TEXT_BYTES)).toString('utf8');
    return textPage(visit, { line, path, shown, text });
  } else return { status: 404, page: frame(visit, { title: say('previewNot'), body: backTo(visit, line) }) };
  return frame(visit, {
    title: shown,
    wide: true,
    body: html`${viewerBar(
        visit,
        `/messages/${line.id}`,
        html`<a class="button quiet" href="${path}" download>${say('download')}</a>`,
      )}
      <p class="small">${say('previewNote')}</p>
      <ol class="sheets">
        ${body}
      </ol>`,
  });
}

interface ShownText {
  readonly line: Listed;
  readonly path: string;
  readonly shown: string;
  readonly text: string;
}

function textPage(visit: Visit, { line, path, shown, text }: ShownText): Html {
  const say = wordsOf(visit.language);
  return frame(visit, {
    title: shown,
    body: html`${viewerBar(
        visit,
        `/messages/${line.id}`,
        html`<a class="button quiet" href="${path}" download>${say('download')}</a>`,
      )}
      <pre class="text whole" tabindex="0">${text.slice(0, TEXT_SHOWN).toWellFormed()}</pre>
      ${text.length > TEXT_SHOWN ? html`<p class="note">${say('textCut')}</p>` : ''}`,
  });
}

function backTo(visit: Visit, line: Listed): Html {
  return html`<p><a href="/messages/${line.id}">${wordsOf(visit.language)('back')}</a></p>`;
}

async function onePage(desk: Desk, visit: Visit, { line, statement, name }: Asked): Promise<Answer> {
  const at = visit.params['page'] ?? '';
  if (!name.endsWith('.pdf') || !/^[1-9]\d{0,4}$/.test(at)) return 'not-found';
  const page = await desk.packages.page(line.id, statement, name, Number(at) - 1);
  if (page === undefined) return 'not-found';
  await desk.views.brought(visit, { message: line.id, detail: { file: name } });
  return sendPicture(visit, await pictureOf(page.image, page.stored));
}

async function picture(desk: Desk, visit: Visit, { line, statement, name }: Asked): Promise<Answer> {
  const type = name.endsWith('.png') ? 'image/png' : name.endsWith('.jpg') ? 'image/jpeg' : undefined;
  if (type === undefined) return 'not-found';
  const bytes = await desk.packages.bytes(line.id, statement, name, LIMITS.outputBytes);
  await desk.views.brought(visit, { message: line.id, detail: { file: name } });
  return sendPicture(visit, { type, bytes });
}
