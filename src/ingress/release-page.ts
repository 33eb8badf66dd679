// Released originals on the outer side: a page that tells what the link is for, and one download. Attack row 112: looking at
// the page, as scanners of mail do, uses nothing up.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Audit } from '../message/act.ts';
import { html, type Html } from '../message/html.ts';
import { parseMessageId, type MessageId } from '../message/id.ts';
import type { ReleaseRecord } from '../message/stages.ts';
import type { Spool } from '../spool/spool.ts';
import { outerPage } from './outer-page.ts';

export interface ReleaseDeps {
  readonly spool: Spool;
  readonly audit: Audit;
}

interface Opened {
  readonly id: MessageId;
  readonly release: ReleaseRecord;
}

const LINK = /^([0-9a-z]{26})\.([A-Za-z0-9_-]{43})$/;

/** `GET /originals/<id>.<token>` shows, `POST` hands out, once. Wrong, old and used links are one and the same 404. */
export function addReleases(app: FastifyInstance, deps: ReleaseDeps): void {
  app.get<{ Params: { link: string } }>('/originals/:link', { schema: { hide: true } }, async (request, reply) => {
    const opened = await open(deps.spool, request.params.link);
    if (opened === undefined) return gone(reply);
    return page(reply, 200, opened.release.state === 'ready' ? readyPage(opened.release) : refusedPage());
  });
  app.post<{ Params: { link: string } }>('/originals/:link', { schema: { hide: true } }, async (request, reply) => {
    const opened = await open(deps.spool, request.params.link);
    if (opened === undefined || opened.release.state !== 'ready') return gone(reply);
    const { id, release } = opened;
    if (Date.parse(release.notBefore) > Date.now()) return page(reply, 409, readyPage(release));
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
  if (release === undefined || Date.parse(release.expires) <= Date.now() || (await spool.wasUsed(id, digest)))
    return undefined;
  return { id, release };
}

function page(reply: FastifyReply, status: number, body: Html): FastifyReply {
  return reply.code(status).type('text/html; charset=utf-8').send(body.text);
}

function gone(reply: FastifyReply): FastifyReply {
  const body = html`<p>
      このリンクは使えません。アドレスが違うか、期限が切れたか、すでに使われたか、まだ検査が終わっていません。
    </p>
    <p lang="en">This link cannot be used: it is wrong, too old, used already, or the scan has not ended yet.</p>`;
  return page(reply, 404, outerPage('見つかりません', body));
}

function refusedPage(): Html {
  return outerPage(
    '原本はお渡しできません',
    html`<p>検査の結果、この原本は安全に渡せないと判断しました。情報政策の担当にお問い合わせください。</p>
      <p lang="en">The scan did not let this original pass. Please ask your IT section.</p>`,
  );
}

function readyPage(release: ReleaseRecord): Html {
  const from = Date.parse(release.notBefore);
  const time = (text: string): string =>
    new Intl.DateTimeFormat('ja-JP', { timeZone: 'Asia/Tokyo', dateStyle: 'medium', timeStyle: 'short' }).format(
      new Date(text),
    );
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
          <dd>${time(release.expires)}</dd>
        </div>
      </dl>
      <p>これは無害化されていない元のファイルです。受け取れるのは一度だけです。</p>
      <p lang="en">This is the original, not made harmless. It can be fetched once.</p>
      ${
        from > Date.now()
          ? html`<p class="note" role="status">受け取れるのは ${time(release.notBefore)} からです。</p>`
          : html`<form method="post"><button>原本を受け取る</button></form>`
      }`,
  );
}
