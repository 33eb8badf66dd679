// What reading a package may cost in all: files that are each within their limits must not be ten thousand of that kind.
import { LIMITS } from '../message/limits.ts';
import { GateRefusal, refuse } from './refusal.ts';

/** Of all outputs of a message together, and of its text. */
const BYTES = LIMITS.outputBytes + LIMITS.messageTextBytes;

/** The purse of one package (or of one file that is read by itself). */
export class Purse {
  readonly #pagesMost: number;
  #pages = 0;
  #pixels = 0;
  #layer = 0;
  #bytes = 0;

  /** `files`: of the package. Each may have some pages more, which say what is missing of it. */
  constructor(files = 1) {
    this.#pagesMost = LIMITS.pages + LIMITS.noticePages * files;
  }

  /** A page or a picture of so many pixels, told at a byte of its file. */
  image(width: number, height: number, rule: 'pdf-image-size' | 'png-size' | 'jpeg-size', place: number): void {
    this.#pixels += width * height;
    if (this.#pixels > LIMITS.pixels) refuse(rule, place, `over ${LIMITS.pixels} pixels in all`);
  }

  page(place: number): void {
    this.#pages += 1;
    if (this.#pages > this.#pagesMost) refuse('pdf-pages', place, `over ${this.#pagesMost} pages in all`);
  }

  /** Bytes of a file that come from the disk. */
  bytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > BYTES) throw new GateRefusal('file-too-large', `over ${BYTES} bytes in all`);
  }

  /** Bytes that a page's operators may still take, inflated. */
  get layerLeft(): number {
    return Math.min(LIMITS.pageTextBytes, LIMITS.layerBytes - this.#layer);
  }

  /** Operators of a page that took so many bytes. */
  layer(bytes: number): void {
    this.#layer += bytes;
  }
}
