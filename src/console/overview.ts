// The first page: queues, charts, processes and children, deliveries, alarms; kept fresh by server-sent events where scripts
// run, and whole without them.
import { html, type Html } from '../message/html.ts';
import type { ProcessStatus } from '../message/status.ts';
import type { Glance, Visit } from '../portal/pages.ts';
import { timeWords } from '../portal/words-of-time.ts';
import { consolePage, OPERATOR, sayOf, secondsWords, type ConsoleDeps } from './desk.ts';
import { SILENT_MS, type Sample } from './statuses.ts';

/** A stream ends after this; the browser opens it again, and is asked again who it is. */
const STREAM_MS = 120_000;
/** Streams at once: a console is for a few people. */
const STREAMS_MOST = 50;

const CHARTS = [
  { id: 'depth', series: ['waiting', 'active', 'delayed'] },
  { id: 'rate', series: ['received', 'delivered'] },
  { id: 'pages', series: ['pages'] },
  { id: 'oldest', series: ['oldestSeconds'] },
] as const;

/** Adds the page and its stream; the answer ends the streams. */
export function addOverview(deps: ConsoleDeps): () => void {
  const { pages } = deps.desk;
  const open = new Set<() => void>();
  pages.link('/console', OPERATOR, { ja: '運用', en: 'Console' });
  pages.get('/console', OPERATOR, async (visit) => {
    const say = sayOf(visit);
    return consolePage(visit, {
      title: say('運用状況', 'How things stand'),
      body: html`${consoleLinks(visit)}
        <div id="charts" hidden data-stream="/console/events">
          ${CHARTS.map(({ id, series }) => chart(visit, id, series))}
        </div>
        <p id="stopped" class="note bad" role="alert" hidden>
          ${say('自動更新が止まりました。表示は古いままです。', 'This is not kept fresh any more: what it shows is old.')}
          <a href="/console">${say('開き直す', 'Open it again')}</a>
        </p>
        <div id="live">${overview(deps, visit)}</div>`,
    });
  });
  pages.quiet('/console/events', OPERATOR, async (visit) => {
    if (open.size >= STREAMS_MOST) return 'not-found';
    stream(deps, visit, open);
    return 'sent';
  });
  return () => {
    for (const end of open) end();
  };
}

/** Links between the console's pages. */
export function consoleLinks(glance: Glance): Html {
  const say = sayOf(glance);
  const links = [
    ['/console', say('状況', 'Overview')],
    ['/console/messages', say('メールとファイル', 'Messages')],
    ['/console/alarms', say('警報', 'Alarms')],
    ['/console/deletions', say('削除の申請', 'Deletions')],
  ] as const;
  return html`<nav class="console-links" aria-label="${say('運用', 'Console')}">
    ${links.map(([path, words]) => html`<a href="${path}" ${glance.path === path ? html` aria-current="page"` : ''}>${words}</a> `)}
  </nav>`;
}

function chart(visit: Visit, id: string, series: readonly string[]): Html {
  const say = sayOf(visit);
  const title: { readonly [id: string]: string } = {
    depth: say('待ち行列（件）', 'Queues (messages)'),
    rate: say('毎秒の件数', 'Messages a second'),
    pages: say('毎秒のページ', 'Pages a second'),
    oldest: say('最も古いもの（秒）', 'Oldest (seconds)'),
  };
  const words: { readonly [series: string]: string } = {
    waiting: say('待機', 'waiting'),
    active: say('処理中', 'active'),
    delayed: say('延期', 'delayed'),
    received: say('受付', 'received'),
    delivered: say('配送', 'delivered'),
    pages: say('ページ', 'pages'),
    oldestSeconds: say('秒', 'seconds'),
  };
  return html`<figure
    class="chart"
    data-series="${series.join(' ')}"
    data-words="${[say('時刻', 'time'), ...series.map((name) => words[name] ?? name)].join('|')}"
  >
    <figcaption>${title[id]}</figcaption>
    <div class="plot"></div>
  </figure>`;
}

function stream(deps: ConsoleDeps, visit: Visit, open: Set<() => void>): void {
  const { reply } = visit;
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
  const send = (event: string, value: unknown): void =>
    void raw.write(`event: ${event}\ndata: ${JSON.stringify(value)}\n\n`);
  const live = (): string => overview(deps, visit).text;
  send('history', deps.statuses.samples());
  send('live', live());
  const stopListening = deps.statuses.listen((sample: Sample) => {
    // Signed out, disabled, or nobody was there for too long; or a browser that does not read.
    if (!deps.desk.sessions.lives(visit.session.hash) || raw.writableNeedDrain) return end();
    send('sample', sample);
    send('live', live());
  });
  const timer = setTimeout(() => end(), STREAM_MS);
  const end = (): void => {
    clearTimeout(timer);
    stopListening();
    open.delete(end);
    raw.end();
  };
  open.add(end);
  raw.on('close', end);
}

function overview(deps: ConsoleDeps, visit: Visit): Html {
  const { statuses, delivering } = deps;
  const say = sayOf(visit);
  const now = Date.now();
  const alarms = statuses.alarms().slice(0, 5);
  const last = statuses.samples().at(-1);
  const number = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
  return html`<p class="small">
      ${say('更新', 'As of')}
      ${new Date(now).toLocaleTimeString(visit.language === 'ja' ? 'ja-JP' : 'en-GB', { timeZone: 'Asia/Tokyo' })} ·
      ${say('受付', 'received')} ${number(last?.received ?? 0)}/s · ${say('配送', 'delivered')}
      ${number(last?.delivered ?? 0)}/s · ${say('ページ', 'pages')} ${number(last?.pages ?? 0)}/s
    </p>
    <h2>${say('待ち行列', 'Queues')}</h2>
    <table>
      <thead>
        <tr>
          ${[
            say('工程', 'Step'),
            say('待機', 'Waiting'),
            say('処理中', 'Active'),
            say('延期', 'Delayed'),
            say('失敗', 'Failed'),
            say('最も古いもの', 'Oldest'),
          ].map((words) => html`<th scope="col">${words}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${statuses.queues().map(
          ({ queue, waiting, active, delayed, failed, oldestSeconds }) =>
            html`<tr>
              <td>${stepWords(visit, queue)}</td>
              <td>${waiting}</td>
              <td>${active}</td>
              <td>${delayed}</td>
              <td>${failed}</td>
              <td>${secondsWords(oldestSeconds, visit.language)}</td>
            </tr> `,
        )}
      </tbody>
    </table>
    <h2>${say('配送先', 'Inner mail servers')}</h2>
    <table>
      <thead>
        <tr>
          ${[
            say('サーバー', 'Server'),
            say('配送', 'Delivered'),
            say('延期', 'Deferred'),
            say('不達', 'Failed'),
            say('最後の返事', 'Last answer'),
          ].map((words) => html`<th scope="col">${words}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${delivering.servers().map(
          ({ server, delivered, deferred, failed, lastAt, lastAnswer }) =>
            html`<tr>
              <td>${server}</td>
              <td>${delivered}</td>
              <td>${deferred}</td>
              <td>${failed}</td>
              <td>${lastAt === 0 ? '' : html`${timeWords(lastAt, visit.language)} ${lastAnswer}`}</td>
            </tr> `,
        )}
      </tbody>
    </table>
    <h2>${say('プロセス', 'Processes')}</h2>
    ${statuses.processes().map((process) => processCard(visit, process, now))}
    <h2>${say('最近の警報', 'Latest alarms')}</h2>
    ${
      alarms.length === 0
        ? html`<p class="empty">${say('ありません。', 'None.')}</p>`
        : html`<ul class="plain">
            ${alarms.map(({ kind, subject, detail, count, at }) => html`<li><span class="state bad">${alarmWords(visit, kind)}</span> ${timeWords(at, visit.language)} ${subject} ${detail} ×${count}</li> `)}
          </ul>`
    }`;
}

function processCard(visit: Visit, status: ProcessStatus, now: number): Html {
  const say = sayOf(visit);
  const silent = now - Date.parse(status.at) > SILENT_MS;
  const faults = Object.entries(status.faults);
  const look = silent || faults.length > 0 ? 'bad' : 'good';
  const words = silent
    ? say('応答なし', 'silent')
    : faults.length > 0
      ? say('問題あり', 'trouble')
      : say('正常', 'well');
  return html`<section class="card process">
    <h3>${status.name} <span class="state ${look}">${words}</span></h3>
    <p class="small">
      ${status.version} · ${say('開始', 'since')} ${timeWords(status.startedAt, visit.language)}
      ${status.stores.map(({ store, freeBytes }) => html` · ${store} ${say('空き', 'free')} ${(freeBytes / 1e9).toFixed(1)} GB`)}
    </p>
    ${faults.map(([check, fault]) => html`<p class="note bad">${check}: ${fault}</p>`)}
    ${status.jail === '' ? '' : html`<p>${say('隔離', 'Jail')}: ${status.jail}</p>`}
    ${
      status.children.length === 0
        ? ''
        : html`<table>
            <thead>
              <tr>
                ${[
                  say('子プロセス', 'Children'),
                  say('使用中', 'Busy'),
                  say('上限', 'Places'),
                  say('待ち', 'Waiting'),
                  say('停止させた数', 'Killed'),
                ].map((title) => html`<th scope="col">${title}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${status.children.map(
                ({ family, busy, places, waiting, killed }) =>
                  html`<tr>
                    <td>${family}</td>
                    <td>${busy}</td>
                    <td>${places}</td>
                    <td>${waiting}</td>
                    <td>${killed}</td>
                  </tr> `,
              )}
            </tbody>
          </table>`
    }
  </section>`;
}

export function stepWords(visit: Glance, step: string): string {
  const say = sayOf(visit);
  const words: { readonly [step: string]: string } = {
    spooled: say('受付', 'received'),
    sanitise: say('無害化', 'made harmless'),
    seal: say('署名', 'sealed'),
    deliver: say('検査と配送', 'checked and delivered'),
  };
  return words[step] ?? step;
}

export function alarmWords(visit: Glance, kind: string): string {
  const say = sayOf(visit);
  const words: { readonly [kind: string]: string } = {
    burst: say('大量送信', 'burst'),
    'turned-away': say('接続拒否', 'turned away'),
    'relay-refused': say('中継の試み', 'relay refused'),
    smuggling: say('スマグリング', 'smuggling'),
    malware: say('ウイルス検知', 'malware'),
    'scanner-away': say('検査不能', 'scanner away'),
    'gate-refused': say('改ざん検知', 'gate refused'),
    'child-killed': say('子プロセス停止', 'child killed'),
    'no-child': say('子プロセス起動不能', 'no child'),
    journal: say('監査記録の障害', 'journal'),
    disk: say('ディスク', 'disk'),
    'given-up': say('処理断念', 'given up'),
  };
  return words[kind] ?? kind;
}
