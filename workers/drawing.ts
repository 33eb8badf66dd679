// SVG to pixels: resvg as WebAssembly, our fonts, nothing that is loaded from anywhere.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { LIMITS } from '../src/message/limits.ts';
import type { Rgba } from './image-formats.ts';
import { fontFiles } from './office/fonts.ts';
import { Refusal } from './run.ts';

interface Resvg {
  initWasm(bytes: Uint8Array): Promise<void>;
  readonly Resvg: new (
    svg: string,
    options: object,
  ) => {
    readonly width: number;
    readonly height: number;
    render(): Rendered;
    free(): void;
  };
}

interface Rendered {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  free(): void;
}

const require = createRequire(import.meta.url);
let ready: Promise<Resvg> | undefined;
/** It failed at what it had read: its memory may be in any state, and it draws nothing more. */
let isBroken = false;
let fontBuffers: readonly Uint8Array[] = [];

async function start(): Promise<Resvg> {
  const resvg = require('@resvg/resvg-wasm') as Resvg;
  await resvg.initWasm(readFileSync(require.resolve('@resvg/resvg-wasm/index_bg.wasm')));
  fontBuffers = fontFiles().map((file) => new Uint8Array(readFileSync(file)));
  return resvg;
}

/** A drawing, and how many pixels a unit of its own took in the end. */
export interface Drawing extends Rgba {
  readonly zoom: number;
}

/** The drawing on white, `zoom` pixels a unit of its own, or fewer where it would have too many. Throws a `Refusal`. */
export async function drawSvg(svg: string, zoom = 1): Promise<Drawing> {
  const resvg = await (ready ??= start());
  if (isBroken) throw new Refusal('damaged', 'nothing is drawn any more');
  let isRead = false;
  try {
    let drawing = new resvg.Resvg(svg, optionsOf(zoom));
    isRead = true;
    try {
      const { width: wide, height: high } = drawing;
      if (!(wide > 0 && high > 0)) throw new Refusal('damaged', `${wide} × ${high}`);
      // It has no pixels of its own: one that would have too many is drawn smaller.
      const most = Math.min(Math.sqrt(LIMITS.pagePixels / (wide * high)), LIMITS.sidePixels / Math.max(wide, high));
      let drawn = zoom;
      if (most < zoom) {
        drawn = most * 0.999; // sides are rounded up
        drawing.free();
        drawing = new resvg.Resvg(svg, optionsOf(drawn));
      }
      const rendered = drawing.render();
      const { width, height } = rendered;
      const data = Uint8Array.from(rendered.pixels);
      rendered.free();
      return { width, height, data, zoom: drawn };
    } finally {
      drawing.free();
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    isBroken = isRead || (error instanceof Error && error.name === 'RuntimeError');
    throw new Refusal('damaged', error instanceof Error ? error.message : String(error));
  }
}

function optionsOf(zoom: number): object {
  return {
    font: {
      fontBuffers,
      defaultFontFamily: 'BIZ UDPGothic',
      serifFamily: 'BIZ UDPMincho',
      sansSerifFamily: 'BIZ UDPGothic',
      monospaceFamily: 'BIZ UDGothic',
    },
    background: '#ffffff',
    fitTo: { mode: 'zoom', value: zoom },
  };
}

/** Refuses a picture of no size, and one of more pixels than are decoded at once; what is too large for a page is scaled later. */
export function checkPixels(width: number, height: number): void {
  if (!(width > 0 && height > 0)) throw new Refusal('damaged', `${width} × ${height}`);
  if (width * height > LIMITS.decodedPixels) throw new Refusal('too-many-pixels', `${width} × ${height} pixels`);
}
