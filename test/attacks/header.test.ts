// Attack catalogue, rows 8 and 18 to 25: the header of a mail. Every outcome has been through the checker C1-C3, C6, C7.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { corpus, row } from '../support/attack-row.ts';
import { originalOf } from '../support/checker/checker.ts';
import { mailFaults } from '../support/checker/own-mail.ts';
import { sendMail, startTestGateway } from '../support/gateway.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';
import { scratch, until } from '../support/scratch.ts';
import { withinQuiet } from '../support/slowness.ts';

let sanitiser: Sanitiser;
before(async () => {
  sanitiser = await openSanitiser();
});
after(async () => sanitiser[Symbol.asyncDispose]());

const codes = (outcome: Outcome): string[] => outcome.parts.flatMap((part) => part.findings.map(({ code }) => code));
const mail = (head: string, body = 'text'): string => `${head.replaceAll('\n', '\r\n')}\r\n\r\n${body}\r\n`;
const b64 = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
/** A header line of `message.txt`. */
const head = (outcome: Outcome, name: string): string =>
  new RegExp(`^${name}: (.*)$`, 'm').exec(outcome.text.slice(0, outcome.text.indexOf('\n\n')))?.[1] ?? '';

describe('header', () => {
  row(
    8,
    '10^5 signs that nest, or addresses, in one field: read in linear time or refused, the next mail passes',
    async () => {
      for (const piece of ['(', ':', '<', '"', 'a:', '(()', 'x@example.com, ', '=?utf-8?q?', ';', '\\"']) {
        const cost = async (times: number): Promise<number> => {
          const outcome = await sanitiser.mail(mail(`From: a@example.com\nTo: ${piece.repeat(times)}\nSubject: s`));
          assert.match(outcome.state, /^(sanitised|refused)$/);
          return outcome.ms;
        };
        await cost(1000);
        assert.ok(withinQuiet(await cost(100_000), 5000), piece);
      }
      assert.equal((await sanitiser.mail(mail('From: a@example.com\nSubject: next'))).state, 'sanitised');
    },
  );

  row(
    18,
    'no decoded line end becomes a header, in Subject, names, addresses and file names; what leaves has our headers only',
    async () => {
      const injected = 'x\r\nBcc: victim@example.com\r\nX-Evil: yes\r\n\r\n<script>';
      const bytes = [
        `From: ${b64(injected)} <a@example.com>`,
        `To: ${b64(injected)} <staff@city.example.lg.jp>`,
        `Cc: =?iso-2022-jp?Q?x=0D=0ABcc:_victim@example.com?= <c@example.com>`,
        `Subject: ${b64(injected)}`,
        `Message-ID: <a\u000bb@example.com>`,
        'Content-Type: multipart/mixed; boundary=B',
        '',
        '--B',
        'Content-Type: text/plain',
        '',
        'body',
        '--B',
        `Content-Type: text/plain; name="${b64(injected)}"`,
        `Content-Disposition: attachment; filename*=utf-8''x%0D%0ABcc%3A%20v%40example.com.txt`,
        '',
        'attached',
        '--B--',
        '',
      ].join('\r\n');
      await using folder = await scratch();
      await using gateway = await startTestGateway(folder.path);
      const reply = await sendMail(gateway.smtpPort ?? 0, bytes);
      const id = /queued as (\w+)/.exec(reply)?.[1] ?? '';
      const place = join(folder.path, 'delivered', `${id}.eml`);
      const delivered = async (): Promise<Buffer | undefined> => readFile(place).catch(() => undefined);
      await until(async () => (await delivered()) !== undefined, 60_000, 'delivery');
      const eml = (await delivered()) ?? Buffer.alloc(0);
      assert.deepEqual(mailFaults(eml, originalOf(Buffer.from(bytes))), []);
      assert.doesNotMatch(eml.toString('latin1'), /^(Bcc|X-Evil):/m);
      for (const path of ['mail/mikel-mail/error_emails-new_line_in_to_header.eml', 'mail/rspamd/newlines.eml'])
        assert.equal((await sanitiser.mail(await corpus(path))).state, 'sanitised', path);
    },
  );

  row(19, 'the real address stands beside the name; a name that is itself an address is told', async () => {
    const spoof = await sanitiser.mail(mail('From: "president@city.example.lg.jp" <x@evil.example>\nSubject: s'));
    assert.match(head(spoof, 'From'), /x@evil\.example/);
    assert.ok(codes(spoof).includes('name-spoof'));
    const sample = await sanitiser.mail(await corpus('mail/rspamd/sa_display_name_spoof.eml'));
    assert.match(head(sample, 'From'), /alerts@evil-spoof\.example\.org/);
  });

  row(20, 'several or no From: exactly one leaves, and it is told, in each order', async () => {
    const good = 'From: a@example.com';
    const evil = 'From: b@evil.example';
    for (const from of [
      `${good}\n${evil}`,
      `${evil}\n${good}`,
      'From: a@example.com, b@evil.example',
      'X: y',
      'From:',
    ]) {
      const outcome = await sanitiser.mail(mail(`${from}\nSubject: s`));
      assert.ok(
        codes(outcome).some((code) => code === 'from-count' || code === 'duplicate-header'),
        `${from}: ${codes(outcome).join(' ')}`,
      );
      assert.ok((outcome.text.match(/^From: /gm) ?? []).length <= 1);
    }
    for (const path of [
      'mail/mikel-mail/mime_emails-two_from_in_message.eml',
      'mail/mikel-mail/plain_emails-raw_email_multiple_from.eml',
    ])
      assert.match((await sanitiser.mail(await corpus(path))).text, /^From: /m);
  });

  row(
    21,
    'bidi marks, zero-width joiners and tags are gone from every text, and told; strings that break others pass',
    async () => {
      const outcome = await sanitiser.mail(
        mail(
          `From: ${b64('a\u202eb')} <a@example.com>\nSubject: ${b64('in\u200bvoice\u{e0041}')}\nContent-Type: text/plain; charset=utf-8`,
          'pay\u2066pal\u200d\ufeff',
        ),
      );
      assert.equal(head(outcome, 'Subject'), 'invoice');
      assert.match(outcome.text, /^paypal$/m);
      assert.ok(codes(outcome).some((code) => code === 'invisible-characters' || code === 'bidi-name'));
      await sanitiser.file('blns.txt', await corpus('hostile/strings-blns/blns.txt'));
      const strings = JSON.parse((await corpus('hostile/strings-blns/blns.json')).toString('utf8')) as string[];
      for (let at = 0; at < strings.length; at += 25) {
        const some = strings.slice(at, at + 25).map((text) => b64(text.replace(/\s+/g, ' ')));
        await sanitiser.mail(
          mail(
            `From: ${some.join(' ')} <a@example.com>\nSubject: ${some.join('\n ')}`,
            strings.slice(at, at + 25).join('\r\n'),
          ),
        );
      }
    },
  );

  row(22, 'encoded words are decoded once, what cannot be decoded is marked, endless ones are bounded', async () => {
    const twice = await sanitiser.mail(mail(`From: a@example.com\nSubject: ${b64('=?utf-8?B?PHNjcmlwdD4=?=')}`));
    assert.match(head(twice, 'Subject'), /=\?utf-8\?B\?/);
    const broken = await sanitiser.mail(mail('From: a@example.com\nSubject: =?utf-8?Q?=E3=81=82=E3=81?='));
    assert.match(head(broken, 'Subject'), /\ufffd/);
    const endless = await sanitiser.mail(
      mail(`From: a@example.com\nSubject: ${Array.from({ length: 20_000 }, () => b64('長い')).join('\n ')}`),
    );
    assert.ok(head(endless, 'Subject').length <= 5000);
    for (const path of ['mail/mikel-mail/error_emails-bad_encoded_subject.eml', 'mail/mime4j/russian-headers.eml'])
      assert.equal((await sanitiser.mail(await corpus(path))).state, 'sanitised');
  });

  row(23, 'header bombs: 10^5 fields, 10^5 folds, a field of 5 MB: an answer in linear time', async () => {
    const bombs: readonly ((times: number) => string)[] = [
      (times) => mail(`From: a@example.com\n${'X-A: b\n'.repeat(times)}Subject: s`),
      (times) => mail(`From: a@example.com\nSubject: ${'x\n '.repeat(times)}`),
      (times) => mail(`From: a@example.com\nSubject: ${'x'.repeat(times * 50)}`),
      (times) => mail(`From: a@example.com\nContent-Type: text/plain; ${'a=b; '.repeat(times)}`),
    ];
    for (const bomb of bombs) {
      const outcome = await sanitiser.mail(bomb(100_000));
      assert.match(outcome.state, /^(sanitised|refused)$/);
      assert.ok(withinQuiet(outcome.ms, 10_000), `${outcome.ms} ms`);
    }
    await sanitiser.mail(await corpus('mail/mime4j/long-headers.eml'));
    assert.equal((await sanitiser.mail(mail('From: a@example.com\nSubject: next'))).state, 'sanitised');
  });

  row(24, 'trust headers of the sender, and our own mark, never leave', async () => {
    const outcome = await sanitiser.mail(
      mail(
        'From: a@example.com\nSubject: s\nAuthentication-Results: mx; spf=pass\nX-Mugai-State: sanitised\nX-Spam-Flag: NO\nReceived-SPF: pass',
      ),
    );
    assert.doesNotMatch(outcome.text, /spf=pass|X-Mugai|X-Spam/);
  });

  row(
    25,
    'no header, no end of the header, broken separators: shown as text, and no header of the body becomes one',
    async () => {
      const fake = await sanitiser.mail(
        `From: a@example.com\r\nSubject: real\r\n\r\nSubject: fake\r\nFrom: evil@evil.example\r\n`,
      );
      assert.equal(head(fake, 'Subject'), 'real');
      assert.match(head(fake, 'From'), /a@example\.com/);
      for (const bytes of [
        '',
        '\r\n',
        'x',
        '\r\n\r\nbody',
        ':\r\n:\r\n',
        'From a@b Mon\r\nSubject: s\r\n\r\nx',
        'Subject: s\rFrom: a@b\r\rbody\r',
        '\0\0\0',
        'Subject: s\n\nbody',
      ])
        assert.match((await sanitiser.mail(bytes)).state, /^(sanitised|refused)$/, JSON.stringify(bytes));
      for (const path of [
        'mail/mime4j/malformedHeader-nocrlfcrlf.eml',
        'mail/mime4j/basic-plain-with-bad-header-separator.eml',
        'mail/mime-tools/hdr-fakeout.eml',
      ])
        assert.equal((await sanitiser.mail(await corpus(path))).state, 'sanitised', path);
    },
  );
});
