// Pages as pictures, one below the other, and the bar above them: the look of every preview.
import { html, type Html, type Value } from '../message/html.ts';
import type { Picture } from './page-picture.ts';
import type { Answer, Visit } from './pages.ts';
import { wordsOf } from './words.ts';

/** One page of a preview: where its picture is, its number, its size in pixels where it is known. */
export interface Sheet {
  readonly source: string;
  readonly at: number;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

export function sheetOf(visit: Visit, { source, at, width, height }: Sheet): Html {
  const size = width === undefined || height === undefined ? undefined : html` width="${width}" height="${height}"`;
  return html`<li id="p${at}">
    <figure>
      <img src="${source}" alt="${wordsOf(visit.language)('page')} ${at}" ${size} loading="lazy" decoding="async" />
      <figcaption>${at}</figcaption>
    </figure>
  </li>`;
}

/** The bar with the way back, whatever else is put there, and the zoom where scripts run. */
export function viewerBar(visit: Visit, back: string, more: Value): Html {
  const say = wordsOf(visit.language);
  return html`<div class="acts viewer-bar" data-viewer>
    <a class="button quiet" href="${back}">${say('back')}</a>
    ${more}
    <span class="zoom">
      <button type="button" class="quiet" data-zoom="out" hidden>${say('zoomOut')}</button
      ><button type="button" class="quiet" data-zoom="in" hidden>${say('zoomIn')}</button>
    </span>
  </div>`;
}

/** Sends a picture that this browser may keep for a while; a picture is never a page of our origin. */
export async function sendPicture(visit: Visit, { type, bytes }: Picture): Promise<Answer> {
  visit.reply
    .header('Content-Security-Policy', "default-src 'none'; sandbox")
    .header('Cache-Control', 'private, max-age=600') // this browser only; the page itself is asked for again
    .type(type);
  await visit.reply.send(bytes);
  return 'sent';
}
