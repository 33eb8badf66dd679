// Kinds of alarms, each by what raises it in a gateway that works. (Malware, a scanner that is away, smuggling and refused relays:
// watching.test.ts.)
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import type { AlarmKind } from '../../src/message/status.ts';
import { BURST_PER_MINUTE } from '../../src/ops/alarms.ts';
import { folderOf, newMessageId, shardOf, type MessageId } from '../../src/message/id.ts';
import { Control } from '../faults/control.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { gatewayEnv, runMugai, startGatewayProcess } from '../support/gateway-process.ts';
import { addPerson, firstAdministrator, messageId } from '../support/portal.ts';
import { scratch, until } from '../support/scratch.ts';
import { SmtpDialog } from '../support/smtp-dialog.ts';

interface Told {
  readonly kind: AlarmKind;
  readonly subject: string;
  readonly detail: string;
}

/** Alarms of a kind, as `/status` tells them. */
async function alarmsOf(opsPort: number, kind: AlarmKind): Promise<Told[]> {
  const answer = await fetch(`http://127.0.0.1:${opsPort}/status`);
  const { processes } = (await answer.json()) as { processes: { alarms: Told[] }[] };
  return processes.flatMap(({ alarms }) => alarms).filter((one) => one.kind === kind);
}

/** Waits for the first alarm of a kind; its count must be in the metrics, too. */
async function alarm(opsPort: number, kind: AlarmKind, ms = 30_000): Promise<Told> {
  let found: Told | undefined;
  await until(async () => (found = (await alarmsOf(opsPort, kind))[0]) !== undefined, ms, `an alarm: ${kind}`);
  const metrics = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  assert.match(metrics, new RegExp(`mugai_alarms_total\\{kind="${kind}"\\} [1-9]`));
  assert.ok(found !== undefined);
  return found;
}

function descendants(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').trim().split(/\s+/))
      .filter((text) => text !== '')
      .flatMap((text) => [Number(text), ...descendants(Number(text))]);
  } catch {
    return []; // it ended meanwhile
  }
}

/** Mails that were delivered into the folder. */
async function mailsIn(folder: string): Promise<string[]> {
  return (await readdir(folder).catch((): string[] => [])).filter((name) => name.endsWith('.eml'));
}

describe('alarms', { timeout: 900_000 }, () => {
  it('burst: more mails of one domain in a minute than a real sender has; as many of two domains are none', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path, {}, {}, 'ingress');
    const send = async (domain: string, mails: number): Promise<void> => {
      await using dialog = await SmtpDialog.open(gateway.smtpPort ?? 0);
      await dialog.reply();
      await dialog.say('EHLO a');
      for (let mail = 0; mail < mails; mail++) {
        await dialog.say(`MAIL FROM:<a@${domain}>`);
        await dialog.say('RCPT TO:<staff@city.example.lg.jp>');
        await dialog.say('DATA');
        assert.match(await dialog.say('Subject: x\r\n\r\nx\r\n.'), /^250/);
      }
    };
    await send('calm.example', BURST_PER_MINUTE);
    assert.deepEqual(await alarmsOf(gateway.opsPort, 'burst'), []);
    // A minute may end in between; then the second half alone is no burst, and the count begins anew.
    for (let tries = 0; tries < 4 && (await alarmsOf(gateway.opsPort, 'burst')).length === 0; tries++) {
      await until(() => new Date().getSeconds() < 20, 60_000, 'a minute with time left');
      await send('loud.example', BURST_PER_MINUTE + 1);
    }
    assert.equal((await alarm(gateway.opsPort, 'burst')).subject, 'loud.example');
  });

  it('turned-away: a client with more connections than it may have', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path, { MUGAI_SMTP_RELAYS: '192.0.2.1' }, {}, 'ingress');
    const open: SmtpDialog[] = [];
    for (let at = 0; at <= LIMITS.clientConnections; at++) open.push(await SmtpDialog.open(gateway.smtpPort ?? 0));
    assert.equal((await alarm(gateway.opsPort, 'turned-away')).subject, '127.0.0.1');
    for (const dialog of open) await dialog[Symbol.asyncDispose]();
  });

  it('gate-refused: a package under a number that is not its own', async () => {
    await using folder = await scratch();
    {
      await using gateway = await startTestGateway(folder.path);
      assert.match(await sendMail(gateway.smtpPort ?? 0, plainMail('honest')), /^250/);
      const delivered = join(folder.path, 'delivered');
      await until(async () => (await mailsIn(delivered)).length > 0, 60_000, 'delivered');
    }
    const outbox = join(folder.path, 'outbox');
    const honest = (await readdir(outbox, { recursive: true })).find((name) => /\/[0-9a-z]{26}$/.test(name)) ?? '';
    const id = newMessageId();
    await cp(join(outbox, honest), join(outbox, shardOf(id), id), { recursive: true });
    await using gateway = await startTestGateway(folder.path, {}, {}, 'inner');
    assert.equal((await alarm(gateway.opsPort, 'gate-refused')).subject, id);
  });

  it('gate-refused: a package that no longer holds when somebody opens it in the portal', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    assert.match(await sendMail(gateway.smtpPort ?? 0, plainMail('honest')), /^250/);
    const delivered = join(folder.path, 'delivered');
    await until(async () => (await mailsIn(delivered)).length > 0, 60_000, 'delivered');
    const kanri = await firstAdministrator(gateway);
    const staff = await addPerson(kanri, 'hanako', ['staff'], 'staff@city.example.lg.jp');
    const id = await messageId(staff, 'honest');
    assert.equal((await staff.get(`/messages/${id}`)).status, 200);
    await writeFile(join(folder.path, 'outbox', folderOf(id as MessageId), 'message.txt'), 'changed\n');
    assert.equal((await staff.get(`/messages/${id}`)).status, 409);
    const metrics = await (await fetch(`http://127.0.0.1:${gateway.opsPort}/metrics`)).text();
    assert.match(metrics, /^mugai_gate_refusals_total\{reason="file-digest"\} [1-9]/m);
    assert.equal((await alarm(gateway.opsPort, 'gate-refused')).subject, id);
  });

  it('disk: too little room is left', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path, { MUGAI_LEAST_FREE_MB: '999999' }, {}, 'ingress');
    const room = await alarm(gateway.opsPort, 'disk');
    assert.equal(room.subject, 'spool');
    assert.match(room.detail, /^\d+ MB free: the doors say later$/);
  });

  it('journal: a line that cannot be written; mail waits at the door meanwhile, and the chain holds when it can again', async () => {
    await using folder = await scratch();
    const control = new Control(folder.path);
    const root = join(folder.path, 'data');
    const gateway = await startGatewayProcess({ ...gatewayEnv(root), ...control.env(root) });
    try {
      await control.set({ disk: { journal: 'ENOSPC' } });
      assert.match(await sendMail(gateway.smtpPort, plainMail('unwritten')), /^4/);
      const told = await alarm(gateway.opsPort, 'journal');
      assert.equal(told.subject, 'outer');
      assert.match(told.detail, /^write: .*ENOSPC/);
      await control.set({});
      assert.match(await sendMail(gateway.smtpPort, plainMail('written')), /^250/);
    } finally {
      await gateway.end('SIGTERM');
    }
    const { code, stdout } = await runMugai(['audit', 'verify'], { MUGAI_DATA_DIR: root });
    assert.equal(code, 0, stdout);
  });

  it('child-killed: a child that gives no answer is stopped, and its mail is refused, which its reader is told', async () => {
    await using folder = await scratch();
    const gateway = await startGatewayProcess(gatewayEnv(folder.path, { MUGAI_WORKERS: '1' }));
    try {
      const isMail = (pid: number): boolean => {
        try {
          return /\0[^\0]*workers\/mail\.ts/.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
        } catch {
          return false; // it ended meanwhile
        }
      };
      let children: number[] = [];
      await until(
        () => (children = descendants(gateway.process.pid ?? 0).filter(isMail)).length > 0,
        60_000,
        'a child for mails',
      );
      for (const pid of children) process.kill(pid, 'SIGSTOP');
      assert.match(await sendMail(gateway.smtpPort, plainMail('patient')), /^250/);
      assert.deepEqual(
        await alarm(gateway.opsPort, 'child-killed', 90_000).then(({ subject, detail }) => [subject, detail]),
        ['mail', 'timeout'],
      );
      const delivered = join(folder.path, 'delivered');
      const eml = async (): Promise<string> => (await mailsIn(delivered))[0] ?? '';
      await until(async () => (await eml()) !== '', 60_000, 'the mail arrives');
      assert.match(readFileSync(join(delivered, await eml()), 'latin1'), /X-Mugai-State: refused/);
    } finally {
      await gateway.end('SIGKILL');
    }
  });

  it('given-up: a message that cannot be made harmless in any attempt', async () => {
    await using folder = await scratch();
    {
      await using door = await startTestGateway(folder.path, {}, {}, 'ingress');
      assert.match(
        await sendMail(door.smtpPort ?? 0, plainMail('large', 'x'.repeat(70) + '\r\n'.padEnd(72, 'y').repeat(1500))),
        /^250/,
      );
    }
    const spool = join(folder.path, 'spool');
    const raw = (await readdir(spool, { recursive: true })).find((name) => name.endsWith('.raw')) ?? '';
    assert.notEqual(raw, '');
    await rm(join(spool, raw)); // what a broken disk may do
    await using gateway = await startTestGateway(folder.path);
    const told = await alarm(gateway.opsPort, 'given-up', 90_000);
    assert.equal(told.subject, raw.slice(-30, -4));
    assert.match(told.detail, /raw bytes of \w+ are gone/);
  });
});
