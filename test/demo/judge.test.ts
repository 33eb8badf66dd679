// Holds the demo's judge: it must see every way in which a result can differ from its expectation.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge } from '../../src/demo/judge.ts';
import { outputFaults, pixelsOf } from '../../src/demo/output-faults.ts';
import type { Expectation } from '../../src/demo/samples.ts';
import type { Predicate } from '../../src/outbox/manifest.ts';
import type { VerifiedFile } from '../../src/outbox/verify.ts';

const ZERO = '0'.repeat(64);

function file(name: string, content: string | Buffer): VerifiedFile {
  const bytes = Buffer.from(content);
  return { name, size: bytes.length, sha256: ZERO, bytes };
}

/** The smallest header of a PNG that says its size. */
function pngHead(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(26);
  bytes.write('\x89PNG\r\n\x1a\n', 'latin1');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

const predicate: Predicate = {
  id: '01m82tehmvm7zzc7fjqfmq3aj1',
  state: 'sanitised',
  reason: null,
  source: { kind: 'mail', name: '', size: 1, sha256: ZERO },
  receivedAt: '2025-10-06T00:30:00.000Z',
  sanitisedAt: '2025-10-06T00:30:01.000Z',
  envelope: { from: '', to: [] },
  headers: null,
  autoSubmitted: '',
  policy: { name: 'p', version: '1', sha256: ZERO },
  engine: { version: '0', workers: {} },
  parts: [
    {
      path: '1',
      name: '地図.png',
      declaredType: '',
      detectedType: 'image/png',
      size: 1,
      sha256: ZERO,
      verdict: 'image',
      reason: null,
      outputs: ['files/01-地図.png'],
      pages: 1,
      findings: [{ code: 'bidi-name', detail: '' }],
      losses: [],
    },
  ],
};
const result = {
  predicate,
  files: [file('message.txt', '本文です。\n'), file('files/01-地図.png', pngHead(3, 2))],
  delivered: '/some.eml',
};
const right: Expectation = {
  state: 'sanitised',
  reason: null,
  parts: [
    { path: '1', name: '地図.png', verdict: 'image', reason: null, pages: 1, findings: ['bidi-name'], pixels: [3, 2] },
  ],
  text: ['本文です。'],
  notText: ['隠れた文'],
};
const part = { path: '1', verdict: 'image', reason: null } as const;

describe('judge', () => {
  it('has nothing to say of a result that is as expected', () => {
    assert.deepEqual(judge(right, result), []);
  });

  const wrongs: readonly (readonly [what: string, expected: Expectation, says: RegExp])[] = [
    ['state', { ...right, state: 'refused' }, /^state is sanitised, expected refused$/],
    ['reason', { ...right, reason: 'damaged' }, /^reason is null, expected damaged$/],
    ['number of parts', { ...right, parts: [] }, /^number of parts is 1, expected 0$/],
    ['path', { ...right, parts: [{ ...part, path: '2' }] }, /path is 1, expected 2/],
    ['name', { ...right, parts: [{ ...part, name: 'x' }] }, /name is 地図\.png, expected x/],
    ['verdict', { ...right, parts: [{ ...part, verdict: 'pages' }] }, /verdict is image, expected pages/],
    [
      'reason of a part',
      { ...right, parts: [{ ...part, reason: 'timeout' }] },
      /part 1 reason is null, expected timeout/,
    ],
    ['pages', { ...right, parts: [{ ...part, pages: 7 }] }, /pages is 1, expected 7/],
    ['finding', { ...right, parts: [{ ...part, findings: ['macro'] }] }, /finding macro is missing \(has: bidi-name\)/],
    ['loss', { ...right, parts: [{ ...part, losses: ['gaiji'] }] }, /loss gaiji is missing \(has: none\)/],
    ['size of a picture', { ...right, parts: [{ ...part, pixels: [2, 3] }] }, /pixels is 3 × 2, expected 2 × 3/],
    ['text that must be', { ...right, text: ['別の文'] }, /^text lacks "別の文"$/],
    ['text that must not be', { ...right, notText: ['本文'] }, /^text holds "本文"$/],
  ];
  for (const [what, expected, says] of wrongs) {
    it(`reports a wrong ${what}`, () => {
      const faults = judge(expected, result);
      assert.equal(faults.length, 1, faults.join('; '));
      assert.match(faults[0] ?? '', says);
    });
  }

  it('reports a mail that was not delivered', () => {
    assert.deepEqual(judge(right, { ...result, delivered: undefined }), ['no mail was delivered']);
  });
});

describe('outputs', () => {
  const bad: readonly (readonly [what: string, output: VerifiedFile])[] = [
    ['text with an override of reading order', file('message.txt', 'a\u202eb')],
    ['text with a terminal escape', file('files/01-a.txt', '\u001b[31m')],
    ['a PDF with a script', file('files/01-a.pdf', '%PDF-1.7\n<< /S /JavaScript >>')],
    ['something else under the name of a PDF', file('files/01-a.pdf', 'MZ')],
    ['a PNG with a comment', file('files/01-a.png', Buffer.from('\x89PNG\r\n\x1a\n tEXt', 'latin1'))],
    ['a JPEG with Exif', file('files/01-a.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, 4, 0, 0]))],
    ['a kind of file that no output has', file('files/01-a.exe', 'MZ')],
  ];
  for (const [what, output] of bad) {
    it(`are refused by the judge: ${what}`, () => assert.equal(outputFaults(output).length, 1));
  }

  it('that are plain pass', () => {
    assert.deepEqual(outputFaults(file('message.txt', '葛\u{e0100}城市\n\tよし\n')), []);
    assert.deepEqual(outputFaults(file('files/01-a.jpg', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0]))), []);
  });

  it('tell their size', () => {
    const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8, 0, 200, 1, 64, 1, 1, 0, 0]);
    assert.deepEqual(pixelsOf(jpeg), [320, 200]);
    assert.deepEqual(pixelsOf(pngHead(5, 6)), [5, 6]);
  });
});
