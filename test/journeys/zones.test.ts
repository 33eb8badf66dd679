// The three zones as machines apart: each role in a network namespace with its own cables and its own view of the files, as
// docker-compose.yml draws them. Mail flows; nothing else does.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gatewayEnv, runMugai, startGatewayProcess, type RunningGateway } from '../support/gateway-process.ts';
import { Net, type Mounts } from '../support/net.ts';
import { scratch, until, type Scratch } from '../support/scratch.ts';

/** In the header of the mail that is sent: only whoever sees raw bytes sees it. */
const TOKEN = 'raw-only-5f0c2e';
const SEND = fileURLToPath(new URL('zones/send.ts', import.meta.url));
const MAIL_SERVER = fileURLToPath(new URL('zones/mail-server.ts', import.meta.url));
const ACL = new URL('../../docs/ops/redis-users.acl', import.meta.url);
const SAMPLE = new URL(`../../samples/file/${encodeURIComponent('スキャン.pdf')}`, import.meta.url);
const VOLUMES = [
  'raw',
  'outbox',
  'requests',
  'inner-records',
  'portal',
  'outer-journal',
  'middle-journal',
  'inner-journal',
];

interface Town {
  readonly net: Net;
  readonly folder: Scratch;
  readonly ips: {
    readonly door: string;
    readonly doorQueue: string;
    readonly queue: string;
    readonly worker: string;
    readonly mail: string;
    readonly inner: string;
  };
  readonly roles: { readonly ingress: RunningGateway; readonly worker: RunningGateway; readonly inner: RunningGateway };
  readonly taken: { readonly raw: string }[];
  /** What was sent. */
  mail: string;
}

/** Each role sees its volumes under `data`, as in the compose file, and nothing else of the town's files. */
function viewOf(
  folder: string,
  volumes: readonly (readonly [string, string, 'ro'?])[],
  keys: readonly string[],
): Mounts {
  return {
    bind: [
      ...volumes.map(
        ([volume, name, access]) => [join(folder, 'volumes', volume), join(folder, 'data', name), access] as const,
      ),
      ...keys.map((key) => [join(folder, 'keys', key), join(folder, 'data', 'keys', key), 'ro'] as const),
    ].map(([from, to, access]) => (access === undefined ? ([from, to] as const) : ([from, to, access] as const))),
    hide: [join(folder, 'volumes'), join(folder, 'keys')],
  };
}

async function build(): Promise<Town> {
  const folder = await scratch();
  const at = (...names: string[]): string => join(folder.path, ...names);
  for (const volume of VOLUMES) await mkdir(at('volumes', volume), { recursive: true });
  for (const name of ['spool', 'outbox', 'requests', 'inner', 'portal', 'journal', 'keys'])
    await mkdir(at('data', name), { recursive: true });
  const made = await runMugai(['keys', 'generate'], { MUGAI_DATA_DIR: at() });
  assert.equal(made.code, 0, made.stderr);
  const keyNames = ['signing-key.pem', 'verify-key.pem', 'request-key.pem', 'sealing-key.pem'];
  for (const name of keyNames) await writeFile(at('data', 'keys', name), '');

  const net = await Net.make(['internet', 'outer', 'queue', 'worker', 'inner', 'lgwan']);
  const [, door] = await net.cable('internet', 'outer');
  const [doorQueue, queue] = await net.cable('outer', 'queue');
  const [worker, queueOfWorker] = await net.cable('worker', 'queue');
  const [inner, mail] = await net.cable('inner', 'lgwan');

  const acl = (await readFile(ACL, 'utf8'))
    .replace('CHANGE-ME-DOOR', 'door-secret')
    .replace('CHANGE-ME-WORKER', 'worker-secret');
  await writeFile(at('users.acl'), acl.replace(/^#.*\n/gm, ''));
  const redis = [
    'redis-server',
    '--port',
    '6379',
    '--bind',
    queue,
    queueOfWorker,
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    at(),
    '--aclfile',
    at('users.acl'),
  ];
  net.start('queue', redis);
  await until(async () => (await net.connects('outer', queue, 6379)) === '', 60_000, 'redis answers');

  const taken: { raw: string }[] = [];
  const server = net.start('lgwan', [process.execPath, MAIL_SERVER, mail]);
  createInterface({ input: server.stdout! }).on('line', (line) => {
    const told = JSON.parse(line) as { raw?: string };
    if (told.raw !== undefined) taken.push({ raw: told.raw });
  });

  const start = async (
    role: 'ingress' | 'worker' | 'inner',
    zone: string,
    view: Mounts,
    more: Record<string, string>,
  ) => startGatewayProcess(gatewayEnv(at('data'), more), role, net.inside(zone, view));
  const roles = {
    worker: await start(
      'worker',
      'worker',
      viewOf(
        folder.path,
        [
          ['raw', 'spool'],
          ['outbox', 'outbox'],
          ['requests', 'requests'],
          ['middle-journal', 'journal'],
        ],
        ['signing-key.pem', 'request-key.pem'],
      ),
      {
        MUGAI_QUEUE_URL: `redis://mugai-worker:worker-secret@${queueOfWorker}:6379`,
        MUGAI_SIGNING_KEY_FILE: at('data', 'keys', 'signing-key.pem'),
        MUGAI_REQUEST_KEY_FILE: at('data', 'keys', 'request-key.pem'),
      },
    ),
    ingress: await start(
      'ingress',
      'outer',
      viewOf(
        folder.path,
        [
          ['raw', 'spool'],
          ['outer-journal', 'journal'],
        ],
        [],
      ),
      {
        MUGAI_QUEUE_URL: `redis://mugai-door:door-secret@${queue}:6379`,
        MUGAI_SMTP_LISTEN: '0.0.0.0:2525',
        MUGAI_UPLOAD_LISTEN: '0.0.0.0:8025',
      },
    ),
    inner: await start(
      'inner',
      'inner',
      viewOf(
        folder.path,
        [
          ['outbox', 'outbox', 'ro'],
          ['requests', 'requests'],
          ['inner-records', 'inner'],
          ['portal', 'portal'],
          ['inner-journal', 'journal'],
        ],
        ['verify-key.pem', 'sealing-key.pem'],
      ),
      {
        MUGAI_VERIFY_KEY_FILE: at('data', 'keys', 'verify-key.pem'),
        MUGAI_SEALING_KEY_FILE: at('data', 'keys', 'sealing-key.pem'),
        MUGAI_INNER_SMTP_URL: `smtp://${mail}:2525`,
        MUGAI_PORTAL_LISTEN: '0.0.0.0:8080',
      },
    ),
  };
  return { net, folder, ips: { door, doorQueue, queue, worker, mail, inner }, roles, taken, mail: '' };
}

/** Files that a running role can see under the town's folder and that hold a text: `grep` in its own mounts. */
async function seenBy(town: Town, role: RunningGateway, text: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const args = ['-t', String(role.process.pid), '-m', 'grep', '-rlF', text, town.folder.path];
    execFile('nsenter', args, (error, stdout, stderr) => {
      if (error !== null && error.code !== 1) reject(new Error(stderr, { cause: error }));
      else resolve(stdout.split('\n').filter((line) => line !== ''));
    });
  });
}

async function seenOf(town: Town, role: RunningGateway, texts: readonly string[]): Promise<string[]> {
  return (await Promise.all(texts.map(async (text) => seenBy(town, role, text)))).flat();
}

/** Pieces of a mail as they stand in its bytes, and in base64 of them at each of the three offsets. */
function rawPieces(mail: string): string[] {
  const at = mail.indexOf('X-Token');
  const piece = mail.slice(at, at + 60);
  const coded = [0, 1, 2].map((skip) => Buffer.from(piece.slice(skip), 'latin1').toString('base64').slice(0, 48));
  return [piece.slice(0, 20), ...coded];
}

describe('row 118: three zones in network namespaces', () => {
  let town: Town;
  let answer = '';
  before(async () => {
    town = await build();
    const pdf = (await readFile(SAMPLE)).toString('base64').replace(/.{76}/g, '$&\r\n');
    const mail = `From: sender@example.com\r\nTo: staff@city.example.lg.jp\r\nSubject: three zones\r\nX-Token: ${TOKEN}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nこんにちは\r\n--b\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n${pdf}\r\n--b--\r\n`;
    const file = join(town.folder.path, 'mail.eml');
    await writeFile(file, mail);
    town.mail = mail;
    const sent = await town.net.run('internet', [process.execPath, SEND, town.ips.door, '2525', file]);
    answer = sent.stdout + sent.stderr;
    await writeFile(file, ''); // the sender's copy is none of the zones'
  });
  after(async () => {
    for (const role of Object.values(town.roles)) await role.end('SIGKILL');
    await town.net[Symbol.asyncDispose]();
    await town.folder[Symbol.asyncDispose]();
  });

  it('carry a mail with a PDF from the Internet to the mail server of the LGWAN', async () => {
    assert.match(answer, /^250 /);
    await until(() => town.taken.length === 1, 60_000, 'the mail arrives');
    const [mail] = town.taken;
    assert.match(mail?.raw ?? '', /^X-Mugai-State: sanitised/m);
    assert.match(mail?.raw ?? '', /^Content-Type: application\/pdf/m);
    assert.ok(!(mail?.raw ?? '').includes(TOKEN), 'a header of the sender did not cross');
  });

  it('the Internet and the outer zone cannot open a connection to the inner zone, nor the inner zone to them', async () => {
    const { net, ips } = town;
    assert.equal(await net.connects('lgwan', ips.inner, 8080), '', 'the portal is there for its own side');
    for (const zone of ['internet', 'outer', 'queue', 'worker'])
      for (const [host, port] of [
        [ips.inner, 8080],
        [ips.mail, 2525],
      ] as const)
        assert.equal(await net.connects(zone, host, port), 'ENETUNREACH', `${zone} → ${host}:${port}`);
    for (const host of [ips.door, ips.queue, ips.worker])
      assert.equal(await net.connects('inner', host, 6379), 'ENETUNREACH', `inner → ${host}`);
    assert.equal(await net.connects('internet', ips.queue, 6379), 'ENETUNREACH', 'nor the Internet the queue');
  });

  it('the worker reaches the queue and nothing else', async () => {
    const { net, ips } = town;
    assert.equal(await net.connects('worker', '10.77.2.2', 6379), '');
    for (const host of [ips.door, ips.doorQueue, ips.queue, ips.inner, ips.mail, '192.0.2.1', '8.8.8.8'])
      assert.equal(await net.connects('worker', host, 25), 'ENETUNREACH', `worker → ${host}`);
    const { stdout } = await net.run('worker', ['ip', 'route']);
    assert.deepEqual(stdout.trim().split('\n').length, 1, `the cable's own route only: ${stdout}`);
  });

  it('the queue takes nobody without a name, and a door has no commands of an operator', async () => {
    const { net, ips } = town;
    const cli = async (...words: string[]) =>
      (await net.run('outer', ['redis-cli', '-h', ips.queue, '--no-auth-warning', ...words])).stdout.trim();
    assert.match(await cli('ping'), /NOAUTH/);
    const door = ['--user', 'mugai-door', '--pass', 'door-secret'];
    assert.equal(await cli(...door, 'ping'), 'PONG');
    for (const words of [
      ['config', 'get', '*'],
      ['flushall'],
      ['acl', 'list'],
      ['keys', '*'],
      ['set', 'other', '1'],
      ['shutdown'],
    ])
      assert.match(await cli(...door, ...words), /NOPERM/, words.join(' '));
  });

  it('the inner zone sees no raw bytes and no private key; the doors see neither packages nor keys', async () => {
    await until(() => town.taken.length === 1, 60_000, 'the mail arrives');
    const { ingress, worker, inner } = town.roles;
    // Raw bytes lie in a record as base64: the middle of what base64 makes of the attachment's own base64, at each offset.
    const raw = rawPieces(town.mail);
    assert.ok((await seenOf(town, worker, raw)).length > 0, 'the search finds what is there');
    assert.ok((await seenOf(town, ingress, raw)).length > 0);
    assert.deepEqual(await seenOf(town, inner, [...raw, TOKEN]), []);
    const secrets = await Promise.all(
      ['signing-key.pem', 'request-key.pem'].map(
        async (name) => (await readFile(join(town.folder.path, 'keys', name), 'utf8')).split('\n')[1] ?? '?',
      ),
    );
    assert.ok((await seenOf(town, worker, secrets)).length > 0);
    assert.deepEqual(await seenOf(town, inner, secrets), []);
    assert.deepEqual(await seenOf(town, ingress, secrets), []);
    assert.deepEqual(await seenBy(town, ingress, 'manifest'), []);
  });

  it('the inner zone cannot write into the outbox', async () => {
    const pid = String(town.roles.inner.process.pid);
    const touch = await new Promise<string>((resolve) => {
      execFile(
        'nsenter',
        ['-t', pid, '-m', 'touch', join(town.folder.path, 'data', 'outbox', 'x')],
        (_error, _out, err) => resolve(err),
      );
    });
    assert.match(touch, /Read-only file system/);
  });
});
