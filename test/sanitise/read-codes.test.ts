// Attack row 91: what QR codes say is told as text, which no program makes a link of; how far they are looked for is the policy's.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { LIMITS } from '../../src/message/limits.ts';
import type { Remark } from '../../src/message/part.ts';
import { builtInPolicy, type Policy } from '../../src/policy/policy.ts';
import { inertCode } from '../../src/sanitise/links.ts';
import { printHtml } from '../support/chromium-print.ts';
import { codeSvg, codesPng } from '../support/codes.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';
import { withinQuiet } from '../support/slowness.ts';

const builtIn = builtInPolicy();
const holding = (policy: Partial<Policy>): Policy => {
  const changed = { ...builtIn, ...policy };
  return { ...changed, forMessage: () => changed };
};
const said = ({ parts }: Outcome): Remark[] => parts.flatMap(({ findings }) => findings);
const codes = (outcome: Outcome): string[] =>
  said(outcome).flatMap(({ code, detail }) => (code === 'qr-code' ? [detail] : []));

let usual: Sanitiser;
before(async () => {
  usual = await openSanitiser({}, 1);
});
after(async () => usual[Symbol.asyncDispose]());

describe('a QR code', () => {
  it('in a picture is told: small, turned to light on dark, one of several', async () => {
    const png = await codesPng(900, 700, [
      { text: 'https://evil.example/one', x: 20, y: 20, module: 2 },
      { text: 'https://evil.example/two', x: 300, y: 40, module: 5 },
      { text: 'https://evil.example/dark', x: 40, y: 350, module: 4, inverted: true },
    ]);
    const outcome = await usual.file('poster.png', png);
    assert.equal(outcome.parts[0]?.verdict, 'image');
    assert.deepEqual(codes(outcome).toSorted(), [
      'hxxps://evil.example/dark',
      'hxxps://evil.example/one',
      'hxxps://evil.example/two',
    ]);
  });

  it('on a page is told with the page, as far as the policy looks', async () => {
    const pages = [1, 2, 3, 4].map(
      (page) => `<div style="break-after:page">本文 ${page}${codeSvg(`https://evil.example/${page}`, '25mm')}</div>`,
    );
    const pdf = printHtml(pages.join(''), '');
    const first = ['hxxps://evil.example/1', 'p. 2: hxxps://evil.example/2', 'p. 3: hxxps://evil.example/3'];
    assert.equal(LIMITS.codePagesUsual, 3);
    assert.deepEqual(codes(await usual.file('letter.pdf', pdf)), first);
    for (const [codePages, told] of [
      [0, []],
      [1, first.slice(0, 1)],
      [4, [...first, 'p. 4: hxxps://evil.example/4']],
    ] as const) {
      await using other = await openSanitiser({ policy: holding({ codePages }) }, 1);
      const outcome = await other.file('letter.pdf', pdf);
      assert.equal(outcome.parts[0]?.pages, 4);
      assert.deepEqual(codes(outcome), told, `${codePages} pages`);
    }
  });

  it('leads to the host that is told, in letters and in ASCII; one that hides it is a finding', async () => {
    const png = await codesPng(700, 300, [
      { text: 'https://city.example.lg.jp@evil.example/login', x: 0, y: 0, module: 4 },
      { text: 'https://аpple.example/', x: 350, y: 0, module: 4 },
    ]);
    const outcome = await usual.file('a.png', png);
    assert.deepEqual(codes(outcome).toSorted(), [
      'hxxps://evil.example/login',
      'hxxps://аpple.example (xn--pple-43d.example)',
    ]);
    assert.ok(said(outcome).some(({ code, detail }) => code === 'link-userinfo' && detail === 'evil.example'));
  });

  it('in a mail stands in its account, as a note and not as something removed', async () => {
    const png = await codesPng(300, 300, [{ text: 'http://evil.example/\u202e\u0007gnp', x: 0, y: 0, module: 5 }]);
    const mail = [
      'From: a@example.com',
      'To: staff@city.example.lg.jp',
      'Subject: x',
      'MIME-Version: 1.0',
      'Content-Type: image/png; name="qr.png"',
      'Content-Transfer-Encoding: base64',
      '',
      png.toString('base64').replaceAll(/.{76}/g, '$&\r\n'),
      '',
    ].join('\r\n');
    const { text } = await usual.mail(mail);
    assert.match(text, /^ {4}QRコードの中身（hxxp:\/\/evil\.example\/[^\n]*gnp）$/m);
    assert.doesNotMatch(text, /https?:\/\/|[\u202e\u0007]/);
    assert.doesNotMatch(text, /取り除いたもの/);
  });

  it('is not told where the policy removes links, but that it is there', async () => {
    await using other = await openSanitiser({ policy: holding({ links: 'removed', language: 'en' }) }, 1);
    const png = await codesPng(300, 300, [{ text: 'https://evil.example/a b', x: 0, y: 0, module: 5 }]);
    assert.match(codes(await other.file('a.png', png)).join(), /^\[link removed\]/);
  });

  it('that is no link is told so that none is made of it', () => {
    for (const [text, told] of [
      ['tel:0299-82-2911', 'tel[:]0299-82-2911'],
      ['intent://scan/#Intent;scheme=x;end', 'intent[:]//scan/#Intent;scheme=x;end'],
      ['see ms-word:ofe|u|file://evil.example/a', 'see ms-word:ofe|u|file[:]//evil.example/a'],
      ['HTTPS://EVIL.EXAMPLE/', 'hxxpS://EVIL.EXAMPLE/'],
      ['www.evil.example', 'www[.]evil.example'],
      ['鹿嶋市役所', '鹿嶋市役所'],
    ] as const)
      assert.equal(inertCode(text, 'plain', 'ja'), told);
  });

  it('is looked for once in a photograph larger than a reader needs, within the memory of a child', async () => {
    const png = await codesPng(6000, 6000, [{ text: 'https://evil.example/big', x: 1000, y: 2000, module: 24 }]);
    assert.deepEqual(codes(await usual.file('a.png', png)), ['hxxps://evil.example/big']);
  });
});

describe('a picture of four hundred codes', () => {
  it('has its 20 told, in bounded time', async () => {
    const many = Array.from({ length: 400 }, (_, i) => ({
      text: `https://evil.example/${i}`,
      x: (i % 20) * 110,
      y: Math.floor(i / 20) * 110,
      module: 3,
    }));
    const outcome = await usual.file('a.png', await codesPng(2250, 2250, many));
    const found = codes(outcome).length;
    assert.ok(found > 10 && found <= 20, `${found} codes`);
    assert.ok(withinQuiet(outcome.ms, LIMITS.codesMs), `${outcome.ms} ms`);
  });
});
