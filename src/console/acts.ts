// What an operator may do with messages: try again, make again with other limits, ask for deletion. Up to 100 at once. None
// of it shows or lets out a byte of an original; each is in the journal before it takes effect.
import { MugaiError, reasonOf } from '../message/errors.ts';
import { html } from '../message/html.ts';
import { parseMessageId, type MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import { csrfField } from '../portal/frame.ts';
import type { Answer, Visit } from '../portal/pages.ts';
import type { RunLimits } from '../requests/request.ts';
import { consolePage, OPERATOR, sayOf, type ConsoleDeps } from './desk.ts';

/** Messages of one act. */
export const BULK_MOST = 100;

/** Limits that an operator may set for one run, with their ceilings. */
export const RUN_LIMITS = {
  pages: LIMITS.pages,
  parts: LIMITS.parts,
  depth: LIMITS.depth,
  dpi: 300,
} as const;

/** What became of one message of an act. */
interface Result {
  readonly id: string;
  readonly good: boolean;
  readonly words: string;
}

/** The fields of an act's form beside the messages themselves. */
export function actFields(visit: Visit) {
  const say = sayOf(visit);
  return html`${csrfField(visit)}
    <fieldset class="acts">
      <legend>${say('選んだものを', 'With what is ticked')}</legend>
      <p class="row">
        <button name="act" value="retry">${say('今すぐやり直す', 'Try again now')}</button>
        <span class="help"
          >${say('待っているもの、配送できなかったもの', 'what waits, what could not be delivered')}</span
        >
      </p>
      <p class="row">
        ${Object.entries(RUN_LIMITS).map(
          ([name, most]) =>
            html`<label for="limit-${name}">${limitWords(say, name)}</label
              ><input id="limit-${name}" name="limit-${name}" type="number" min="1" max="${most}" class="short" />`,
        )}
        <button name="act" value="rerun" class="quiet">
          ${say('この上限で無害化し直す', 'Make again with these limits')}
        </button>
      </p>
      <p class="row">
        <label for="reason">${say('理由', 'Reason')}</label><input id="reason" name="reason" maxlength="300" />
        <button name="act" value="delete" class="quiet">${say('削除を申請する', 'Ask for deletion')}</button>
        <span class="help">${say('別の担当者の承認で削除されます', 'done when another operator agrees')}</span>
      </p>
    </fieldset>`;
}

function limitWords(say: (ja: string, en: string) => string, name: string): string {
  const words: { readonly [name: string]: string } = {
    pages: say('ページ', 'Pages'),
    parts: say('部分', 'Parts'),
    depth: say('深さ', 'Depth'),
    dpi: 'dpi',
  };
  return words[name] ?? name;
}

export function addActs(deps: ConsoleDeps): void {
  deps.desk.pages.post('/console/act', OPERATOR, async (visit) => act(deps, visit));
}

async function act(deps: ConsoleDeps, visit: Visit): Promise<Answer> {
  const say = sayOf(visit);
  const ids = [...new Set(visit.form.getAll('id'))];
  const fault = (words: string): Answer => ({
    status: 400,
    page: consolePage(visit, {
      title: say('操作できません', 'That cannot be done'),
      note: { kind: 'bad', text: words },
      body: html`<p><a href="/console/messages">${say('一覧へ', 'To the list')}</a></p>`,
    }),
  });
  if (ids.length === 0) return fault(say('一つも選ばれていません。', 'Nothing is ticked.'));
  if (ids.length > BULK_MOST) return fault(say(`一度に${BULK_MOST}件までです。`, `${BULK_MOST} at once at most.`));
  const limits = limitsOf(visit.form);
  const reason = (visit.form.get('reason') ?? '').trim().slice(0, 300);
  const kind = visit.form.get('act');
  if (kind === 'rerun' && limits === undefined)
    return fault(say('上限の数が正しくありません。', 'A limit is no number within its bounds.'));
  if (kind === 'delete' && reason === '') return fault(say('削除には理由が要ります。', 'A deletion needs a reason.'));
  const results: Result[] = [];
  for (const text of ids) {
    const id = parseMessageId(text);
    if (id === undefined) continue;
    try {
      if (kind === 'retry') results.push(await retry(deps, visit, id));
      else if (kind === 'rerun') results.push(await rerun(deps, visit, id, limits ?? {}));
      else if (kind === 'delete') results.push(await askDeletion(deps, visit, id, reason));
      else return 'not-found';
    } catch (error) {
      // One that fails must not hide what was done with the others.
      if (!(error instanceof MugaiError)) throw error;
      results.push({ id, good: false, words: reasonOf(error) });
    }
  }
  return resultPage(visit, results);
}

/** The limits of a form; undefined when one is out of its bounds. */
export function limitsOf(form: URLSearchParams): RunLimits | undefined {
  const limits: Record<string, number> = {};
  for (const [name, most] of Object.entries(RUN_LIMITS)) {
    const text = (form.get(`limit-${name}`) ?? '').trim();
    if (text === '') continue;
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > most) return undefined;
    limits[name] = value;
  }
  return limits;
}

async function retry(deps: ConsoleDeps, visit: Visit, id: MessageId): Promise<Result> {
  const say = sayOf(visit);
  await deps.desk.note({ act: 'retried', person: visit.user.name, message: id });
  if (await deps.packaged(id)) {
    const good = await deps.delivering.again(id);
    return {
      id,
      good,
      words: good ? say('配送をやり直します', 'delivered again now') : say('配送済みです', 'was delivered already'),
    };
  }
  await deps.requests.retry({ id, part: '', by: visit.user.name });
  return { id, good: true, words: say('処理側に依頼しました', 'the middle was asked') };
}

async function rerun(deps: ConsoleDeps, visit: Visit, id: MessageId, limits: RunLimits): Promise<Result> {
  const { desk, requests, asks } = deps;
  const say = sayOf(visit);
  const first = desk.index.lists.versions(id)[0]?.id ?? id;
  const told = Object.entries(limits).map(([name, value]) => `${name}=${String(value)}`);
  await desk.note({ act: 'made-again', person: visit.user.name, message: first, detail: { limits: told } });
  const request = await requests.rerun({ id: first, part: '', by: visit.user.name }, limits);
  asks.note(request, first, { part: '', kind: 'rerun', at: desk.now() }, visit.user.name);
  return { id, good: true, words: say('無害化し直しを依頼しました', 'the middle was asked to make it again') };
}

async function askDeletion(deps: ConsoleDeps, visit: Visit, id: MessageId, reason: string): Promise<Result> {
  const { desk, deletions } = deps;
  const say = sayOf(visit);
  if (desk.index.lists.anyOf(id) === undefined) return { id, good: false, words: say('見つかりません', 'not found') };
  await desk.note({ act: 'delete-asked', person: visit.user.name, message: id, detail: { reason } });
  const good = deletions.ask(id, visit.user.name, reason, desk.now());
  const words = good
    ? say('別の担当者の承認を待ちます', 'waits for another operator')
    : say('申請済みです', 'asked for already');
  return { id, good, words: `${words}${otherVersions(deps, visit, id)}` };
}

/** That other versions of a message stay when this one is deleted; nothing where there are none. */
export function otherVersions({ desk }: Pick<ConsoleDeps, 'desk'>, visit: Visit, id: MessageId): string {
  const others = desk.index.lists.versions(id).filter((version) => version.id !== id).length;
  return others === 0 ? '' : sayOf(visit)(`（別の版${others}件は残ります）`, ` (${others} other versions stay)`);
}

function resultPage(visit: Visit, results: readonly Result[]): Answer {
  const say = sayOf(visit);
  const good = results.filter((result) => result.good).length;
  return consolePage(visit, {
    title: say('操作の結果', 'What was done'),
    note: {
      kind: good === results.length ? 'good' : 'bad',
      text: say(`${results.length}件のうち${good}件`, `${good} of ${results.length}`),
    },
    body: html`<ul class="plain">
        ${results.map(
          ({ id, good: ok, words }) =>
            html`<li>
              <a href="/console/messages/${id}"><code>${id}</code></a>
              <span class="state ${ok ? 'good' : 'bad'}">${words}</span>
            </li> `,
        )}
      </ul>
      <p>
        <a href="/console/messages">${say('一覧へ', 'To the list')}</a> ·
        <a href="/console/deletions">${say('削除の申請', 'Deletions')}</a>
      </p>`,
  });
}
