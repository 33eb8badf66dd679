// Trouble that comes while mail is on the road: nothing of it may end a mail, a scrape or a stop wrongly.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseMessageId, type MessageId } from '../../src/message/id.ts';
import { generateKeys } from '../../src/outbox/keys.ts';
import type { Gateway } from '../../src/roles.ts';
import { treeOf } from '../../src/sandbox/process-tree.ts';
import { gatewayEnv, startGatewayProcess } from '../support/gateway-process.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { startInnerServer } from '../support/inner-server.ts';
import { startRedis } from '../support/redis.ts';
import { scratch, until } from '../support/scratch.ts';
import { SmtpDialog } from '../support/smtp-dialog.ts';

function idOf(reply: string): MessageId {
  const id = parseMessageId(/queued as (\w+)/.exec(reply)?.[1] ?? '');
  assert.ok(id !== undefined, `not accepted: ${reply}`);
  return id;
}

async function recordOf(gateway: Gateway, id: MessageId) {
  await until(async () => (await gateway.ledger?.end(id)) !== undefined, 60_000, `end of ${id}`);
  const end = await gateway.ledger?.end(id);
  assert.ok(end !== undefined);
  return end.record;
}

async function get(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(15_000) });
  return { status: response.status, body: await response.text() };
}

/** Descriptors that are enough for a mail and the spool; a child takes ten. */
const FEW = 6;

/** Leaves a process so many descriptors that are free. */
function leaveDescriptors(pid: number, free: number): void {
  const used = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let most = 0;
  for (let left = free; left > 0; most++) if (!used.has(most)) left -= 1;
  execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${most}:`]);
}

/** Kills every child that is ready or at work. */
function killChildren(gateway: number): void {
  for (const pid of [...treeOf(gateway)].filter((one) => one !== gateway)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it went with its parent
    }
  }
}

/** A mail with text and a text file of 100,000 characters, whose output does not fit into memory and so is staged. */
function mailWithFile(name: string): string {
  return [
    'From: a@example.com',
    'To: staff@city.example.lg.jp',
    'Subject: file',
    'Content-Type: multipart/mixed; boundary=B',
    '',
    '--B',
    'Content-Type: text/plain; charset=utf-8',
    '',
    '本文です',
    '--B',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Disposition: attachment; filename*=utf-8''${encodeURIComponent(name)}`,
    '',
    'これは長いファイルです。\r\n'.repeat(8000),
    '--B--',
  ].join('\r\n');
}

describe('while mail is on the road', () => {
  for (const letter of ['あ', '𠮷']) {
    it(`an attachment whose name is 100 times ${letter} is delivered, and so is the body`, async () => {
      await using folder = await scratch();
      await using gateway = await startTestGateway(folder.path);
      const id = idOf(await sendMail(gateway.smtpPort ?? 0, mailWithFile(`${letter.repeat(100)}.txt`)));
      assert.equal((await recordOf(gateway, id)).stage, 'delivered');
      const eml = await readFile(join(folder.path, 'delivered', `${id}.eml`), 'latin1');
      assert.match(eml, /X-Mugai-State: sanitised/);
    });
  }

  it('a disk that is full for longer than all attempts would take only delays a mail', async () => {
    await using folder = await scratch();
    let full = true;
    let refused = 0;
    const fault = (act: string, path: string): void => {
      if (!full || act !== 'write' || !/\/spool\/tmp\//.test(path)) return;
      refused += 1;
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    };
    await using gateway = await startTestGateway(folder.path, {}, { fault });
    full = false;
    const reply = sendMail(gateway.smtpPort ?? 0, mailWithFile('f.txt'));
    const id = idOf(await reply);
    full = true;
    // The spool takes the mail before the disk fills; if sanitising was quicker than we were, the test says nothing.
    assert.ok(gateway.spool !== undefined);
    assert.equal(await gateway.spool.stageOf(id), 'spooled', 'too late to fill the disk');
    await sleep(22_000); // five attempts with their doubling waits end after 15 s
    assert.ok(refused >= 2, `${refused} attempts met the full disk`);
    assert.equal(await gateway.spool.stageOf(id), 'spooled');
    full = false;
    assert.equal((await recordOf(gateway, id)).stage, 'delivered');
    const eml = await readFile(join(folder.path, 'delivered', `${id}.eml`), 'latin1');
    assert.match(eml, /X-Mugai-State: sanitised/);
  });

  it('children that cannot be started for longer than all attempts would take only delay a mail, which an alarm tells', async () => {
    await using folder = await scratch();
    const gateway = await startGatewayProcess(gatewayEnv(folder.path, { MUGAI_WORKERS: '1' }));
    const pid = gateway.process.pid ?? 0;
    try {
      killChildren(pid);
      await until(() => [...treeOf(pid)].length === 1, 60_000, 'no child is left');
      await sleep(1000); // their pipes are closed
      leaveDescriptors(pid, FEW);
      const id = idOf(await sendMail(gateway.smtpPort, plainMail('patient')));
      // Five attempts with their doubling waits end after 15 s; what is closed meanwhile must not make room for a child.
      for (let second = 0; second < 22; second++) {
        leaveDescriptors(pid, FEW);
        await sleep(1000);
      }
      const eml = join(folder.path, 'delivered', `${id}.eml`);
      assert.equal(existsSync(eml), false, 'it waits');
      assert.match((await get(gateway.opsPort, '/metrics')).body, /mugai_alarms_total\{kind="no-child"\} [1-9]/);
      leaveDescriptors(pid, 10_000);
      await until(() => existsSync(eml), 60_000, 'it arrives');
      assert.match(await readFile(eml, 'latin1'), /X-Mugai-State: sanitised/);
    } finally {
      await gateway.end('SIGKILL');
    }
  });

  it('a recipient refused for good while another is deferred is told as refused at the end', async () => {
    await using folder = await scratch();
    await using inner = await startInnerServer();
    await using gateway = await startTestGateway(folder.path, { MUGAI_INNER_SMTP_URL: inner.url });
    let busy = true;
    inner.refuse.rcpt = (address) =>
      address.startsWith('b') ? 550 : address.startsWith('c') && busy ? 451 : undefined;
    await using dialog = await SmtpDialog.open(gateway.smtpPort ?? 0);
    await dialog.reply();
    await dialog.say('EHLO test.example');
    await dialog.say('MAIL FROM:<x@example.com>');
    for (const name of ['a', 'b', 'c']) await dialog.say(`RCPT TO:<${name}@city.example.lg.jp>`);
    await dialog.say('DATA');
    dialog.write(`${plainMail('three')}\r\n.\r\n`);
    const id = idOf(await dialog.reply());
    await until(() => inner.taken.length === 1, 60_000, 'the first');
    busy = false;
    const { stage, accepted, rejected } = await recordOf(gateway, id);
    assert.deepEqual(
      { stage, accepted, rejected },
      {
        stage: 'delivered',
        accepted: ['a@city.example.lg.jp', 'c@city.example.lg.jp'],
        rejected: ['b@city.example.lg.jp'],
      },
    );
  });
});

describe('while somebody asks for its health', () => {
  it('twelve scrapes at once are all answered', async () => {
    await using folder = await scratch();
    const gateway = await startGatewayProcess(gatewayEnv(folder.path));
    try {
      const paths = Array.from({ length: 12 }, (_, at) => (at % 3 === 0 ? '/readyz' : '/metrics'));
      const answers = await Promise.all(paths.map(async (path) => get(gateway.opsPort, path)));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
      assert.match(answers[1]?.body ?? '', /mugai_queue_jobs\{queue="deliver"/, 'the inner thread is counted');
    } finally {
      await gateway.end('SIGKILL');
    }
  });

  it('a Redis that is gone makes /readyz answer 503 and leaves /metrics its other numbers', async () => {
    await using folder = await scratch();
    await using redis = await startRedis();
    const gateway = await startGatewayProcess(gatewayEnv(folder.path, { MUGAI_QUEUE_URL: redis.url }), 'worker');
    try {
      assert.equal((await get(gateway.opsPort, '/readyz')).status, 200);
      await redis.kill();
      const ready = await get(gateway.opsPort, '/readyz');
      assert.equal(ready.status, 503);
      assert.match(ready.body, /"queue":"(?!ok)/);
      const metrics = await get(gateway.opsPort, '/metrics');
      assert.equal(metrics.status, 200);
      assert.match(metrics.body, /mugai_disk_free_bytes\{store="spool"/);
    } finally {
      await gateway.end('SIGKILL');
    }
  });
});

describe('when it is told to stop', () => {
  it('an inner server that never answers does not hold it beyond MUGAI_STOP_SECONDS', async () => {
    await using folder = await scratch();
    const silent = createServer((socket) => {
      socket.on('error', () => undefined);
      let data = false;
      socket.write('220 silent\r\n');
      socket.on('data', (chunk) => {
        if (data) return; // takes the mail and never says a word again
        data = chunk.toString('latin1').startsWith('DATA');
        socket.write(data ? '354 go on\r\n' : '250 ok\r\n');
      });
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const env = { MUGAI_INNER_SMTP_URL: `smtp://127.0.0.1:${port}`, MUGAI_STOP_SECONDS: '4' };
    const gateway = await startGatewayProcess(gatewayEnv(folder.path, env));
    try {
      await using slow = await SmtpDialog.open(gateway.smtpPort);
      await slow.toData();
      slow.write('Subject: half a mail\r\n');
      idOf(await sendMail(gateway.smtpPort, plainMail('whole')));
      await sleep(1500);
      const start = performance.now();
      assert.equal(await gateway.end('SIGTERM'), 0);
      const seconds = (performance.now() - start) / 1000;
      assert.ok(seconds < 25, `${seconds.toFixed(1)} s`); // 4, the grace of what hung, and a busy machine; the courier waits for minutes
    } finally {
      gateway.process.kill('SIGKILL');
      silent.close();
    }
  });
});

describe('before it starts', () => {
  it('keys of two different pairs are told in one line: what is sealed would never be delivered', async () => {
    await using folder = await scratch();
    const file = (name: string): string => join(folder.path, name);
    await generateKeys(file('a.pem'), file('a.pub'));
    await generateKeys(file('b.pem'), file('b.pub'));
    const env = { MUGAI_SIGNING_KEY_FILE: file('a.pem'), MUGAI_VERIFY_KEY_FILE: file('b.pub') };
    await assert.rejects(startTestGateway(join(folder.path, 'var'), env), {
      code: 'bad-config',
      message: /MUGAI_VERIFY_KEY_FILE .*b\.pub does not hold the public key of .*a\.pem/,
    });
  });
});
