// How many locked files of one sender wait for a password, and how many mails that tell one are tried: the newest of them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { newMessageId, type MessageId } from '../../src/message/id.ts';
import { LIMITS } from '../../src/message/limits.ts';
import type { Sanitised } from '../../src/message/stages.ts';
import { openLog } from '../../src/ops/log.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import { openPools, type OpenPools } from '../../src/sanitise/pools.ts';
import { sanitise, type SanitiseDeps } from '../../src/sanitise/sanitise.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { PasswordPairing } from '../../src/zones/pairing.ts';
import { scratch, until, type Scratch } from '../support/scratch.ts';

const TO = 'staff@city.example.lg.jp';
const PASSWORD = 'Kx7mQ2p9';
const SAMPLE = fileURLToPath(new URL('../../samples/file/vertical.pdf', import.meta.url));

let folder: Scratch;
let pools: OpenPools;
let deps: SanitiseDeps;
let pairing: PasswordPairing;
let locked: Buffer;
/** Messages that an answer opened, in the order of opening. */
const opened: string[] = [];

before(async () => {
  folder = await scratch();
  const pdf = join(folder.path, 'locked.pdf');
  execFileSync('qpdf', ['--encrypt', PASSWORD, 'owner', '256', '--', SAMPLE, pdf]);
  locked = readFileSync(pdf);
  pools = await openPools(1, () => undefined);
  const spool = new Spool(await openFsStore(join(folder.path, 'spool')));
  const policy = readPolicy('name: p\nversion: "1"\npasswordPairing: true\n', 'p');
  const begin = (cap: number) => spool.begin(cap);
  const metrics = openMetrics(false);
  deps = { spool, policy, metrics, passwords: [], begin, version: 'test', pools: pools.pools };
  const seal = async ({ record }: Sanitised): Promise<void> => void opened.push(record.revises ?? '');
  pairing = new PasswordPairing({ deps, seal }, openLog('silent', 'test'));
});
after(async () => {
  await pools.close();
  await folder[Symbol.asyncDispose]();
});

/** A mail that came in, was made harmless and noted. */
async function came(from: string, body: string, file?: Buffer): Promise<Sanitised> {
  const head = `From: <${from}>\r\nTo: ${TO}\r\nSubject: x\r\nMIME-Version: 1.0\r\n`;
  const text = `Content-Type: text/plain; charset=utf-8\r\n\r\n${body}\r\n`;
  const base64 = file?.toString('base64').replace(/.{76}/g, '$&\r\n');
  const raw =
    base64 === undefined
      ? head + text
      : `${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n${text}--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64}\r\n--b--\r\n`;
  const bytes = Buffer.from(raw);
  const writer = deps.spool.begin(LIMITS.messageBytes);
  await writer.write(bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const facts = {
    stage: 'spooled',
    id: newMessageId(),
    source: { kind: 'mail', name: '', size: bytes.length, sha256 },
    envelope: { from, to: [TO] as string[] },
    peer: 'test',
    receivedAt: new Date().toISOString(),
  } as const;
  const [spooled] = await deps.spool.accept({ raw: writer.finish(), facts });
  assert.ok(spooled !== undefined);
  const sanitised = await sanitise(spooled, deps, new AbortController().signal);
  await deps.spool.keepSanitised(sanitised);
  await pairing.note(sanitised);
  return sanitised;
}

/** So many locked files of one sender, then the mail with the password, then a pair of somebody else, which passes. */
async function waiting(count: number): Promise<{ readonly files: MessageId[]; readonly opened: string[] }> {
  const from = `sender${count}@example.com`;
  const files: MessageId[] = [];
  for (let nth = 0; nth < count; nth++) files.push((await came(from, 'ファイルをお送りします。', locked)).id);
  opened.length = 0;
  pairing.sealed(await came(from, `パスワード：${PASSWORD}`));
  const other = await came(`other${count}@example.com`, 'ファイルをお送りします。', locked);
  pairing.sealed(await came(`other${count}@example.com`, `パスワード：${PASSWORD}`));
  await until(() => opened.includes(other.id), 120_000, 'the pair of somebody else');
  return { files, opened: opened.filter((id) => id !== other.id) };
}

test(
  'limit pairingWaiting: as many files wait for the password as that; of one more, or three times as many, the newest do',
  { timeout: 580_000 },
  async () => {
    for (const count of [LIMITS.pairingWaiting, LIMITS.pairingWaiting + 1, 3 * LIMITS.pairingWaiting]) {
      const { files, opened: of } = await waiting(count);
      assert.deepEqual(of, files.slice(-LIMITS.pairingWaiting), `${count} files`);
    }
  },
);
