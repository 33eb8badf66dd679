// The queue over every kind of Redis an address can name, each a real server: sentinels, a cluster, TLS, ACL; and what is refused.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { MugaiError } from '../../src/message/errors.ts';
import { newMessageId } from '../../src/message/id.ts';
import { parseQueueUrl } from '../../src/queue/address.ts';
import { openQueues, type QueueHub } from '../../src/queue/queues.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { scratch, until } from '../support/scratch.ts';

const run = promisify(execFile);
const ACL = new URL('../../docs/ops/redis-users.acl', import.meta.url);

async function openHub(url: string, errors: unknown[] = []): Promise<QueueHub> {
  return openQueues({
    url,
    attempts: 3,
    onError: (error) => errors.push(error),
    onExhausted: async () => undefined,
    locks: { durationMs: 2000, checkMs: 1000 },
  });
}

/** Adds so many jobs and waits until a worker had them all. */
async function carry(hub: QueueHub, jobs: number): Promise<void> {
  const wanted = new Set(Array.from({ length: jobs }, () => newMessageId()));
  const worker = hub.work('seal', async (id) => void wanted.delete(id), { concurrency: 4 });
  await hub.queue('seal').add([...wanted]);
  await until(() => wanted.size === 0, 60_000, `${jobs} jobs are done`);
  await worker.close({ deadlineMs: 1000 });
}

const refused = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof MugaiError && error.code === 'bad-config', String(error));
  assert.match(error.message, pattern);
  assert.doesNotMatch(error.message, /:(secret|another|any|watch)@(?!queue)|\n/);
  return true;
};

describe('redis+sentinel', { timeout: 580_000 }, () => {
  it('finds the master by the sentinel, and the new one when it dies; what was added is done or can be added again', async () => {
    await using folder = await scratch();
    const signIn = (): string[] => ['--masterauth', 'secret', '--repl-diskless-sync-delay', '0'];
    await using master = await startRedis({ password: 'secret', more: signIn });
    await using replica = await startRedis({
      password: 'secret',
      more: () => [...signIn(), '--replicaof', '127.0.0.1', String(master.port)],
    });
    const conf = join(folder.path, 'sentinel.conf');
    await writeFile(
      conf,
      `sentinel monitor town 127.0.0.1 ${master.port} 1\nsentinel auth-pass town secret\n` +
        'sentinel down-after-milliseconds town 1000\nsentinel failover-timeout town 5000\n',
    );
    await using sentinel = await startRedis({ first: conf, password: 'watch', more: () => ['--sentinel'] });
    const asked = async (...words: string[]): Promise<string> => sentinel.tell('sentinel', ...words);
    await until(async () => (await asked('replicas', 'town')).includes(String(replica.port)), 60_000, 'a replica');
    await until(async () => (await replica.tell('info', 'replication')).includes('link_status:up'), 60_000, 'in step');
    const url = `redis+sentinel://:secret@127.0.0.1:${sentinel.port}/town?sentinel-password=watch`;
    const hub = await openHub(url);
    await carry(hub, 50);
    await master.kill();
    await until(
      async () => (await asked('get-master-addr-by-name', 'town')).includes(String(replica.port)),
      60_000,
      'another master',
    );
    await until(
      async () =>
        carry(hub, 50).then(
          () => true,
          () => false,
        ),
      60_000,
      'work goes on',
    );
    await hub.close();
    await assert.rejects(openHub(url.replace('/town', '/city')), refused(/no usable Redis at city by 127\.0\.0\.1/));
    await assert.rejects(openHub(url.replace(/\?.*/, '')), refused(/no usable Redis at town by 127\.0\.0\.1/));
  });
});

describe('redis+cluster', { timeout: 580_000 }, () => {
  it('keeps the keys of a queue on one node, and carries jobs', async () => {
    const node = async (): Promise<TestRedis> =>
      startRedis({ password: 'secret', more: () => ['--cluster-enabled', 'yes', '--masterauth', 'secret'] });
    await using first = await node();
    await using second = await node();
    await using third = await node();
    const hosts = [first, second, third].map(({ port }) => `127.0.0.1:${port}`);
    const sign = ['-a', 'secret', '--no-auth-warning'];
    await run('redis-cli', [...sign, '--cluster', 'create', ...hosts, '--cluster-yes']);
    await until(async () => (await third.tell('cluster', 'info')).includes('cluster_state:ok'), 60_000, 'a cluster');
    const hub = await openHub(`redis+cluster://:secret@${hosts.slice(0, 2).join(',')}`);
    await carry(hub, 100);
    await hub.queue('sanitise').add([newMessageId()]);
    assert.equal((await hub.queue('sanitise').counts()).waiting, 1);
    const from = Date.now();
    await hub.close();
    assert.ok(Date.now() - from < 5000, 'it lets go of the cluster');
    await assert.rejects(openHub(`redis+cluster://:another@${hosts[0]}`), refused(/no usable Redis at cluster/));
    await assert.rejects(openHub(`redis+cluster://:secret@${hosts[0]}/1`), refused(/no databases/));
  });
});

describe('rediss', { timeout: 580_000 }, () => {
  it('speaks TLS to a server whose certificate is signed by the ca that is named, and to no other', async () => {
    await using folder = await scratch();
    const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')];
    const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
    assert.equal(spawnSync('openssl', [...kind, ...name, '-keyout', key, '-out', cert]).status, 0);
    await using redis = await startRedis({
      password: 'secret',
      more: (port) => [
        '--port',
        '0',
        '--tls-port',
        String(port),
        '--tls-cert-file',
        cert,
        '--tls-key-file',
        key,
        '--tls-ca-cert-file',
        cert,
        '--tls-auth-clients',
        'no',
      ],
    });
    for (const host of ['127.0.0.1', 'localhost']) {
      const hub = await openHub(`rediss://:secret@${host}:${redis.port}/0?ca=${encodeURIComponent(cert)}`);
      await carry(hub, 20);
      await hub.close();
    }
    await assert.rejects(openHub(`rediss://:secret@127.0.0.1:${redis.port}`), refused(/self-signed certificate/));
    await assert.rejects(openHub(`redis://:secret@127.0.0.1:${redis.port}`), refused(/no usable Redis/));
  });
});

describe('docs/ops/redis-users.acl', { timeout: 580_000 }, () => {
  it('lets door and worker do their work on their keys, and nothing else', async () => {
    await using folder = await scratch();
    const file = join(folder.path, 'users.acl');
    const users = (await readFile(ACL, 'utf8')).replace(/^#.*\n/gm, '');
    await writeFile(file, users.replace('CHANGE-ME-DOOR', 'of-door').replace('CHANGE-ME-WORKER', 'of-worker'));
    await using redis = await startRedis({ more: () => ['--aclfile', file] });
    const at = `127.0.0.1:${redis.port}`;
    const errors: unknown[] = [];
    const door = await openHub(`redis://mugai-door:of-door@${at}`, errors);
    const worker = await openHub(`redis://mugai-worker:of-worker@${at}`, errors);
    const wanted = new Set(Array.from({ length: 20 }, () => newMessageId()));
    worker.work('sanitise', async (id) => void wanted.delete(id), { concurrency: 2 });
    await door.queue('sanitise').add([...wanted]);
    await until(() => wanted.size === 0, 60_000, 'the worker has what the door added');
    await Promise.all([door.close(), worker.close()]);
    assert.deepEqual(errors, []);
    const asks = async (user: string, password: string, ...command: string[]): Promise<string> =>
      (
        await run('redis-cli', [
          '-p',
          String(redis.port),
          '--user',
          user,
          '-a',
          password,
          '--no-auth-warning',
          ...command,
        ])
      ).stdout;
    for (const [user, password] of [
      ['mugai-door', 'of-door'],
      ['mugai-worker', 'of-worker'],
    ] as const)
      for (const command of [
        ['get', 'other'],
        ['flushall'],
        ['config', 'get', '*'],
        ['keys', '*'],
        ['acl', 'list'],
        ['shutdown'],
      ])
        assert.match(await asks(user, password, ...command), /^NOPERM/, `${user} ${command.join(' ')}`);
    await assert.rejects(openHub(`redis://${at}`), refused(/NOAUTH/));
  });
});

describe('a Redis beyond this machine', { timeout: 580_000 }, () => {
  // This machine's own loopback by a name that an address does not show to be one.
  const elsewhere = (port: number): string => `[::ffff:127.0.0.1]:${port}`;

  it('that answers to anybody is refused, though a password was given', async () => {
    await using open = await startRedis();
    await assert.rejects(
      openHub(`redis://:any@${elsewhere(open.port)}`),
      refused(/another machine and answers to anybody/),
    );
  });

  it('that asks for a password is used', async () => {
    await using redis = await startRedis({ password: 'secret' });
    const hub = await openHub(`redis://:secret@${elsewhere(redis.port)}`);
    await carry(hub, 5);
    await hub.close();
  });
});

describe('addresses of sentinels and clusters', () => {
  it('are read whole', () => {
    const read = parseQueueUrl('redis+sentinel://u:p%40ss@one,[2001:db8::2]:26380/town/3?sentinel-password=s');
    assert.deepEqual(read, {
      kind: 'sentinel',
      nodes: [
        { host: 'one', port: 26_379 },
        { host: '2001:db8::2', port: 26_380 },
      ],
      name: 'town',
      db: 3,
      username: 'u',
      password: 'p@ss',
      sentinelPassword: 's',
      tls: undefined,
    });
    assert.deepEqual(parseQueueUrl('rediss+cluster://:p@a,b:7000').nodes, [
      { host: 'a', port: 6379 },
      { host: 'b', port: 7000 },
    ]);
  });

  for (const [url, why] of [
    ['redis://:p@a,b', /several hosts/],
    ['redis+sentinel://:p@a', /name of the master/],
    ['redis+sentinel://a,127.0.0.1/town', /a is another machine/],
    ['redis+cluster://127.0.0.1,b', /b is another machine/],
    ['redis+cluster://:p@a:70000', /no host:port/],
    ['redis+cluster://:p@a?sentinel-password=x', /no sentinels/],
    ['redis://127.0.0.1?ca=/etc/x', /no TLS/],
    ['rediss://127.0.0.1?ca=/nowhere', /cannot be read/],
    ['redis+proxy://:p@a', /\+sentinel or \+cluster/],
  ] as const) {
    it(`${url} is refused with its reason`, () => {
      assert.throws(() => parseQueueUrl(url), refused(why));
    });
  }
});
