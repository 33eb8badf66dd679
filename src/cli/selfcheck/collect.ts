// Looks at the running system, control by control. It reads only; what lies on another machine is told as such.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { entriesOf } from '../../audit/export.ts';
import { journalsIn } from '../../audit/journal-files.ts';
import { leftAs } from '../../audit/last-lines.ts';
import { followChains, type Anchor, type ChainReport } from '../../audit/verify-chain.ts';
import type { Lie } from '../../audit/witnesses.ts';
import type { Config } from '../../config.ts';
import { reasonOf } from '../../message/errors.ts';
import { timeOf } from '../../message/id.ts';
import { loadPrivateKey, loadPublicKeys } from '../../outbox/keys.ts';
import { keyId } from '../../outbox/manifest.ts';
import { keptMs, shortestKeptMs } from '../../policy/policy.ts';
import { Spool } from '../../spool/spool.ts';
import { openSharedStore } from '../../store/open-store.ts';
import { VERSION, codeDigests } from '../../version.ts';
import { portalFolder } from '../../zones/portal.ts';
import { leastFree } from './disk.ts';
import { elsewhere, found, type Control, type Evidence } from './evidence.ts';
import { people, waiting } from './people.ts';
import { policy, policyToBe } from './policy.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Days that failures are counted back. */
const LOOK_BACK_DAYS = 30;
/** A head is signed each hour that had lines; one may be late. */
const HEAD_LATE_MS = 2 * HOUR + HOUR / 4;
/** Retention looks every six hours. */
const OVERDUE_MS = DAY;
const ANSWER_MS = 5000;
const LEAST_JOURNAL_DAYS = 365;

/**
 * Everything but the jail, which is tried elsewhere. A look that fails is a control that fails. `known`: places of journals that are
 * known from elsewhere.
 */
export async function collect(config: Config, now: number, known: readonly Anchor[] = []): Promise<Evidence[]> {
  const journals = journalsIn(join(config.dataDir, 'journal'));
  const running = await gateway(config, journals);
  const { reports, lies } = await followChains(journals, known);
  const looks: readonly [Control, () => Promise<Evidence | readonly Evidence[]> | Evidence | readonly Evidence[]][] = [
    ['gateway', () => running.evidence],
    ['keys', async () => keys(config)],
    ['journal', () => [chain(reports), ...lies.map(lie)]],
    ['heads', async () => heads(journals, running.answers, now)],
    ['journal-days', () => journalDays(config, reports)],
    ['retention', async () => retention(config, now)],
    ['users', () => people(portalFolder(config))],
    ['policy', async () => policy(config, running.answers, now)],
    ['deliveries', async () => ends(journals, now)],
    ['holds', () => waiting(portalFolder(config), now)],
    ['disk', async () => leastFree(config.dataDir)],
    ['clock', () => clock(reports, now)],
    ['versions', () => versions()],
  ];
  const evidence: Evidence[] = [];
  for (const [control, look] of looks) {
    try {
      evidence.push(...[await look()].flat());
    } catch (error) {
      const why = reasonOf(error);
      evidence.push(found(control, 'fails', `確認できません: ${why}`, `cannot be looked at: ${why}`));
    }
  }
  return evidence;
}

async function gateway(
  { opsListen }: Config,
  journals: readonly string[],
): Promise<{ readonly evidence: Evidence; readonly answers: boolean }> {
  const url = `http://${opsListen.host.includes(':') ? `[${opsListen.host}]` : opsListen.host}:${opsListen.port}/readyz`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    const { ready, checks } = (await answer.json()) as { ready: boolean; checks: Record<string, string> };
    const faults = Object.entries(checks).filter(([, told]) => told !== 'ok');
    const told = faults.map(([name, why]) => `${name}: ${why}`).join(', ');
    const evidence = ready
      ? found(
          'gateway',
          'holds',
          `稼働中（${Object.keys(checks).join('、')}）`,
          `ready (${Object.keys(checks).join(', ')})`,
        )
      : found('gateway', 'fails', `異常: ${told}`, `not ready: ${told}`);
    return { evidence, answers: true };
  } catch {
    // A gateway that was stopped has closed its journals. Where it does not run at all there are none.
    const open: string[] = [];
    for (const folder of journals) if (!(await leftAs(folder)).closed) open.push(folder);
    if (open.length > 0) {
      const names = open.join(', ');
      const ja = `${url} に応答なし。監査記録が閉じられていません（${names}）。異常終了したか、応答できないか、別のアドレスです`;
      const en = `no answer from ${url}, and ${names} was not closed: it died, hangs, or answers at another address`;
      return { evidence: found('gateway', 'fails', ja, en), answers: false };
    }
    return { evidence: found('gateway', 'note', `${url} に応答なし`, `no answer from ${url}`), answers: false };
  }
}

async function keys(config: Config): Promise<Evidence> {
  const { signingKeyFile, verifyKeyFile, requestKeyFile } = config;
  // Who seals here has the private key, who delivers here the public one: a zone that was at work has a journal.
  const worked = (zone: string): boolean => existsSync(join(config.dataDir, 'journal', zone));
  const gone = [
    ...(worked('middle') && !existsSync(signingKeyFile) ? [signingKeyFile] : []),
    ...(worked('inner') && !existsSync(verifyKeyFile) ? [verifyKeyFile] : []),
  ];
  if (gone.length > 0) {
    const names = gone.join(', ');
    return found(
      'keys',
      'fails',
      `鍵がありません: ${names}`,
      `${names} is gone: nothing is sealed, or nothing delivered`,
    );
  }
  const [seals, checks] = [existsSync(signingKeyFile), existsSync(verifyKeyFile)];
  const signs = seals ? keyId(await loadPrivateKey(signingKeyFile)) : '-';
  const known = checks ? [...(await loadPublicKeys(verifyKeyFile)).keys()] : [];
  const faults = [
    ...(seals && checks && !known.includes(signs) ? [`${signs} signs and is not in ${verifyKeyFile}`] : []),
    ...[signingKeyFile, requestKeyFile]
      .filter((file) => existsSync(file) && (statSync(file).mode & 0o077) !== 0)
      .map((file) => `${file} can be read by others`),
  ];
  if (faults.length > 0) return found('keys', 'fails', faults.join('、'), faults.join(', '));
  if (!checks && !seals) return elsewhere('keys', verifyKeyFile);
  if (!checks)
    return found(
      'keys',
      'holds',
      `署名中の鍵 ${signs.slice(0, 16)}、秘密鍵は所有者のみ読める（受け入れる鍵は別の機器: ${verifyKeyFile}）`,
      `${signs.slice(0, 16)} signs; private keys readable by their owner only (which are accepted is told where ${verifyKeyFile} is)`,
    );
  const since = statSync(verifyKeyFile).mtime.toISOString().slice(0, 10);
  const ids = known.map((id) => id.slice(0, 16)).join(', ');
  return found(
    'keys',
    'holds',
    `署名中の鍵 ${signs.slice(0, 16)}、受け入れる鍵 ${known.length} 個（${ids}）、最終変更 ${since}、秘密鍵は所有者のみ読める`,
    `${signs.slice(0, 16)} signs; ${known.length} accepted (${ids}); changed ${since}; private keys readable by their owner only`,
  );
}

function chain(reports: readonly ChainReport[]): Evidence {
  if (reports.length === 0) return elsewhere('journal', 'journal/');
  const broken = reports.filter((report) => report.broken !== undefined);
  if (broken.length > 0) {
    const told = broken.map(
      ({ folder, broken: fault }) => `${folder}: ${fault?.file} line ${fault?.line} ${fault?.why}`,
    );
    return found('journal', 'fails', `連鎖が切れています: ${told.join('、')}`, `broken: ${told.join(', ')}`);
  }
  const doubts = reports.flatMap(({ folder, unchecked }) => unchecked.map((why) => `${folder}: ${why}`));
  if (doubts.length > 0)
    return found('journal', 'fails', `確認できない部分: ${doubts.join('、')}`, `not checked: ${doubts.join(', ')}`);
  const entries = reports.reduce((sum, report) => sum + report.entries, 0);
  const signed = reports.reduce((sum, report) => sum + report.heads, 0);
  const places = reports.map(({ position }) => position).join(' ');
  return found(
    'journal',
    'holds',
    `${reports.length} 本、${entries} 行、先頭の署名 ${signed} 個がすべてつながる。現在位置 ${places}`,
    `${reports.length} chains of ${entries} entries and ${signed} signed heads hold; they stand at ${places}`,
  );
}

function lie({ position, from, message, why }: Lie): Evidence {
  const by = message === undefined ? from : `${message} (${from})`;
  return found(
    'journal',
    'fails',
    `パッケージ ${by} が、なかった行 ${position} を示しています。署名鍵を確かめてください（${why}）`,
    `the package of ${by} names ${position}, which never was; look after the signing key (${why})`,
  );
}

async function heads(journals: readonly string[], answers: boolean, now: number): Promise<Evidence> {
  if (journals.length === 0) return elsewhere('heads', 'journal/');
  const late: string[] = [];
  let newest = '';
  for (const folder of journals) {
    const { signed, unsigned, closed } = await leftAs(folder);
    if (signed > newest) newest = signed;
    // What is signed already needs no other head, however long nothing comes.
    const waits = unsigned !== '' && now - Date.parse(unsigned) > HEAD_LATE_MS;
    if (!closed && (signed === '' || waits)) late.push(folder);
  }
  if (answers && late.length > 0)
    return found(
      'heads',
      'fails',
      `2時間以上署名されていない行があります: ${late.join('、')}`,
      `lines that no head signs for two hours: ${late.join(', ')}`,
    );
  return found('heads', answers ? 'holds' : 'note', `最新 ${newest || '-'}`, `the newest is of ${newest || '-'}`);
}

function journalDays({ journalDays: days }: Config, reports: readonly ChainReport[]): Evidence {
  const oldest = reports
    .map(({ first }) => first ?? '')
    .filter((at) => at !== '')
    .toSorted((a, b) => (a < b ? -1 : 1))[0];
  const state = days >= LEAST_JOURNAL_DAYS ? 'holds' : 'fails';
  return found(
    'journal-days',
    state,
    `${days} 日保存する設定、最も古い行 ${oldest ?? '-'}`,
    `kept ${days} days; the oldest entry is of ${oldest ?? '-'}`,
  );
}

async function retention(config: Config, now: number): Promise<Evidence> {
  const { policy: current } = await policyToBe(config);
  const shortest = shortestKeptMs(current);
  if (shortest === undefined)
    return found(
      'retention',
      'note',
      'ポリシーに保存日数（keepDays）がなく、何も削除しない',
      'the policy names no days (keepDays): nothing is deleted',
    );
  const root = join(config.dataDir, 'spool');
  if (config.store === undefined && !existsSync(root)) return elsewhere('retention', root);
  const spool = new Spool(await openSharedStore(config, 'spool', { access: 'read' }));
  let overdue = 0;
  let kept = 0;
  for await (const { id, envelope, hasOriginal } of spool.sealedBefore(now - shortest)) {
    if (!hasOriginal || envelope === undefined) continue;
    kept += 1;
    if (now - timeOf(id) > (keptMs(current.forMessage(envelope)) ?? Infinity) + OVERDUE_MS) overdue += 1;
  }
  const days = `${shortest / DAY}`;
  return overdue > 0
    ? found(
        'retention',
        'fails',
        `期限を過ぎた原本が ${overdue} 件残っています`,
        `${overdue} originals are over their time`,
      )
    : found(
        'retention',
        'holds',
        `最短 ${days} 日。期限切れの原本なし（それより長く保つもの ${kept} 件）`,
        `shortest ${days} days; no original is over its time (${kept} are kept longer)`,
      );
}

async function ends(journals: readonly string[], now: number): Promise<Evidence[]> {
  if (journals.length === 0) return [elsewhere('gate', 'journal/'), elsewhere('deliveries', 'journal/')];
  const counts = new Map<string, number>();
  for (const folder of journals)
    for await (const { act } of entriesOf(folder, { from: new Date(now - LOOK_BACK_DAYS * DAY).toISOString() }))
      counts.set(act, (counts.get(act) ?? 0) + 1);
  const of = (act: string): number => counts.get(act) ?? 0;
  const refused = of('gate-refused');
  return [
    refused > 0
      ? found(
          'gate',
          'fails',
          `${LOOK_BACK_DAYS} 日間に ${refused} 件を拒否`,
          `${refused} packages refused in ${LOOK_BACK_DAYS} days`,
        )
      : found('gate', 'holds', `${LOOK_BACK_DAYS} 日間に拒否なし`, `no package refused in ${LOOK_BACK_DAYS} days`),
    found(
      'deliveries',
      'note',
      `${LOOK_BACK_DAYS} 日間に配送 ${of('delivered')} 件、配送不能 ${of('undeliverable')} 件、サインイン失敗 ${of('sign-in-failed')} 件、期限による削除 ${of('expired')} 件`,
      `in ${LOOK_BACK_DAYS} days ${of('delivered')} delivered, ${of('undeliverable')} undeliverable, ${of('sign-in-failed')} failed sign-ins, ${of('expired')} deleted after their time`,
    ),
  ];
}

function clock(reports: readonly ChainReport[], now: number): Evidence {
  const last = reports.map(({ last: at }) => at ?? '').reduce((a, b) => (a > b ? a : b), '');
  if (last !== '' && Date.parse(last) > now + 60_000)
    return found(
      'clock',
      'fails',
      `監査記録の最後の行（${last}）より遅れています`,
      `behind the last entry of the journals (${last})`,
    );
  // systemd-timesyncd and chrony say so by these; whoever uses another program looks there.
  const synchronised = ['/run/systemd/timesync/synchronized', '/run/chrony/chronyd.pid'].find((path) =>
    existsSync(path),
  );
  return synchronised === undefined
    ? found(
        'clock',
        'note',
        '監査記録と矛盾なし。時刻同期の状態は分からない',
        'agrees with the journals; whether it is synchronised is not known',
      )
    : found(
        'clock',
        'holds',
        `時刻同期あり（${synchronised}）、監査記録と矛盾なし`,
        `synchronised (${synchronised}), agrees with the journals`,
      );
}

function versions(): Evidence {
  const digests = Object.entries(codeDigests()).map(([name, sha256]) => `${name} ${sha256}`);
  const told = `Mugai ${VERSION}, Node.js ${process.version}, ${digests.join(', ')}`;
  return found('versions', 'note', told, told);
}
