// Approved originals are followed to their end, however many there are at once, and each end is told once.
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { ActEntry } from '../../src/message/act.ts';
import { newMessageId, shardOf, type MessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import { openLog } from '../../src/ops/log.ts';
import { keyId } from '../../src/outbox/manifest.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { Signer } from '../../src/seal/seal.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { stage } from '../../src/store/store.ts';
import { ReleaseKeeper } from '../../src/zones/releases.ts';
import { startScanner } from '../support/scanner.ts';
import { scratch } from '../support/scratch.ts';

const MANY = 12;
const { signal } = new AbortController();

async function follow() {
  const folder = await scratch();
  const store = await openFsStore(join(folder.path, 'spool'));
  const spool = new Spool(store);
  const outbox = new Outbox(await openFsStore(join(folder.path, 'outbox')));
  const scanner = await startScanner(join(folder.path, 'scanner.sock'));
  const pair = generateKeyPairSync('ed25519');
  const keys = new Map([[keyId(pair.publicKey), pair.publicKey]]);
  const acts: string[] = [];
  const alarms: string[] = [];
  const keeper = (clamd = scanner.socket): ReleaseKeeper =>
    new ReleaseKeeper({
      spool,
      outbox,
      clamd,
      signer: new Signer(pair.privateKey),
      log: openLog('silent', 'test'),
      audit: {
        enter: () => ({ position: '', durable: Promise.resolve() }),
        append: async ({ act, message, detail }: ActEntry) => {
          acts.push(`${act} ${message} ${String(detail?.['outcome'] ?? '')}`.trim());
          return '';
        },
      },
      alarm: (kind: string, subject: string) => void alarms.push(`${kind} ${subject}`),
    } as never); // whole messages only: no child walks to a part
  const ids: MessageId[] = [];
  const tokens: string[] = [];
  for (let at = 0; at < MANY; at++) {
    const id = newMessageId();
    // Some lie inside their record, one beside it.
    const bytes = Buffer.alloc(at === 0 ? 2 * LIMITS.inlineBytes : 100, `original ${at} `);
    const raw = await stage(store, Readable.from([bytes]), LIMITS.messageBytes, signal);
    await spool.accept({
      raw,
      facts: {
        stage: 'spooled',
        id,
        source: { kind: 'file', name: 'a.bin', size: raw.size, sha256: raw.sha256 },
        envelope: { from: '', to: ['b@city.example.lg.jp'] },
        peer: '',
        receivedAt: new Date().toISOString(),
      },
    });
    await outbox.add(id, [{ name: 'manifest.dsse.json', content: Buffer.from('{}') }]);
    const token = createHash('sha256').update(String(at)).digest('hex');
    await spool.openReleases.add({
      id,
      request: newMessageId(),
      part: '',
      by: 'x',
      approvedBy: 'y',
      sha256: raw.sha256,
      token,
      notBefore: new Date(Date.now() - 1000).toISOString(),
      expires: new Date(Date.now() + 3_600_000).toISOString(),
      noted: new Date().toISOString(),
    });
    ids.push(id);
    tokens.push(token);
  }
  return {
    spool,
    outbox,
    keys,
    acts,
    alarms,
    scanner,
    keeper,
    ids,
    tokens,
    path: folder.path,
    [Symbol.asyncDispose]: async () => {
      await scanner[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function looks(keepers: readonly ReleaseKeeper[], times: number): Promise<void> {
  for (let at = 0; at < times; at++) {
    await Promise.all(keepers.map(async (keeper) => keeper.look(signal)));
    await Promise.all(keepers.map(async (keeper) => keeper.idle()));
  }
}

test('however many are open, each is scanned, and each that was used is told as such', async () => {
  await using it = await follow();
  const keeper = it.keeper();
  await looks([keeper], MANY);
  const states = async (): Promise<(string | undefined)[]> =>
    Promise.all(it.ids.map(async (id, at) => (await it.spool.release(id, it.tokens[at] ?? ''))?.state));
  assert.deepEqual(
    await states(),
    it.ids.map(() => 'ready'),
  );
  const requests = new Map((await it.spool.openReleases.all()).map(({ id, request }) => [id, request]));
  for (const [at, id] of it.ids.entries()) assert.ok(await it.spool.useRelease(id, it.tokens[at] ?? ''));
  await looks([keeper], 2);
  assert.deepEqual(await it.spool.openReleases.all(), []);
  for (const id of it.ids)
    assert.equal((await it.outbox.releases(id).of(requests.get(id) ?? '', it.keys))?.end, 'used', id);
  const other = new Map([[keyId(generateKeyPairSync('ed25519').publicKey), generateKeyPairSync('ed25519').publicKey]]);
  const [first] = it.ids;
  assert.ok(first !== undefined);
  assert.equal(await it.outbox.releases(first).of(requests.get(first) ?? '', other), undefined, 'another key');
  await it.outbox.remove(first);
  assert.equal(
    await it.outbox.releases(first).of(requests.get(first) ?? '', it.keys),
    undefined,
    'goes with its package',
  );
  assert.equal(it.acts.filter((act) => act.startsWith('release-ended')).length, MANY);
});

test('bytes that are gone or were changed are not handed out, nor called malware; nothing is said of the scanner', async () => {
  await using it = await follow();
  const [large, small] = it.ids;
  assert.ok(large !== undefined && small !== undefined);
  const raw = join(it.path, 'spool', shardOf(large), `${large}.raw`);
  const requests = new Map((await it.spool.openReleases.all()).map(({ id, request }) => [id, request]));
  await rm(raw);
  await looks([it.keeper()], MANY);
  assert.equal((await it.outbox.releases(large).of(requests.get(large) ?? '', it.keys))?.end, 'gone');
  assert.deepEqual(it.alarms, []);
  const release = await it.spool.release(small, it.tokens[1] ?? '');
  assert.ok(release !== undefined);
  assert.ok((await it.spool.releaseContent(small, release)) !== undefined);
  const other = { ...release, sha256: 'f'.repeat(64) };
  assert.equal(await it.spool.releaseContent(small, other), undefined, 'not what was approved');
  it.scanner.away = true;
});

test('of two scanners that look at the same time the one that finds something is believed, whoever was first', async () => {
  await using it = await follow();
  await using strict = await startScanner(join(it.path, 'strict.sock'));
  strict.finds = 'Eicar-Test-Signature';
  const requests = new Map((await it.spool.openReleases.all()).map(({ id, request }) => [id, request]));
  await looks([it.keeper(), it.keeper(strict.socket)], 2 * MANY);
  // One of the two may have had a release to itself: what only the lenient one looked at is ready.
  const ends = await Promise.all(it.ids.map(async (id) => it.outbox.releases(id).of(requests.get(id) ?? '', it.keys)));
  const found = ends.filter((end) => end?.end === 'malware');
  assert.ok(found.length > 0);
  for (const end of found) assert.equal(end?.found, 'Eicar-Test-Signature');
  for (const [at, id] of it.ids.entries()) {
    if (ends[at]?.end !== 'malware') continue;
    const token = it.tokens[at] ?? '';
    const isRefused = (await it.spool.release(id, token))?.state === 'refused';
    assert.ok(isRefused || !(await it.spool.useRelease(id, token)), id);
  }
});

test('what was taken back for malware is told as that, even by a worker that comes after one that died on it', async () => {
  await using it = await follow();
  const [id] = it.ids;
  const [token = ''] = it.tokens;
  assert.ok(id !== undefined);
  const request = (await it.spool.openReleases.find(token))?.request ?? '';
  await looks([it.keeper()], MANY);
  assert.ok(await it.spool.withdrawRelease(id, token, 'malware: Eicar-Test-Signature'));
  assert.equal(await it.spool.useRelease(id, token), false);
  assert.equal(await it.spool.withdrawRelease(id, token, 'malware: other'), false);
  await looks([it.keeper()], 1);
  const told = await it.outbox.releases(id).of(request, it.keys);
  assert.deepEqual([told?.end, told?.found], ['malware', 'Eicar-Test-Signature']);
});
