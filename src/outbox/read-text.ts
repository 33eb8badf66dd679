// The gate's reader of text: well-formed UTF-8 of characters that a screen shows as they are. Contract C1.
import type { ByteSource } from './byte-source.ts';
import { refuse } from './refusal.ts';

/**
 * True for what no text of ours holds: controls but TAB and LF, and whatever is invisible or turns the order of what
 * follows (UTS #39, CVE-2021-42574). Variation selectors are allowed: Japanese names need them.
 */
export function isForbidden(point: number): boolean {
  if (point < 0x20) return point !== 0x09 && point !== 0x0a;
  if (point < 0x7f) return false;
  if (point < 0xa0) return true; // DEL, C1
  if (point < 0x2000) return point === 0xad || point === 0x61c || point === 0x180e;
  if (point < 0x2070)
    return (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e) || point >= 0x2060;
  return point === 0xfeff || (point >= 0xfff9 && point <= 0xfffb) || (point >= 0xe0000 && point <= 0xe007f);
}

/** A character that goes over from one chunk into the next. */
interface Begun {
  /** What is known of it. */
  point: number;
  /** Bytes it still wants; 0: none is under way. */
  left: number;
  /** Below this its form is over-long. */
  least: number;
}

/** Reads a file of text to its end. */
export async function readText(source: ByteSource): Promise<void> {
  const begun: Begun = { point: 0, left: 0, least: 0 };
  for (;;) {
    const before = source.offset;
    const bytes = await source.chunk();
    if (bytes === undefined) break;
    readChunk(bytes, before, begun);
  }
  if (begun.left > 0) refuse('text-utf8', source.offset, 'the file ends inside a character');
}

/** A function of its own, since V8 makes good code of this loop, but not inside one that waits: 8 ns a byte there. */
function readChunk(bytes: Uint8Array, before: number, begun: Begun): void {
  let { point, left, least } = begun;
  const size = bytes.length;
  for (let at = 0; at < size; at++) {
    const byte = bytes[at] as number;
    if (left > 0) {
      if ((byte & 0xc0) !== 0x80) refuse('text-utf8', before + at, 'no continuation byte');
      point = (point << 6) | (byte & 0x3f);
      left -= 1;
      if (left > 0) continue;
      if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        refuse('text-utf8', before + at, 'no character of Unicode');
      if (isForbidden(point)) refuse('text-character', before + at, hexOf(point));
    } else if (byte < 0x80) {
      if ((byte < 0x20 && byte !== 0x0a && byte !== 0x09) || byte === 0x7f)
        refuse('text-character', before + at, hexOf(byte));
    } else if (
      byte >= 0xe3 &&
      byte < 0xed &&
      at + 2 < size &&
      ((bytes[at + 1] as number) & 0xc0) === 0x80 &&
      ((bytes[at + 2] as number) & 0xc0) === 0x80
    ) {
      at += 2; // U+3000 to U+CFFF, nearly all of Japanese: no form of these is over-long, half a pair or forbidden
    } else if (byte >= 0xe0 && byte < 0xf0) {
      point = byte & 0x0f;
      left = 2;
      least = 0x800;
    } else if (byte >= 0xc2 && byte < 0xe0) {
      point = byte & 0x1f;
      left = 1;
      least = 0x80;
    } else if (byte >= 0xf0 && byte < 0xf5) {
      point = byte & 0x07;
      left = 3;
      least = 0x10000;
    } else refuse('text-utf8', before + at, 'no first byte');
  }
  begun.point = point;
  begun.left = left;
  begun.least = least;
}

function hexOf(point: number): string {
  return `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
}
