// C2 for the pictures we write: PNG and JPEG that hold their pixels and nothing else.
import { inflateSync } from 'node:zlib';

/** A file's bytes, apart: what describes it, and the samples that a reader sees. */
export interface Regions {
  readonly structure: readonly Buffer[];
  readonly pixels: readonly Buffer[];
}

interface Judged {
  readonly faults: string[];
  readonly regions: Regions;
}

const PNG_HEAD = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** `pHYs` says the resolution, in nine bytes. */
const PNG_CHUNKS = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND', 'pHYs', 'tRNS']);
const PNG_CHANNELS: { readonly [colour: number]: number } = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** A PNG of ours: known chunks only, samples exactly as many as its head says, nothing behind its end. */
export function pngFaults(bytes: Buffer): Judged {
  const faults: string[] = [];
  const data: Buffer[] = [];
  const structure: Buffer[] = [];
  if (!bytes.subarray(0, 8).equals(PNG_HEAD)) return { faults: ['is no PNG'], regions: { structure, pixels: [] } };
  let at = 8;
  let expected = -1;
  let ended = false;
  while (at + 12 <= bytes.length && !ended) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (!PNG_CHUNKS.has(type)) faults.push(`holds a chunk ${JSON.stringify(type)}`);
    if (type === 'IDAT') data.push(body);
    else structure.push(body);
    if (type === 'IHDR') {
      const channels = PNG_CHANNELS[body[9] ?? 0] ?? 0;
      expected = body.readUInt32BE(4) * (1 + Math.ceil((body.readUInt32BE(0) * channels * (body[8] ?? 0)) / 8));
      if (body[12] !== 0) faults.push('is interlaced');
    }
    ended = type === 'IEND';
    at += 12 + length;
  }
  if (!ended || at !== bytes.length) faults.push('has bytes behind its end');
  try {
    const pixels = inflateSync(Buffer.concat(data), { maxOutputLength: 1 << 29 });
    if (pixels.length !== expected) faults.push(`has ${pixels.length} bytes of samples instead of ${expected}`);
    return { faults, regions: { structure, pixels: [pixels] } };
  } catch {
    return { faults: [...faults, 'has samples that do not inflate'], regions: { structure, pixels: [] } };
  }
}

const APP0 = 0xe0;
const SOS = 0xda;
const EOI = 0xd9;
/** SOF0-2, DHT, DQT, DRI. Tables are standard ones and the same in half of the world's pictures: they say nothing. */
const TABLES = new Set([0xc0, 0xc1, 0xc2, 0xc4, 0xdb, 0xdd]);

/** A JPEG of ours: frame, tables, scans, end; `APP0` with 14 bytes of JFIF at most. `sides`: what the PDF around it says. */
export function jpegFaults(bytes: Buffer, sides?: readonly [number, number]): Judged {
  const faults: string[] = [];
  const structure: Buffer[] = [];
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return { faults: ['is no JPEG'], regions: { structure, pixels: [] } };
  let at = 2;
  for (;;) {
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff || at + 1 >= bytes.length) {
      faults.push('ends before its end');
      break;
    }
    if (marker === EOI) {
      if (at + 2 !== bytes.length) faults.push('has bytes behind its end');
      break;
    }
    const length = bytes.readUInt16BE(at + 2);
    if (marker === SOS) {
      const from = at + 2 + length;
      let end = from;
      // A scan ends at the first marker that is neither a stuffed 0xFF nor a restart.
      while (end < bytes.length && !(bytes[end] === 0xff && isMarker(bytes[end + 1] ?? 0))) end += 1;
      structure.push(bytes.subarray(from, end));
      at = end;
      continue;
    }
    if (!TABLES.has(marker) && !(marker === APP0 && length <= 16))
      faults.push(`holds a segment ${marker.toString(16)} of ${length} bytes`);
    if (marker >= 0xc0 && marker <= 0xc2 && sides !== undefined) {
      if (bytes.readUInt16BE(at + 7) !== sides[0] || bytes.readUInt16BE(at + 5) !== sides[1])
        faults.push('is of another size than it is said to be');
    }
    at += 2 + length;
  }
  // The scan is compressed: an original's bytes in it would be the original's own scan.
  return { faults, regions: { structure, pixels: [] } };
}

function isMarker(byte: number): boolean {
  return byte !== 0 && !(byte >= 0xd0 && byte <= 0xd7);
}
