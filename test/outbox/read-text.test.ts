// The gate's reader of text against another maker's validator of UTF-8 (simdutf, in Node): every first and second byte, whole and cut anywhere.
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import { isForbidden } from '../../src/outbox/read-text.ts';
import { refusalOf } from '../support/own-files.ts';

/** What may stand behind: continuations at both ends, and what is none. */
const LAST = [0x80, 0xbf, 0xc0, 0x61];

/** Whether these bytes are text, as another maker's validator sees them. */
function isText(bytes: Buffer): boolean {
  return isUtf8(bytes) && !Array.from(bytes.toString('utf8')).some((letter) => isForbidden(letter.codePointAt(0) ?? 0));
}

describe('the reader of text', () => {
  it('takes what is well-formed and allowed, and nothing else: all sequences by their first and second byte', async () => {
    let taken = 0;
    for (let first = 0; first < 256; first++)
      // What stands behind one of these is a first byte itself.
      for (let second = first < 0xc0 ? 0x61 : 0; second < (first < 0xc0 ? 0x62 : 256); second++)
        for (const third of LAST) {
          // The fourth byte matters to forms of four only.
          for (const fourth of first >= 0xf0 && first < 0xf5 ? [0x80, 0x61] : [0x61]) {
            const bytes = Buffer.from([first, second, third, fourth]);
            const refusal = await refusalOf('a.txt', bytes);
            if (refusal === undefined) taken += 1;
            assert.equal(refusal === undefined, isText(bytes), bytes.toString('hex'));
          }
        }
    assert.ok(taken > 4000, `${taken} taken`);
  });

  it('takes Japanese cut at any byte, and tells of a fault behind it at its place', async () => {
    const text = Buffer.from('件名: 会議のお知らせ、ｶﾅ、葛\u{E0100}飾、𠮷野家\n', 'utf8');
    for (let size = 1; size <= text.length; size++) {
      assert.equal(await refusalOf('a.txt', text, size), undefined, `chunks of ${size}`);
      const refusal = await refusalOf('a.txt', Buffer.concat([text, Buffer.from('\u202e', 'utf8')]), size);
      assert.deepEqual([refusal?.rule, refusal?.offset], ['text-character', text.length + 2]);
      const cut = await refusalOf('a.txt', Buffer.concat([text, Buffer.from([0xe3, 0x81])]), size);
      assert.deepEqual([cut?.rule, cut?.offset], ['text-utf8', text.length + 2]);
    }
  });
});
