// Pages of PDFs as pixels, for comparing: a page as it is seen at a resolution, and the exact drawing of it, made in a
// finer grid and averaged.
import { strideOf } from '../../workers/pack.ts';
import { Pdfium, compilePdfium, type Document } from '../../workers/pdfium.ts';

/** How much finer the exact drawing is, and rows of it that are drawn at once. */
const FINER = 4;
const BAND = 256;
const BITMAP_BGRX = 3;
const PRINTING_REVERSED = 0x811; // RENDER_ANNOTATIONS, REVERSE_BYTES, PRINTING of fpdfview.h
const POINTS = 72;

/** Pixels of one channel or three, rows from the top. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

export interface PageSize {
  readonly widthPt: number;
  readonly heightPt: number;
}

const module = await compilePdfium();

/** An open page of a PDF, the first unless said. Throws for what PDFium does not open. */
export class OpenPage {
  readonly #engine = new Pdfium(module);
  readonly #document: Document;
  readonly #page: number;
  readonly size: PageSize;

  constructor(pdf: Uint8Array, index = 0) {
    const document = this.#engine.open(pdf, '');
    if (typeof document === 'number') throw new Error(`PDFium opens no such PDF: ${document}`);
    this.#document = document;
    this.#page = document.openPage(index);
    if (this.#page === 0) throw new Error(`no page ${index}`);
    this.size = document.pageSize(this.#page);
  }

  /** The page in colour. Of a page that is one picture in this resolution these are the picture's own pixels. */
  at(dpi: number): Pixels {
    const [width, height] = this.#sides(dpi);
    const { pointer } = this.#document.draw(this.#page, width, height);
    return this.#colour(pointer, width, height, width * height);
  }

  /** The exact drawing, in grey, moved by quarters of a pixel to the right and down; of some rows alone where they are named. */
  exact(
    dpi: number,
    [right, down]: readonly [number, number] = [0, 0],
    rowsOf?: { readonly from: number; readonly to: number },
  ): Pixels {
    const [width, height] = this.#sides(dpi);
    const data = new Uint8Array(width * height);
    const [wide, high] = [width * FINER, height * FINER];
    const band = this.#engine.allocate(wide * BAND * FINER * 4);
    const end = Math.min(height, rowsOf?.to ?? height);
    for (let top = rowsOf?.from ?? 0; top < end; top += BAND) {
      const rows = Math.min(BAND, end - top);
      this.#engine.bytes.fill(255, band, band + wide * rows * FINER * 4);
      const bitmap = this.#engine.call('FPDFBitmap_CreateEx', wide, rows * FINER, BITMAP_BGRX, band, wide * 4);
      const place = [right, down - top * FINER, wide, high, 0, PRINTING_REVERSED];
      this.#engine.call('FPDF_RenderPageBitmap', bitmap, this.#page, ...place);
      this.#engine.call('FPDFBitmap_Destroy', bitmap);
      this.#average(band, data, width, top, rows);
    }
    this.#engine.free(band);
    return { width, height, channels: 1, data };
  }

  #sides(dpi: number): [number, number] {
    const side = (points: number): number => Math.max(1, Math.round((points * dpi) / POINTS));
    return [side(this.size.widthPt), side(this.size.heightPt)];
  }

  #colour(pointer: number, width: number, height: number, count: number): Pixels {
    const from = this.#engine.bytes;
    const stride = strideOf(width, false);
    const data = new Uint8Array(count * 3);
    for (let y = 0, to = 0; y < height; y++)
      for (let x = 0, at = pointer + y * stride; x < width; x++, at += 4) {
        data[to++] = from[at] as number;
        data[to++] = from[at + 1] as number;
        data[to++] = from[at + 2] as number;
      }
    return { width, height, channels: 3, data };
  }

  #average(band: number, data: Uint8Array, width: number, top: number, rows: number): void {
    const from = this.#engine.bytes;
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let dy = 0; dy < FINER; dy++) {
          let at = band + ((y * FINER + dy) * width + x) * FINER * 4;
          for (let dx = 0; dx < FINER; dx++, at += 4)
            sum += luma(from[at] as number, from[at + 1] as number, from[at + 2] as number);
        }
        data[(top + y) * width + x] = Math.round(sum / (FINER * FINER));
      }
  }
}

/** ITU-R BT.601. */
function luma(red: number, green: number, blue: number): number {
  return (red * 77 + green * 151 + blue * 28) / 256;
}

export function greyOf({ width, height, channels, data }: Pixels): Pixels {
  if (channels === 1) return { width, height, channels, data };
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++)
    grey[i] = Math.round(luma(data[3 * i] as number, data[3 * i + 1] as number, data[3 * i + 2] as number));
  return { width, height, channels: 1, data: grey };
}
