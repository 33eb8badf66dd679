// Inflates a zlib stream that must give a known number of bytes and end with its last one.
import { inflate, inflateSync, type Inflate } from 'node:zlib';
import { systemCode } from '../message/errors.ts';

/** `info` of a one-shot call (Node's documentation of zlib): the output and the engine that made it. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: Inflate;
}

/**
 * Bytes of one piece of output: a page in one piece, where its size is known. Whatever fits into less is inflated at once: a
 * page of A4 at 200 dpi takes half a millisecond, and on another thread nearly twice the CPU.
 */
const PIECE = 4 * 1024 * 1024;

/** Bytes from which on memory is of one buffer alone: Node's shared pools are smaller. */
const OWN = 256 * 1024;

/**
 * The inflated bytes when they are exactly `size` and the stream has nothing behind it; otherwise what is wrong. Large
 * ones run on a thread of the pool. Takes `size` bytes of memory and never more, whatever the stream says.
 */
export async function inflateExactly(bytes: Uint8Array, size: number): Promise<Buffer | string> {
  const data = await inflated(bytes, size, Math.min(size + 64, PIECE));
  return typeof data === 'string' || data.length === size ? data : `${data.length} bytes of data, not ${size}`;
}

/**
 * What is wrong with a stream that must give exactly `size` bytes, which nobody wants to see; undefined where nothing is. Their
 * memory is given back at once: left to the collector, each page is written to memory that was never touched, and making it
 * and collecting it takes as long as half the inflating.
 */
export async function faultOfInflating(bytes: Uint8Array, size: number): Promise<string | undefined> {
  const data = await inflateExactly(bytes, size);
  if (typeof data === 'string') return data;
  const { buffer } = data;
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= OWN) buffer.transfer(0);
  return undefined;
}

/** The inflated bytes when they are at most `most` and the stream has nothing behind it; otherwise what is wrong. */
export async function inflateUpTo(bytes: Uint8Array, most: number): Promise<Buffer | string> {
  return inflated(bytes, most, Math.min(Math.max(4096, bytes.length * 8), most + 64, PIECE));
}

async function inflated(bytes: Uint8Array, most: number, chunkSize: number): Promise<Buffer | string> {
  // One byte of room more: a stream with more data is found out by it, and goes no further.
  const options = { info: true, maxOutputLength: most + 1, chunkSize };
  const judge = ({ buffer, engine }: Inflated): Buffer | string => {
    if (buffer.length > most) return `over ${most} bytes of data`;
    return engine.bytesWritten === bytes.length ? buffer : 'bytes behind the zlib stream';
  };
  const tell = (error: unknown): string =>
    systemCode(error) === 'ERR_BUFFER_TOO_LARGE' ? `over ${most} bytes of data` : 'no zlib stream';
  if (chunkSize < PIECE) {
    try {
      return judge(inflateSync(bytes, options) as unknown as Inflated);
    } catch (error) {
      return tell(error);
    }
  }
  return new Promise((resolve) => {
    inflate(bytes, options, (error, result) =>
      resolve(error === null ? judge(result as unknown as Inflated) : tell(error)),
    );
  });
}
