// QR codes for tests, drawn by another program than the one that reads them.
import sharp from 'sharp';
import { encode } from 'uqr';

/** A code on a grey canvas. */
export interface Drawn {
  readonly text: string;
  /** Pixels from the upper left corner of the canvas. */
  readonly x: number;
  readonly y: number;
  /** Pixels of one module. */
  readonly module: number;
  /** Light modules on a dark square. */
  readonly inverted?: boolean;
}

/** A white PNG with these codes. */
export async function codesPng(width: number, height: number, codes: readonly Drawn[]): Promise<Buffer> {
  const pixels = Buffer.alloc(width * height, 255);
  for (const { text, x: left, y: top, module, inverted = false } of codes) {
    const { data, size } = encode(text, { border: 4 });
    for (let y = 0; y < size * module; y++)
      for (let x = 0; x < size * module; x++) {
        const dark = data[Math.floor(y / module)]?.[Math.floor(x / module)] === true;
        pixels[(top + y) * width + left + x] = dark === inverted ? 255 : 0;
      }
  }
  return sharp(pixels, { raw: { width, height, channels: 1 } })
    .png()
    .toBuffer();
}

/** The code as SVG for a page of HTML: vectors, no picture. */
export function codeSvg(text: string, side: string): string {
  const { data, size } = encode(text, { border: 4 });
  const cells = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : []))).join('');
  return `<svg style="width:${side};height:${side}" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges"><path d="${cells}"/></svg>`;
}
