// `npm run bench -- portal`: the index made from 100,000 packages; the list, search and message pages of 1,000 people beside a
// bare Fastify route of the same process (autocannon, 8 connections, runs in alternation); every filter of the lists; memory while
// large files go out.
import autocannon from 'autocannon';
import fastify from 'fastify';
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf, newMessageId, type MessageId } from '../../src/message/id.ts';
import type { State } from '../../src/message/part.ts';
import { keyId, signStatement } from '../../src/outbox/manifest.ts';
import { SESSION_COOKIE } from '../../src/portal/pages.ts';
import { entriesFor, openBarePortal } from '../support/bare-portal.ts';
import { scratch } from '../support/scratch.ts';
import { line, median } from './lines.ts';
import { benchFilters, EVERYTHING, FEW } from './portal-filters.ts';

const PEOPLE = 1000;
/** People whose browsers are open during a run; each asks for its own pages. */
const SIGNED_IN = 100;
const SECONDS = 4;
const RUNS = 3;
const LARGE = 200 * 1024 * 1024;

const addressOf = (person: number): string =>
  person === 0 ? 'staff@city.example.lg.jp' : `p${person}@city.example.lg.jp`;

export async function benchPortal(): Promise<void> {
  const messages = Number(process.env['MUGAI_BENCH_MESSAGES'] ?? 100_000);
  await using folder = await scratch();
  const pair = generateKeyPairSync('ed25519');
  const newest = new Map<number, MessageId>();
  for (let n = 0; n < messages; n++) {
    const message = newMessageId(Date.now() - (messages - n) * 20_000);
    const state = n >= FEW ? 'sanitised' : n < FEW / 3 ? 'held' : n < (2 * FEW) / 3 ? 'refused' : 'sanitised';
    put(folder.path, { message, subject: `お知らせ ${n} 号`, to: addressOf(n % PEOPLE), state }, pair);
    newest.set(n % PEOPLE, message);
  }
  const large = putLarge(folder.path, pair);
  const started = performance.now();
  const portal = await openBarePortal(folder.path, pair.publicKey);
  const rate = portal.index.count() / ((performance.now() - started) / 1000);
  const one = { bench: 'portal', peer: 'none', peerValue: null, runs: 1 } as const;
  line({ ...one, case: `index of ${messages}`, metric: 'messages_per_second', unit: '1/s', ours: rate });
  const cookies = signIn(portal.portal.desk);

  const bare = fastify();
  bare.get('/', async (_request, reply) => reply.type('text/html').send('<!doctype html><title>x</title>'));
  const bareUrl = await bare.listen({ port: 0, host: '127.0.0.1' });
  const search = `/messages?q=${encodeURIComponent('お知らせ')}`;
  for (const [name, pathOf] of [
    ['list', () => '/messages'],
    ['search', () => search],
    ['message', (person: number) => `/messages/${newest.get(person)}`],
  ] as const) {
    const runs = { ours: [] as number[], peer: [] as number[], oursMs: [] as number[], peerMs: [] as number[] };
    for (let run = 0; run < RUNS; run++) {
      const peer = await shoot(bareUrl, cookies, () => '/');
      const ours = await shoot(portal.url, cookies, pathOf);
      if (ours.non2xx > 0) throw new Error(`${name}: ${ours.non2xx} answers were no 200`);
      runs.ours.push(ours.latency.p99);
      runs.peer.push(peer.latency.p99);
      runs.oursMs.push(1000 / ours.requests.average);
      runs.peerMs.push(1000 / peer.requests.average);
    }
    const both = (metric: string, ours: number[], peer: number[]): void =>
      line({
        bench: 'portal',
        case: name,
        metric,
        unit: 'ms',
        ours: median(ours),
        peer: 'bare-fastify',
        peerValue: median(peer),
        runs: RUNS,
      });
    both('latency_p99_ms', runs.ours, runs.peer);
    both('server_ms', runs.oursMs, runs.peerMs);
  }
  await bare.close();
  await benchFilters(portal);
  for (const [name, path] of [
    ['download of 200 MB', `/messages/${large}/files/01-x.txt`],
    ['zip of 200 MB', `/messages/${large}/all.zip`],
  ] as const)
    line({
      ...one,
      case: name,
      metric: 'peak_rss_mb',
      unit: 'MB',
      ours: await memoryOf(portal.url + path, cookies[0] ?? ''),
    });
  await portal.close();
}

type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

interface Put {
  readonly message: MessageId;
  readonly subject: string;
  readonly to: string;
  readonly state: State;
}

function put(root: string, { message, subject, to, state }: Put, { publicKey, privateKey }: Pair): void {
  const place = join(root, 'outbox', folderOf(message));
  mkdirSync(place, { recursive: true });
  const id = keyId(publicKey);
  const entries = entriesFor(message, subject, (statement) => {
    const { predicate } = statement;
    const envelope = { ...predicate.envelope, to: [to, EVERYTHING] };
    const reason = state === 'sanitised' ? null : 'password-needed';
    return signStatement({ ...statement, predicate: { ...predicate, state, reason, envelope } }, privateKey, id);
  });
  for (const { name, content } of entries) writeFileSync(join(place, name), content);
}

/** A message of the first person with one large file beside its text. */
function putLarge(root: string, { publicKey, privateKey }: Pair): MessageId {
  const message = newMessageId();
  const place = join(root, 'outbox', folderOf(message));
  mkdirSync(join(place, 'files'), { recursive: true });
  const bytes = Buffer.alloc(LARGE, '無害な文字の並び\n');
  const name = 'files/01-x.txt';
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  writeFileSync(join(place, name), bytes);
  const entries = entriesFor(message, '大きなもの', (statement) => {
    const [part] = statement.predicate.parts;
    const subject = [...statement.subject, { name, digest: { sha256 } }];
    const parts = part === undefined ? [] : [{ ...part, outputs: [...part.outputs, name] }];
    const predicate = { ...statement.predicate, parts };
    return signStatement({ ...statement, subject, predicate }, privateKey, keyId(publicKey));
  });
  for (const entry of entries) writeFileSync(join(place, entry.name), entry.content);
  return message;
}

/** Makes the people and begins a session for some of them, without a thousand password hashes. */
function signIn({ accounts, sessions }: Awaited<ReturnType<typeof openBarePortal>>['portal']['desk']): string[] {
  for (let person = 1; person < PEOPLE; person++) {
    accounts.add(`p${person}`, `職員 ${person}`, ['staff']);
    accounts.giveAddress(`p${person}`, addressOf(person), 'own', null, 'bench');
  }
  return Array.from({ length: SIGNED_IN }, (_, person) => {
    const token = sessions.begin(person === 0 ? 'reader' : `p${person}`, 'full');
    return `${SESSION_COOKIE}=${token}`;
  });
}

async function shoot(url: string, cookies: readonly string[], pathOf: (person: number) => string) {
  const requests = cookies.map((cookie, person) => ({
    method: 'GET' as const,
    path: pathOf(person),
    headers: { cookie, accept: 'text/html' },
  }));
  return autocannon({ url, connections: 8, duration: SECONDS, requests });
}

/** Megabytes that the process grows by while a file goes out, reader and server together. */
async function memoryOf(url: string, cookie: string): Promise<number> {
  const resident = (): number => process.memoryUsage().rss / 1024 / 1024;
  const before = resident();
  let peak = before;
  const timer = setInterval(() => (peak = Math.max(peak, resident())), 20);
  const answer = await fetch(url, { headers: { cookie } });
  let bytes = 0;
  for await (const chunk of answer.body ?? []) bytes += (chunk as Uint8Array).length;
  clearInterval(timer);
  if (answer.status !== 200 || bytes < LARGE) throw new Error(`${url}: ${answer.status}, ${bytes} bytes`);
  return peak - before;
}
