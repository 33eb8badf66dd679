// Whether what speaks against a sender is seen, and told in plain words; and that honest mail is left alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bannerOf } from '../../src/message/banner.ts';
import { identityRemarks, type Identity } from '../../src/sanitise/identity.ts';

const STAFF = 'staff@city.example.lg.jp';
const codes = (more: Partial<Identity>): string[] =>
  identityRemarks({
    from: '佐藤 <sato@example.co.jp>',
    sender: '',
    replyTo: '',
    envelope: { from: 'sato@example.co.jp', to: [STAFF] },
    ...more,
  }).map(({ code, detail }) => `${code}: ${detail}`);

void test('honest mail has no remark: subdomains, null senders, no envelope', () => {
  assert.deepEqual(codes({}), []);
  assert.deepEqual(codes({ envelope: { from: 'bounce@mail.example.co.jp', to: [STAFF] } }), []);
  assert.deepEqual(codes({ envelope: { from: '', to: [STAFF] } }), []);
  assert.deepEqual(codes({ envelope: undefined }), []);
  assert.deepEqual(codes({ sender: 'ml@www.example.co.jp', replyTo: '"x, y@z" <a@sub.example.co.jp>' }), []);
});

void test('an envelope, a Sender or a Reply-To of another organisation is told', () => {
  assert.deepEqual(codes({ envelope: { from: 'b@other.co.jp', to: [STAFF] } }), [
    'envelope-mismatch: sato@example.co.jp / b@other.co.jp',
  ]);
  assert.deepEqual(codes({ sender: 'x <s@evil.example>' }), ['sender-mismatch: sato@example.co.jp / s@evil.example']);
  assert.deepEqual(codes({ replyTo: 'a@example.co.jp, b@gmail.com' }), [
    'reply-elsewhere: sato@example.co.jp / b@gmail.com',
  ]);
});

void test('a domain that is ours, looks like ours, or stands in the name is told', () => {
  const from = (text: string): string[] => codes({ from: text, envelope: { from: '', to: [STAFF] } });
  assert.deepEqual(from(`市長 <mayor@city.example.lg.jp>`), ['inner-domain: mayor@city.example.lg.jp']);
  for (const domain of [
    'city.exarnple.lg.jp',
    'c1ty.example.lg.jp',
    'city.exampel.lg.jp',
    'city.example.lg.jp.evil.example',
    'city-example.lg.jp',
  ])
    assert.match(from(`x <x@${domain}>`).join(), /lookalike-domain/, domain);
  assert.match(from('x <x@сity.example.lg.jp>').join(), /^mixed-script: сity.*,lookalike-domain/);
  assert.deepEqual(from('市役所 city.example.lg.jp <x@evil.example>'), ['inner-name: city.example.lg.jp']);
  assert.deepEqual(from('x <x@town.other.lg.jp>'), []);
});

void test('our domain is seen however the address is written: quotes, routes, comments, dots, commas, blanks', () => {
  for (const [spec, shown] of [
    ['"mayor"@city.example.lg.jp', 'mayor@city.example.lg.jp'],
    ['"a@b, <c"@city.example.lg.jp', 'a@b,<c@city.example.lg.jp'],
    ['"x@evil.example"@city.example.lg.jp', 'x@evil.example@city.example.lg.jp'],
    ['@relay.example:mayor@city.example.lg.jp', 'mayor@city.example.lg.jp'],
    ['@a.example,@b.example:mayor@city.example.lg.jp', 'mayor@city.example.lg.jp'],
    ['mayor@city.example.lg.jp.', 'mayor@city.example.lg.jp'],
    ['mayor@city.example.lg.jp(x)', 'mayor@city.example.lg.jp'],
    ['mayor@city.example.lg.jp(x (y) @evil.example).', 'mayor@city.example.lg.jp'],
    ['mayor (x) @ city . example . lg . jp', 'mayor@city.example.lg.jp'],
    ['"mayor@city.example.lg.jp', 'mayor@city.example.lg.jp'],
    ['mayor(@city.example.lg.jp', 'mayor@city.example.lg.jp'],
    ['mayor@ＣＩＴＹ.example.lg.jp', 'mayor@ＣＩＴＹ.example.lg.jp'],
  ] as const)
    assert.deepEqual(
      codes({ from: `市長 <${spec}>`, envelope: { from: 'a@evil.example', to: [STAFF] } }),
      [`envelope-mismatch: ${shown} / a@evil.example`, `inner-domain: ${shown}`],
      spec,
    );
  for (const odd of [
    'mayor@city.example.lg.jp,x',
    'mayor@city.example.lg.jp;x@y',
    '(mayor@city.example.lg.jp)',
    'city.example.lg.jp',
  ])
    assert.match(
      codes({ from: `市長 <${odd}>`, envelope: { from: '', to: [STAFF] } }).join(),
      /inner-name: city\.example\.lg\.jp/,
      odd,
    );
});

void test('letters of two alphabets in a label are told with punycode; a Japanese domain is named in both forms', () => {
  const from = (text: string): string[] => codes({ from: text, envelope: { from: '', to: [STAFF] } });
  assert.deepEqual(from('x <x@pаypal.com>'), ['mixed-script: pаypal.com (xn--pypal-4ve.com)']);
  assert.deepEqual(from('x <x@xn--pypal-4ve.com>'), ['mixed-script: pаypal.com (xn--pypal-4ve.com)']);
  assert.deepEqual(from('x <x@日本語.jp>'), ['foreign-domain: 日本語.jp (xn--wgv71a119e.jp)']);
});

void test('the banner says it in plain words, in Japanese and in English, and nothing where there is nothing', () => {
  assert.equal(bannerOf([], 'ja'), '');
  assert.equal(bannerOf([{ code: 'script', detail: '1' }], 'ja'), '');
  const found = [
    { code: 'name-spoof', detail: 'mayor@city.example' },
    { code: 'reply-elsewhere', detail: 'a@b.jp / c@d.jp' },
  ];
  assert.equal(
    bannerOf(found, 'ja'),
    '【差出人についてのご注意】\n・差出人の名前「mayor@city.example」は、実際のアドレスと違うアドレスを見せています。\n・返信すると、差出人とは別の宛先 c@d.jp に届きます。',
  );
  assert.match(bannerOf(found, 'en'), /^\[About the sender\]\n・The sender’s name “mayor@city.example”/);
});

void test('a hostile address header costs linear time', () => {
  const long = 'a@b.c, '.repeat(20_000);
  const started = process.cpuUsage();
  codes({ from: long, replyTo: long, sender: '"'.repeat(50_000) });
  for (const piece of ['<', '(', '"', '\\', '@a:', '.', ',<', '"<'])
    codes({ from: `<${piece.repeat(50_000)}`, sender: piece.repeat(50_000) });
  assert.ok(process.cpuUsage(started).user < 2_000_000);
});
