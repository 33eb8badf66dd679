// Chooses the leanest pixel format that still shows what a page shows, and packs a rendered page into it.
import { PIXEL, rowBytes, type PixelFormat } from '../src/sandbox/wire.ts';
import { SLACK, assemble } from './pack-simd.ts';

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
// A red seal of 2 mm at 150 dpi is some 100 pixels of 2.2 million: fewer than this share is dust.
const COLOUR_SHARE = 2e-5;
const COLOUR_LEAST = 20;
// Pixels that differ by 1 to SOFT_STEP from the next one, right and down, make gradients (of either direction) and
// photographs. Text pages measure up to 3.2 %, photos from 4.6 %.
const SOFT_STEP = 12;
const SOFT_SHARE = 0.04;

/** Bytes that must lie behind the pixels of a page of this width in its memory, 255 each. */
export function pixelSlack(width: number): number {
  return width * 4 + SLACK;
}

interface Loops {
  readonly survey: (from: number, pixels: number, away: number) => readonly [soft: number, coloured: number];
  readonly grey4: (from: number, to: number, width: number, height: number, row: number) => void;
  readonly rgb4: (from: number, to: number, width: number, height: number, row: number) => void;
}

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
   * Packs `width` × `height` pixels at `pointer`, words of R, G, B, 255 with `pixelSlack` behind them. Flat pages get
   * 4 bits a channel, soft ones 8; one channel when next to nothing is coloured. The result lies outside the engine and is
   * valid until the next page is packed.
   */
  pack(pointer: number, width: number, height: number): Packed {
    const count = width * height;
    const [soft, coloured] = this.#loops.survey(pointer, (count + 3) & ~3, (width + 1) * 4);
    const isColour = coloured > Math.max(COLOUR_LEAST, count * COLOUR_SHARE);
    if (soft > count * SOFT_SHARE) {
      const pixels = new Uint32Array(this.#engine.memory.buffer, pointer, count);
      return isColour ? rgb8(pixels, this.#copyOf(count * 3)) : grey8(pixels, this.#copyOf(count));
    }
    const format = isColour ? PIXEL.rgb4 : PIXEL.grey4;
    const row = rowBytes(format, width);
    const size = row * height;
    const target = this.#room(size + SLACK);
    (isColour ? this.#loops.rgb4 : this.#loops.grey4)(pointer, target, width, height, row);
    const copy = this.#copyOf(size);
    copy.set(new Uint8Array(this.#engine.memory.buffer, target, size));
    return { format, pixels: copy };
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

// Soft pages go to a JPEG encoder, which takes ten times as long as these loops.

/** Luma, ITU-R BT.601 weights in 1/256. */
function grey8(pixels: Uint32Array, packed: Buffer): Packed {
  for (let i = 0; i < pixels.length; i++) {
    const pixel = pixels[i] as number;
    packed[i] = ((pixel & 255) * 77 + ((pixel >>> 8) & 255) * 151 + ((pixel >>> 16) & 255) * 28) >>> 8;
  }
  return { format: PIXEL.grey8, pixels: packed };
}

function rgb8(pixels: Uint32Array, packed: Buffer): Packed {
  for (let i = 0, at = 0; i < pixels.length; i++) {
    const pixel = pixels[i] as number;
    packed[at++] = pixel & 255;
    packed[at++] = (pixel >>> 8) & 255;
    packed[at++] = (pixel >>> 16) & 255;
  }
  return { format: PIXEL.rgb8, pixels: packed };
}
