// SPF, DKIM, ARC, DMARC through the real road: jailed child, our own DNS client over loopback UDP and TCP, really signed mails.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { resolverOf } from '../../src/names/resolver.ts';
import type { SenderChecks } from '../../src/sanitise/authenticate.ts';
import { clientOf } from '../../src/sanitise/authenticate.ts';
import { startNameServer, type NameServer, type Zone } from '../support/name-server.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';
import { sealedBy, signedBy, signing } from '../support/signed-mail.ts';

const sender = signing('example.jp');
const forwarder = signing('list.example.net', 'arc');
const CLIENT = { address: '198.51.100.7', helo: 'mx.example.jp' };
const FROM = 'tanaka@example.jp';

const RECORDS: Zone['records'] = {
  'TXT example.jp': ['v=spf1 include:_spf.example.jp -all'],
  'TXT _spf.example.jp': ['v=spf1 ip4:198.51.100.0/24 mx -all'],
  'TXT _dmarc.example.jp': ['v=DMARC1; p=reject'],
  'MX example.jp': ['mx.example.jp'],
  'A mx.example.jp': ['198.51.100.25'],
  [`TXT ${sender.keyName}`]: [sender.record],
  [`TXT ${forwarder.keyName}`]: [forwarder.record],
};

const MAIL = [
  `From: =?UTF-8?B?${Buffer.from('田中').toString('base64')}?= <${FROM}>`,
  'To: staff@city.example.lg.jp',
  'Subject: =?ISO-2022-JP?B?GyRCMnE1RBsoQg==?=',
  'Date: Wed, 25 Nov 2026 10:00:00 +0900',
  'Message-ID: <1@example.jp>',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  '',
  '会議は十時からです。',
  '',
].join('\r\n');

let server: NameServer;
let sanitiser: Sanitiser;
let checks: SenderChecks;
let signed: string;

before(async () => {
  server = await startNameServer({ records: RECORDS });
  checks = { lookup: async (...question) => lookup(...question), isRelay: (address) => address === '192.0.2.1' };
  sanitiser = await openSanitiser({ senderChecks: checks });
  signed = await signedBy(MAIL, sender);
});
after(async () => {
  await sanitiser[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

let lookup: SenderChecks['lookup'];

/** The mail checked against `zone`, with an empty memory; the results as they are told. */
async function checked(
  mail: string,
  zone: Partial<Zone> = {},
  by: { client?: { address: string; helo: string }; from?: string } = {},
): Promise<{ readonly results: string; readonly failed: string | undefined; readonly outcome: Outcome }> {
  server.zone = { records: RECORDS, ...zone };
  server.asked.length = 0;
  // Only where no answer comes is it waited out; a busy machine may take its time to answer.
  const tryMs = zone.silent === undefined && zone.spoil === undefined ? 5000 : 300;
  lookup = resolverOf([{ host: '127.0.0.1', port: server.port }], tryMs);
  const envelope = { from: by.from ?? FROM, to: ['staff@city.example.lg.jp'] };
  const outcome = await sanitiser.judge('mail', '', Buffer.from(mail), { envelope, client: by.client ?? CLIENT });
  assert.deepEqual(outcome.faults, []);
  assert.equal(outcome.state, 'sanitised');
  assert.match(outcome.text, /会議は十時からです。/, 'the mail itself comes whatever its checks say');
  const findings = outcome.parts.flatMap((part) => part.findings);
  const of = (code: string): string | undefined => findings.find((finding) => finding.code === code)?.detail;
  return { results: of('authentication') ?? '', failed: of('authentication-failed'), outcome };
}

describe('SPF, DKIM and DMARC of a sender', () => {
  it('pass for an honest mail, and stand as inert text at its top', async () => {
    const { results, failed, outcome } = await checked(signed);
    assert.equal(results, 'spf=pass (example.jp) dkim=pass (example.jp) dmarc=pass (example.jp)');
    assert.equal(failed, undefined);
    const body = outcome.text.slice(outcome.text.indexOf('\n\n') + 2);
    assert.match(
      body,
      /^・送信元の検証（参考）: SPF 合格（example\.jp）、DKIM 合格（example\.jp）、DMARC 合格（example\.jp）\n\n会議は/,
    );
  });

  it('a letter changed on the way: DKIM fails', async () => {
    const { results } = await checked(signed.replace('十時', '九時').replace('九時', '十時') + '追記\r\n');
    assert.match(results, /dkim=fail \(example\.jp\)/);
    assert.match((await checked(signed.replace('Subject: ', 'Subject: Re: '))).results, /dkim=fail/);
  });

  it('a forged From: DMARC fails, and the reader is told in plain words', async () => {
    const stranger = signing('evil.example');
    const mail = await signedBy(MAIL, stranger);
    const zone = {
      records: {
        ...RECORDS,
        [`TXT ${stranger.keyName}`]: [stranger.record],
        'TXT evil.example': ['v=spf1 ip4:203.0.113.9 -all'],
      },
    };
    const by = { client: { address: '203.0.113.9', helo: 'evil.example' }, from: 'x@evil.example' };
    const { results, failed, outcome } = await checked(mail, zone, by);
    assert.equal(results, 'spf=pass (evil.example) dkim=pass (evil.example) dmarc=fail (example.jp)');
    assert.equal(failed, 'example.jp');
    assert.match(outcome.text, /【差出人についてのご注意】[\s\S]*example\.jp から送られたことを確かめられませんでした/);
  });

  it('an address that SPF does not name fails, and an unsigned mail has no DKIM', async () => {
    const { results, failed } = await checked(MAIL, {}, { client: { address: '203.0.113.9', helo: 'x.example' } });
    assert.equal(results, 'spf=fail (example.jp) dkim=none dmarc=fail (example.jp)');
    assert.equal(failed, 'example.jp');
  });

  it('a forwarder’s ARC seal is checked', async () => {
    const mail = await sealedBy(signed, forwarder, 'mx.list.example.net; dkim=pass header.d=example.jp');
    assert.match((await checked(mail)).results, /arc=pass \(list\.example\.net\)/);
    const broken = mail.replace('dkim=pass header.d=example.jp', 'dkim=pass header.d=example.com');
    assert.match((await checked(broken)).results, /arc=fail/);
  });

  it('through a relay of our own, its address says nothing of the sender', async () => {
    const relay = { client: { address: '192.0.2.1', helo: 'relay.city.example.lg.jp' } };
    assert.equal((await checked(signed, {}, relay)).results, 'dkim=pass (example.jp) dmarc=pass (example.jp)');
    const plain = await checked(MAIL, {}, relay);
    assert.equal(plain.results, 'dkim=none dmarc=neutral (example.jp)');
    assert.equal(plain.failed, undefined);
  });
});

describe('no answer is never an accept', () => {
  const names = Object.keys(RECORDS).map((key) => key.split(' ')[1] ?? '');

  it('a DNS that says nothing', async () => {
    const { results, failed } = await checked(signed, { silent: names });
    assert.doesNotMatch(results, /pass/);
    assert.match(results, /spf=temperror.*dkim=temperror.*dmarc=temperror/);
    assert.equal(failed, undefined);
  });

  it('a DNS that fails', async () => {
    const { results } = await checked(signed, { broken: names });
    assert.match(results, /spf=temperror.*dkim=temperror.*dmarc=temperror/);
    assert.equal(server.asked.filter((question) => question === `TXT ${sender.keyName}`).length, 3, 'tried again');
  });

  it('no records at all', async () => {
    const { results } = await checked(signed, { records: {} });
    assert.doesNotMatch(results, /pass/);
  });

  it('answers that are noise, cut, or to another question', async () => {
    const noise = (packet: Buffer): Buffer => Buffer.concat([packet.subarray(0, 40), Buffer.alloc(60, 0xc0)]);
    assert.doesNotMatch((await checked(signed, { spoil: noise })).results, /pass/);
    const other = (packet: Buffer): Buffer => {
      const copy = Buffer.from(packet);
      copy.writeUInt16BE((copy.readUInt16BE(0) + 1) & 0xffff);
      return copy;
    };
    assert.doesNotMatch((await checked(signed, { spoil: other })).results, /pass/);
  });
});

describe('what is asked', () => {
  it('a question is asked once; the memory answers the next mail', async () => {
    await checked(signed);
    const first = server.asked.length;
    assert.ok(first >= 4, server.asked.join(', '));
    assert.equal(new Set(server.asked).size, first, 'none twice');
    const envelope = { from: FROM, to: ['staff@city.example.lg.jp'] };
    await sanitiser.judge('mail', '', Buffer.from(signed), { envelope, client: CLIENT });
    assert.equal(server.asked.length, first);
  });

  it('a long key comes over TCP', async () => {
    const long = signing('example.jp', 'big', 4096);
    const notes = `n=${'x'.repeat(1500)}; `;
    const zone = {
      records: { ...RECORDS, [`TXT ${long.keyName}`]: [`${notes}${long.record.replace('v=DKIM1; ', '')}`] },
    };
    const { results } = await checked(await signedBy(MAIL, long), zone);
    assert.match(results, /dkim=pass/);
    assert.ok(server.asked.includes(`TCP TXT ${long.keyName}`), server.asked.join(', '));
  });

  it('a thousand signatures cost few questions, and the mail comes', async () => {
    const lines = Array.from(
      { length: 1000 },
      (_, n) =>
        `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=d${n}.example; s=s; h=from; bh=${signed.match(/bh=([^;]+)/)?.[1]?.replace(/\s/g, '')}; b=AAAA\r\n`,
    );
    const { results } = await checked(lines.join('') + MAIL);
    assert.doesNotMatch(results, /pass \(d\d/);
    assert.ok(server.asked.length <= 150, `${server.asked.length} questions`);
  });

  it('the door’s record names the client', () => {
    assert.deepEqual(clientOf('::ffff:198.51.100.7 mx.example.jp'), { address: '198.51.100.7', helo: 'mx.example.jp' });
    assert.equal(clientOf('unknown'), undefined);
  });
});

describe('without a resolver', () => {
  it('nothing is asked, nothing is told, no child is started', async () => {
    await using plain = await openSanitiser();
    server.asked.length = 0;
    const outcome = await plain.judge('mail', '', Buffer.from(signed), {
      envelope: { from: FROM, to: ['staff@city.example.lg.jp'] },
      client: CLIENT,
    });
    assert.doesNotMatch(outcome.text, /送信元の検証/);
    assert.deepEqual(server.asked, []);
  });
});
