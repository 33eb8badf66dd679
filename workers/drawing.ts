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
let fontBuffers: readonly Uint8Array[] = [];

async function start(): Promise<Resvg> {
  const resvg = require('@resvg/resvg-wasm') as Resvg;
  await resvg.initWasm(readFileSync(require.resolve('@resvg/resvg-wasm/index_bg.wasm')));
  fontBuffers = fontFiles().map((file) => new Uint8Array(readFileSync(file)));
  return resvg;
}

/** The drawing on white, `zoom` pixels a unit of its own. Throws a `Refusal`. */
export async function drawSvg(svg: string, zoom = 1): Promise<Rgba> {
  const resvg = await (ready ??= start());
  try {
    const drawing = new resvg.Resvg(svg, {
      font: {
        fontBuffers,
        defaultFontFamily: 'BIZ UDPGothic',
        serifFamily: 'BIZ UDPMincho',
        sansSerifFamily: 'BIZ UDPGothic',
        monospaceFamily: 'BIZ UDGothic',
      },
      background: '#ffffff',
      fitTo: { mode: 'zoom', value: zoom },
    });
    try {
      checkPixels(Math.ceil(drawing.width * zoom), Math.ceil(drawing.height * zoom));
      const rendered = drawing.render();
      const { width, height } = rendered;
      const data = Uint8Array.from(rendered.pixels);
      rendered.free();
      return { width, height, data };
    } finally {
      drawing.free();
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal('damaged', error instanceof Error ? error.message : String(error));
  }
}

/** Refuses a picture of no size, and one of too many pixels. */
export function checkPixels(width: number, height: number): void {
  if (!(width > 0 && height > 0)) throw new Refusal('damaged', `${width} × ${height}`);
  if (width * height > LIMITS.pagePixels) throw new Refusal('too-many-pixels', `${width} × ${height} pixels`);
}
