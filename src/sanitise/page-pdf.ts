// A PDF in the making: pages are encoded beside each other and leave for the disk one by one, in their order.
import { MugaiError } from '../message/errors.ts';
import { releasePixels, type RasterPage } from '../sandbox/raster-page.ts';
import { encodePage } from './encode-page.ts';
import { PdfWriter, drawing, sidesOf, type EncodedPage } from './pdf-writer.ts';
import { TextLayer } from './text-layer.ts';

/** Pages that may be encoded at once; more would only pile up pixels. */
const IN_FLIGHT = 2;

/** Where the bytes of the file go, in order; what it throws ends the file. */
export interface PdfSink {
  write(chunk: Uint8Array): void | Promise<void>;
}

/** Hears of each page when it is written. */
export type OnPage = (page: EncodedPage, index: number) => void | Promise<void>;

/**
 * `add` returns as soon as the page is being encoded (on zlib's or libvips' thread), so that the child renders the next
 * one meanwhile. Same pages in, same bytes out. Throws what the sink threw, or `onPage`.
 */
export class PagePdf {
  readonly #sink: PdfSink;
  readonly #onPage: OnPage | undefined;
  readonly #writer: PdfWriter;
  readonly #layer: TextLayer | undefined;
  readonly #writing: Promise<void>[] = [];
  #last: Promise<void> = Promise.resolve();
  #pages = 0;
  #failure: { readonly error: unknown } | undefined;

  /** `layered`: with a text layer, also where it stays empty. */
  constructor(sink: PdfSink, { layered = false, onPage }: { layered?: boolean; onPage?: OnPage } = {}) {
    this.#sink = sink;
    this.#onPage = onPage;
    this.#writer = new PdfWriter(layered);
    this.#layer = layered ? new TextLayer() : undefined;
  }

  /** Pages added. */
  get pages(): number {
    return this.#pages;
  }

  /** Adds a page and takes its pixels: they are given back when they are encoded. */
  async add(page: RasterPage): Promise<void> {
    this.#rethrow();
    const index = this.#pages++;
    const encoded = this.#encode(page);
    const written = this.#last.then(async () => this.#write(await encoded, index));
    this.#last = written.catch((error: unknown) => void (this.#failure ??= { error }));
    this.#writing.push(this.#last);
    while (this.#writing.length > IN_FLIGHT) await this.#writing.shift();
    this.#rethrow();
  }

  /** Writes the rest of the file. Throws when no page was added. */
  async finish(): Promise<void> {
    await this.#last;
    this.#rethrow();
    if (this.#pages === 0) throw new MugaiError('bad-input', 'a PDF without a page');
    await this.#sink.write(this.#writer.end(await this.#layer?.map()));
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #encode(page: RasterPage): Promise<EncodedPage> {
    const { width, height, shrink } = sidesOf(page.widthPt, page.heightPt);
    // Characters get their numbers here, in the order of the pages.
    const text = this.#layer?.content(page.text, shrink, drawing(width, height));
    const image = await encodePage(page).finally(() => releasePixels(page));
    return { image, width, height, text: await text };
  }

  async #write(page: EncodedPage, index: number): Promise<void> {
    if (this.#failure !== undefined) return;
    await this.#sink.write(this.#writer.page(page));
    await this.#onPage?.(page, index);
  }
}

/** The whole of a plain file with this one page and no text. */
export function singlePage(page: EncodedPage): Buffer {
  const writer = new PdfWriter(false);
  return Buffer.concat([writer.page({ ...page, text: undefined }), writer.end(undefined)]);
}
