// A gateway as its operator sets it up to check senders: from the SMTP door to the delivered mail.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { simpleParser } from 'mailparser';
import { sendMail, startTestGateway } from '../support/gateway.ts';
import { startNameServer } from '../support/name-server.ts';
import { scratch, until } from '../support/scratch.ts';
import { signedBy, signing } from '../support/signed-mail.ts';

const mail = [
  'From: tanaka@example.jp',
  'To: staff@city.example.lg.jp',
  'Subject: signed',
  'Authentication-Results: mx.example.jp; dkim=pass header.d=bank.example',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  '',
  '本文です。',
  '',
].join('\r\n');

void it('a signed mail comes with what its checks said, and without what it said of itself', async () => {
  await using folder = await scratch();
  const sender = signing('example.jp');
  await using names = await startNameServer({
    records: {
      [`TXT ${sender.keyName}`]: [sender.record],
      'TXT example.com': ['v=spf1 ip4:127.0.0.1 -all'],
      'TXT _dmarc.example.jp': ['v=DMARC1; p=reject'],
    },
  });
  await using gateway = await startTestGateway(folder.path, {
    MUGAI_DNS_SERVERS: `127.0.0.1:${names.port}`,
    MUGAI_SMTP_RELAYS: '192.0.2.1',
  });
  await sendMail(gateway.smtpPort ?? 0, await signedBy(mail, sender));
  const delivered = join(folder.path, 'delivered');
  const found = async (): Promise<string[]> =>
    (await readdir(delivered).catch(() => [])).filter((n) => n.endsWith('.eml'));
  await until(async () => (await found()).length === 1, 60_000, 'delivery');
  const bytes = await readFile(join(delivered, (await found())[0] ?? ''));
  const text = (await simpleParser(bytes)).text ?? '';
  assert.match(text, /SPF 合格（example\.com）、DKIM 合格（example\.jp）、DMARC 合格（example\.jp）\n\n本文です。/);
  assert.doesNotMatch(bytes.toString('latin1'), /Authentication-Results|bank\.example/);
});
