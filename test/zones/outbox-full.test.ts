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
