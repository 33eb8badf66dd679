// Inflates a zlib stream that must give a known number of bytes and end with its last one.
import { inflate, type Inflate } from 'node:zlib';

/** `info` of a one-shot call (Node's documentation of zlib): the output and the engine that made it. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: Inflate;
}

/**
 * The inflated bytes when they are exactly `size` and the stream has nothing behind it; otherwise what is wrong. Runs on
 * a thread of the pool; takes `size` bytes of memory and never more, whatever the stream says.
 */
export async function inflateExactly(bytes: Uint8Array, size: number): Promise<Buffer | string> {
  const data = await inflateUpTo(bytes, size);
  return typeof data === 'string' || data.length === size ? data : `${data.length} bytes of data, not ${size}`;
}

/** The inflated bytes when they are at most `most` and the stream has nothing behind it; otherwise what is wrong. */
export async function inflateUpTo(bytes: Uint8Array, most: number): Promise<Buffer | string> {
  return new Promise((resolve) => {
    // One byte of room more: a stream with more data is found out by it, and goes no further.
    const options = { info: true, maxOutputLength: most + 1, chunkSize: Math.min(most + 64, 4 * 1024 * 1024) };
    inflate(bytes, options, (error, result) => {
      if (error !== null)
        return resolve(
          'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE' ? `over ${most} bytes of data` : 'no zlib stream',
        );
      const { buffer, engine } = result as unknown as Inflated;
      if (buffer.length > most) return resolve(`over ${most} bytes of data`);
      if (engine.bytesWritten !== bytes.length) return resolve('bytes behind the zlib stream');
      return resolve(buffer);
    });
  });
}
