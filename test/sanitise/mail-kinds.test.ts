// Kinds of parts that stand for something else, through the whole road: web archives, bodies elsewhere, PGP, AMP, pieces,
// reports; and links as the policy wants them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { readPolicy } from '../../src/policy/policy.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';

let sanitiser: Sanitiser;
before(async () => {
  sanitiser = await openSanitiser();
});
after(async () => sanitiser[Symbol.asyncDispose]());

const HEAD = ['From: a@example.com', 'To: staff@city.example.lg.jp', 'Subject: s', 'MIME-Version: 1.0'];
const lines = (...list: readonly string[]): string => list.join('\r\n');
const mail = (...list: readonly string[]): string => lines(...HEAD, ...list, '');
const bodyOf = ({ text }: Outcome): string =>
  text
    .slice(text.indexOf('\n\n') + 2, text.lastIndexOf('-'.repeat(40)))
    .replace(/\s+$/, '')
    .replace(/^【[^\n]*(?:\n・[^\n]*)*\n\n/, '');
const rows = ({ parts }: Outcome): string[] =>
  parts.map(({ path, declaredType, verdict, reason }) => `${path} ${declaredType} ${verdict} ${reason ?? ''}`.trim());
const codes = ({ parts }: Outcome): string[] =>
  parts.flatMap(({ findings, losses }) => [...findings, ...losses].map(({ code }) => code));

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const ARCHIVE = lines(
  'From: <Saved by Blink>',
  'Subject: page',
  'MIME-Version: 1.0',
  'Content-Type: multipart/related; type="text/html"; boundary="mm"',
  '',
  '--mm',
  'Content-Type: text/html',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  '<html><head><meta charset=3D"utf-8"></head><body><p>=E4=BC=9A=E8=AD=B0</p><script>x()</script></body></html>',
  '--mm',
  'Content-Type: image/png',
  'Content-Location: https://x.example/a.png',
  'Content-Transfer-Encoding: base64',
  '',
  PNG,
  '--mm--',
  '',
);

describe('a web archive (.mht)', () => {
  it('is opened as the mail that it is, as a file and in a mail', async () => {
    const file = await sanitiser.file('page.mht', ARCHIVE);
    assert.deepEqual(rows(file), ['1  expanded', '1.1 text/html text', '1.2 image/png image']);
    assert.match(String(file.files.get('files/01-page.txt')), /会議/);
    const base64 = Buffer.from(ARCHIVE).toString('base64').replace(/.{76}/g, '$&\r\n');
    const inside = await sanitiser.mail(
      mail(
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        'Content-Type: application/octet-stream; name=page.mht',
        'Content-Transfer-Encoding: base64',
        '',
        base64,
        '--b--',
      ),
    );
    assert.deepEqual(rows(inside), [
      '1 application/octet-stream expanded',
      '1.1 text/html text',
      '1.2 image/png image',
    ]);
    assert.ok(codes(inside).includes('script'));
  });
});

describe('pictures that a page calls by their place', () => {
  const page = (location: string, html: string, ...pictures: readonly string[]): string =>
    lines(
      'From: <Saved by Blink>',
      'Subject: page',
      'MIME-Version: 1.0',
      'Content-Type: multipart/related; type="text/html"; boundary="mm"',
      '',
      '--mm',
      'Content-Type: text/html; charset=utf-8',
      ...(location === '' ? [] : [`Content-Location: ${location}`]),
      '',
      html,
      ...pictures.flatMap((head) => [
        '--mm',
        'Content-Type: image/png',
        head,
        'Content-Transfer-Encoding: base64',
        '',
        PNG,
      ]),
      '--mm--',
      '',
    );
  const text = async (archive: string): Promise<string> => {
    const { files } = await sanitiser.file('page.mht', archive);
    return String([...files].find(([name]) => name.endsWith('.txt'))?.[1]).trim();
  };

  it('are named where they stood in a saved page, by the whole place or from the page', async () => {
    const whole = page(
      'https://x.example/dir/a.html',
      '甲<img src="https://x.example/dir/a.png">乙<img alt="図" src="img/b.png#x">丙<img alt="外" src="c.png">丁<img src="d.png">戊',
      'Content-Location: https://x.example/dir/a.png',
      'Content-Location: https://x.example/dir/img/b.png',
    );
    assert.match(await text(whole), /甲［画像: 02-[^］]+］乙［画像: 03-[^］]+］丙\[画像: 外\]丁戊/);
    const word = page(
      'file:///C:/1/a.htm',
      '甲<img src="a.files/1.png">乙',
      'Content-Location: file:///C:/1/a.files/1.png',
    );
    assert.match(await text(word), /甲［画像: 02-[^］]+］乙/);
    const bare = page('', '甲<img src="a.png">乙', 'Content-Location: a.png');
    assert.match(await text(bare), /甲［画像: 02-[^］]+］乙/);
  });

  it('are named in the body of a mail, by their place or their id', async () => {
    const archive = page(
      '',
      '甲<img src="https://x.example/a.png">乙<img src="cid:b@x">丙',
      'Content-ID: <b@x>\r\nContent-Location: https://x.example/a.png',
    ).replace('From: <Saved by Blink>', lines('From: a@example.com', 'To: staff@city.example.lg.jp'));
    assert.match(bodyOf(await sanitiser.mail(archive)), /甲［画像: (\S+)］乙［画像: \1］丙/);
  });

  it('are nothing but their words where nothing came along, and a text that looks like a mark is no picture', async () => {
    const plain = mail(
      'Content-Type: text/html; charset=utf-8',
      '',
      '甲<img alt="外" src="https://x.example/a.png">乙',
    );
    assert.equal(bodyOf(await sanitiser.mail(plain)), '甲[画像: 外]乙');
    const forged = mail('Content-Type: text/plain; charset=utf-8', '', '[画像 at:0123456789abcdef0123 x]');
    assert.equal(bodyOf(await sanitiser.mail(forged)), '[画像: x]');
  });
});

describe('message/external-body', () => {
  it('is told with its parameters, and its phantom body is not shown', async () => {
    const outcome = await sanitiser.mail(
      mail(
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        '',
        'see',
        '--b',
        'Content-Type: message/external-body; access-type=URL; URL="http://files.example.com/r.pdf"; size=12345;',
        ' expiration="Fri, 14 Jun 2027 19:13:14 -0400"',
        '',
        'Content-Type: application/pdf',
        '',
        'PHANTOM',
        '--b--',
      ),
    );
    assert.equal(
      bodyOf(outcome),
      [
        'see',
        '',
        '［外部に置かれたファイル: 取得していません］',
        '  access-type: URL',
        '  url: http://files.example.com/r.pdf',
        '  size: 12345',
        '  expiration: Fri, 14 Jun 2027 19:13:14 -0400',
      ].join('\n'),
    );
    assert.ok(codes(outcome).includes('external-body'));
  });
});

const ARMOUR = Array.from({ length: 4 }, () => 'hQEMA5vJ9wR0v2kcAQf/ZmFrZSBkYXRhIGhlcmUgZm9yIHRlc3Rpbmcgb25seQ');

describe('OpenPGP', () => {
  const plain = ['Content-Type: text/plain; charset=utf-8', ''];

  it('in the text: an encrypted block is told and left out, the words around it stay', async () => {
    const block = ['-----BEGIN PGP MESSAGE-----', 'Version: x', '', ...ARMOUR, '=abcd', '-----END PGP MESSAGE-----'];
    const outcome = await sanitiser.mail(mail(...plain, '前', ...block, '後'));
    assert.equal(bodyOf(outcome), '前\n［PGPで暗号化された部分: 読めません］\n後');
    assert.deepEqual(codes(outcome), ['encrypted-text']);
    const open = await sanitiser.mail(mail(...plain, '前', ...block.slice(0, -1), '後'));
    assert.doesNotMatch(bodyOf(open), /hQEMA/, 'a block without its end shows no data either');
  });

  it('in the text: a signed one keeps its words, and is not said to be good', async () => {
    const outcome = await sanitiser.mail(
      mail(
        ...plain,
        '-----BEGIN PGP SIGNED MESSAGE-----',
        'Hash: SHA256',
        '',
        '署名された本文です。',
        '- -- ',
        '名前',
        '-----BEGIN PGP SIGNATURE-----',
        '',
        ...ARMOUR,
        '-----END PGP SIGNATURE-----',
      ),
    );
    assert.equal(bodyOf(outcome), '署名された本文です。\n-- \n名前');
    assert.deepEqual(codes(outcome), ['signature']);
    assert.match(outcome.text, /署名の正しさは確かめていません/);
  });

  it('a public key in the text is told', async () => {
    const key = ['-----BEGIN PGP PUBLIC KEY BLOCK-----', '', ...ARMOUR, '-----END PGP PUBLIC KEY BLOCK-----'];
    assert.equal(bodyOf(await sanitiser.mail(mail(...plain, '鍵です', ...key))), '鍵です\n［PGPの公開鍵］');
  });

  it('multipart/encrypted is held, its control part says nothing', async () => {
    const outcome = await sanitiser.mail(
      mail(
        'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b',
        '',
        '--b',
        'Content-Type: application/pgp-encrypted',
        '',
        'Version: 1',
        '',
        '--b',
        'Content-Type: application/octet-stream; name=encrypted.asc',
        '',
        '-----BEGIN PGP MESSAGE-----',
        '',
        ...ARMOUR,
        '-----END PGP MESSAGE-----',
        '--b--',
      ),
    );
    assert.deepEqual(rows(outcome), [
      '1 application/pgp-encrypted dropped',
      '2 application/octet-stream held encrypted',
    ]);
    assert.deepEqual(codes(outcome), []);
  });
});

describe('AMP', () => {
  const amp =
    '<!doctype html><html amp4email><body>Something else entirely<form action-xhr="https://e.example"></form></body></html>';

  it('is never preferred to a form that people see', async () => {
    const outcome = await sanitiser.mail(
      mail(
        'Content-Type: multipart/alternative; boundary=b',
        '',
        '--b',
        'Content-Type: text/x-amp-html; charset=utf-8',
        '',
        amp,
        '--b',
        'Content-Type: text/html; charset=utf-8',
        '',
        '<p>会議は十時からです</p>',
        '--b--',
      ),
    );
    assert.equal(bodyOf(outcome), '会議は十時からです');
    assert.deepEqual(rows(outcome), ['1 text/x-amp-html dropped', '2 text/html text']);
  });

  it('alone it is read as the HTML that it is', async () => {
    const outcome = await sanitiser.mail(mail('Content-Type: text/x-amp-html; charset=utf-8', '', amp));
    assert.match(bodyOf(outcome), /Something else entirely/);
    assert.ok(codes(outcome).includes('form'));
  });
});

describe('message/partial', () => {
  it('is held, and its piece is not shown', async () => {
    for (const number of [1, 2]) {
      const type = `Content-Type: message/partial; id="x@y"; number=${number}; total=2`;
      const outcome = await sanitiser.mail(mail(type, '', 'Content-Type: text/html', '', '<b>piece</b>'));
      assert.deepEqual(rows(outcome), ['1 message/partial held unsupported-type']);
      assert.doesNotMatch(outcome.text, /piece/);
    }
  });
});

describe('reports', () => {
  it('a delivery report: its words, its fields, the header that came back, all readable', async () => {
    const outcome = await sanitiser.mail(
      mail(
        'Auto-Submitted: auto-replied',
        'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
        '',
        '--b',
        '',
        'could not be delivered',
        '--b',
        'Content-Type: message/delivery-status',
        '',
        'Reporting-MTA: dns; mx.example',
        '',
        'Final-Recipient: rfc822; a@b.example',
        'Status: 5.1.1',
        '--b',
        'Content-Type: text/rfc822-headers',
        '',
        'From: =?ISO-2022-JP?B?GyRCRURDZhsoQg==?= <tanaka@city.example.lg.jp>',
        'Subject: =?UTF-8?B?5Lya6K2w?=',
        '  =?UTF-8?B?44Gu5Lu2?=',
        '--b--',
      ),
    );
    assert.equal(
      bodyOf(outcome),
      'could not be delivered\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; a@b.example\nStatus: 5.1.1\n\n' +
        'From: 田中 <tanaka@city.example.lg.jp>\nSubject: 会議の件',
    );
  });

  it('a receipt', async () => {
    const outcome = await sanitiser.mail(
      mail(
        'Content-Type: multipart/report; report-type=disposition-notification; boundary=b',
        '',
        '--b',
        'Content-Type: text/plain; charset=utf-8',
        '',
        '開封しました',
        '--b',
        'Content-Type: message/disposition-notification',
        '',
        'Disposition: manual-action/MDN-sent-manually; displayed',
        '--b--',
      ),
    );
    assert.equal(bodyOf(outcome), '開封しました\n\nDisposition: manual-action/MDN-sent-manually; displayed');
  });
});

describe('links, as the policy wants them', () => {
  const html = mail(
    'Content-Type: text/html; charset=utf-8',
    '',
    '<p><a href="https://example.jp/a?b=1">申込</a>、http://b.example/ と www.example.com</p>',
  );
  const WANTED = {
    plain: '申込 <https://example.jp/a?b=1>、http://b.example/ と www.example.com',
    hxxp: '申込 <hxxps://example.jp/a?b=1>、hxxp://b.example/ と www[.]example.com',
    removed: '申込 ［リンク削除］、［リンク削除］ と ［リンク削除］',
  } as const;

  for (const [links, wanted] of Object.entries(WANTED)) {
    it(links, async () => {
      await using own = await openSanitiser({
        policy: readPolicy(`name: test\nversion: '1'\nlinks: ${links}\n`, 'test.yaml'),
      });
      assert.equal(bodyOf(await own.mail(html)), wanted);
    });
  }
});
