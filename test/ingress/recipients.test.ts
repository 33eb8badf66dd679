// Which recipients are ours: a domain in either of its forms, and the postmaster.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readConfig } from '../../src/config.ts';
import { recipientFault } from '../../src/ingress/recipients.ts';
import { DOMAIN, openTestDoor } from '../support/door.ts';
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
