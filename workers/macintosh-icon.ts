// ICNS, the icons of macOS: the largest picture in it, as PNG or JPEG 2000 that it keeps, or of run lengths with its own mask.
import { checkPixels } from './drawing.ts';
import { isJpeg2000 } from './signs.ts';
import type { Rgba } from './image-formats.ts';
import { Refusal } from './run.ts';

/** Pictures of 24 bits by their side, each with the mask that goes with it. */
const PLANES: readonly (readonly [kind: string, side: number, mask: string])[] = [
  ['it32', 128, 't8mk'],
  ['ih32', 48, 'h8mk'],
  ['il32', 32, 'l8mk'],
  ['is32', 16, 's8mk'],
];

export function isMacintoshIcon(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 4) === 'icns';
}

/** Throws a `Refusal` where there is no picture that is read here. */
export function macintoshIcon(bytes: Buffer): Rgba | Buffer {
  const elements = new Map<string, Buffer>();
  let file: Buffer | undefined;
  for (let at = 8; at + 8 <= bytes.length;) {
    const length = bytes.readUInt32BE(at + 4);
    if (length < 8 || at + length > bytes.length) break;
    const content = bytes.subarray(at + 8, at + length);
    elements.set(bytes.toString('latin1', at, at + 4), content);
    const isFile = content.toString('hex', 0, 4) === '89504e47' || isJpeg2000(content);
    if (isFile && content.length > (file?.length ?? 0)) file = content;
    at += length;
  }
  if (file !== undefined) return file;
  for (const [kind, side, mask] of PLANES) {
    const planes = elements.get(kind);
    if (planes !== undefined) return fromPlanes(planes, side, elements.get(mask));
  }
  throw new Refusal('unsupported-type', 'an icon without a picture that is read here');
}

/** Red, green and blue one behind the other, each of run lengths. */
function fromPlanes(packed: Buffer, side: number, mask: Buffer | undefined): Rgba {
  checkPixels(side, side);
  const pixels = side * side;
  const data = new Uint8Array(pixels * 4);
  let at = side === 128 ? 4 : 0; // four bytes of nothing before the largest
  for (let plane = 0; plane < 3; plane++)
    for (let n = 0; n < pixels;) {
      const head = packed[at];
      if (head === undefined) throw new Refusal('damaged', 'icon cut');
      const isRun = head >= 0x80;
      const count = isRun ? head - 125 : head + 1;
      for (let i = 0; i < count && n < pixels; i++, n++) data[n * 4 + plane] = packed[at + 1 + (isRun ? 0 : i)] ?? 0;
      at += isRun ? 2 : count + 1;
    }
  for (let n = 0; n < pixels; n++) data[n * 4 + 3] = mask?.length === pixels ? (mask[n] ?? 255) : 255;
  return { width: side, height: side, data };
}
