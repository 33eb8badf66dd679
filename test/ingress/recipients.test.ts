// Which recipients are ours: a domain in either of its forms, and the postmaster.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { isSender, recipientFault } from '../../src/ingress/recipients.ts';
import { parseMessageId } from '../../src/message/id.ts';
import { readPolicy } from '../../src/policy/policy.ts';
import { Spool } from '../../src/spool/spool.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { DOMAIN, openTestDoor } from '../support/door.ts';
import { startTestGateway } from '../support/gateway.ts';
import { scratch } from '../support/scratch.ts';
import { SmtpDialog } from '../support/smtp-dialog.ts';

const ASCII = 'xn--wgv71a119e.jp';
const UNICODE = '日本語.jp';

describe('recipients', () => {
  it('a domain of other letters is one in both forms, in the configuration, at SMTP and for HTTP', async () => {
    for (const configured of [ASCII, UNICODE]) {
      const domains = new Set(readConfig({ MUGAI_DOMAINS: configured }).domains);
      for (const asked of [ASCII, UNICODE, ASCII.toUpperCase()])
        assert.equal(recipientFault(`staff@${asked}`, domains), undefined, `${asked} at ${configured}`);
      assert.equal(recipientFault('staff@other.jp', domains), 'relay');
      await using door = await openTestDoor({ domains });
      await using dialog = await SmtpDialog.open(door.port);
      await dialog.toData(`staff@${ASCII}`);
      dialog.write('Subject: x\r\n\r\nx\r\n.\r\n');
      await dialog.reply(10_000);
      assert.equal(door.taken.length, 1, configured);
    }
  });

  const POLICY = `name: t\nversion: '1'\nrules: [{ name: held, when: { to: ['@${DOMAIN}'] }, action: hold }]\n`;
  for (const written of ['ＣＩＴＹ.example.lg.jp', 'city.ｅxample.LG.jp']) {
    it(`${written} is kept by SMTP as the domain that it is, once, and a rule for that domain holds`, async () => {
      await using door = await openTestDoor();
      await using dialog = await SmtpDialog.open(door.port);
      await dialog.reply();
      await dialog.say('EHLO test.example');
      await dialog.say('MAIL FROM:<a@b.example> SMTPUTF8');
      for (const to of [`staff@${written}`, `staff@${DOMAIN}`])
        assert.match(await dialog.say(`RCPT TO:<${to}>`), /^250 /, to);
      await dialog.say('DATA');
      dialog.write('Subject: x\r\n\r\nx\r\n.\r\n');
      assert.match(await dialog.reply(10_000), /^250 /);
      const envelope = door.taken[0]?.record.envelope;
      assert.deepEqual(envelope?.to, [`staff@${DOMAIN}`]);
      assert.ok(envelope !== undefined);
      assert.equal(readPolicy(POLICY, 'p').forMessage(envelope).decide('text/plain'), 'hold');
    });
  }

  it('HTTP keeps a domain in its one form, too', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const body = new FormData();
    body.append('to', 'staff@ＣＩＴＹ.example.lg.jp');
    body.append('file', new Blob(['x']), 'a.txt');
    const answer = await fetch(`http://127.0.0.1:${gateway.uploadPort}/v1/files`, { method: 'POST', body });
    assert.equal(answer.status, 202);
    const { files } = (await answer.json()) as { files: { id: string }[] };
    const id = parseMessageId(files[0]?.id ?? '');
    assert.ok(id !== undefined);
    const spool = new Spool(await openFsStore(join(folder.path, 'spool')));
    assert.deepEqual((await spool.spooled(id))?.record.envelope.to, [`staff@${DOMAIN}`]);
  });

  it('a sender of any domain that the DNS may know is taken', () => {
    for (const domain of [
      '中・村.jp',
      'paral·lel.cat',
      '☕.jp',
      'xn--53h.jp',
      'a.example',
      '[192.0.2.1]',
      'xn--wrong.jp',
    ])
      assert.ok(isSender(`a@${domain}`), domain);
    for (const domain of ['', 'a_b.jp', 'a..jp', '日/本.jp', '日:本.jp', '日%41.jp', '日\u00ad本.jp', '-a.jp'])
      assert.equal(isSender(`a@${domain}`), false, domain);
  });

  it('<postmaster> without a domain is taken for the first domain (RFC 5321 §4.5.1)', async () => {
    await using door = await openTestDoor();
    await using dialog = await SmtpDialog.open(door.port);
    await dialog.toData('Postmaster');
    dialog.write('Subject: x\r\n\r\nx\r\n.\r\n');
    await dialog.reply(10_000);
    assert.deepEqual(door.taken[0]?.record.envelope.to, [`Postmaster@${DOMAIN}`]);
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['MUGAI_CLAMD', 'foo:99999'],
    ['MUGAI_CLAMD', 'foo:0'],
    ['MUGAI_SYSLOG_URL', 'tcp://siem.example:0'],
    ['MUGAI_INNER_SMTP_URL', 'smtp://10.0.0.5:0'],
    ['MUGAI_DNS_SERVERS', '192.0.2.53:0'],
    ['MUGAI_SMTP_LISTEN', '127.0.0.1:70000'],
    ['MUGAI_DOMAINS', 'city..jp'],
    ['MUGAI_PORTAL_URL', 'https://x.example/path?x'],
    ['MUGAI_OUTER_URL', 'https://x.example/#x'],
  ];
  for (const [name, value] of wrong)
    it(`${name}=${value} does not start`, () => {
      assert.throws(() => readConfig({ [name]: value }), new RegExp(`^MugaiError: ${name} `));
    });

  it('ports that are right, and any free one to listen on', () => {
    const { clamd, dnsServers, smtpListen } = readConfig({
      MUGAI_CLAMD: 'clamd.example:3310',
      MUGAI_DNS_SERVERS: '192.0.2.53',
      MUGAI_SMTP_LISTEN: '127.0.0.1:0',
    });
    assert.deepEqual([clamd, dnsServers[0]?.port, smtpListen.port], ['clamd.example:3310', 53, 0]);
  });
});
