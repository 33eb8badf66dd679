// The part of `npm run bench -- portal` about filters: one mailbox that has every message, all of them read but the oldest few, and the
// operator's list (without its page). One request at a time, so a latency is what the server takes; its goal is a p99 below 50 ms.
import autocannon from 'autocannon';
import { SESSION_COOKIE } from '../../src/portal/pages.ts';
import type { openBarePortal } from '../support/bare-portal.ts';
import { line } from './lines.ts';

/** The mailbox that every message goes to. */
export const EVERYTHING = 'everything@city.example.lg.jp';
/** Messages, the oldest ones, that are unread; the first third of them is held, the second refused. */
export const FEW = 60;
const SECONDS = 2;
const WORD = encodeURIComponent('お知らせ');

export async function benchFilters(open: Awaited<ReturnType<typeof openBarePortal>>): Promise<void> {
  const { accounts, sessions } = open.portal.desk;
  accounts.add('reads-all', '共有の担当', ['staff']);
  accounts.giveAddress('reads-all', EVERYTHING, 'shared', null, 'bench');
  open.db.run(
    "INSERT INTO read_marks SELECT 'reads-all', id FROM messages WHERE key > (SELECT key FROM messages ORDER BY key LIMIT 1 OFFSET ?)",
    FEW - 1,
  );
  open.db.attachIndex(); // read marks come into the index
  // A package that the gate refuses has no recipients, and its line costs less.
  const mine = open.db.get('SELECT count(*) AS n FROM recipients WHERE address = ?', EVERYTHING)?.['n'];
  const all = open.index.count() - 1; // all but the large one
  if (mine !== all) throw new Error(`of ${all} packages the gate took ${String(mine)}`);
  const unread = open.db.get(
    "SELECT count(*) AS n FROM messages WHERE key NOT IN (SELECT key FROM seen WHERE user = 'reads-all')",
  );
  if (unread?.['n'] !== FEW) throw new Error(`${String(unread?.['n'])} messages are unread`);
  const deep = open.db.get('SELECT key FROM messages ORDER BY key LIMIT 1 OFFSET ?', FEW * 2)?.['key'];
  const cookie = `${SESSION_COOKIE}=${sessions.begin('reads-all', 'full')}`;
  for (const query of [
    '',
    'unread=1',
    'state=held',
    'state=refused',
    'state=sanitised',
    'state=held&unread=1',
    'state=sanitised&unread=1',
    `q=${WORD}`,
    `q=${WORD}&unread=1`,
    `q=${WORD}&state=held`,
    `q=${WORD}&state=held&unread=1`,
    `q=${WORD}&state=sanitised`,
    `q=${WORD}&state=sanitised&unread=1`,
    `before=${deep}`,
    `before=${deep}&unread=1`,
    `before=${deep}&q=${WORD}`,
  ])
    await measure(open.url, cookie, `/messages?${query}`);
  for (const filter of ['all', 'attention', 'held', 'refused', 'undelivered', 'waiting', 'broken'] as const)
    for (const words of ['', 'お知らせ'])
      for (const before of [undefined, Number(deep)]) {
        const name = `operator's ${filter} ${words} ${before === undefined ? '' : 'deep'}`.trimEnd();
        tell(
          name,
          timesOf(() => open.index.lists.listAll({ filter, words, before, most: 100 })),
        );
      }
  tell(
    'count of all',
    timesOf(() => open.index.count()),
  );
}

/** How long a call takes, milliseconds. */
function timesOf(call: () => unknown): Times {
  const times = Array.from({ length: 100 }, () => {
    const begun = performance.now();
    call();
    return performance.now() - begun;
  });
  const sorted = times.toSorted((a, b) => a - b);
  return { p99: sorted[98] ?? Number.NaN, middle: sorted[50] ?? Number.NaN };
}

interface Times {
  readonly p99: number;
  readonly middle: number;
}

function tell(name: string, { p99, middle }: Times): void {
  const one = { bench: 'portal', case: name, unit: 'ms', peer: 'none', peerValue: null, runs: 1 } as const;
  line({ ...one, metric: 'latency_p99_ms', ours: p99 });
  line({ ...one, metric: 'latency_p50_ms', ours: middle });
}

async function measure(url: string, cookie: string, path: string): Promise<void> {
  const headers = { cookie, accept: 'text/html' };
  // No line is kept: the server closes it while the lists below keep this process from seeing that.
  const page = await (await fetch(url + path, { headers: { ...headers, connection: 'close' } })).text();
  // A filter that shows nothing would measure nothing.
  if (!page.includes('<td class="subject">')) throw new Error(`${path}: no line`);
  const got = await autocannon({ url: url + path, connections: 1, duration: SECONDS, headers });
  if (got.non2xx > 0) throw new Error(`${path}: ${got.non2xx} answers were no 200`);
  tell(decodeURIComponent(path), { p99: got.latency.p99, middle: got.latency.p50 });
}
