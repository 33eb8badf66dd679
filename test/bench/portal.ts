// `npm run bench -- portal`: the index made from 100,000 packages, and the list and message pages at 1,000 people beside a
// bare Fastify route of the same process (autocannon, 8 connections).
import autocannon from 'autocannon';
import fastify from 'fastify';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderOf, newMessageId, type MessageId } from '../../src/message/id.ts';
import { keyId, signStatement } from '../../src/outbox/manifest.ts';
import { entriesFor, openBarePortal } from '../support/bare-portal.ts';
import { Visitor } from '../support/portal.ts';
import { scratch } from '../support/scratch.ts';
import { line } from './lines.ts';

const PEOPLE = 1000;
const SECONDS = 5;

export async function benchPortal(): Promise<void> {
  const messages = Number(process.env['MUGAI_BENCH_MESSAGES'] ?? 100_000);
  await using folder = await scratch();
  const pair = generateKeyPairSync('ed25519');
  const id = keyId(pair.publicKey);
  let last: MessageId | undefined;
  for (let n = 0; n < messages; n++) {
    const message = newMessageId(Date.now() - (messages - n) * 20_000);
    const to = n % PEOPLE === 0 ? 'staff@city.example.lg.jp' : `p${n % PEOPLE}@city.example.lg.jp`;
    const place = join(folder.path, 'outbox', folderOf(message));
    mkdirSync(place, { recursive: true });
    for (const { name, content } of entriesFor(
      message,
      `お知らせ ${n} 号`,
      (s) => signStatement(s, pair.privateKey, id),
      to,
    ))
      writeFileSync(join(place, name), content);
    if (n % PEOPLE === 0) last = message;
  }
  const started = performance.now();
  const portal = await openBarePortal(folder.path, pair.publicKey);
  const rate = portal.index.count() / ((performance.now() - started) / 1000);
  const own = { bench: 'portal', runs: 1 } as const;
  line({
    ...own,
    case: `index of ${messages}`,
    metric: 'messages_per_second',
    unit: '1/s',
    ours: rate,
    peer: 'none',
    peerValue: null,
  });

  const bare = fastify();
  bare.get('/', async (_request, reply) => reply.type('text/html').send('<!doctype html><title>x</title>'));
  const bareUrl = await bare.listen({ port: 0, host: '127.0.0.1' });
  const visitor = new Visitor(portal.url);
  await visitor.signIn('reader');
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  for (const [name, path] of [
    ['list', '/messages'],
    ['search', `/messages?q=${encodeURIComponent('お知らせ')}`],
    ['message', `/messages/${last}`],
  ] as const) {
    const run = async (url: string) =>
      autocannon({ url, connections: 8, duration: SECONDS, headers: { cookie, accept: 'text/html' } });
    const peer = await run(bareUrl);
    const ours = await run(portal.url + path);
    if (ours.non2xx > 0) throw new Error(`${name}: ${ours.non2xx} answers were no 200`);
    const both = (metric: string, unit: string, value: number, peerValue: number): void =>
      line({ ...own, case: name, metric, unit, ours: value, peer: 'bare-fastify', peerValue });
    both('latency_p99_ms', 'ms', ours.latency.p99, peer.latency.p99);
    both('server_ms', 'ms', 1000 / ours.requests.average, 1000 / peer.requests.average);
  }
  await bare.close();
  await portal.close();
}
