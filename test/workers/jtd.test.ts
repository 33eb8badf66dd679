// Ichitaro documents: their words, ruby and tables on pages, and what a made file does to the readers.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unpackLh5 } from '../../workers/lh5.ts';
import { oleStream, oleStreams } from '../../workers/ole.ts';
import { readJtdText } from '../../workers/office/jtd-text.ts';
import { drawnJtd } from '../../workers/office/jtd.ts';
import { Refusal } from '../../workers/run.ts';
import { seeded } from '../support/attack-row.ts';
import { compoundFile } from '../support/compound-file.ts';
import {
  instruction,
  jtd,
  jtdc,
  lh5Literals,
  newPage,
  para,
  raw,
  row,
  ruby,
  textStream,
} from '../support/jtd-files.ts';
import { openSanitiser } from '../support/sanitiser.ts';

const BODY = [
  ...para('令和８年度　補助金交付申請書', 1),
  ...para('申請者　𠮷田 髙﨑㈱'),
  ...raw('交付の'),
  ...ruby('稟議', 'りんぎ'),
  ...raw('について'),
  0x0a,
  ...instruction('ここに氏名を書く'),
  ...row([
    [0, 40, '氏名'],
    [42, 160, '鹿島　太郎'],
  ]),
  ...row([
    [0, 40, '住所'],
    [42, 160, '佐賀県鹿島市'],
  ]),
  ...newPage,
  ...para('二ページ目'),
];

describe('the text of an Ichitaro document', () => {
  for (const pieces of [1, 3])
    it(`is read from ${pieces} piece(s): paragraphs, ruby, rows, pages`, () => {
      const { lines, hidden } = readJtdText(textStream(BODY, pieces));
      assert.ok(hidden);
      const told = lines.map((line) =>
        line.kind === 'page'
          ? '---'
          : line.kind === 'row'
            ? line.cells.map(({ runs }) => runs.map(({ text }) => text).join('')).join('|')
            : line.runs.map(({ text, ruby: reading }) => text + (reading === '' ? '' : `《${reading}》`)).join(''),
      );
      assert.deepEqual(told, [
        '令和８年度　補助金交付申請書',
        '申請者　𠮷田 髙﨑㈱',
        '交付の稟議《りんぎ》について',
        '氏名|鹿島　太郎',
        '住所|佐賀県鹿島市',
        '---',
        '二ページ目',
      ]);
      assert.equal(lines[0]?.kind === 'paragraph' && lines[0].align, 1);
    });

  it('never hangs, and refuses in words, whatever is changed in the file', () => {
    const whole = jtd(BODY, { LayoutBoxText: textStream(para('枠')) });
    const next = seeded(20261125);
    const started = process.cpuUsage();
    let refused = 0;
    for (let nth = 0; nth < 1500; nth++) {
      const bytes = Buffer.from(whole);
      for (let change = 0; change < 1 + nth / 100; change++)
        bytes.writeUInt8(Math.floor(next() * 256), Math.floor(next() * bytes.length));
      try {
        drawnJtd(bytes.subarray(0, nth % 7 === 0 ? Math.floor(next() * bytes.length) : bytes.length));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refused += 1;
      }
    }
    assert.ok(refused > 100 && refused < 1500, `${refused} of 1500`);
    assert.ok(process.cpuUsage(started).user < 30_000_000);
  });

  it('in a compound file whose chains are rings, or whose counts are beyond all measure, ends', () => {
    const bytes = compoundFile({ DocumentText: Buffer.alloc(9000, 1) });
    bytes.writeUInt32LE(0xffffff, 44);
    bytes.writeUInt32LE(0, 68); // the list of FAT sectors begins in the file's first sector
    assert.ok(oleStreams(bytes, () => true).length <= 1);
    const ring = compoundFile({ a: Buffer.alloc(5000, 1) });
    for (let at = 512; at < ring.length - 3; at += 4)
      if (ring.readUInt32LE(at) === 0xfffffffe) ring.writeUInt32LE(0, at);
    assert.ok((oleStream(ring, 'a')?.length ?? 0) <= 5000);
  });
});

describe('-lh5-', () => {
  it('is unpacked, blocks and all, and refused when it is cut', () => {
    const bytes = Buffer.from('一太郎'.repeat(20_000));
    const packed = lh5Literals(bytes);
    assert.deepEqual(unpackLh5(packed, bytes.length), bytes);
    assert.throws(() => unpackLh5(packed.subarray(0, packed.length / 2), bytes.length), Refusal);
  });
});

describe('an Ichitaro document on the road', () => {
  it(
    'becomes pages with every letter, and says that the layout is not its own; packed, too',
    { timeout: 580_000 },
    async () => {
      await using sanitiser = await openSanitiser();
      const document = jtd(BODY, {
        'Embedding 1/Contents': Buffer.from('MZ'),
        LayoutBoxText: textStream(para('枠の中')),
      });
      const { parts, state } = await sanitiser.file('申請書.jtd', document);
      assert.equal(state, 'sanitised');
      assert.equal(parts[0]?.detectedType, 'application/x-js-taro');
      assert.equal(parts[0].verdict, 'pages');
      assert.equal(parts[0].pages, 2);
      const losses = parts[0].losses.map(({ code }) => code);
      for (const code of ['layout-approximate', 'pictures-not-shown', 'hidden-text'])
        assert.ok(losses.includes(code), code);
      // Every letter of the document stands on a page: what is missing would be told.
      assert.ok(!losses.includes('glyph-missing'), JSON.stringify(parts[0].losses));

      const { parts: packed } = await sanitiser.file('申請書.jtdc', jtdc(document));
      assert.deepEqual(
        packed.map(({ path, name, verdict, pages }) => [path, name, verdict, pages]),
        [
          ['1', '申請書.jtdc', 'expanded', 0],
          ['1.1', '申請書.jtd', 'pages', 2],
        ],
      );
    },
  );
});
