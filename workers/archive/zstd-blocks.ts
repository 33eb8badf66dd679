// Blocks of a 7z that are Zstandard alone, as the forks of 7-Zip with it write them: 7-Zip lists them and does not unpack them. Where
// each lies follows from the listing, since they lie one behind the other; the sums of the entries tell whether that is so.
import { zstdDecompressSync } from 'node:zlib';

/** Its number among the methods of 7z, as 7-Zip lists a method that it does not know. */
const ZSTD = '04F71101';
/** Bytes before the first block (7zFormat.txt, SignatureHeader). */
const HEAD = 32;

/** An entry as 7-Zip lists it. `packed`: of the whole block, with its first entry only. */
export interface InBlock {
  readonly method: string;
  readonly block: number | undefined;
  readonly packed: number | undefined;
  readonly size: number | undefined;
}

/** What those entries hold that lie in such blocks, as far as their blocks can be unpacked. */
export function zstdEntries<T extends InBlock>(archive: Uint8Array, entries: readonly T[]): Map<T, Uint8Array> {
  const found = new Map<T, Uint8Array>();
  if (!entries.some(({ method }) => method === ZSTD)) return found;
  const blocks = Map.groupBy(
    entries.filter(({ block }) => block !== undefined),
    ({ block }) => block as number,
  );
  let at = HEAD;
  for (const [, inside] of [...blocks].toSorted(([a], [b]) => a - b)) {
    const packed = inside.find((entry) => entry.packed !== undefined)?.packed ?? 0;
    const size = inside.reduce((sum, entry) => sum + (entry.size ?? 0), 0);
    if (inside.every(({ method }) => method === ZSTD)) {
      const bytes = unpacked(archive.subarray(at, at + packed), size);
      let from = 0;
      for (const entry of bytes === undefined ? [] : inside) {
        found.set(entry, (bytes as Uint8Array).subarray(from, from + (entry.size ?? 0)));
        from += entry.size ?? 0;
      }
    }
    at += packed;
  }
  return found;
}

function unpacked(packed: Uint8Array, size: number): Uint8Array | undefined {
  try {
    return zstdDecompressSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch {
    return undefined; // no Zstandard, or more than is listed
  }
}
