// The gate's reader of a PNG as we write it: IHDR, pHYs, IDAT…, IEND; eight bits, grey or RGB, not interlaced; data that
// inflates to exactly its rows. PNG, third edition (W3C).
import { crc32 } from 'node:zlib';
import { LIMITS } from '../message/limits.ts';
import { inflateExactly } from './inflate.ts';
import { refuse } from './refusal.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** pHYs as libvips writes it for an image without a resolution: 1000 pixels a metre, both ways. */
const PHYS = Buffer.from([0, 0, 3, 0xe8, 0, 0, 3, 0xe8, 1]);

/**
 * Bytes of every IDAT but the last: libvips writes pieces of 8,192. A file of one-byte pieces would cost an object for each, a
 * hundred times what it is on the disk.
 */
const LEAST_PIECE = 4096;

/** What a PNG says of itself. */
export interface PngFacts {
  readonly width: number;
  readonly height: number;
  readonly components: 1 | 3;
}

/** Checks a whole PNG. */
export async function readPng(bytes: Buffer): Promise<PngFacts> {
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) refuse('png-signature', 0, 'no PNG');
  let facts: PngFacts | undefined;
  let physSeen = false;
  const rows: Buffer[] = [];
  let data = 0;
  let at = 8;
  for (;;) {
    if (at + 12 > bytes.length) refuse('png-end', bytes.length, 'the file ends here');
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString('latin1', at + 4, at + 8);
    const end = at + 8 + length;
    if (end + 4 > bytes.length) refuse('png-chunk', at, 'a chunk that does not end');
    const body = bytes.subarray(at + 8, end);
    if (crc32(bytes.subarray(at + 4, end)) !== bytes.readUInt32BE(end)) refuse('png-crc', end, 'another checksum');
    if (type === 'IHDR' && facts === undefined) facts = readHeader(body, at + 8);
    else if (facts === undefined) refuse('png-chunk', at + 4, 'the first chunk is no IHDR');
    else if (type === 'pHYs' && !physSeen && rows.length === 0 && body.equals(PHYS)) physSeen = true;
    else if (type === 'IDAT' && length > 0) {
      if ((rows.at(-1)?.length ?? LEAST_PIECE) < LEAST_PIECE) refuse('png-chunk', at + 4, 'data behind a short piece');
      data += length;
      if (data > mostData(facts)) refuse('png-data', at + 8, `over ${mostData(facts)} bytes for these sides`);
      rows.push(body);
    } else if (type === 'IEND' && length === 0 && rows.length > 0) {
      at = end + 4;
      break;
    } else refuse('png-chunk', at + 4, 'a chunk that does not stand here');
    at = end + 4;
  }
  if (at !== bytes.length) refuse('png-end', at, 'bytes behind the end');
  await readRows(rows, facts);
  return facts;
}

function readHeader(body: Buffer, place: number): PngFacts {
  if (body.length !== 13) refuse('png-header', place, 'a header of another length');
  const [width, height, bits, colour] = [body.readUInt32BE(0), body.readUInt32BE(4), body[8], body[9]];
  if (bits !== 8 || (colour !== 0 && colour !== 2) || body[10] !== 0 || body[11] !== 0 || body[12] !== 0)
    refuse('png-header', place + 8, 'not eight bits of grey or RGB');
  if (
    width === 0 ||
    height === 0 ||
    width > LIMITS.sidePixels ||
    height > LIMITS.sidePixels ||
    width * height > LIMITS.pagePixels
  )
    refuse('png-size', place, `${width} x ${height} pixels`);
  return { width, height, components: colour === 0 ? 1 : 3 };
}

/** Bytes of a row, its filter among them. */
function rowOf({ width, components }: PngFacts): number {
  return 1 + width * components;
}

/** What zlib can make of the rows at the most (its deflateBound). */
function mostData(facts: PngFacts): number {
  const rows = rowOf(facts) * facts.height;
  return rows + (rows >> 9) + 1024;
}

/** The rows: a filter number of 0 to 4 before each, and nothing behind the last. */
async function readRows(chunks: readonly Buffer[], facts: PngFacts): Promise<void> {
  const row = rowOf(facts);
  const whole = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  const data = await inflateExactly(whole, row * facts.height);
  if (typeof data === 'string') refuse('png-data', 8 + 25, data);
  for (let at = 0; at < data.length; at += row)
    if ((data[at] as number) > 4) refuse('png-data', 8 + 25, 'a row with an unknown filter');
}
