// HWP, DocuWorks, JPEG 2000, Photoshop, moving pictures: on the road, and what made files do to their readers.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { readPolicy } from '../../src/policy/policy.ts';
import { PageCollector } from '../../src/sandbox/raster-page.ts';
import { docuPages } from '../../workers/docuworks.ts';
import { jpegXl } from '../../workers/jpegxl.ts';
import { photoshop } from '../../workers/photoshop.ts';
import { Refusal } from '../../workers/run.ts';
import { corpus, seeded } from '../support/attack-row.ts';
import { xdw, type Page } from '../support/docuworks-files.ts';
import { drive } from '../support/drive-worker.ts';
import { hangulFile } from '../support/hangul-files.ts';
import { openSanitiser } from '../support/sanitiser.ts';

const MS = 500_000;

describe('a Hangul document', () => {
  for (const [kind, type] of [
    ['hwp', 'application/vnd.hancom.hwp'],
    ['hwpx', 'application/vnd.hancom.hwpx'],
  ] as const)
    it(`${kind} becomes pages with its letters in ink`, { timeout: MS }, async () => {
      const document = await hangulFile();
      const bytes = Buffer.from(kind === 'hwp' ? document.exportHwp() : document.exportHwpx());
      await using sanitiser = await openSanitiser();
      const { state, parts, files } = await sanitiser.file(`공문.${kind}`, bytes);
      assert.equal(state, 'sanitised');
      assert.equal(parts[0]?.detectedType, type);
      assert.deepEqual([parts[0].verdict, parts[0].pages], ['image', 1]);
      // One line of some 25 letters on white.
      const picture = sharp([...files.values()][0]);
      const { channels } = await picture.stats();
      const mean = channels[0]?.mean ?? 0;
      assert.ok(mean < 254.9 && mean > 240, `mean ${mean}`);
    });

  it('has pages of one size, also where they would have more pixels than a page may', { timeout: MS }, async () => {
    const bytes = (await hangulFile()).exportHwp();
    const sizes: [widthPt: number, heightPt: number][] = [];
    for (const dpi of [150, 1200]) {
      const collector = new PageCollector(async ({ widthPt, heightPt }) => void sizes.push([widthPt, heightPt]));
      const { outcome } = await drive('image', bytes, { dpi }, 120_000, async (frame) => collector.take(frame));
      assert.equal(outcome.kind, 'done', JSON.stringify(outcome));
    }
    const [[wide, high] = [0, 0], [fineWide, fineHigh] = [0, 0]] = sizes;
    assert.ok(wide > 500 && Math.abs(wide - fineWide) < 1, `${wide} and ${fineWide} points`);
    assert.ok(high > 700 && Math.abs(high - fineHigh) < 1, `${high} and ${fineHigh} points`);
  });

  it('that its own program wrote becomes pages', { timeout: MS }, async () => {
    await using sanitiser = await openSanitiser();
    const { state, parts } = await sanitiser.file('a.hwp', await corpus('office/tika/testHWP_5.0.hwp'));
    assert.equal(state, 'sanitised');
    assert.ok((parts[0]?.pages ?? 0) >= 1);
  });

  it('that is locked is held, and opens with its password', { timeout: MS }, async () => {
    const locked = Buffer.from((await hangulFile()).exportHwpWithPassword('Kashima-0314'));
    {
      await using sanitiser = await openSanitiser();
      assert.equal((await sanitiser.file('a.hwp', locked)).reason, 'password-needed');
    }
    await using sanitiser = await openSanitiser({ passwords: ['wrong', 'Kashima-0314'] });
    assert.equal((await sanitiser.file('a.hwp', locked)).state, 'sanitised');
  });

  it('that is torn is refused in words', { timeout: MS }, async () => {
    const bytes = Buffer.from((await hangulFile()).exportHwp());
    await using sanitiser = await openSanitiser();
    const { state, reason } = await sanitiser.file('a.hwp', bytes.subarray(0, 6000));
    assert.equal(state, 'refused');
    assert.ok(['damaged', 'converter-failed', 'unsupported-type'].includes(reason ?? ''), reason ?? '');
  });
});

const jpeg = async (width: number, height: number, background: string): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background } })
    .jpeg({ quality: 95 })
    .toBuffer();

describe('a DocuWorks document', () => {
  it('of scans becomes their pages in their order, whole and in strips', { timeout: MS }, async () => {
    const strips = [
      { jpeg: await jpeg(60, 24, '#00ff00'), width: 60, height: 24 },
      { jpeg: await jpeg(60, 16, '#0000ff'), width: 60, height: 16 },
    ];
    const pages: Page[] = [
      { kind: 'jpeg', jpeg: await jpeg(50, 70, '#ff0000') },
      { kind: 'strips', strips },
    ];
    for (const packed of [false, true]) {
      const { pages: drawn, notes } = docuPages(xdw(pages, { packed, notes: 2 }));
      assert.equal(notes, 2);
      const sizes = await Promise.all(drawn.map(async (page) => sharp(await page()).metadata()));
      assert.deepEqual(
        sizes.map(({ width, height }) => [width, height]),
        [
          [50, 70],
          [60, 40],
        ],
      );
      const { data } = await sharp(await drawn[1]?.())
        .raw()
        .toBuffer({ resolveWithObject: true });
      assert.ok((data[1] as number) > 200 && (data[2] as number) < 50, 'green above');
      assert.ok((data[data.length - 1] as number) > 200, 'blue below');
    }
    await using sanitiser = await openSanitiser();
    const { state, parts } = await sanitiser.file('スキャン.xdw', xdw(pages, { packed: true, notes: 2 }));
    assert.equal(state, 'sanitised');
    assert.deepEqual([parts[0]?.verdict, parts[0]?.pages], ['pages', 2]);
    assert.ok(parts[0]?.losses.some(({ code, detail }) => code === 'comments' && detail === '2'));
  });

  it('with a page that only its own program draws is held, with what to ask for', { timeout: MS }, async () => {
    const pages: Page[] = [{ kind: 'jpeg', jpeg: await jpeg(50, 70, '#ff0000') }, { kind: 'drawing' }];
    await using sanitiser = await openSanitiser();
    const { state, reason, parts } = await sanitiser.file('図面.xdw', xdw(pages));
    assert.deepEqual([state, reason], ['held', 'unsupported-type']);
    assert.ok(parts[0]?.findings.some(({ code }) => code === 'ask-for-pdf'));
  });

  it(
    'with a page that is broken keeps the others; with none that is whole it is held, with what to ask for',
    { timeout: MS },
    async () => {
      const whole: Page = { kind: 'jpeg', jpeg: await jpeg(60, 80, '#ff0000') };
      const torn: Page = { kind: 'jpeg', jpeg: whole.jpeg.subarray(0, whole.jpeg.length >> 2) };
      const strip = { jpeg: torn.jpeg, width: 60, height: 40 };
      const strips: Page = { kind: 'strips', strips: [strip, strip] };
      await using sanitiser = await openSanitiser();
      for (const [pages, failed] of [
        [[whole, torn, whole], 2],
        [[torn, whole], 1],
        [[whole, strips], 2],
      ] as const) {
        const { parts } = await sanitiser.file('a.xdw', xdw(pages));
        assert.deepEqual([parts[0]?.verdict, parts[0]?.pages], ['pages', pages.length]);
        assert.deepEqual(parts[0]?.losses, [{ code: 'page-failed', detail: `page ${failed}: damaged` }]);
      }
      for (const bytes of [xdw([torn, strips]), xdw([whole]).subarray(0, -3)]) {
        const { state, reason, parts } = await sanitiser.file('a.xdw', bytes);
        assert.deepEqual([state, reason], ['held', 'damaged']);
        assert.ok(parts[0]?.findings.some(({ code }) => code === 'ask-for-pdf'));
      }
    },
  );

  it('that was changed anywhere ends in words, and soon', async () => {
    const whole = xdw([{ kind: 'jpeg', jpeg: await jpeg(20, 20, '#ff0000') }, { kind: 'drawing' }], { packed: true });
    const next = seeded(7);
    for (let nth = 0; nth < 500; nth++) {
      const bytes = Buffer.from(whole);
      for (let change = 0; change < 1 + nth / 50; change++)
        bytes.writeUInt8(Math.floor(next() * 256), Math.floor(next() * bytes.length));
      try {
        for (const page of docuPages(bytes).pages) await page();
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }
  });
});

const FILM =
  'ff0a49040158505c1208082005000068004b188b1500d41963303e2f200100214122bb7f00493f5a90d71f08082005000068004b188b15001c26c6e0' +
  '98bf800400d07963008004fefd0a73e6000808204500004c004b188b15805dfaff021200fc130500bcbdf903';
const SINGLE =
  'ff0a89f19350b9b78a2000128802000c035de5120000152aa38c1bbc9cebf9f24387c5b48deb0c6db56d6149a2c838364927700829b0a26aa4a4528c' +
  '8a12234589648c3132c618c91cd206b3084a467fbfd2ae541e380c4004c76ca1eb674e2aff20ae003d7938c4057a104232b8889561e2790c14760c18' +
  'da4001cccf6c622f27e86485144881a146468ac77831f2e22945f80a5ac68b1b46c76207af5a82116550db9e0a4f2fbc8e386173601a8c716d2d067f' +
  'fe3c0508ff3058e436614635f1a9fad71e3fd3977eb5917f4d2a95033c149403';

describe('other pictures', () => {
  for (const [path, type] of [
    ['image/pillow/hopper.psd', 'image/vnd.adobe.photoshop'],
    ['image/tika/testPSD.psd', 'image/vnd.adobe.photoshop'],
    ['image/tika/testJPEG.jp2', 'image/jp2'],
    ['image/pillow/test-card-lossless.jp2', 'image/jp2'],
    ['image/tika/testJXL_exif.jxl', 'image/jxl'],
  ] as const)
    it(`${path} becomes a picture`, { timeout: MS }, async () => {
      await using sanitiser = await openSanitiser();
      const { state, parts, files } = await sanitiser.file(path.split('/').at(-1) ?? '', await corpus(path));
      assert.equal(state, 'sanitised');
      assert.deepEqual([parts[0]?.detectedType, parts[0]?.verdict], [type, 'image']);
      const { channels } = await sharp([...files.values()][0]).stats();
      assert.ok((channels[0]?.stdev ?? 0) > 5, 'it is not one colour');
    });

  it('of a JPEG XL that is a film the first picture is shown, and the others are told', { timeout: MS }, async () => {
    // Made by cjxl: a GIF of a red, a green and a blue square, and a single picture.
    for (const [film, rest] of [
      [FILM, ['frames-cut the first picture of a sequence is shown']],
      [SINGLE, []],
    ] as const) {
      await using sanitiser = await openSanitiser();
      const { parts, files } = await sanitiser.file('a.jxl', Buffer.from(film, 'hex'));
      assert.deepEqual([parts[0]?.detectedType, parts[0]?.verdict], ['image/jxl', 'image']);
      const told = parts[0]?.losses.map(({ code, detail }) => `${code} ${detail}`);
      assert.deepEqual(told, rest);
      const [red] = await sharp([...files.values()][0])
        .raw()
        .toBuffer();
      assert.ok((red ?? 0) > 240);
    }
  });

  it(
    'a JPEG XL that is cut, or says that it is larger than a picture may be, is refused',
    { timeout: MS },
    async () => {
      const whole = await corpus('image/tika/testJXL_exif.jxl');
      for (const size of [2, 12, 20, 40, 3000]) await assert.rejects(jpegXl(whole.subarray(0, size)), Refusal);
      // Codestreams of no more than their size: 2^30 by 2^30, and 32,768 twice.
      for (const [bits, reason] of [
        ['ff0afeffffffff1ffeffffff0f', 'too-many-pixels'],
        ['ff0afcff0f0efcff0700', 'too-many-pixels'],
        ['ff0a0000', 'damaged'],
      ] as const)
        await assert.rejects(jpegXl(Buffer.from(bits, 'hex')), { reason });
      const next = seeded(4);
      for (let nth = 0; nth < 100; nth++) {
        const bytes = Buffer.from(whole.subarray(0, 2000));
        for (let change = 0; change < 4; change++) bytes.writeUInt8(Math.floor(next() * 256), Math.floor(next() * 60));
        await assert.rejects(jpegXl(bytes), Refusal);
      }
    },
  );

  it('a PSD that lies about its sizes, or is cut, is refused', async () => {
    const whole = await corpus('image/pillow/hopper.psd');
    for (const size of [30, 100, 5000, whole.length - 100])
      assert.throws(() => photoshop(whole.subarray(0, size)), Refusal);
    const next = seeded(3);
    for (let nth = 0; nth < 300; nth++) {
      const bytes = Buffer.from(whole);
      for (let change = 0; change < 4; change++) bytes.writeUInt8(Math.floor(next() * 256), Math.floor(next() * 60));
      try {
        photoshop(bytes);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }
  });

  it('frames of a moving picture become pages where the policy says so', { timeout: MS }, async () => {
    const bytes = readFileSync(new URL('../../samples/file/animated.gif', import.meta.url));
    const frames = (await sharp(bytes).metadata()).pages ?? 0;
    assert.ok(frames > 1);
    await using sanitiser = await openSanitiser({ policy: readPolicy('name: p\nversion: "1"\nframes: pages\n', 'p') });
    const { parts } = await sanitiser.file('a.gif', bytes);
    assert.deepEqual([parts[0]?.verdict, parts[0]?.pages], ['pages', frames]);
  });
});
