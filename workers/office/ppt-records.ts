// The records of a PowerPoint file of 97 to 2003 ([MS-PPT] 2.3), and where its last edit has its objects.
import { oleStreams } from '../ole.ts';

const EDIT = 0x0ff5;
const PLACES = 0x1772;
const EDITS_MOST = 10_000;

export interface PptRecord {
  readonly type: number;
  readonly instance: number;
  readonly body: Buffer;
}

/** Where a presentation is: its stream, its objects by number, which of them is the document, the record of the last edit. */
export interface Presentation {
  readonly main: Buffer;
  readonly places: ReadonlyMap<number, number>;
  readonly document: number;
  readonly edit: Buffer;
}

/** Undefined where it is not built as one. */
export function openPpt(bytes: Buffer): Presentation | undefined {
  const streams = oleStreams(bytes, (path) => /^(?:PowerPoint Document|Current User)$/i.test(path));
  const of = (name: string): Buffer | undefined => streams.find(({ path }) => path.toLowerCase() === name)?.bytes;
  const user = of('current user');
  const main = of('powerpoint document');
  if (user === undefined || main === undefined || user.length < 20) return undefined;
  const start = user.readUInt32LE(16);
  const last = recordAt(main, start);
  if (last?.type !== EDIT || last.body.length < 24) return undefined;
  const places = new Map<number, number>();
  const seen = new Set<number>();
  for (let at = start; !seen.has(at) && seen.size < EDITS_MOST;) {
    seen.add(at);
    const edit = recordAt(main, at);
    if (edit?.type !== EDIT || edit.body.length < 20) break;
    const list = recordAt(main, edit.body.readUInt32LE(12));
    if (list?.type === PLACES) addPlaces(list.body, places);
    at = edit.body.readUInt32LE(8);
    if (at === 0) break;
  }
  const edit = main.subarray(start, start + 8 + last.body.length);
  return { main, places, document: last.body.readUInt32LE(16), edit };
}

/** Later edits are read first: what they place, earlier ones do not. */
function addPlaces(list: Buffer, places: Map<number, number>): void {
  for (let at = 0; at + 4 <= list.length;) {
    const head = list.readUInt32LE(at);
    const [first, count] = [head & 0xfffff, head >>> 20];
    at += 4;
    for (let n = 0; n < count && at + 4 <= list.length; n++, at += 4)
      if (!places.has(first + n)) places.set(first + n, list.readUInt32LE(at));
  }
}

export function recordAt(bytes: Buffer, at: number): PptRecord | undefined {
  if (at + 8 > bytes.length) return undefined;
  return {
    type: bytes.readUInt16LE(at + 2),
    instance: bytes.readUInt16LE(at) >>> 4,
    body: bytes.subarray(at + 8, at + 8 + bytes.readUInt32LE(at + 4)),
  };
}

export function* records(bytes: Buffer): Generator<PptRecord, void, undefined> {
  for (let at = 0; at + 8 <= bytes.length;) {
    const record = recordAt(bytes, at);
    if (record === undefined) return;
    yield record;
    at += 8 + record.body.length;
  }
}

/** Offset, in the record of an edit, of the highest number of an object (`persistIdSeed`). */
const SEED = 8 + 20;

/**
 * Files whose last edit says fewer objects than it places: PowerPoint opens them, LibreOffice refuses them. The number is put
 * right where it stands; the rest of the file stays as it is.
 */
export function withRightCount(bytes: Buffer): Buffer {
  const found = openPpt(bytes);
  if (found === undefined) return bytes;
  const { places, edit } = found;
  const highest = Math.max(0, ...places.keys());
  const at = bytes.indexOf(edit);
  if (edit.readUInt32LE(SEED) >= highest || at < 0 || bytes.indexOf(edit, at + 1) >= 0) return bytes;
  const mended = Buffer.from(bytes);
  mended.writeUInt32LE(highest, at + SEED);
  return mended;
}
