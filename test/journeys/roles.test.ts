// The roles as their operator runs them: stopped by signals, and apart in three processes.
import assert from 'node:assert/strict';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gatewayEnv, startGatewayProcess } from '../support/gateway-process.ts';
import { plainMail, sendMail } from '../support/gateway.ts';
import { startInnerServer } from '../support/inner-server.ts';
import { scratch, until } from '../support/scratch.ts';
import { SmtpDialog } from '../support/smtp-dialog.ts';

describe('a signal', () => {
  it('SIGTERM stops in order with exit 0, and what was accepted is delivered after the next start', async () => {
    await using folder = await scratch();
    await using inner = await startInnerServer();
    inner.refuse.data = () => 451; // nothing can be delivered before the restart
    const env = gatewayEnv(folder.path, { MUGAI_INNER_SMTP_URL: inner.url, MUGAI_RETRY_SECONDS: '1' });
    const first = await startGatewayProcess(env);
    for (let i = 0; i < 10; i++) assert.match(await sendMail(first.smtpPort, plainMail(`mail ${i}`)), /^250/);
    const idle = await SmtpDialog.open(first.smtpPort);
    await idle.reply();
    const asked = Date.now();
    assert.equal(await first.end('SIGTERM'), 0);
    assert.ok(Date.now() - asked < 15_000, 'an idle connection does not hold the stop');
    await idle[Symbol.asyncDispose]();
    inner.refuse = {};
    const second = await startGatewayProcess(env);
    await until(() => inner.taken.length === 10, 60_000, 'all ten arrive');
    assert.equal(await second.end('SIGTERM'), 0);
    assert.equal(inner.taken.length, 10);
  });

  it('a second one ends at once', async () => {
    await using folder = await scratch();
    const gateway = await startGatewayProcess(gatewayEnv(folder.path));
    const slow = await SmtpDialog.open(gateway.smtpPort);
    await slow.toData('staff@city.example.lg.jp'); // keeps the orderly stop busy for some seconds
    gateway.process.kill('SIGTERM');
    await until(() => gateway.lines.some((line) => line.includes('"stopping"')), 60_000, 'it is stopping');
    const asked = Date.now();
    assert.equal(await gateway.end('SIGTERM'), 'SIGKILL');
    assert.ok(Date.now() - asked < 10_000);
    await slow[Symbol.asyncDispose]();
  });
});

describe('three processes', () => {
  it('carry mail from door to inner server; the inner one has neither spool nor signing key; a killed worker loses nothing', async () => {
    await using folder = await scratch();
    await using server = await startInnerServer();
    const outside = join(folder.path, 'outside');
    const env = gatewayEnv(outside);
    let worker = await startGatewayProcess(env, 'worker'); // makes the keys
    const ingress = await startGatewayProcess(env, 'ingress');
    const inside = join(folder.path, 'inside');
    await mkdir(join(inside, 'keys'), { recursive: true });
    for (const key of ['verify-key.pem', 'sealing-key.pem'])
      await cp(join(outside, 'keys', key), join(inside, 'keys', key));
    await symlink(join(outside, 'outbox'), join(inside, 'outbox'));
    const inner = await startGatewayProcess(gatewayEnv(inside, { MUGAI_INNER_SMTP_URL: server.url }), 'inner');

    assert.match(await sendMail(ingress.smtpPort, plainMail('first')), /^250/);
    await until(() => server.taken.length === 1, 60_000, 'the first mail');
    await worker.end('SIGKILL');
    for (let i = 0; i < 20; i++) assert.match(await sendMail(ingress.smtpPort, plainMail(`while gone ${i}`)), /^250/);
    worker = await startGatewayProcess(env, 'worker');
    await until(() => server.taken.length === 21, 60_000, 'the twenty others');
    for (const gateway of [ingress, worker, inner]) assert.equal(await gateway.end('SIGTERM'), 0);
    assert.equal(new Set(server.taken.map((mail) => mail.messageId)).size, 21);
  });
});
