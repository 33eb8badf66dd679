// Page images of the PDFs we wrote ourselves: the one image of each page, as it lies in the file. Anything else is refused.
import { MugaiError } from '../message/errors.ts';

/** The image of one page; data lies at `from`, `length` bytes. */
export interface PageImage {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  /** `rgb`, `gray`, or the palette's RGB triples. */
  readonly colours: 'rgb' | 'gray' | Buffer;
  readonly filter: 'flate' | 'dct';
  readonly from: number;
  readonly length: number;
}

const IMAGE =
  /^<<\s\/Type \/XObject\s\/Subtype \/Image\s\/Width (\d{1,5})\s\/Height (\d{1,5})\s\/ColorSpace (\/DeviceGray|\/DeviceRGB|\[\/Indexed \/DeviceRGB (\d{1,3}) <([0-9a-fA-F]{1,1536})>\])\s\/BitsPerComponent ([1248])\s\/Filter \/(Flate|DCT)Decode\s\/Length (\d{1,10})\s>>\nstream\n/;
const PAGES_MOST = 10_000;

/** The page images of a PDF in page order. Throws `bad-package` for bytes that are not of our making. */
export function pageImages(pdf: Buffer): PageImage[] {
  const offsets = readOffsets(pdf);
  const images: PageImage[] = [];
  for (const offset of offsets) {
    const head = pdf.toString('latin1', offset, offset + 2200);
    const start = head.indexOf(' obj\n') + 5;
    const match = IMAGE.exec(head.slice(start));
    if (match === null) continue;
    const [whole, width, height, space = '', , palette, bits, filter, length] = match;
    const from = offset + start + whole.length;
    const size = Number(length);
    if (from + size > pdf.length) throw odd('an image ends behind the file');
    images.push({
      width: Number(width),
      height: Number(height),
      bits: Number(bits),
      colours: palette !== undefined ? Buffer.from(palette, 'hex') : space === '/DeviceGray' ? 'gray' : 'rgb',
      filter: filter === 'DCT' ? 'dct' : 'flate',
      from,
      length: size,
    });
    if (images.length > PAGES_MOST) throw odd('too many pages');
  }
  return images;
}

/** Offsets of the objects, from the one cross-reference table at the end. */
function readOffsets(pdf: Buffer): number[] {
  const tail = pdf.toString('latin1', Math.max(0, pdf.length - 64));
  const at = Number(/startxref\n(\d{1,10})\n%%EOF\n?$/.exec(tail)?.[1] ?? -1);
  if (at < 0 || at >= pdf.length) throw odd('no cross-reference table of ours');
  const head = /^xref\n0 (\d{1,6})\n/.exec(pdf.toString('latin1', at, at + 32));
  if (head === null) throw odd('no cross-reference table of ours');
  const count = Number(head[1]);
  const first = at + head[0].length;
  if (first + count * 20 > pdf.length) throw odd('the cross-reference table is cut');
  const offsets: number[] = [];
  for (let n = 1; n < count; n++) {
    const offset = Number(pdf.toString('latin1', first + n * 20, first + n * 20 + 10));
    if (!Number.isInteger(offset) || offset >= pdf.length) throw odd('an object lies behind the file');
    offsets.push(offset);
  }
  return offsets.toSorted((a, b) => a - b);
}

function odd(why: string): MugaiError {
  return new MugaiError('bad-package', `page preview: ${why}`, { permanent: true });
}
