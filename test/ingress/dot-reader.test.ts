// The end of data, however the bytes are cut: only CRLF.CRLF; every look-alike is told; stuffing is undone; time is linear.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DotReader } from '../../src/ingress/dot-reader.ts';

interface Whole {
  readonly content: string;
  readonly rest: string | undefined;
  readonly ambiguous: boolean;
}

/** Reads a text cut at these places. */
function readCut(text: string, cuts: readonly number[]): Whole {
  const reader = new DotReader();
  const bytes = Buffer.from(text, 'latin1');
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].toSorted(
    (a, b) => a - b,
  );
  let content = '';
  for (const [index, from] of places.entries()) {
    const to = places[index + 1];
    if (to === undefined) break;
    const read = reader.read(bytes.subarray(from, to));
    content += read.content.toString('latin1');
    if (read.ambiguous) return { content, rest: undefined, ambiguous: true };
    if (read.restAt !== undefined)
      return { content, rest: bytes.toString('latin1', from + read.restAt), ambiguous: false };
  }
  return { content, rest: undefined, ambiguous: false };
}

const whole = (text: string): Whole => readCut(text, []);

describe('the dot reader', () => {
  it('ends at CRLF.CRLF, at a dot in the first line, and hands over what follows', () => {
    assert.deepEqual(whole('a\r\n.\r\nQUIT\r\n'), { content: 'a\r\n', rest: 'QUIT\r\n', ambiguous: false });
    assert.deepEqual(whole('.\r\n'), { content: '', rest: '', ambiguous: false });
    assert.deepEqual(whole('a\r\n\r\n.\r\n'), { content: 'a\r\n\r\n', rest: '', ambiguous: false });
  });

  it('takes one dot from the start of each line, RFC 5321 §4.5.2', () => {
    assert.equal(whole('..\r\n..a\r\n.b\r\na.\r\n.\r\n').content, '.\r\n.a\r\nb\r\na.\r\n');
  });

  it('keeps bare CR and LF as content, and the dots behind them', () => {
    assert.deepEqual(whole('a\n..b\rc\r.d\n\r\n.\r\n'), { content: 'a\n..b\rc\r.d\n\r\n', rest: '', ambiguous: false });
  });

  it('tells every look-alike of an end', () => {
    for (const fake of [
      '\n.\n',
      '\n.\r\n',
      '\r\n.\n',
      '\r.\r',
      '\r.\r\n',
      '\r\n.\r',
      '\r\r\n.\r\r\n',
      '\r\n.\r\r\n',
      '\n.\r\r\n',
      '\r\n\0.\r\n',
      '\r\n.\0\r\n',
      '\n\0.\0\n',
    ])
      assert.equal(whole(`a${fake}MAIL FROM:<x@y>\r\n`).ambiguous, true, JSON.stringify(fake));
  });

  it('reads the same however the bytes are cut', () => {
    const piece = fc.constantFrom('\r\n', '\r', '\n', '.', '..', '\0', 'a', 'xyz', '\r\n.\r\n', '\n.\n');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.array(fc.nat(200), { maxLength: 12 }), (pieces, cuts) => {
        const text = pieces.join('');
        assert.deepEqual(readCut(text, cuts), whole(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('gives back what a client that stuffs its dots has sent', () => {
    const line = fc.constantFrom('', '.', '..', '.a', 'a.', 'text', '...');
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.array(fc.nat(200)), (lines, cuts) => {
        const text = lines.map((one) => `${one}\r\n`).join('');
        const sent = lines.map((one) => `${one.startsWith('.') ? '.' : ''}${one}\r\n`).join('');
        assert.deepEqual(readCut(`${sent}.\r\nNOOP\r\n`, cuts), { content: text, rest: 'NOOP\r\n', ambiguous: false });
      }),
    );
  });

  it('brings lines of dots at the cost of normal data', () => {
    const cost = (text: string): number => {
      const chunk = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)), 'latin1');
      let least = Number.POSITIVE_INFINITY;
      // The least of several: collections and compilations only ever add.
      for (let round = 0; round < 5; round++) {
        const reader = new DotReader();
        const { user } = process.cpuUsage();
        for (let i = 0; i < 160; i++) assert.ok(!reader.read(chunk).ambiguous);
        least = Math.min(least, process.cpuUsage().user - user);
      }
      return least;
    };
    cost('warm up\r\n');
    const normal = cost(`${'x'.repeat(74)}\r\n`);
    for (const line of ['..\r\n', '.a\r\n', '\n..']) {
      assert.ok(cost(line) < 5 * normal + 20_000, JSON.stringify(line));
    }
  });
});
