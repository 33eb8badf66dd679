// Builds the image-only PDF: one image a page and nothing else, from pixels that were checked.
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { PDFCatalog, PDFContext, PDFName, PDFPageTree, PDFRawStream, PDFWriter, type PDFRef } from 'pdf-lib';
import sharp from 'sharp';
import { MugaiError } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import { releasePixels, type RasterPage } from '../sandbox/raster-page.ts';
import { PIXEL } from '../sandbox/wire.ts';
import { isPhotoLike, rawOf } from './picture.ts';

const deflated = promisify(deflate);

/** zlib level: 1 makes 16 % more bytes in 0.93 of the time of the whole, 6 saves 1 to 10 % in twice its own. */
const LEVEL = 4;
/** JPEG of photo-like pages. Optimised Huffman tables cost three times the time for 5 to 10 %. */
const JPEG = { quality: 80, optimiseCoding: false } as const;
/** ISO 32000-1 Annex C: the largest page of PDF 1.x viewers. */
const LARGEST_PT = 14_400;
/** Pages that may be encoded at once; more would only pile up pixels. */
const IN_FLIGHT = 2;
/** Bytes of a page's objects besides its image, for the running total. */
const PAGE_OVERHEAD = 600;

/** An encoded image. */
interface Encoded {
  readonly bytes: Uint8Array;
  readonly filter: 'FlateDecode' | 'DCTDecode';
  readonly colour: 'DeviceGray' | 'DeviceRGB';
  readonly bits: 4 | 8;
}

/**
 * A PDF in the making. `add` returns as soon as the page is being encoded (on zlib's or libvips' thread), so that the
 * child renders the next one meanwhile. Same pages in, same bytes out. Throws `MugaiError('too-large')` beyond
 * `LIMITS.outputBytes`.
 */
export class PagePdf {
  readonly #context = PDFContext.create();
  readonly #tree = PDFPageTree.withContext(this.#context);
  readonly #treeRef: PDFRef = this.#context.register(this.#tree);
  readonly #encoding: Promise<void>[] = [];
  #bytes = 0;
  #pages = 0;
  #failure: { readonly error: unknown } | undefined;

  /** Pages added. */
  get pages(): number {
    return this.#pages;
  }

  /** Adds a page and takes its pixels: they are given back when they are encoded. */
  async add(page: RasterPage): Promise<void> {
    this.#rethrow();
    this.#pages += 1;
    const image = this.#place(page);
    const job = encode(page).then(
      (encoded) => this.#finishImage(image, page, encoded),
      (error: unknown) => void (this.#failure ??= { error }),
    );
    this.#encoding.push(job.finally(() => releasePixels(page)));
    while (this.#encoding.length > IN_FLIGHT) await this.#encoding.shift();
    this.#rethrow();
  }

  /** The whole file. Throws when no page was added. */
  async finish(): Promise<Uint8Array> {
    await Promise.all(this.#encoding.splice(0));
    this.#rethrow();
    if (this.#pages === 0) throw new MugaiError('bad-input', 'a PDF without a page');
    const context = this.#context;
    context.trailerInfo.Root = context.register(PDFCatalog.withContextAndPages(context, this.#treeRef));
    return PDFWriter.forContext(context, 50).serializeToBuffer();
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Puts the page's objects in their place, in page order; its image object comes when it is encoded. */
  #place(page: RasterPage): PDFRef {
    const context = this.#context;
    const image = context.nextRef();
    const shrink = Math.min(1, LARGEST_PT / page.widthPt, LARGEST_PT / page.heightPt);
    const width = points(page.widthPt * shrink);
    const height = points(page.heightPt * shrink);
    const leaf = context.obj({
      Type: 'Page',
      Parent: this.#treeRef,
      MediaBox: [0, 0, width, height],
      Resources: { XObject: { I: image } },
      Contents: context.register(context.stream(`q ${width} 0 0 ${height} 0 0 cm /I Do Q`)),
    });
    this.#tree.Kids().push(context.register(leaf));
    this.#tree.set(PDFName.of('Count'), context.obj(this.#pages));
    return image;
  }

  #finishImage(image: PDFRef, page: RasterPage, encoded: Encoded): void {
    this.#bytes += encoded.bytes.length + PAGE_OVERHEAD;
    if (this.#bytes > LIMITS.outputBytes) {
      this.#failure ??= { error: new MugaiError('too-large', 'PDF over its ceiling', { permanent: true }) };
      return;
    }
    const dictionary = this.#context.obj({
      Type: 'XObject',
      Subtype: 'Image',
      Width: page.width,
      Height: page.height,
      ColorSpace: encoded.colour,
      BitsPerComponent: encoded.bits,
      Filter: encoded.filter,
      Length: encoded.bytes.length,
    });
    this.#context.assign(image, PDFRawStream.of(dictionary, encoded.bytes));
  }
}

/** A length in points as PDF numbers go: no exponent, at most four decimals, never zero. */
function points(value: number): number {
  return Math.max(0.0001, Math.round(value * 10_000) / 10_000);
}

async function encode(page: RasterPage): Promise<Encoded> {
  const colour = page.format === PIXEL.grey4 || page.format === PIXEL.grey8 ? 'DeviceGray' : 'DeviceRGB';
  const fourBits = page.format === PIXEL.grey4 || page.format === PIXEL.rgb4;
  if (fourBits || !isPhotoLike(page)) {
    // Rows of an image end at a byte (ISO 32000-1, 8.9.3), as ours do.
    return {
      bytes: await deflated(page.pixels, { level: LEVEL }),
      filter: 'FlateDecode',
      colour,
      bits: fourBits ? 4 : 8,
    };
  }
  const raw = rawOf(page);
  const pipeline = sharp(raw.pixels, { raw, limitInputPixels: LIMITS.pagePixels });
  const jpeg = raw.channels === 1 ? pipeline.toColourspace('b-w') : pipeline;
  return { bytes: await jpeg.jpeg(JPEG).toBuffer(), filter: 'DCTDecode', colour, bits: 8 };
}
