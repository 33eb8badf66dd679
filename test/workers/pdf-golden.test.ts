// Golden pixels: Japanese text whose font is not in the file is drawn as it was when a person looked at it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { PageCollector, type RasterPage } from '../../src/sandbox/raster-page.ts';
import { rawOf } from '../../src/sanitise/picture.ts';
import { drive } from '../support/drive-worker.ts';

const CORPUS = new URL('../../../shared/corpus/pdf/pdfjs/', import.meta.url);
const GOLDEN = new URL('../golden/', import.meta.url);
/** Difference, as a share of the ink of the golden picture, that another build of the engine may bring. */
const TOLERANCE = 0.1;
/** A picture of the golden ones is the page's ink with so many pixels of paper around, in grey. */
const MARGIN = 8;

async function inkOf(name: string): Promise<Sharp> {
  const { frames } = await drive('pdf', readFileSync(new URL(`${name}.pdf`, CORPUS)), { dpi: 150 });
  let first: RasterPage | undefined;
  const collector = new PageCollector((page) => void (first ??= page));
  for (const frame of frames) await collector.take(frame);
  if (first === undefined) throw new Error(`${name}: no page`);
  const { width, height, channels, pixels } = rawOf(first);
  const raw = { width, height, channels };
  const png = await sharp(pixels, { raw }).greyscale().trim({ background: '#fff', threshold: 40 }).png().toBuffer();
  return sharp(png).extend({ top: MARGIN, bottom: MARGIN, left: MARGIN, right: MARGIN, background: '#fff' });
}

for (const name of ['noembed-sjis', 'noembed-eucjp', 'noembed-jis7', 'noembed-identity', 'noembed-identity-2']) {
  test(`${name} is drawn as in its golden picture`, async () => {
    const actual = await (await inkOf(name)).png().toBuffer();
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
