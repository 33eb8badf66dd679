// Invisible letters on a page: the text of a scan, as OCR leaves it behind its picture, or words that nobody is meant to see.
import type { Pdfium } from './pdfium.ts';

/** A box in pixels of the page. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A scan has a stamp, a fax's head, a page number beside its text: of so many invisible letters one may be seen. */
const UNSEEN_EACH = 2;
/** The share of a page that pictures cover on a scan. */
const COVERED = 0.5;
// Object types (fpdf_edit.h).
const IMAGE = 3;
const FORM = 5;
const MOST_OBJECTS = 4000;
const DEEPEST = 4;
/** Pixels of a cell, each way. */
const CELL = 4;

/** True where the invisible letters outnumber the others as they do on a scan. */
export function outnumber(invisible: number, others: number): boolean {
  return invisible >= UNSEEN_EACH * others;
}

/** True where pictures cover most of the page, in one piece or in strips. `placed` gives a box of the page's space in pixels. */
export function isPictured(
  engine: Pdfium,
  page: number,
  { width, height }: { readonly width: number; readonly height: number },
  placed: (left: number, bottom: number, right: number, top: number) => Box,
): boolean {
  const out = engine.zeroed(16);
  let covered = 0;
  const count = Math.min(engine.call('FPDFPage_CountObjects', page), MOST_OBJECTS);
  for (let i = 0; i < count && covered < COVERED; i++) {
    const object = engine.call('FPDFPage_GetObject', page, i);
    if (object === 0 || !holdsImage(engine, object, 0)) continue;
    if (engine.call('FPDFPageObj_GetBounds', object, out, out + 4, out + 8, out + 12) === 0) continue;
    const [left = 0, bottom = 0, right = 0, top = 0] = new Float32Array(engine.memory.buffer, out, 4);
    const box = placed(left, bottom, right, top);
    const across = Math.min(width, box.right) - Math.max(0, box.left);
    const down = Math.min(height, box.bottom) - Math.max(0, box.top);
    if (across > 0 && down > 0) covered += (across * down) / (width * height);
  }
  engine.free(out);
  return covered >= COVERED;
}

/** An image, or a form with one in it. */
function holdsImage(engine: Pdfium, object: number, depth: number): boolean {
  const type = engine.call('FPDFPageObj_GetType', object);
  if (type !== FORM) return type === IMAGE;
  if (depth >= DEEPEST) return false;
  const count = Math.min(engine.call('FPDFFormObj_CountObjects', object), MOST_OBJECTS);
  for (let i = 0; i < count; i++) {
    const inner = engine.call('FPDFFormObj_GetObject', object, i);
    if (inner !== 0 && holdsImage(engine, inner, depth + 1)) return true;
  }
  return false;
}

/** Where letters that are seen stand, by cells of a few pixels: an invisible one there says something else than what is seen. */
export class Places {
  readonly #across: number;
  readonly #down: number;
  readonly #cells: Uint8Array;

  constructor(width: number, height: number, boxes: readonly Box[]) {
    this.#across = Math.ceil(width / CELL);
    this.#down = Math.ceil(height / CELL);
    this.#cells = new Uint8Array(this.#across * this.#down);
    for (const { left, top, right, bottom } of boxes) {
      const [from, to] = [cell(left, this.#across), cell(right, this.#across) + 1];
      for (let y = cell(top, this.#down); y <= cell(bottom, this.#down); y++)
        this.#cells.fill(1, y * this.#across + from, y * this.#across + to);
    }
  }

  /** True where the middle of a box stands on a letter that is seen. */
  has({ left, top, right, bottom }: Box): boolean {
    const [x, y] = [cell((left + right) / 2, this.#across), cell((top + bottom) / 2, this.#down)];
    return this.#cells[y * this.#across + x] === 1;
  }
}

function cell(pixel: number, cells: number): number {
  return Math.min(cells - 1, Math.max(0, Math.floor(pixel / CELL)));
}
