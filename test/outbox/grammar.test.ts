// The gate's readers, the writers they were written against, and docs/grammar.md: three statements of one form.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { readMap, readPageText } from '../../src/outbox/read-pdf-text.ts';
import type { PageImage } from '../../src/outbox/read-pdf.ts';
import { isForbidden } from '../../src/outbox/read-text.ts';
import { RULES } from '../../src/outbox/refusal.ts';
import { forText } from '../../src/message/untrusted.ts';
import { PIXEL, type PixelFormat } from '../../src/sandbox/wire.ts';
import { encodePicture } from '../../src/sanitise/picture.ts';
import { abnfPattern, abnfRules } from '../support/abnf.ts';
import { ownFiles, page, pdfOf, refusalOf, RUNS, seeded } from '../support/own-files.ts';

const DOCUMENT = readFileSync(new URL('../../docs/grammar.md', import.meta.url), 'utf8');
const rules = abnfRules(DOCUMENT);
const SKELETON = abnfPattern(rules, 'file', { data: '' });
const files = await ownFiles();

/** A PDF without the data of its streams, and that data, for the ABNF which knows no lengths. */
async function skeletonOf(bytes: Buffer): Promise<string> {
  let text = bytes.toString('latin1');
  const found = [...text.matchAll(/\/Length (\d+) >>\nstream\n/g)];
  for (const match of found.toReversed()) {
    const at = match.index + match[0].length;
    text = text.slice(0, at) + text.slice(at + Number(match[1]));
  }
  return text;
}

const formats = Object.values(PIXEL);
const run = fc.record({
  text: fc.string({ unit: fc.constantFrom('a', 'あ', '𠮷', '・', ' ', '鹿'), minLength: 1, maxLength: 20 }),
  x: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  y: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  dx: fc.double({ min: -1e6, max: 1e6, noNaN: true }).filter((length) => Math.abs(length) > 0.001),
  dy: fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  size: fc.double({ min: 0.01, max: 1e6, noNaN: true }),
});
const anyPage = fc.record({
  width: fc.integer({ min: 1, max: 40 }),
  height: fc.integer({ min: 1, max: 40 }),
  format: fc.constantFrom(...formats),
  soft: fc.boolean(),
  text: fc.array(run, { maxLength: 5 }),
  widthPt: fc.double({ min: 0.001, max: 1e6, noNaN: true }),
  heightPt: fc.double({ min: 0.001, max: 1e6, noNaN: true }),
});

describe('what our writers write', () => {
  for (const [name, bytes] of files) {
    it(`passes the gate: ${name}, in chunks of any size`, async () => {
      for (const chunk of [1, 2, 3, 7, 64, 1000, 1 << 20]) assert.equal(await refusalOf(name, bytes, chunk), undefined);
    });
  }

  it('passes whatever the pages are: sizes, formats, text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyPage, { minLength: 1, maxLength: 4 }), fc.boolean(), async (pages, layered) => {
        const made = pages.map(({ width, height, format, soft, text, widthPt, heightPt }) => ({
          ...page(width, height, format, soft, text),
          widthPt,
          heightPt,
        }));
        assert.equal((await refusalOf('x.pdf', await pdfOf(made, layered)))?.message, undefined);
      }),
      { seed: 7, numRuns: 150 },
    );
  });

  it('passes as pictures, whatever the pixels are', async () => {
    const random = seeded(3);
    for (let nth = 0; nth < 60; nth++) {
      const made = page(
        1 + random(50),
        1 + random(50),
        formats[random(formats.length)] as PixelFormat,
        random(2) === 0,
      );
      for (let at = 0; at < made.pixels.length; at += 1 + random(5)) made.pixels[at] = random(256);
      const { bytes, ext } = await encodePicture(made);
      assert.equal((await refusalOf(`x.${ext}`, bytes))?.message, undefined);
    }
  });

  it('passes as text: what forText leaves of any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        assert.equal((await refusalOf('x.txt', Buffer.from(forText(text)), 7))?.message, undefined);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it('and what forText takes out of a text is what the gate refuses, for every character of Unicode', () => {
    for (let point = 0; point <= 0x10ffff; point++) {
      if (point >= 0xd800 && point <= 0xdfff) continue;
      const text = String.fromCodePoint(point);
      assert.equal(isForbidden(point), forText(text) !== text, `U+${point.toString(16)}`);
    }
  });

  it('tells the image of each page as it lies in the file', async () => {
    const bytes = files.get('plain.pdf') as Buffer;
    const images: PageImage[] = [];
    await refusalOf('plain.pdf', bytes, 100, (image, data) => {
      assert.ok(data.equals(bytes.subarray(image.offset, image.offset + image.length)));
      images.push(image);
    });
    assert.deepEqual(
      images.map(({ index, width, height, bits, colours, filter }) => [index, width, height, bits, colours, filter]),
      [
        [0, 9, 7, 4, 'grey', 'flate'],
        [1, 8, 5, 4, 'rgb', 'flate'],
        [2, 20, 20, 8, 'grey', 'jpeg'],
        [3, 24, 16, 8, 'rgb', 'jpeg'],
      ],
    );
  });
});

describe('docs/grammar.md', () => {
  it('names every rule of the gate, and no other', () => {
    const table = DOCUMENT.slice(DOCUMENT.indexOf('## Rules'));
    const named = [...table.matchAll(/`((?:manifest|file|page|pdf|jpeg|png|text)-[a-z0-9-]+)`/g)].map(
      (match) => match[1] ?? '',
    );
    assert.deepEqual(named.toSorted(), [...RULES].toSorted());
  });

  it('describes what our writer writes', async () => {
    for (const name of ['plain.pdf', 'layered.pdf', 'empty-layer.pdf'])
      assert.match(await skeletonOf(files.get(name) as Buffer), SKELETON, name);
    for (const name of ['grey.jpg', 'colour.jpg'])
      assert.match((files.get(name) as Buffer).toString('latin1'), abnfPattern(rules, 'jpeg'), name);
  });

  it('describes text layers and maps', async () => {
    const made = await pdfOf([page(3, 3, PIXEL.grey4, false, RUNS)], true);
    const streams = [...made.toString('latin1').matchAll(/<< \/Filter \/FlateDecode \/Length (\d+) >>\nstream\n/g)];
    const [text, map] = streams.map((match) => {
      const at = match.index + match[0].length;
      return inflateSync(made.subarray(at, at + Number(match[1]))).toString('latin1');
    }) as [string, string];
    assert.match(text, abnfPattern(rules, 'text'));
    assert.match(map, abnfPattern(rules, 'map'));
  });

  it('refuses what the reader refuses: whatever the ABNF does not describe, the reader does not take', async () => {
    const random = seeded(11);
    const bytes = files.get('layered.pdf') as Buffer;
    let [outside, inside, taken] = [0, 0, 0];
    for (let nth = 0; nth < 4000; nth++) {
      const mutated = Buffer.from(bytes);
      mutated[random(mutated.length)] = random(256);
      const described = SKELETON.test(await skeletonOf(mutated));
      const accepted = (await refusalOf('x.pdf', mutated)) === undefined;
      if (accepted) assert.ok(described, 'the reader takes what the grammar does not describe');
      if (described) inside += 1;
      else outside += 1;
      if (accepted) taken += 1;
    }
    assert.ok(outside > 1000 && inside > 50, `${outside} outside, ${inside} inside, ${taken} taken`);
  });

  for (const [rule, read, sample] of [
    [
      'text',
      readPageText,
      'q 5 0 0 7.25 0 0 cm /I Do Q\nBT\n3 Tr\n/F 12 Tf 87.5 Tz 1 0 0 1 10.25 -3 Tm <00010002> Tj\nET',
    ],
    ['map', readMap, undefined],
  ] as const) {
    it(`says of ${rule} what the reader says, byte for byte`, async () => {
      const pattern = abnfPattern(rules, rule);
      const { CMAP_HEAD, CMAP_FOOT } = await import('../../src/message/page-form.ts');
      const text = sample ?? `${CMAP_HEAD}2 beginbfchar\n<0001> <0041>\n<0002> <D842DFB7>\nendbfchar\n${CMAP_FOOT}`;
      assert.match(text, pattern);
      read(text, 0);
      const random = seeded(5);
      let differs = 0;
      for (let nth = 0; nth < 5000; nth++) {
        const at = random(text.length);
        const put = random(3) === 0 ? '' : String.fromCharCode(random(128));
        const mutated = text.slice(0, at) + put + text.slice(at + random(2));
        let accepted = true;
        try {
          read(mutated, 0);
        } catch {
          accepted = false;
        }
        if (accepted && !pattern.test(mutated)) {
          // The first line of a page's text is the drawing, which the PDF reader compares.
          assert.ok(mutated.split('\n')[0] !== text.split('\n')[0], JSON.stringify(mutated));
        }
        if (!accepted && pattern.test(mutated)) differs += 1; // numbers and characters: the prose below the ABNF
      }
      assert.ok(differs < 500, `${differs} that the ABNF describes are refused`);
    });
  }
});
