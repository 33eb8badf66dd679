// What sender-made strings become at each door.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { countInvisible, forFileName, forLine, forText, hasBidi } from '../../src/message/untrusted.ts';

const FORBIDDEN =
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u{200B}-\u{200F}\u{202A}-\u{202E}\u{2060}\u{2066}-\u{2069}\u{FEFF}\u{E0000}-\u{E007F}]/u;

describe('untrusted strings', () => {
  it('become C1 text whatever they hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const clean = forText(text);
        assert.doesNotMatch(clean, FORBIDDEN);
        assert.ok(clean.isWellFormed());
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it('become well-formed text when cut inside a surrogate pair', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-composite' }), fc.nat(40), (text, max) => {
        const line = forLine(text, max + 2);
        assert.ok(line.isWellFormed());
        assert.ok(line.length <= max + 2);
        assert.doesNotMatch(line, /[\r\n\t]/);
      }),
      { numRuns: 2000, seed: 2 },
    );
  });

  it('keep what Japanese names need: variation selectors, half-width kana, surrogate pairs', () => {
    for (const text of ['葛󠄀城市', '辻︀', 'ｱｲｳﾞ', '𠮷野家', '髙﨑①㈱㍻']) assert.equal(forText(text), text);
  });

  it('lose the characters that forge words', () => {
    assert.equal(forText('invoice\u202Efdp.exe'), 'invoicefdp.exe');
    assert.equal(forText('a\u200Bb\uFEFFc\u{E0041}d'), 'abcd');
    assert.ok(hasBidi('a\u202Eb'));
    assert.equal(countInvisible('a\u200Bb\uFEFF'), 2);
  });

  it('have line ends made LF, and none in a line', () => {
    assert.equal(forText('a\r\nb\rc\nd\u2028e'), 'a\nb\nc\nd\ne');
    assert.equal(forLine('Subject\r\nBcc: x@evil.example'), 'Subject Bcc: x@evil.example');
  });

  it('become file names of our own making (C7)', () => {
    assert.equal(forFileName(1, '見積書 (最終).xlsx', 'pdf'), '01-見積書-最終.pdf');
    assert.equal(forFileName(2, '../../etc/passwd', 'txt'), '02-passwd.txt');
    assert.equal(forFileName(3, 'CON.txt', 'txt'), '03-file.txt');
    assert.equal(forFileName(4, '\u202Egpj.exe', 'png'), '04-gpj.png');
    assert.equal(forFileName(5, '', 'pdf'), '05-file.pdf');
    assert.equal(forFileName(6, 'C:\\Users\\x\\報告書.doc', 'pdf'), '06-報告書.pdf');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 500 }), fc.nat(2000), (name, index) => {
        const made = forFileName(index, name, 'pdf');
        assert.match(made, /^\d{2,4}-[\p{L}\p{M}\p{N}_-]+\.pdf$/u);
        assert.ok(made.length <= 100 && made.isWellFormed());
      }),
      { numRuns: 3000, seed: 3 },
    );
  });
});
