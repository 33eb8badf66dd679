// How the auditor's page shows what it found: verdicts, what the signed manifest says, approvals and other acts, chains.
import type { ChainReport, Followed } from '../audit/verify-chain.ts';
import { APPROVALS, type Place, type Story, type Told } from '../audit/story.ts';
import type { Act } from '../message/act.ts';
import { html, type Html } from '../message/html.ts';
import { NO_FILES, UNKNOWN, type Judged, type JudgedFile } from './audit-check.ts';
import type { Visit } from './pages.ts';
import { timeWords } from './words-of-time.ts';

/** The words of a page in the language of whoever looks. */
export function sayIn({ language }: Pick<Visit, 'language'>): (ja: string, en: string) => string {
  return (ja, en) => (language === 'ja' ? ja : en);
}

/** One thing that was dropped. A place at which another line stands is a fault like any other. */
export function judgedShown(visit: Visit, judged: Judged, places: readonly Place[], story?: Story): Html {
  const say = sayIn(visit);
  const faults = [
    ...judged.faults.map((fault) => faultWords(visit, fault)),
    ...places
      .filter(({ known }) => known === 'other')
      .map(({ position }) => say(`監査記録の行と違います: ${position}`, `the journal has another line: ${position}`)),
  ];
  const { statement } = judged;
  return html`<section class="judged" data-holds="${String(faults.length === 0)}">
    <h2>${judged.name}</h2>
    <p class="note ${faults.length === 0 ? 'good' : 'bad'}" role="${faults.length === 0 ? 'status' : 'alert'}">
      ${
        faults.length === 0
          ? holdingWords(visit, judged.files)
          : html`${say('確かめられません。', 'It does not hold.')} ${faults.join('; ')}`
      }
    </p>
    ${statement === undefined ? html`<p class="small">SHA-256 <span class="code">${judged.sha256}</span></p>` : factsShown(visit, judged, places)}
    ${statement === undefined ? '' : filesShown(visit, judged.files)}
    ${story === undefined ? '' : storyShown(visit, story)}
  </section>`;
}

/** Of how many files it is said, where not all were dropped. */
function holdingWords(visit: Visit, files: readonly JudgedFile[]): string {
  const say = sayIn(visit);
  const there = files.filter(({ state }) => state !== 'absent').length;
  return there === files.length
    ? say(
        '確かめました。署名、内容、書式のすべてが正しいものです。',
        'It holds: signature, digests and the form of every file.',
      )
    : say(
        `確かめました。署名と、置かれたファイルの内容、書式は正しいものです（目録の ${files.length} 個のうち ${there} 個を調べました）。`,
        `It holds as far as files were dropped: signature, digests and the form of ${there} of ${files.length} files.`,
      );
}

function faultWords(visit: Visit, fault: string): string {
  const say = sayIn(visit);
  if (fault === UNKNOWN)
    return say(
      '保管中のどのパッケージの目録にもありません。パッケージの manifest.dsse.json も置いてください。',
      'No package that is kept lists it. Drop the manifest.dsse.json of its package as well.',
    );
  if (fault === NO_FILES)
    return say(
      '目録の署名は正しいのですが、そのファイルが一つも置かれていません。',
      'The signature of the manifest is right, but none of its files was dropped.',
    );
  return fault;
}

function factsShown(visit: Visit, { statement }: Judged, places: readonly Place[]): Html | undefined {
  if (statement === undefined) return undefined;
  const say = sayIn(visit);
  const { id, state, reason, source, envelope, policy, engine, receivedAt, sanitisedAt, revises } = statement.predicate;
  const known: { readonly [known in Place['known']]: string } = {
    line: say('監査記録のその行と一致', 'is that line of the journal'),
    repeated: say('内側の監査記録が繰り返している', 'repeated by the inner journal'),
    other: say('監査記録の行と違う', 'the journal has another line'),
    elsewhere: say('その監査記録はこの側にない', 'that journal is not on this side'),
  };
  const time = (at: string): string => `${timeWords(at, visit.language)} (${at})`;
  const digests = Object.entries(engine.sha256 ?? {}).map(
    ([name, sha256]) => html`<br />${name} <span class="code">${sha256}</span>`,
  );
  const workers = Object.entries(engine.workers).map(([name, version]) => `${name} ${version}`);
  const facts: readonly (readonly [string, string | Html])[] = [
    [
      say('受付番号', 'Message'),
      html`<span class="code">${id}</span> ${state}${reason === null ? '' : ` (${reason})`}`,
    ],
    ...(revises === undefined
      ? []
      : [[say('元の受付番号', 'Another version of'), html`<span class="code">${revises}</span>`] as const]),
    [
      say('原本', 'Source'),
      `${source.kind === 'mail' ? say('メール', 'mail') : say('ファイル', 'file')} ${source.name} ${source.size} bytes`,
    ],
    [say('原本のSHA-256', 'SHA-256 of the source'), html`<span class="code" data-source>${source.sha256}</span>`],
    [say('差出人 → 宛先', 'From → to'), `${envelope.from === '' ? '<>' : envelope.from} → ${envelope.to.join(', ')}`],
    [say('受付', 'Received'), time(receivedAt)],
    [say('無害化', 'Made harmless'), time(sanitisedAt)],
    [say('方針', 'Policy'), html`${policy.name} ${policy.version}<br /><span class="code">${policy.sha256}</span>`],
    [say('エンジン', 'Engine'), html`${engine.version} (${workers.join(', ')})${digests}`],
    ...places.map(
      ({ position, known: how, by }) =>
        [
          say('監査記録での位置', 'Place in the journals'),
          html`<span class="code" data-place="${how}">${position}</span
            ><br />${known[how]}${how === 'repeated' ? html` <span class="code">${by}</span>` : ''}`,
        ] as const,
    ),
  ];
  return html`<dl class="heads">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div> `,
    )}
  </dl>`;
}

function filesShown(visit: Visit, files: readonly JudgedFile[]): Html {
  const say = sayIn(visit);
  const words: { readonly [state in JudgedFile['state']]: readonly [look: string, words: string] } = {
    holds: ['good', say('正しい', 'holds')],
    refused: ['bad', say('違います', 'refused')],
    absent: ['wait', say('置かれていません', 'not dropped')],
  };
  return html`<table class="list">
    <thead>
      <tr>
        ${[say('目録のファイル', 'File of the manifest'), 'SHA-256', say('結果', 'Verdict')].map((head) => html`<th scope="col">${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${files.map(({ name, sha256, state, why }) => {
        const [look, told] = words[state];
        return html`<tr>
          <td>${name}</td>
          <td class="code small">${sha256}</td>
          <td><span class="state ${look}">${told}</span> ${why}</td>
        </tr> `;
      })}
    </tbody>
  </table>`;
}

function storyShown(visit: Visit, { told: story, leftOut }: Story): Html {
  const say = sayIn(visit);
  const approvals = story.filter(({ line }) => APPROVALS.includes(line.act));
  return html`<h3>${say('承認', 'Approvals')}</h3>
    ${approvals.length === 0 ? html`<p>${say('ありません。', 'None.')}</p>` : linesShown(visit, approvals)}
    <h3>${say('監査記録にあること', 'What the journals tell')}</h3>
    ${story.length === 0 ? html`<p>${say('この側の監査記録にはありません。', 'Nothing in the journals of this side.')}</p>` : linesShown(visit, story)}
    ${
      leftOut === 0
        ? ''
        : html`<p class="note bad">
            ${say(`ほかに ${leftOut} 行ありますが、ここには示していません。`, `${leftOut} more lines are not shown here.`)}
          </p>`
    }`;
}

function linesShown(visit: Visit, story: readonly Told[]): Html {
  const say = sayIn(visit);
  return html`<table class="list">
    <thead>
      <tr>
        ${[say('日時', 'When'), say('したこと', 'Act'), say('人', 'Person'), say('詳細', 'Detail'), say('位置', 'Place')].map((head) => html`<th scope="col">${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${story.map(
        ({ line, position }) =>
          html`<tr data-act="${line.act}">
            <td class="time">${timeWords(line.at, visit.language)}</td>
            <td>${actWords(visit, line.act)}</td>
            <td>${line.person}</td>
            <td class="small">${detailWords(line.detail)}</td>
            <td class="code small">${position}</td>
          </tr> `,
      )}
    </tbody>
  </table>`;
}

function detailWords(detail: Told['line']['detail']): string {
  return Object.entries(detail ?? {})
    .map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(' ') : String(value)}`)
    .join('; ');
}

/** Acts about a message, as a person says them; others by their own name. */
const ACT_WORDS: { readonly [act in Act]?: readonly [ja: string, en: string] } = {
  received: ['受付', 'received'],
  converted: ['無害化', 'made harmless'],
  refused: ['拒否', 'refused'],
  held: ['保留', 'held'],
  sealed: ['封印', 'sealed'],
  'gate-refused': ['関門で拒否', 'refused by the gate'],
  delivered: ['配達', 'delivered'],
  undeliverable: ['配達できず', 'not deliverable'],
  expired: ['保存期間の終わり', 'kept no longer'],
  viewed: ['閲覧', 'viewed'],
  downloaded: ['ダウンロード', 'downloaded'],
  asked: ['申請', 'asked'],
  approved: ['承認', 'approved'],
  rejected: ['却下', 'rejected'],
  released: ['原本の受け渡し', 'original released'],
  'release-ended': ['原本の受け渡しの終わり', 'release ended'],
  audited: ['監査', 'audited'],
  retried: ['再配達', 'delivered again'],
  'made-again': ['無害化し直し', 'made again'],
  'delete-asked': ['削除の申請', 'deletion asked'],
  'delete-refused': ['削除の却下', 'deletion refused'],
  deleted: ['削除', 'deleted'],
};

function actWords(visit: Visit, act: Act): string {
  const [ja, en] = ACT_WORDS[act] ?? [act, act];
  return sayIn(visit)(ja, en);
}

/** What following each journal gave. */
export function chainsShown(visit: Visit, { reports, lies }: Followed): Html {
  const say = sayIn(visit);
  return html`${lies.map(
    ({ position, from, message, why }) =>
      html`<section class="judged" data-holds="false">
        <h2>${say('パッケージ', 'Package')} ${message ?? from}</h2>
        <p class="note bad" role="alert">
          ${say('なかった行を示しています', 'It names a line that never was')}:
          <span class="code">${position}</span> (${from}; ${why})
        </p>
      </section> `,
  )}${reports.map((report) => {
    const { folder, chain, first, last, position, broken, unchecked } = report;
    const look = broken !== undefined ? 'bad' : unchecked.length > 0 ? 'wait' : 'good';
    return html`<section class="judged" data-holds="${String(look === 'good')}">
      <h2>${say('監査記録', 'Journal')} ${chain ?? folder}</h2>
      <p class="note ${look}" role="${look === 'good' ? 'status' : 'alert'}">
        ${
          broken === undefined
            ? html`${chainWords(visit, report)} ${unchecked.join('; ')}`
            : html`${say('切れています。', 'It is broken.')} ${broken.file} ${say('行', 'line')} ${broken.line}:
              ${broken.why}`
        }
      </p>
      <p class="small">${first} – ${last}<br /><span class="code">${position}</span></p>
    </section> `;
  })}`;
}

/** How far a chain that is not broken is proved. */
function chainWords(visit: Visit, { entries, heads, signedTo, anchored, unchecked }: ChainReport): string {
  const say = sayIn(visit);
  const holds =
    unchecked.length === 0
      ? say(`つながっています。${entries}行`, `The chain holds: ${entries} lines`)
      : say(
          `つながっていますが、確かめられない部分があります。${entries}行`,
          `It follows, but not all is checked: ${entries} lines`,
        );
  const signed =
    signedTo === undefined
      ? say('署名なし', 'nothing signed')
      : say(`署名${heads}個（${signedTo}行目まで）`, `${heads} signed heads up to number ${signedTo}`);
  const named =
    anchored === undefined
      ? say('ほかの記録からの裏付けなし', 'not anchored: nothing from elsewhere names a line of it')
      : say(`${anchored.seq}行目はほかの記録とも一致`, `number ${anchored.seq} is as another record names it`);
  return say(`${holds}、${signed}、${named}。`, `${holds}, ${signed}; ${named}.`);
}
