// Whether a document may hold patterns: PDFium tells of an object painted with one a colour that need not be its own.
import { inflateSync, constants } from 'node:zlib';

const PATTERN = '/PatternType';
const OBJECT_STREAM = '/ObjStm';
/** Object streams looked into, and bytes of all of them: a document of more is taken to hold patterns. */
const MOST_STREAMS = 2000;
const MOST_BYTES = 32 * 1024 * 1024;
/** Bytes around the name within which the dictionary of an object stream lies. */
const DICTIONARY = 400;

/**
 * True when there is a pattern in plain sight (tiling ones always are: they are streams) or in an object stream, or when
 * one of those cannot be read. A name that is spelt in another way is not found: its page comes without colours then.
 */
export function mayHavePatterns(document: Uint8Array): boolean {
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.length);
  if (bytes.includes(PATTERN, 0, 'latin1')) return true;
  let left = MOST_BYTES;
  let at = bytes.indexOf(OBJECT_STREAM, 0, 'latin1');
  for (let count = 0; at !== -1; count++) {
    if (count >= MOST_STREAMS) return true;
    const objects = inflated(bytes, at, left);
    if (objects === undefined || objects.includes(PATTERN, 0, 'latin1')) return true;
    left -= objects.length;
    at = bytes.indexOf(OBJECT_STREAM, at + 1, 'latin1');
  }
  return false;
}

/** The content of the object stream whose name stands at `at`; undefined when it is not plain Flate. */
function inflated(bytes: Buffer, at: number, most: number): Buffer | undefined {
  const ahead = bytes.toString('latin1', at, at + DICTIONARY);
  const start = /stream\r?\n/.exec(ahead);
  if (start === null || most <= 0) return undefined;
  const opens = bytes.toString('latin1', Math.max(0, at - DICTIONARY), at);
  const dictionary = opens.slice(opens.lastIndexOf(' obj') + 1) + ahead.slice(0, start.index);
  if (!/\/Filter\s*\[?\s*\/FlateDecode\s*\]?\s*[/>]/.test(dictionary) || dictionary.includes('/DecodeParms'))
    return undefined;
  try {
    const from = at + start.index + start[0].length;
    return inflateSync(bytes.subarray(from), { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: most });
  } catch {
    return undefined; // encrypted or damaged: what it holds is not known
  }
}
