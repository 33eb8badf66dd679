// Which reader reads which file of a package: by its ending, which the manifest's schema bounds to these four.
import { posix } from 'node:path';
import { LIMITS } from '../message/limits.ts';
import type { ByteSource } from './byte-source.ts';
import { Purse } from './purse.ts';
import { readJpeg } from './read-jpeg.ts';
import { readPdf, type OnPageImage } from './read-pdf.ts';
import { readPng } from './read-png.ts';
import { readText } from './read-text.ts';
import { refuse } from './refusal.ts';

/** Bytes of a picture file: three for each pixel there may be, and its tables. */
const PICTURE_BYTES = LIMITS.pagePixels * 3 + 1024 * 1024;

/**
 * Reads a file from its first byte to its last. Throws `GateRefusal` at the first that does not belong to its form, or for which
 * the purse has nothing left.
 */
export async function readFile(
  name: string,
  source: ByteSource,
  onPage?: OnPageImage,
  purse = new Purse(),
): Promise<void> {
  switch (posix.extname(name)) {
    case '.pdf':
      await readPdf(source, onPage, purse);
      return;
    case '.png': {
      const { width, height } = await readPng(await source.rest(PICTURE_BYTES, 'png-size'));
      purse.image(width, height, 'png-size', 16);
      return;
    }
    case '.jpg': {
      const { width, height } = readJpeg(await source.rest(PICTURE_BYTES, 'jpeg-size'), 0);
      const { sidePixels, pagePixels } = LIMITS;
      if (width > sidePixels || height > sidePixels || width * height > pagePixels)
        refuse('jpeg-size', 0, `${width} x ${height} pixels`);
      purse.image(width, height, 'jpeg-size', 0);
      return;
    }
    case '.txt':
      await readText(source);
      return;
    default:
      refuse('manifest-schema', 0, 'a file of no form of ours');
  }
}
