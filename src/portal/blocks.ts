// A file in blocks of one size, and a digest of each: what is read a second time is compared before any of it goes out.
import { createHash } from 'node:crypto';

/** Bytes of a block: all that is held of a file. The digests of the largest one take a megabyte. */
const BLOCK = 256 * 1024;

/** The same bytes in blocks; the last may be shorter. */
export async function* inBlocks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + BLOCK - length);
      pieces.push(piece);
      length += piece.length;
      at += piece.length;
      if (length < BLOCK) continue;
      yield Buffer.concat(pieces, length);
      pieces = [];
      length = 0;
    }
  }
  if (length > 0) yield Buffer.concat(pieces, length);
}

/** Lets a file through in blocks and notes the digest of each. */
export async function* noting(
  chunks: AsyncIterable<Uint8Array>,
  digests: string[],
): AsyncGenerator<Buffer, void, undefined> {
  for await (const block of inBlocks(chunks)) {
    digests.push(digestOf(block));
    yield block;
  }
}

/** Gives the blocks of a file while they are those of the digests; throws what `changed` makes at the first that is not. */
export async function* unchanged(
  chunks: AsyncIterable<Uint8Array>,
  digests: readonly string[],
  changed: () => Error,
): AsyncGenerator<Buffer, void, undefined> {
  let nth = 0;
  for await (const block of inBlocks(chunks)) {
    if (digestOf(block) !== digests[nth]) throw changed();
    nth += 1;
    yield block;
  }
  if (nth !== digests.length) throw changed();
}

function digestOf(block: Uint8Array): string {
  return createHash('sha256').update(block).digest('hex');
}
