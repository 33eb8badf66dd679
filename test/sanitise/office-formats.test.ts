// Documents that the office engine draws besides those of Microsoft: locked OpenDocument, Windows' metafiles.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { corpus, seeded } from '../support/attack-row.ts';
import { FRAME } from '../../src/sandbox/wire.ts';
import { PageCollector } from '../../src/sandbox/raster-page.ts';
import { rawOf } from '../../src/sanitise/picture.ts';
import { drive } from '../support/drive-worker.ts';
import { docx, paragraph } from '../support/office-files.ts';
import { docText } from '../../workers/office/doc-letters.ts';
import { pptText } from '../../workers/office/ppt-letters.ts';
import { withRightCount } from '../../workers/office/ppt-records.ts';
import { cleanRtf } from '../../workers/office/rtf.ts';
import { openSanitiser } from '../support/sanitiser.ts';

const MS = 500_000;

/** Dots of a PDF's first page that are not white. */
async function inkOf(pdf: Buffer): Promise<number> {
  const { frames } = await drive('pdf', pdf, { dpi: 50 }, MS);
  let dots = 0;
  const collector = new PageCollector((page) => {
    const { pixels, channels } = rawOf(page);
    for (let at = 0; at < pixels.length; at += channels) if ((pixels[at] ?? 255) < 250) dots += 1;
  });
  for (const frame of frames) await collector.take(frame);
  return dots;
}

describe('a locked OpenDocument text', () => {
  const path = 'office/tika/testODTEncrypted.odt'; // written by LibreOffice; AES-256, PBKDF2 of 100,000 rounds
  it('is held without its password and with a wrong one, and opens with the right one', { timeout: MS }, async () => {
    const bytes = await corpus(path);
    {
      await using sanitiser = await openSanitiser();
      const { reason } = await sanitiser.file('a.odt', bytes);
      assert.equal(reason, 'password-needed');
    }
    {
      await using sanitiser = await openSanitiser({ passwords: ['tikaa'] });
      const { state, reason } = await sanitiser.file('a.odt', bytes);
      assert.deepEqual([state, reason], ['held', 'password-wrong']);
    }
    await using sanitiser = await openSanitiser({ passwords: ['tikaa', 'tika'] });
    const { state, parts } = await sanitiser.file('a.odt', bytes);
    assert.equal(state, 'sanitised');
    assert.equal(parts[0]?.verdict, 'pages');
  });
});

describe('a metafile of Windows', () => {
  for (const kind of ['EMF', 'WMF'])
    it(`${kind} becomes a page`, { timeout: MS }, async () => {
      await using sanitiser = await openSanitiser();
      const bytes = await corpus(`image/tika/test${kind}.${kind.toLowerCase()}`);
      const { state, parts } = await sanitiser.file(`図.${kind.toLowerCase()}`, bytes);
      assert.equal(state, 'sanitised');
      assert.equal(parts[0]?.detectedType, `image/${kind.toLowerCase()}`);
      assert.ok((parts[0]?.pages ?? 0) >= 1);
    });
});

describe('a presentation', () => {
  for (const name of ['slideshow-backgrounds', 'slideshow-pictures'])
    it(`that counts fewer objects than it has becomes pages: ${name}`, { timeout: MS }, async () => {
      await using sanitiser = await openSanitiser();
      const { state, parts } = await sanitiser.file('a.ppt', await corpus(`office/poi/${name}.ppt`));
      assert.equal(state, 'sanitised');
      assert.ok((parts[0]?.pages ?? 0) >= 4);
    });
});

describe('letters of documents that are not written anew', () => {
  it('are read for the check of what stands on the pages: doc, ppt, rtf', async () => {
    const doc = docText(await corpus('office/poi/document-Bug48075.doc'))?.text ?? '';
    assert.match(doc, /Приложение №2/);
    assert.doesNotMatch(doc, /HYPERLINK|PAGEREF/);
    const ppt = pptText(await corpus('office/poi/slideshow-54880_chinese.ppt'));
    assert.match(ppt?.text ?? '', /複数の文字/);
    assert.equal(ppt?.hidden, false);
    const { report } = cleanRtf(Buffer.from(String.raw`{\rtf1\ansi \u-24961?}`, 'latin1'));
    assert.ok(report.letters.includes('鹿'), report.letters);
  });

  it('cost no more than the file is long, and nothing is thrown but what is meant', async () => {
    for (const path of ['office/poi/document-SampleDoc.doc', 'office/poi/slideshow-SampleShow.ppt']) {
      const whole = await corpus(path);
      const next = seeded(7);
      const started = process.cpuUsage();
      for (let n = 0; n < 300; n++) {
        const torn = Buffer.from(whole.subarray(0, next() < 0.3 ? Math.floor(whole.length * next()) : whole.length));
        for (let bit = 0; bit < 20; bit++) torn[Math.floor(next() * torn.length)] = Math.floor(next() * 256);
        for (const read of [docText, pptText, withRightCount])
          try {
            read(torn);
          } catch (error) {
            assert.ok(
              error instanceof RangeError || (error instanceof Error && error.name === 'Refusal'),
              String(error),
            );
          }
      }
      assert.ok(process.cpuUsage(started).user < 20_000_000);
    }
  });
});

describe('a metafile in a document', () => {
  const NAMES = {
    wp: 'http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing',
    a: 'http://schemas.openxmlformats.org/drawingml/2006/main',
    pic: 'http://schemas.openxmlformats.org/drawingml/2006/picture',
  };
  const picture = (size: number): string =>
    `<w:p><w:r><w:drawing><wp:inline xmlns:wp="${NAMES.wp}"><wp:extent cx="${size}" cy="${size}"/><wp:docPr id="1" name="p"/><a:graphic xmlns:a="${NAMES.a}"><a:graphicData uri="${NAMES.pic}"><pic:pic xmlns:pic="${NAMES.pic}"><pic:nvPicPr><pic:cNvPr id="1" name="p"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="r9"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="${size}" cy="${size}"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>`;
  for (const kind of ['emf', 'wmf'])
    for (const family of ['office', 'office-wasm'] as const)
      it(`${kind} is drawn by ${family}`, { timeout: MS }, async () => {
        const image = await corpus(`image/tika/test${kind.toUpperCase()}.${kind}`);
        const body = picture(3_600_000); // ten centimetres
        const link = { id: 'r9', type: 'image', target: `media/a.${kind}` };
        const ink = async (bytes: Buffer): Promise<number> => {
          const { outcome, frames } = await drive(family, bytes, {}, MS);
          assert.equal(outcome.kind, 'done', JSON.stringify(outcome));
          return inkOf(Buffer.concat(frames.filter(({ type }) => type === FRAME.bytes).map(({ payload }) => payload)));
        };
        const drawn = await ink(docx(body, [link], { [`word/media/a.${kind}`]: image }));
        const none = await ink(docx(paragraph('')));
        assert.ok(drawn > none + 500, `${drawn} dots of ink, ${none} without it`);
      });
});

describe('documents of other programs', () => {
  for (const path of [
    'poi/diagram-test.vsdx',
    'poi/document-word2.doc',
    'poi/publisher-Simple.pub',
    'poi/spreadsheet-BOOK_in_capitals.xls',
    'tika/testEXCEL_4.xls',
  ])
    it(`${path} becomes pages`, { timeout: MS }, async () => {
      await using sanitiser = await openSanitiser();
      const { state, parts } = await sanitiser.file(path.split('/')[1] ?? '', await corpus(`office/${path}`));
      assert.equal(state, 'sanitised');
      assert.equal(parts[0]?.verdict, 'pages');
    });
});

describe('RTF', () => {
  it(
    'whose pictures are raw bytes that look like braces, and are no pictures, keeps its text',
    { timeout: MS },
    async () => {
      await using sanitiser = await openSanitiser();
      const { state, parts } = await sanitiser.file('a.rtf', await corpus('office/tika/testBinControlWord.rtf'));
      assert.equal(state, 'sanitised');
      assert.ok(parts[0]?.losses.some(({ code }) => code === 'pictures-not-shown'));
    },
  );

  it('made of nothing but beginnings is cleaned in linear time', () => {
    for (const piece of ['{\\pict', '{\\pict\\wmetafile8 ', '\\bin1 ', '{\\*\\objdata'])
      for (const end of ['', '}']) {
        const started = process.cpuUsage();
        cleanRtf(Buffer.from(`{\\rtf1 ${piece.repeat(300_000)}${end}`, 'latin1'));
        assert.ok(process.cpuUsage(started).user < 5_000_000, piece);
      }
  });
});

describe('a document of OpenOffice.org 1', () => {
  it('becomes pages: a text that StarOffice wrote, told by its manifest alone', { timeout: MS }, async () => {
    await using sanitiser = await openSanitiser();
    const { state, parts } = await sanitiser.file(
      '文書.sxw',
      await corpus('office/tika/testStarOffice-6.0-writer.sxw'),
    );
    assert.equal(state, 'sanitised');
    assert.equal(parts[0]?.detectedType, 'application/vnd.sun.xml.writer');
    assert.deepEqual([parts[0].verdict, parts[0].pages, parts[0].findings], ['pages', 1, []]);
  });
});
