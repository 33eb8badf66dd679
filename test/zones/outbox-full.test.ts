// An outbox that takes nothing is seen at the doors by the queue, as workers that are behind are.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseMessageId } from '../../src/message/id.ts';
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
