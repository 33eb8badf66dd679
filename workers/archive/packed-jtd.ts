// .jtdc and .jttc: an Ichitaro document in a member of LHA (-lh5-), inside a compound file of its own.
import { LIMITS } from '../../src/message/limits.ts';
import { unpackLh5 } from '../lh5.ts';
import { oleStream } from '../ole.ts';
import { Refusal } from '../run.ts';
import type { ArchiveEntry } from './entry.ts';

/** Where the member may begin: behind a short mark. */
const MARK_BYTES = 512;

/** The document as the one entry. `name`: of the packed file. */
export function unpackedJtd(bytes: Buffer, name: string): ArchiveEntry {
  const stream = oleStream(bytes, 'JSCompDocument') ?? Buffer.alloc(0);
  const method = stream.subarray(0, MARK_BYTES).indexOf('-lh5-');
  const at = method - 2;
  if (method < 2 || at + 24 > stream.length) throw new Refusal('damaged', 'no packed document');
  const packed = stream.readUInt32LE(at + 7);
  const size = stream.readUInt32LE(at + 11);
  const level = stream.readUInt8(at + 20);
  const start = at + headerBytes(stream, at, level);
  if (start + packed > stream.length) throw new Refusal('damaged', 'packed document cut');
  if (size > LIMITS.expandedBytes) throw new Refusal('ratio', `${size} bytes`);
  const document = unpackLh5(stream.subarray(start, start + packed), size);
  return { name: name.replace(/c$/i, ''), bytes: document, trouble: '', findings: [] };
}

/** Header of a member of levels 0 to 2 (LHa for UNIX, header.doc). */
function headerBytes(stream: Buffer, at: number, level: number): number {
  if (level === 2) return stream.readUInt16LE(at);
  const length = stream.readUInt8(at) + 2;
  if (level !== 1) return length;
  // Extended headers follow, each with the length of the next at its end; none of zero.
  let end = length;
  for (let next = stream.readUInt16LE(at + end - 2); next > 2 && at + end + next <= stream.length;) {
    end += next;
    next = stream.readUInt16LE(at + end - 2);
  }
  return end;
}
