// Mailboxes out of decoded header text: one grammar, linear time.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPlainAddress, plainAddress, parseMailboxes } from '../../src/deliver/mailboxes.ts';

describe('mailboxes', () => {
  it('come apart into name and address', () => {
    assert.deepEqual(
      parseMailboxes('山田 太郎 <yamada@example.jp>, "佐藤, 花子" <sato@example.jp>; x@example.com', 10),
      [
        { name: '山田 太郎', address: 'yamada@example.jp' },
        { name: '佐藤, 花子', address: 'sato@example.jp' },
        { name: '', address: 'x@example.com' },
      ],
    );
  });

  it('are left out where two parsers could read two addresses', () => {
    for (const text of [
      '"x@evil.example"@inner.example',
      '<a@b>c@d>',
      'a@b@c',
      '<@hop:a@b>',
      'a b@c.d',
      'undisclosed-recipients:;',
      'a@[127.0.0.1]',
    ]) {
      assert.deepEqual(
        parseMailboxes(text, 10).filter(({ address }) => address !== 'a@b'),
        [],
        text,
      );
    }
    assert.ok(!isPlainAddress('a@b\r\nRCPT TO:<x@y>'));
  });

  it('lose quotes around nothing but letters and dots: addresses that docomo and au once gave out', () => {
    assert.deepEqual(parseMailboxes('田中 <"user..x."@docomo.ne.jp>, .a.@ezweb.ne.jp', 10), [
      { name: '田中', address: 'user..x.@docomo.ne.jp' },
      { name: '', address: '.a.@ezweb.ne.jp' },
    ]);
    assert.equal(plainAddress('"user..x."@docomo.ne.jp'), 'user..x.@docomo.ne.jp');
    for (const text of [
      '""@a.example',
      '"a b"@a.example',
      '"a@b"@a.example',
      '"a\\"@a.example',
      '"a"b"@a.example',
      '"a,b"@a.example',
    ])
      assert.equal(plainAddress(text), undefined, text);
  });

  it('show an address inside a name as part of the name only', () => {
    assert.deepEqual(parseMailboxes('"president@city.lg.jp" <x@evil.example>', 10), [
      { name: 'president@city.lg.jp', address: 'x@evil.example' },
    ]);
  });

  it('are parsed in linear time from 10^5 of anything', () => {
    for (const piece of ['(', '<', ',', '"', '\\', 'a@b,', ':', '<a@b>']) {
      const started = process.cpuUsage();
      parseMailboxes(piece.repeat(100_000), 200);
      assert.ok(process.cpuUsage(started).user < 2_000_000, piece);
    }
  });
});
