// The gate's reader of a JPEG as we write it: baseline, Huffman, one or three components, one scan, no metadata, nothing
// behind. It follows ITU-T T.81 Annex B; it decodes no sample.
import { refuse } from './refusal.ts';

const MARKER = 0xff;
const SOI = 0xd8;
const EOI = 0xd9;
const DQT = 0xdb;
const DHT = 0xc4;
const SOF0 = 0xc0;
const SOS = 0xda;

/** What a JPEG says of itself. */
export interface JpegFacts {
  readonly width: number;
  readonly height: number;
  readonly components: 1 | 3;
}

/** Checks a whole JPEG. `base` is the place of its first byte in the file, for what is said of faults. */
export function readJpeg(bytes: Uint8Array, base: number): JpegFacts {
  if (bytes[0] !== MARKER || bytes[1] !== SOI) refuse('jpeg-start', base, 'no start of image');
  let facts: JpegFacts | undefined;
  let tables = 0;
  let at = 2;
  for (;;) {
    if (bytes[at] !== MARKER) refuse('jpeg-marker', base + Math.min(at, bytes.length), 'no marker');
    const marker = bytes[at + 1];
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    if (at + 2 + length > bytes.length || length < 2)
      refuse('jpeg-marker', base + Math.min(at + 2, bytes.length), 'a segment that does not end');
    const body = bytes.subarray(at + 4, at + 2 + length);
    const place = base + at + 4;
    // Order as libjpeg writes it: quantisation tables, the frame, Huffman tables, the scan.
    if (marker === DQT && facts === undefined && tables < 2) readQuantisation(body, tables++, place);
    else if (marker === SOF0 && facts === undefined) {
      facts = readFrame(body, place);
      if (tables !== (facts.components === 1 ? 1 : 2)) refuse('jpeg-table', place, `${tables} quantisation tables`);
      tables = 0;
    } else if (marker === DHT && facts !== undefined && tables < 4) readHuffman(body, tables++, place);
    else if (marker === SOS && facts !== undefined) {
      if (tables !== (facts.components === 1 ? 2 : 4)) refuse('jpeg-table', place, `${tables} Huffman tables`);
      readScanHead(body, facts, place);
      at += 2 + length;
      break;
    } else refuse('jpeg-marker', base + at, 'a marker that does not stand here');
    at += 2 + length;
  }
  readScan(bytes, at, base);
  return facts;
}

/** T.81 B.2.4.1: one table of 64 eight-bit values, none of them zero. */
function readQuantisation(body: Uint8Array, index: number, place: number): void {
  if (body.length !== 65 || body[0] !== index) refuse('jpeg-table', place, 'not a quantisation table of ours');
  if (body.includes(0, 1)) refuse('jpeg-table', place, 'a quantisation value of zero');
}

/** T.81 B.2.2: baseline, eight bits; 4:2:0 or 4:4:4. */
function readFrame(body: Uint8Array, place: number): JpegFacts {
  const components = body[5];
  if (body[0] !== 8 || (components !== 1 && components !== 3) || body.length !== 6 + 3 * components)
    refuse('jpeg-frame', place, 'not a baseline frame of one or three components');
  for (let nth = 0; nth < components; nth++) {
    const [id, sampling, table] = body.subarray(6 + 3 * nth, 9 + 3 * nth);
    const allowed = sampling === 0x11 || (nth === 0 && components === 3 && sampling === 0x22);
    if (id !== nth + 1 || !allowed || table !== Math.min(nth, 1))
      refuse('jpeg-frame', place + 6 + 3 * nth, 'not a component of ours');
  }
  const height = ((body[1] as number) << 8) | (body[2] as number);
  const width = ((body[3] as number) << 8) | (body[4] as number);
  if (width === 0 || height === 0) refuse('jpeg-size', place + 1, 'an empty picture');
  return { width, height, components };
}

/** T.81 B.2.4.2 and C: DC 0, AC 0, DC 1, AC 1, in this order; the counts of codes fit a prefix code. */
function readHuffman(body: Uint8Array, index: number, place: number): void {
  const wanted = ((index & 1) << 4) | (index >> 1);
  if (body[0] !== wanted || body.length < 17) refuse('jpeg-table', place, 'not the Huffman table that stands here');
  let codes = 0;
  let room = 1;
  for (let bits = 1; bits <= 16; bits++) {
    const count = body[bits] as number;
    codes += count;
    room = room * 2 - count;
    // The code of ones alone is none (T.81 C): one is always left.
    if (room < 1) refuse('jpeg-table', place + bits, 'more codes than there are');
  }
  if (codes === 0 || codes > 256 || body.length !== 17 + codes)
    refuse('jpeg-table', place, 'a Huffman table of another length');
}

/** T.81 B.2.3: one scan of all components, from 0 to 63. */
function readScanHead(body: Uint8Array, { components }: JpegFacts, place: number): void {
  const wanted = components === 1 ? [1, 1, 0x00, 0, 63, 0] : [3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0];
  if (body.length !== wanted.length || wanted.some((byte, at) => body[at] !== byte))
    refuse('jpeg-scan', place, 'not the scan head of ours');
}

/** Entropy-coded data: after FF stands 00, until the end of image, which ends the file. No restart, no other marker. */
function readScan(bytes: Uint8Array, from: number, base: number): void {
  // FF stands every 200 bytes or so: a call of indexOf for each costs three times a plain loop, and four bytes at once a third of it.
  const last = bytes.length - 1;
  let at = from;
  for (; at < last && ((bytes.byteOffset + at) & 3) !== 0; at++) if (endsAt(bytes, at, from, base)) return;
  const count = (last - at) >> 2; // none where the data ended before a word could begin
  const words = count > 0 ? new Int32Array(bytes.buffer, bytes.byteOffset + at, count) : [];
  for (const word of words) {
    // A byte of zero in the inverse: Bit Twiddling Hacks, "Determine if a word has a zero byte". It finds too many, never too few.
    const inverse = ~word;
    if (((inverse - 0x01010101) & word & 0x80808080) !== 0)
      for (let nth = at; nth < at + 4; nth++) if (endsAt(bytes, nth, from, base)) return;
    at += 4;
  }
  for (; at < last; at++) if (endsAt(bytes, at, from, base)) return;
  refuse('jpeg-end', base + bytes.length, 'no end of image');
}

/** True where the end of image stands at `at` and ends the file; refuses any other marker. There is a byte behind `at`. */
function endsAt(bytes: Uint8Array, at: number, from: number, base: number): boolean {
  if (bytes[at] !== MARKER) return false;
  const next = bytes[at + 1];
  if (next === 0) return false;
  if (next !== EOI) refuse('jpeg-scan', base + at, 'a marker in the scan');
  if (at === from) refuse('jpeg-scan', base + at, 'a scan without data');
  if (at + 2 !== bytes.length) refuse('jpeg-end', base + at + 2, 'bytes behind the end of image');
  return true;
}
