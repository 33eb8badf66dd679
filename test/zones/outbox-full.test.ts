// An outbox that takes nothing is seen at the doors by the queue, as workers that are behind are; one message that it does not take is not.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseMessageId, type MessageId } from '../../src/message/id.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { scratch, until } from '../support/scratch.ts';
import { SmtpDialog } from '../support/smtp-dialog.ts';

it('while the outbox is full the doors say later, and open when it takes packages again; nothing is lost', async () => {
  await using folder = await scratch();
  let full = false;
  const fault = (_act: string, path: string): void => {
    if (full && path.includes('/outbox/')) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
  };
  await using gateway = await startTestGateway(folder.path, { MUGAI_MOST_WAIT_SECONDS: '12' }, { fault });
  full = true;
  const reply = await sendMail(gateway.smtpPort ?? 0, plainMail('full'));
  const id = parseMessageId(/queued as (\w+)/.exec(reply)?.[1] ?? '');
  assert.ok(id !== undefined, reply);
  const mark = async (): Promise<string> =>
    /mugai_pressure\{reason="queue"\} (\d)/.exec(
      await (await fetch(`http://127.0.0.1:${gateway.opsPort}/metrics`)).text(),
    )?.[1] ?? '';
  await until(async () => (await mark()) === '1', 60_000, 'the doors close');
  await sleep(8000); // longer than five attempts' last wait: they stay closed
  assert.equal(await mark(), '1');
  await using dialog = await SmtpDialog.open(gateway.smtpPort ?? 0);
  await dialog.reply();
  await dialog.say('EHLO test.example');
  assert.match(await dialog.say('MAIL FROM:<sender@example.com>'), /^452 /);
  full = false;
  await until(async () => (await mark()) === '0', 60_000, 'the doors open');
  await until(async () => (await gateway.ledger?.end(id))?.record.stage === 'delivered', 60_000, 'delivered');
});

/** Doors and worker as two gateways over one spool, without Redis. */
async function startApart(dataDir: string, waitSeconds: number, fault: (act: string, path: string) => void) {
  const env = { MUGAI_MOST_WAIT_SECONDS: String(waitSeconds) };
  const worker = await startTestGateway(dataDir, {}, { fault }, 'worker');
  const doors = await startTestGateway(dataDir, env, {}, 'ingress');
  const mark = async (): Promise<string> =>
    /mugai_pressure\{reason="queue"\} (\d)/.exec(
      await (await fetch(`http://127.0.0.1:${doors.opsPort}/metrics`)).text(),
    )?.[1] ?? '';
  const send = async (subject: string): Promise<MessageId> => {
    const reply = await sendMail(doors.smtpPort ?? 0, plainMail(subject));
    const id = parseMessageId(/queued as (\w+)/.exec(reply)?.[1] ?? '');
    assert.ok(id !== undefined, reply);
    return id;
  };
  const sealed = async (id: MessageId): Promise<void> =>
    until(async () => (await worker.spool?.stageOf(id)) === 'sealed', 90_000, 'sealed');
  const stop = async (): Promise<void> => {
    await doors.stop();
    await worker.stop();
  };
  return { worker, mark, send, sealed, [Symbol.asyncDispose]: stop };
}

it('without a queue between door and worker, too, a full outbox closes the doors until it takes packages again', async () => {
  await using folder = await scratch();
  let full = false;
  const fault = (_act: string, path: string): void => {
    if (full && path.includes('/outbox/')) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
  };
  await using apart = await startApart(folder.path, 12, fault);
  full = true;
  const id = await apart.send('full');
  await until(async () => (await apart.mark()) === '1', 60_000, 'the doors close');
  full = false;
  await until(async () => (await apart.mark()) === '0', 60_000, 'the doors open');
  await apart.sealed(id);
});

it('without a queue between door and worker one message that cannot be sealed leaves the doors open; a worker that is gone closes them', async () => {
  await using folder = await scratch();
  let odd = '';
  let broken = true;
  const fault = (act: string, path: string): void => {
    const [, id = ''] = /[/]outbox[/]\d{8}-\d\d[/](\w{26})$/.exec(path) ?? [];
    if (!broken || act !== 'rename' || id === '') return;
    odd ||= id; // the first one that comes
    if (id === odd) throw Object.assign(new Error('bad sector'), { code: 'EIO' });
  };
  await using apart = await startApart(folder.path, 6, fault);
  const first = await apart.send('odd');
  await until(async () => odd !== '', 60_000, 'it fails');
  assert.equal(odd, first);
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(500)) assert.equal(await apart.mark(), '0');
  await apart.sealed(await apart.send('another'));
  broken = false;
  await apart.sealed(first);
  await apart.worker.stop();
  await apart.send('nobody takes it');
  await until(async () => (await apart.mark()) === '1', 120_000, 'the doors close');
});

it('one message that cannot be sealed leaves the doors open and is named by an alarm; it is sealed when it can be', async () => {
  await using folder = await scratch();
  let odd = '';
  let broken = true;
  const fault = (act: string, path: string): void => {
    const [, id = ''] = /[/]outbox[/]\d{8}-\d\d[/](\w{26})$/.exec(path) ?? [];
    if (!broken || act !== 'rename' || id === '') return;
    odd ||= id; // the first one that comes
    if (id === odd) throw Object.assign(new Error('bad sector'), { code: 'EIO' });
  };
  await using gateway = await startTestGateway(folder.path, { MUGAI_MOST_WAIT_SECONDS: '6' }, { fault });
  const send = async (subject: string): Promise<MessageId> => {
    const reply = await sendMail(gateway.smtpPort ?? 0, plainMail(subject));
    const id = parseMessageId(/queued as (\w+)/.exec(reply)?.[1] ?? '');
    assert.ok(id !== undefined, reply);
    return id;
  };
  const ends = async (id: MessageId): Promise<void> =>
    until(async () => (await gateway.ledger?.end(id))?.record.stage === 'delivered', 90_000, 'delivered');
  const first = await send('odd');
  await until(async () => odd !== '', 60_000, 'it fails');
  assert.equal(odd, first);
  const marks = new Set<string | undefined>();
  await until(
    async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${gateway.opsPort}/metrics`)).text();
      marks.add(/mugai_pressure\{reason="queue"\} (\d)/.exec(metrics)?.[1]);
      return !metrics.includes('mugai_alarms_total{kind="given-up"} 0');
    },
    90_000,
    'the alarm',
  );
  assert.deepEqual([...marks], ['0']);
  await ends(await send('another'));
  broken = false;
  await ends(first);
});
