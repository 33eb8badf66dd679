// A door that closes: what becomes of the mails that are coming, and of sessions that do nothing.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openTestDoor, ready } from '../support/door.ts';
import { SmtpDialog } from '../support/smtp-dialog.ts';

/** Longer than the time smtp-server would give by itself. */
const SLOW_MS = 6500;

describe('an SMTP door that closes', () => {
  it('lets a mail that is coming slowly end within the time a stop may take, and says goodbye to who does nothing', async () => {
    await using door = await openTestDoor();
    await using idle = await SmtpDialog.open(door.port);
    assert.match(await idle.reply(), /^220 /);
    await using slow = await ready(door.port);
    const began = performance.now();
    const closed = door.close(30_000);
    assert.match(await idle.reply(5000), /^421 4\.3\.2 /);
    for (const until = Date.now() + SLOW_MS; Date.now() < until; await sleep(500)) slow.write('one more line\r\n');
    slow.write('.\r\n');
    assert.match(await slow.reply(5000), /^250 2\.0\.0 Ok: queued/);
    await closed;
    assert.ok(performance.now() - began < SLOW_MS + 5000, 'it is over with its last mail');
    assert.equal(door.taken.length, 1);
  });

  it('ends a mail that does not end when the time is over', async () => {
    await using door = await openTestDoor();
    await using slow = await ready(door.port);
    const began = performance.now();
    await door.close(1000);
    assert.ok(performance.now() - began < 4000);
    assert.equal(await slow.reply(2000), '');
    assert.equal(door.taken.length, 0);
  });
});
