// Ichitaro documents made in tests, by the published notes of the format: no real file may be published with this repository.
import { compoundFile } from './compound-file.ts';

const units = (text: string): number[] => Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));

/** A record (`1C class length payload length 0 class 1F`). */
export function record(kind: number, payload: readonly number[]): number[] {
  const length = payload.length + 7;
  return [0x1c, kind, length, ...payload, length, 0, kind, 0x1f];
}

const inline = (a: number, b: number, text: string): number[] => [
  0x1c,
  1,
  7,
  0,
  a,
  b,
  0x1d,
  ...units(text),
  0x1e,
  5,
  0,
  1,
  0x1f,
];

export const para = (text: string, align = 0): number[] => [
  ...record(0x10, [0, 0x24, 1, align, 0xffff, 0]),
  ...units(text),
  0x0a,
];
export const ruby = (base: string, reading: string): number[] => [...inline(0, 3, base), ...inline(1, 0x82, reading)];
export const instruction = (text: string): number[] => inline(1, 0, text);
export const row = (cells: readonly (readonly [left: number, right: number, text: string])[]): number[] => [
  ...record(0x10, [0, 0x8f, 3, 160, 0, 0, 0xffff, 0]),
  ...cells.flatMap(([left, right, text]) => [...record(0x30, [0, left, right, 0, 0]), ...units(text)]),
  0x0e,
];
export const raw = units;
export const newPage = [0x0c];

/** A stream of text: one piece, in blocks of 256 bytes that lie in another order than they are read. */
export function textStream(text: readonly number[], pieces = 1): Buffer {
  const per = Math.ceil(text.length / pieces);
  const streams: Buffer[] = [];
  const piecesOf = Array.from({ length: pieces }, (_, nth) => text.slice(nth * per, (nth + 1) * per));
  const body = (of: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(of.length * 2 + 6);
    of.forEach((unit, at) => bytes.writeUInt16BE(unit, at * 2));
    bytes.writeUInt32BE(of.length, of.length * 2 + 1); // 00 n
    bytes.writeUInt8(0xff, bytes.length - 1);
    return bytes;
  };
  if (pieces === 1) streams.push(Buffer.concat([Buffer.from('TextV.01'), u32(text.length), body(text)]));
  else {
    streams.push(
      Buffer.concat([
        Buffer.from('QLSTV.01'),
        u32(pieces),
        ...piecesOf.flatMap((of, nth) => [u32(of.length), u32(nth + 1)]),
      ]),
    );
    streams.push(...piecesOf.map(body));
  }
  const blocks: Buffer[] = [];
  const lists = streams.map((bytes) =>
    Array.from({ length: Math.ceil(bytes.length / 256) }, (_, nth) => {
      const block = Buffer.alloc(256);
      bytes.copy(block, 0, nth * 256, (nth + 1) * 256);
      blocks.push(block);
      return blocks.length - 1;
    }),
  );
  const turned = blocks.toReversed();
  const directory = lists.flatMap((ids, index) => [
    u32(index),
    u32(0),
    u32((streams[index] as Buffer).length),
    u32(ids.length),
    u32(ids.length),
    ...ids.map((id) => u32(blocks.length - 1 - id)),
  ]);
  return Buffer.concat([
    Buffer.from('SsmgV.01'),
    u32(streams.length),
    u32(256),
    u32(blocks.length),
    ...turned,
    ...directory,
    u32(0),
  ]);
}

/** A document of this body. */
export function jtd(text: readonly number[], more: Readonly<Record<string, Uint8Array>> = {}, pieces = 1): Buffer {
  return compoundFile({ DocumentText: textStream(text, pieces), Font: Buffer.from('FontV.01\0\0'), ...more });
}

/** A packed document (.jtdc). */
export function jtdc(document: Buffer): Buffer {
  const packed = lh5Literals(document);
  const header = Buffer.alloc(24);
  header.writeUInt8(22, 0);
  header.write('-lh5-', 2, 'latin1');
  header.writeUInt32LE(packed.length, 7);
  header.writeUInt32LE(document.length, 11);
  return compoundFile({ JSCompDocument: Buffer.concat([Buffer.from('JustCompressedDocument\0'), header, packed]) });
}

/** -lh5- of nothing but literals: 256 codes of eight bits, which the pre-code writes as one symbol. */
export function lh5Literals(bytes: Buffer): Buffer {
  const bits: number[] = [];
  const put = (value: number, count: number): void => {
    for (let at = count - 1; at >= 0; at--) bits.push((value >> at) & 1);
  };
  for (let at = 0; at < bytes.length; at += 0xffff) {
    const block = bytes.subarray(at, at + 0xffff);
    put(block.length, 16);
    put(0, 5);
    put(10, 5); // every length is 8
    put(256, 9);
    put(0, 4);
    put(0, 4); // no positions
    for (const byte of block) put(byte, 8);
  }
  const packed = Buffer.alloc(Math.ceil(bits.length / 8));
  bits.forEach((bit, at) => (packed[at >> 3] = (packed[at >> 3] as number) | (bit << (7 - (at & 7)))));
  return packed;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
