// JPEG 2000 (JP2 files and bare codestreams) through OpenJPEG as WebAssembly.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { LIMITS } from '../src/message/limits.ts';
import type { Rgba } from './image-formats.ts';
import { Refusal } from './run.ts';

interface FrameInfo {
  readonly width: number;
  readonly height: number;
  readonly bitsPerSample: number;
  readonly componentCount: number;
}

interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  readHeader(): void;
  decode(): void;
  getFrameInfo(): FrameInfo;
  getDecodedBuffer(): Uint8Array;
}

type Start = (options: object) => Promise<{ readonly J2KDecoder: new () => Decoder }>;

const require = createRequire(import.meta.url);
const PACKAGE = '@cornerstonejs/codec-openjpeg';

/** The picture. Throws a `Refusal`; what OpenJPEG throws otherwise ends the process. */
export async function jpeg2000(bytes: Buffer): Promise<Rgba> {
  checkSize(bytes);
  const start = require(`${PACKAGE}/decodewasmjs`) as Start;
  const wasmBinary = readFileSync(require.resolve(`${PACKAGE}/decodewasm`));
  const { J2KDecoder } = await start({ wasmBinary, print: () => undefined, printErr: () => undefined });
  const decoder = new J2KDecoder();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.readHeader();
    decoder.decode();
  } catch (error) {
    // A C++ exception comes out as a number, or as an error of its own.
    throw new Refusal('damaged', `JPEG 2000: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { width, height, bitsPerSample, componentCount } = decoder.getFrameInfo();
  const samples = decoder.getDecodedBuffer();
  const wide = bitsPerSample > 8 ? 2 : 1;
  const pixels = width * height;
  if (pixels === 0 || componentCount < 1 || samples.length < pixels * componentCount * wide)
    throw new Refusal('damaged', 'JPEG 2000 without a picture');
  const data = new Uint8Array(pixels * 4);
  const shift = Math.max(0, bitsPerSample - 8);
  const sample = (at: number): number =>
    wide === 1
      ? (samples[at] as number)
      : ((samples[at * 2] as number) | ((samples[at * 2 + 1] as number) << 8)) >> shift;
  const isGrey = componentCount < 3;
  for (let i = 0; i < pixels; i++) {
    const from = i * componentCount;
    data[i * 4] = sample(from);
    data[i * 4 + 1] = sample(isGrey ? from : from + 1);
    data[i * 4 + 2] = sample(isGrey ? from : from + 2);
    data[i * 4 + 3] = componentCount === 2 || componentCount === 4 ? sample(from + componentCount - 1) : 255;
  }
  return { width, height, data };
}

/** The size that the codestream declares (marker SIZ, ISO/IEC 15444-1 A.5.1), before anything is decoded. */
function checkSize(bytes: Buffer): void {
  const at = bytes.indexOf(Buffer.from('ff4fff51', 'hex'));
  if (at < 0 || at + 40 > bytes.length) throw new Refusal('damaged', 'no codestream');
  const width = bytes.readUInt32BE(at + 8) - bytes.readUInt32BE(at + 16);
  const height = bytes.readUInt32BE(at + 12) - bytes.readUInt32BE(at + 20);
  if (!(width > 0 && height > 0)) throw new Refusal('damaged', `${width} × ${height}`);
  if (width * height > LIMITS.pagePixels) throw new Refusal('too-many-pixels', `${width} × ${height} pixels`);
}
