// Row 120: over a mark the doors say later, and open again by themselves, not at once.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { openMetrics } from '../../src/ops/metrics.ts';
import { Pressure } from '../../src/ops/pressure.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { SmtpDialog } from '../support/smtp-dialog.ts';
import { scratch, until } from '../support/scratch.ts';

describe('row 120: backpressure', () => {
  it('closes at one mark and opens at another: a value between them changes nothing', async () => {
    let free: number | undefined = 1000;
    const changes: string[] = [];
    const mark = { reason: 'disk', read: async () => free, bad: 'low', closeAt: 100, openAt: 150 } as const;
    const { pressure: gauge } = openMetrics(false);
    const pressure = new Pressure([mark], { gauge, onChange: (reason, closed) => changes.push(`${reason} ${closed}`) });
    const states: boolean[] = [];
    for (const value of [1000, 120, 100, 99, 120, 149, undefined, 150, 151, 120]) {
      free = value;
      await pressure.look();
      states.push(pressure.fault() !== undefined);
    }
    assert.deepEqual(states, [false, false, true, true, true, true, true, false, false, false]);
    assert.deepEqual(changes, ['disk true', 'disk false']);
  });

  it('a mark that cannot be read closes nothing', async () => {
    const read = async (): Promise<number> => Promise.reject(new Error('gone'));
    const mark = { reason: 'queue', read, bad: 'high', closeAt: 100, openAt: 50 } as const;
    const pressure = new Pressure([mark], { gauge: openMetrics(false).pressure, onChange: () => undefined });
    await pressure.look();
    assert.equal(pressure.fault(), undefined);
  });

  it('says when it is worth coming again: as long as the oldest still has to wait, the longest of several reasons', async () => {
    let age = 400;
    let free = 100;
    const queue = {
      reason: 'queue',
      read: async () => age,
      bad: 'high',
      closeAt: 300,
      openAt: 150,
      retryAfterSeconds: (value: number) => value - 150,
    } as const;
    const disk = { reason: 'disk', read: async () => free, bad: 'low', closeAt: 50, openAt: 75 } as const;
    const pressure = new Pressure([queue, disk], { gauge: openMetrics(false).pressure, onChange: () => undefined });
    const seconds = async (): Promise<number | undefined> => {
      await pressure.look();
      return pressure.fault()?.retryAfterSeconds;
    };
    assert.equal(await seconds(), 250);
    age = 200;
    assert.equal(await seconds(), 50, 'it is less by now');
    age = 100_000;
    assert.equal(await seconds(), LIMITS.retryAfterMostSeconds);
    age = 151;
    assert.equal(await seconds(), LIMITS.retryAfterLeastSeconds);
    free = 10;
    assert.equal(await seconds(), LIMITS.retryAfterSeconds, 'nobody knows when somebody makes room');
  });

  it('is 452 at MAIL and 503 with Retry-After on HTTP, is counted, and the mail accepted before goes on', async () => {
    await using folder = await scratch();
    await using open = await startTestGateway(folder.path);
    assert.match(await sendMail(open.smtpPort ?? 0, plainMail('before')), /^250/);
    await open.stop();
    // No disk has that much room: the doors are closed from the start.
    await using gateway = await startTestGateway(folder.path, { MUGAI_LEAST_FREE_MB: '999999' });
    await until(
      async () =>
        (await fetch(`http://127.0.0.1:${gateway.opsPort}/metrics`))
          .text()
          .then((text) => text.includes('mugai_pressure{reason="disk"} 1')),
      60_000,
      'closed',
    );
    await using dialog = await SmtpDialog.open(gateway.smtpPort ?? 0);
    await dialog.reply();
    await dialog.say('EHLO test.example');
    assert.match(await dialog.say('MAIL FROM:<sender@example.com>'), /^452 4\.3\.1 /);
    const form = new FormData();
    form.set('to', 'staff@city.example.lg.jp');
    form.set('file', new Blob(['x']), 'x.txt');
    const answer = await fetch(`http://127.0.0.1:${gateway.uploadPort}/v1/files`, { method: 'POST', body: form });
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), String(LIMITS.retryAfterSeconds));
    await until(
      async () => (await gateway.spool?.unfinished(10))?.sanitise.length === 0,
      60_000,
      'what was accepted goes on',
    );
  });
});
