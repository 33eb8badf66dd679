// Golden pixels: Japanese text whose font is not in the file is drawn as it was when a person looked at it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { PageCollector, type RasterPage } from '../../src/sandbox/raster-page.ts';
import { OPERATION } from '../../src/sandbox/wire.ts';
import { rawOf } from '../../src/sanitise/picture.ts';
import { drive } from '../support/drive-worker.ts';
import { onePage } from '../support/make-pdf.ts';

const CORPUS = new URL('../../../shared/corpus/pdf/pdfjs/', import.meta.url);
const GOLDEN = new URL('../golden/', import.meta.url);
/** Difference, as a share of the ink of the golden picture, that another build of the engine may bring. */
const TOLERANCE = 0.1;
/** A picture of the golden ones is the page's ink with so many pixels of paper around, in grey. */
const MARGIN = 8;

async function inkOf(name: string, made?: Buffer): Promise<Sharp> {
  const source = made ?? readFileSync(new URL(`${name}.pdf`, CORPUS));
  const { frames } = await drive('pdf', source, { dpi: 150, operation: OPERATION.convertWithText });
  let first: RasterPage | undefined;
  const collector = new PageCollector((page) => void (first ??= page));
  for (const frame of frames) await collector.take(frame);
  if (first === undefined) throw new Error(`${name}: no page`);
  const { width, height, channels, pixels } = rawOf(first);
  const raw = { width, height, channels };
  const png = await sharp(pixels, { raw }).greyscale().trim({ background: '#fff', threshold: 40 }).png().toBuffer();
  return sharp(png).extend({ top: MARGIN, bottom: MARGIN, left: MARGIN, right: MARGIN, background: '#fff' });
}

const hex = (text: string): string => Buffer.from(text, 'utf16le').swap16().toString('hex');

/** Names with a supplementary character, across and down, in UTF-16 and a font that is not embedded. */
function pairs(): Buffer {
  const font = (encoding: string): string =>
    `<</Type /Font /Subtype /Type0 /BaseFont /MS-Mincho /Encoding /${encoding} /DescendantFonts [7 0 R]>>`;
  return onePage(
    '0 0 400 400',
    `BT /F 20 Tf 20 340 Td <${hex('𠮷田 𩸽山')}> Tj ET BT 0.9 0.3 -0.3 0.9 60 200 Tm <${hex('𠮷川')}> Tj ET BT /V 20 Tf 320 360 Td <${hex('𠮷田太郎')}> Tj ET`,
    '/Font <</F 5 0 R /V 6 0 R>>',
    [
      font('UniJIS-UTF16-H'),
      font('UniJIS-UTF16-V'),
      '<</Type /Font /Subtype /CIDFontType2 /BaseFont /MS-Mincho /CIDSystemInfo <</Registry (Adobe) /Ordering (Japan1) /Supplement 6>> /DW 1000 /FontDescriptor 8 0 R>>',
      '<</Type /FontDescriptor /FontName /MS-Mincho /Flags 6 /FontBBox [0 -136 1000 859] /ItalicAngle 0 /Ascent 859 /Descent -140 /CapHeight 769 /StemV 78>>',
    ],
  );
}

for (const [name, made] of [
  ['noembed-sjis'],
  ['noembed-eucjp'],
  ['noembed-jis7'],
  ['noembed-identity'],
  ['noembed-identity-2'],
  ['noembed-pairs', pairs()],
] as const) {
  test(`${name} is drawn as in its golden picture`, async () => {
    const actual = await (await inkOf(name, made)).png().toBuffer();
    const path = new URL(`${name}.png`, GOLDEN);
    const [a, b] = await Promise.all(
      [actual, readFileSync(path)].map(async (png) =>
        sharp(png).greyscale().raw().toBuffer({ resolveWithObject: true }),
      ),
    );
    assert.ok(a !== undefined && b !== undefined);
    let difference = 0;
    let ink = 0;
    for (const value of b.data) ink += 255 - value;
    const sameSize = a.info.width === b.info.width && a.info.height === b.info.height;
    if (sameSize) for (let i = 0; i < a.data.length; i++) difference += Math.abs((a.data[i] ?? 0) - (b.data[i] ?? 0));
    const share = sameSize ? difference / ink : Number.POSITIVE_INFINITY;
    if (share > TOLERANCE) {
      const folder = join(tmpdir(), 'mugai-golden');
      mkdirSync(folder, { recursive: true });
      await sharp(actual).toFile(join(folder, `${name}.actual.png`));
      await sharp(readFileSync(path)).toFile(join(folder, `${name}.expected.png`));
      assert.fail(`${name} differs by ${share} of its ink; actual and expected lie in ${folder}`);
    }
  });
}
