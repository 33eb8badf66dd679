// The auditor's page: what was delivered is dropped, and it is told where it came from, by which rules, and who allowed what. It
// believes the public key, the digests and the journals; it needs no network and no script. Whatever is asked is journaled first.
import { rmSync } from 'node:fs';
import type { KeyObject } from 'node:crypto';
import { placesOf, storiesOf } from '../audit/story.ts';
import { auditorTool } from '../audit/tool.ts';
import { followChains } from '../audit/verify-chain.ts';
import { html } from '../message/html.ts';
import { LIMITS } from '../message/limits.ts';
import type { Role } from './accounts.ts';
import { judge, type Judged } from './audit-check.ts';
import { chainsShown, judgedShown, sayIn } from './audit-results.ts';
import type { Desk } from './desk.ts';
import { saved } from './files.ts';
import { csrfField, frame } from './frame.ts';
import type { Answer, Visit } from './pages.ts';
import { putAside, TooLarge, type SentFile } from './upload.ts';

const AUDITOR: readonly Role[] = ['auditor'];
/** A package of a thousand parts, and some files more. */
const FILES = 1200;
/** Bytes of all that is dropped at once: the largest package there may be. */
const BYTES = LIMITS.outputBytes + LIMITS.manifestBytes;
/** Milliseconds without a byte of an upload after which it is given up, and the next one may come. */
const IDLE_MS = 60_000;
/** Packages of one file that are tried: the same text may have come many times. */
const LISTED_MOST = 20;
/** Lines of the journals about one message. */
const LINES_MOST = 500;

export interface AuditDeps {
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Folders of the journals that are on this machine. */
  readonly journals: () => readonly string[];
  /** Where files lie while they are judged. */
  readonly folder: string;
}

export function addAudit(desk: Desk, deps: AuditDeps): void {
  const { pages } = desk;
  rmSync(deps.folder, { recursive: true, force: true }); // of a check that a crash ended
  let busy = false;
  pages.link('/audit', AUDITOR, { ja: '監査', en: 'Audit' });
  pages.get('/audit', AUDITOR, async (visit) => page(visit, {}));
  pages.upload('/audit', AUDITOR, { files: FILES, fileBytes: BYTES, idleMs: IDLE_MS }, async (visit, files) => {
    if (busy) return { status: 503, page: page(visit, { fault: 'busy' }) };
    busy = true;
    try {
      return await check(desk, deps, visit, files);
    } finally {
      busy = false;
    }
  });
  pages.post('/audit/journals', AUDITOR, async (visit) => {
    await desk.note({ act: 'audited', person: visit.user.name, detail: { what: 'journals' } });
    return page(visit, { results: chainsShown(visit, await followChains(deps.journals())) });
  });
  pages.get('/audit/tool', AUDITOR, async (visit) => {
    await desk.note({ act: 'downloaded', person: visit.user.name, detail: { file: 'auditor.html' } });
    const pem = [...deps.keys.values()].map((key) => key.export({ format: 'pem', type: 'spki' })).join('');
    saved(visit, 'auditor.html');
    await visit.reply.send(await auditorTool(pem));
    return 'sent';
  });
}

async function check(desk: Desk, deps: AuditDeps, visit: Visit, sent: AsyncIterable<SentFile>): Promise<Answer> {
  let judged: readonly Judged[];
  try {
    await using aside = await putAside(sent, deps.folder, BYTES);
    if (aside.files.length === 0) return { status: 400, page: page(visit, { fault: 'nothing' }) };
    judged = await judge(
      aside.files,
      {
        keys: deps.keys,
        listing: (sha256) => desk.index.listing(sha256, LISTED_MOST),
        statement: async (id) => desk.packages.statement(id),
      },
      new AbortController().signal,
    );
  } catch (error) {
    if (error instanceof TooLarge) return { status: 413, page: page(visit, { fault: 'large' }) };
    throw error;
  }
  await Promise.all(
    judged.map(async ({ name, sha256, statement, faults }) =>
      desk.note({
        act: 'audited',
        person: visit.user.name,
        ...(statement === undefined ? {} : { message: statement.predicate.id }),
        detail: {
          file: name,
          sha256,
          holds: faults.length === 0,
          ...(faults.length === 0 ? {} : { why: faults[0] ?? '' }),
        },
      }),
    ),
  );
  const asked = judged.map(({ statement }) => {
    const { id, revises, chain = [] } = statement?.predicate ?? {};
    return { messages: [id, revises].filter((one) => one !== undefined), places: chain, most: LINES_MOST };
  });
  const stories = await storiesOf(deps.journals(), asked);
  const results = judged.map((one, nth) => {
    const { statement } = one;
    if (statement === undefined) return judgedShown(visit, one, []);
    const story = stories[nth];
    return judgedShown(visit, one, placesOf(statement.predicate.chain ?? [], story?.witnesses ?? []), story);
  });
  return page(visit, { results: html`${results}` });
}

type Fault = 'busy' | 'nothing' | 'large';

function page(visit: Visit, { fault, results }: { fault?: Fault; results?: ReturnType<typeof html> }) {
  const say = sayIn(visit);
  const faults: { readonly [fault in Fault]: string } = {
    busy: say(
      'ほかの確認が進んでいます。少し待ってからもう一度お願いします。',
      'Another check is under way. Please try again in a while.',
    ),
    nothing: say('ファイルが選ばれていません。', 'No file was chosen.'),
    large: say(
      `一度に確かめられるのは合わせて ${BYTES >> 20} MB までです。`,
      `At most ${BYTES >> 20} MB can be checked at once.`,
    ),
  };
  return frame(visit, {
    title: say('監査', 'Audit'),
    note: fault === undefined ? undefined : { kind: 'bad', text: faults[fault] },
    body: html`${results}
      <p>
        ${say(
          '届いたファイル、またはパッケージ（manifest.dsse.json とファイル）を置くと、公開鍵だけで署名・内容・書式を確かめ、原本のハッシュ、方針、エンジン、時刻、承認、監査記録での位置を示します。zip で届いたものは、取り出したファイルを置いてください。調べたことは監査記録に残ります。',
          'Drop a delivered file or a package (manifest.dsse.json and its files): signature, digests and form are checked with the public key alone, and the digest of the source, policy, engine, times, approvals and places in the journals are shown. Of a delivered zip, drop the files that are in it. What is asked here is journaled.',
        )}
      </p>
      <form method="post" action="/audit" enctype="multipart/form-data" class="card form">
        ${csrfField(visit)}
        <p>
          <label for="files">${say('ファイル（いくつでも）', 'Files (any number)')}</label
          ><input id="files" name="files" type="file" multiple class="drop" />
        </p>
        <p>
          <label for="folder">${say('またはパッケージのフォルダー', 'Or the folder of a package')}</label
          ><input id="folder" name="folder" type="file" multiple webkitdirectory class="drop" />
        </p>
        <p><button>${say('確かめる', 'Check')}</button></p>
      </form>
      <div class="acts">
        <form method="post" action="/audit/journals">
          ${csrfField(visit)}<button class="quiet">
            ${say('この側の監査記録をたどる', 'Follow the journals of this side')}
          </button>
        </form>
        <a class="button quiet" href="/audit/tool"
          >${say('持ち運べる監査ツール（HTML 1個）', "Auditor's tool to carry (one HTML file)")}</a
        >
      </div>`,
  });
}
