// Chooses the leanest pixel format that still shows what a page shows, and packs a rendered page into it.
import { PIXEL, rowBytes, type PixelFormat } from '../src/sandbox/wire.ts';
import { SLACK, STEP, assemble } from './pack-simd.ts';

/** Pixels packed for the wire. */
export interface Packed {
  readonly format: PixelFormat;
  readonly pixels: Uint8Array;
}

/** Memory that holds the pixels: the engine's own. `allocate` throws when there is none left. */
export interface PixelMemory {
  readonly memory: { readonly buffer: ArrayBuffer };
  allocate(size: number): number;
  free(pointer: number): void;
}

// A channel difference above this is colour to the eye; below it is the fringe of a scanner or of a JPEG.
const COLOUR_TOLERANCE = 24;
// A red seal of 2 mm at 150 dpi is some 80 pixels, on a sheet of any size: fewer than this share of a page of A4 is dust.
const COLOUR_SHARE = 2e-5;
const COLOUR_LEAST = 20;
const COLOUR_MOST = 44;
// Pixels that differ by 1 to SOFT_STEP from the next one, right and down, make gradients (of either direction) and
// photographs. Text pages measure up to 3.2 %, photos from 4.6 %.
const SOFT_STEP = 12;
const SOFT_SHARE = 0.04;

/** A drawn page in the engine's memory: words of R, G, B, 255, or bytes where it is known to be grey. */
export interface Drawn {
  readonly pointer: number;
  readonly width: number;
  readonly height: number;
  readonly grey: boolean;
}

/** Bytes from one row of a drawn page to the next; behind its pixels a row is white. */
export function strideOf(width: number, grey: boolean): number {
  return Math.ceil(width / STEP) * STEP * (grey ? 1 : 4);
}

/** Bytes a drawn page takes, with the white that must lie behind its last row. */
export function drawnBytes(width: number, height: number, grey: boolean): number {
  return strideOf(width, grey) * (height + 1) + 2 * SLACK;
}

type Loop = (
  from: number,
  to: number,
  width: number,
  height: number,
  row: number,
  stride: number,
  away: number,
) => readonly [soft: number, coloured: number];
type Loops = { readonly [name in 'grey' | 'words' | 'rgb4' | 'rgb8' | 'grey8' | 'grey4']: Loop };

// Neither @types/node nor the es2024 lib declares WebAssembly: as much of it as is used here.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};
const module = new WebAssembly.Module(assemble(COLOUR_TOLERANCE, SOFT_STEP));

/** Packs the pages of one document. */
export class Packer {
  readonly #engine: PixelMemory;
  readonly #loops: Loops;
  #target = 0;
  #targetSize = 0;
  #copy = Buffer.alloc(0);

  constructor(engine: PixelMemory) {
    this.#engine = engine;
    this.#loops = new WebAssembly.Instance(module, { e: { mem: engine.memory } }).exports as Loops;
  }

  /**
   * Packs a drawn page. Flat pages get 4 bits a channel, soft ones 8; one channel, of luma, when next to nothing is coloured. The
   * result lies outside the engine and is valid until the next page is packed; what was drawn may be written over. `inColour`:
   * nobody judges, all that was drawn in colour is kept.
   */
  pack({ pointer, width, height, grey }: Drawn, inColour = false): Packed {
    const count = width * height;
    const stride = strideOf(width, grey);
    if (inColour && !grey) return this.#wide({ pointer, width, height, grey }, stride, PIXEL.rgb8);
    const row = rowBytes(PIXEL.grey4, width);
    const away = stride + (grey ? 1 : 4);
    const target = this.#room(rowBytes(PIXEL.rgb4, width) * height + SLACK);
    const judge = this.#loops[grey ? 'grey' : 'words'];
    const [soft, coloured] = judge(pointer, target, width, height, row, stride, away);
    const isColour = coloured > Math.min(COLOUR_MOST, Math.max(COLOUR_LEAST, count * COLOUR_SHARE));
    if (soft > count * SOFT_SHARE) {
      const format = isColour ? PIXEL.rgb8 : PIXEL.grey8;
      return this.#wide({ pointer, width, height, grey }, stride, format);
    }
    // Green alone, which was packed, leaves nothing of a green dot.
    if (!isColour && coloured > 0) this.#loops.grey4(pointer, target, width, height, row, stride, away);
    if (!isColour) return { format: PIXEL.grey4, pixels: this.#taken(target, row * height) };
    const colours = rowBytes(PIXEL.rgb4, width);
    this.#loops.rgb4(pointer, target, width, height, colours, stride, away);
    return { format: PIXEL.rgb4, pixels: this.#taken(target, colours * height) };
  }

  #taken(target: number, size: number): Buffer {
    const copy = this.#copyOf(size);
    copy.set(new Uint8Array(this.#engine.memory.buffer, target, size));
    return copy;
  }

  /** Soft pages, 8 bits a channel, packed where they were drawn. */
  #wide(
    { pointer, width, height, grey }: Drawn,
    stride: number,
    format: typeof PIXEL.rgb8 | typeof PIXEL.grey8,
  ): Packed {
    const row = rowBytes(format, width);
    if (!grey) {
      this.#loops[format === PIXEL.grey8 ? 'grey8' : 'rgb8'](pointer, pointer, width, height, row, stride, 0);
      return { format, pixels: this.#taken(pointer, row * height) };
    }
    const pixels = this.#copyOf(row * height);
    for (let y = 0; y < height; y++)
      pixels.set(new Uint8Array(this.#engine.memory.buffer, pointer + y * stride, width), y * width);
    return { format, pixels };
  }

  #copyOf(size: number): Buffer {
    if (this.#copy.length < size) this.#copy = Buffer.allocUnsafeSlow(size);
    return this.#copy.subarray(0, size);
  }

  #room(size: number): number {
    if (this.#targetSize >= size) return this.#target;
    if (this.#target !== 0) this.#engine.free(this.#target);
    this.#targetSize = 0;
    this.#target = this.#engine.allocate(size);
    this.#targetSize = size;
    return this.#target;
  }
}

/** A white page in the leanest format. */
export function whitePage(width: number, height: number): Packed {
  return { format: PIXEL.grey4, pixels: Buffer.alloc(rowBytes(PIXEL.grey4, width) * height, 0xff) };
}
