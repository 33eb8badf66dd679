// Released originals on the outer side: a page that tells what the link is for, and one download. Attack row 112: looking at
// the page, as scanners of mail do, uses nothing up.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Audit } from '../message/act.ts';
import { html, type Html } from '../message/html.ts';
import { parseMessageId, type MessageId } from '../message/id.ts';
import type { OpenRelease, ReleaseRecord } from '../message/stages.ts';
import type { Spool } from '../spool/spool.ts';
import { outerPage } from './outer-page.ts';

export interface ReleaseDeps {
  readonly spool: Spool;
  readonly audit: Audit;
}

interface Opened {
  readonly id: MessageId;
  /** What was decided; undefined while it waits for its time or for the scan at the end of it. */
  readonly release: ReleaseRecord | undefined;
  readonly notBefore: string;
}

/** Seconds until a scan that has not ended is worth another look. */
const SCAN_SECONDS = 10;

const LINK = /^([0-9a-z]{26})\.([A-Za-z0-9_-]{43})$/;

/** `GET /originals/<id>.<token>` shows, `POST` hands out, once. Wrong, old and used links are one and the same 404. */
export function addReleases(app: FastifyInstance, deps: ReleaseDeps): void {
  app.get<{ Params: { link: string } }>('/originals/:link', { schema: { hide: true } }, async (request, reply) => {
    const opened = await open(deps.spool, request.params.link);
    if (opened === undefined) return gone(reply);
    const { release, notBefore } = opened;
    if (release === undefined) return isOver(notBefore) ? unscanned(reply) : page(reply, 200, waitingPage(notBefore));
    return page(reply, 200, release.state === 'ready' ? readyPage(release) : refusedPage(release.reason));
  });
  app.post<{ Params: { link: string } }>('/originals/:link', { schema: { hide: true } }, async (request, reply) => {
    const opened = await open(deps.spool, request.params.link);
    if (opened === undefined || opened.release?.state === 'refused') return gone(reply);
    const { id, release, notBefore } = opened;
    if (!isOver(notBefore)) return page(reply, 409, waitingPage(notBefore));
    if (release === undefined) return unscanned(reply);
    const content = await deps.spool.releaseContent(id, release);
    if (content === undefined) return gone(reply);
    if (!(await deps.spool.useRelease(id, release.token))) return gone(reply);
    const detail = { for: release.by, address: request.ip, sha256: release.sha256 };
    await deps.audit.append({ act: 'released', message: id, detail });
    const plain = release.name.replace(/[^A-Za-z0-9._-]/g, '_');
    return reply
      .headers({
        'Content-Type': 'application/octet-stream',
        'Content-Length': content.size,
        'Content-Disposition': `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(release.name)}`,
        'Content-Security-Policy': "default-src 'none'; sandbox",
        'Cache-Control': 'no-store',
      })
      .send(Readable.from(content.open()));
  });
}

/** The release that a link opens while it lives and was not used. */
async function open(spool: Spool, link: string): Promise<Opened | undefined> {
  const [, typed = '', token = ''] = LINK.exec(link) ?? [];
  const id = parseMessageId(typed);
  if (id === undefined) return undefined;
  const digest = createHash('sha256').update(token).digest('hex');
  const release = await spool.release(id, digest);
  const found: ReleaseRecord | OpenRelease | undefined = release ?? (await spool.openReleases.find(digest));
  if (
    found?.id !== id ||
    Date.parse(found.expires) <= Date.now() ||
    (await spool.endOfRelease(id, digest)) !== undefined
  )
    return undefined;
  return { id, release, notBefore: found.notBefore };
}

function isOver(time: string): boolean {
  return Date.parse(time) <= Date.now();
}

function page(reply: FastifyReply, status: number, body: Html): FastifyReply {
  return reply.code(status).type('text/html; charset=utf-8').send(body.text);
}

function gone(reply: FastifyReply): FastifyReply {
  const body = html`<p>
      このリンクは使えません。アドレスが違うか、期限が切れたか、すでに使われたか、原本がもう残っていません。
    </p>
    <p lang="en">
      This link cannot be used: it is wrong, too old or used already, or the original is kept no longer.
    </p>`;
  return page(reply, 404, outerPage('見つかりません', body));
}

/** The time has come and the scan has not ended, or its scanner gives no answer: that says nothing of the original. */
function unscanned(reply: FastifyReply): FastifyReply {
  const body = html`<p>
      お渡しの直前のマルウェア検査がまだ終わっていません。検査装置が応答しないときは、くり返し試します。期限まではこのリンクのまま開き直してください。
    </p>
    <p lang="en">
      The malware scan before the release has not ended; a scanner that gives no answer is asked again. Please open this
      link again in a moment.
    </p>`;
  return page(reply.header('Retry-After', String(SCAN_SECONDS)), 503, outerPage('検査がまだ終わっていません', body));
}

/** Why it stays inside, as far as the outer side says it. */
function refusedPage(reason: string): Html {
  const [ja, en] = reason.startsWith('malware')
    ? ['検査の結果、この原本は安全に渡せないと判断しました。', 'The scan did not let this original pass.']
    : /scan/.test(reason)
      ? [
          'マルウェア検査ができなかったため、お渡しできません。悪いものが見つかったのではありません。',
          'It could not be scanned for malware, so it is not handed out. Nothing bad was found.',
        ]
      : ['承認されたものを取り出せなかったため、お渡しできません。', 'What was approved could not be taken out.'];
  return outerPage(
    '原本はお渡しできません',
    html`<p>${ja}情報政策の担当にお問い合わせください。</p>
      <p lang="en">${en} Please ask your IT section.</p>`,
  );
}

function waitingPage(notBefore: string): Html {
  return outerPage(
    '承認された原本',
    html`<p class="note" role="status">受け取れるのは ${timeOf(notBefore)} からです。</p>
      <p>その時刻にもう一度マルウェア検査をして、通ったものだけをお渡しします。</p>
      <p lang="en">It is scanned once more at that time, and handed out when nothing is found.</p>`,
  );
}

function timeOf(text: string): string {
  return new Intl.DateTimeFormat('ja-JP', { timeZone: 'Asia/Tokyo', dateStyle: 'medium', timeStyle: 'short' }).format(
    new Date(text),
  );
}

function readyPage(release: ReleaseRecord): Html {
  return outerPage(
    '承認された原本',
    html`<dl>
        <div>
          <dt>ファイル</dt>
          <dd>${release.name}</dd>
        </div>
        <div>
          <dt>大きさ</dt>
          <dd>${release.size.toLocaleString('ja-JP')} バイト</dd>
        </div>
        <div>
          <dt>SHA-256</dt>
          <dd class="code">${release.sha256}</dd>
        </div>
        <div>
          <dt>期限</dt>
          <dd>${timeOf(release.expires)}</dd>
        </div>
      </dl>
      <p>これは無害化されていない元のファイルです。受け取れるのは一度だけです。</p>
      <p lang="en">This is the original, not made harmless. It can be fetched once.</p>
      <form method="post"><button>原本を受け取る</button></form>`,
  );
}
