// What is watched of a gateway that works: traces at a small OTLP receiver, a second opinion by a real clamd, alarms by mail,
// `mugai status`.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseMessageId } from '../../src/message/id.ts';
import { rootSpanOf, traceIdOf } from '../../src/ops/traces.ts';
import { startClamd, TEST_MALWARE } from '../support/clamd.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { runMugai } from '../support/gateway-process.ts';
import { startInnerServer } from '../support/inner-server.ts';
import { SmtpDialog } from '../support/smtp-dialog.ts';
import { scratch, until } from '../support/scratch.ts';
import { writeFile } from 'node:fs/promises';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

async function startOtlp() {
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as {
        resourceSpans: { scopeSpans: { spans: Span[] }[] }[];
      };
      if (request.url === '/v1/traces')
        spans.push(...body.resourceSpans.flatMap((one) => one.scopeSpans.flatMap((scope) => scope.spans)));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, spans, [Symbol.asyncDispose]: async () => void server.close() };
}

async function deliveredIds(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'delivered')).catch(() => []);
  return names.filter((name) => name.endsWith('.eml')).map((name) => name.slice(0, 26));
}

/** A mail with one attachment. */
function withAttachment(subject: string, content: string): string {
  const head = `From: a@example.com\r\nTo: staff@city.example.lg.jp\r\nSubject: ${subject}\r\nMIME-Version: 1.0\r\n`;
  const part = (type: string, text: string): string => `--b\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`;
  return `${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n${part('text/plain', 'body')}${part('text/plain; name=a.txt', content)}--b--`;
}

describe('traces', { timeout: 580_000 }, () => {
  it('a message is one trace from door to inner server, its id the message id, BullMQ told in it', async () => {
    await using folder = await scratch();
    await using otlp = await startOtlp();
    {
      await using gateway = await startTestGateway(folder.path, { MUGAI_OTLP_URL: otlp.url });
      await sendMail(gateway.smtpPort ?? 0, plainMail('跡'));
      await until(async () => (await deliveredIds(folder.path)).length === 1, 60_000, 'delivered');
    }
    const id = parseMessageId((await deliveredIds(folder.path))[0] ?? '');
    assert.ok(id !== undefined);
    const mine = otlp.spans.filter(({ traceId }) => traceId === traceIdOf(id));
    const names = mine.map(({ name }) => name);
    for (const name of ['receive', 'sanitise', 'seal', 'deliver', 'convert mail'])
      assert.ok(names.includes(name), names.join());
    assert.ok(
      names.some((name) => /addBulk|add /.test(name)),
      `BullMQ: ${names.join()}`,
    );
    const root = mine.find(({ name }) => name === 'receive');
    assert.equal(root?.spanId, rootSpanOf(id));
    const known = new Set(mine.map(({ spanId }) => spanId));
    for (const { name, parentSpanId } of mine)
      if (name !== 'receive') assert.ok(known.has(parentSpanId ?? ''), `${name} hangs in the air`);
  });
});

describe('a second opinion by clamd', { timeout: 580_000 }, () => {
  it('a part that clamd knows is refused as malware and raises an alarm; the mail goes on', async () => {
    await using folder = await scratch();
    await using clamd = await startClamd(folder.path);
    await using gateway = await startTestGateway(join(folder.path, 'var'), { MUGAI_CLAMD: clamd.socket });
    await sendMail(gateway.smtpPort ?? 0, withAttachment('bad', `x ${TEST_MALWARE} x`));
    await sendMail(gateway.smtpPort ?? 0, withAttachment('good', 'harmless'));
    await until(async () => (await deliveredIds(join(folder.path, 'var'))).length === 2, 60_000, 'both delivered');
    const metrics = await (await fetch(`http://127.0.0.1:${gateway.opsPort}/metrics`)).text();
    assert.match(metrics, /mugai_parts_total\{[^}]*verdict="refused",reason="malware"\} 1/);
    assert.match(metrics, /mugai_alarms_total\{kind="malware"\} [1-9]/);
  });

  for (const [unscanned, verdict] of [
    ['pass', /verdict="text"[^}]*\} 2/],
    ['hold', /verdict="held",reason="policy"\} 1/],
  ] as const)
    it(`no answer: ${unscanned} by policy, told and alarmed, never silent`, async () => {
      await using folder = await scratch();
      const policy = join(folder.path, 'policy.yaml');
      await writeFile(policy, `name: t\nversion: '1'\nunscanned: ${unscanned}\n`);
      const data = join(folder.path, 'var');
      await using gateway = await startTestGateway(data, {
        MUGAI_CLAMD: join(folder.path, 'nobody.sock'),
        MUGAI_POLICY_FILE: policy,
      });
      await sendMail(gateway.smtpPort ?? 0, withAttachment('alone', 'harmless'));
      await until(async () => (await deliveredIds(data)).length === 1, 60_000, 'delivered');
      const metrics = await (await fetch(`http://127.0.0.1:${gateway.opsPort}/metrics`)).text();
      assert.match(metrics, /mugai_alarms_total\{kind="scanner-away"\} [1-9]/);
      assert.match(metrics, verdict);
      const [id = ''] = await deliveredIds(data);
      const folders = await readdir(join(data, 'outbox'), { recursive: true });
      const manifest = folders.find((name) => name.includes(`${id}/manifest`)) ?? '';
      const { payload } = JSON.parse(await readFile(join(data, 'outbox', manifest), 'utf8')) as { payload: string };
      assert.match(Buffer.from(payload, 'base64').toString(), /"code":"not-scanned","detail":""/);
    });
});

describe('alarms', { timeout: 580_000 }, () => {
  it('smuggling and refused relays are counted, told by mugai status, and mailed by the inner side', async () => {
    await using folder = await scratch();
    await using inner = await startInnerServer();
    await using gateway = await startTestGateway(folder.path, {
      MUGAI_INNER_SMTP_URL: inner.url,
      MUGAI_ALARM_MAIL: 'joho@city.example.lg.jp',
    });
    {
      await using dialog = await SmtpDialog.open(gateway.smtpPort ?? 0);
      await dialog.reply();
      await dialog.say('EHLO a');
      await dialog.say('MAIL FROM:<a@example.com>');
      assert.match(await dialog.say('RCPT TO:<b@elsewhere.example>'), /^550/);
      dialog.write('NOOP\nNOOP\r\n');
      assert.match(await dialog.reply(), /^554/);
    }
    await until(() => inner.taken.some(({ to }) => to.includes('joho@city.example.lg.jp')), 60_000, 'the mail came');
    const env = { MUGAI_OPS_LISTEN: `127.0.0.1:${gateway.opsPort}` };
    const json = await runMugai(['status', '--json'], env);
    assert.equal(json.code, 0, json.stderr);
    const { processes } = JSON.parse(json.stdout) as {
      processes: { role: string; alarms: { kind: string; subject: string }[] }[];
    };
    const kinds = processes.flatMap(({ alarms }) => alarms.map(({ kind }) => kind));
    for (const kind of ['smuggling', 'relay-refused']) assert.ok(kinds.includes(kind), kinds.join());
    const plain = await runMugai(['status'], env);
    assert.match(plain.stdout, /^all-.* ready$/m);
    assert.match(plain.stdout, /queue {5}sanitise: 0 waiting, 0 active/);
    assert.match(plain.stdout, /alarm .* smuggling 127\.0\.0\.1/);
    const none = await runMugai(['status'], { MUGAI_OPS_LISTEN: '127.0.0.1:1' });
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^mugai: no gateway answers at http:\/\/127\.0\.0\.1:1\/status/);
  });
});
