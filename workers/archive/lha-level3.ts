// LHA headers of level 3, whose sizes take four bytes: 7-Zip reads those of level 2, so they are written as such. What the
// entries hold stays as it is. Header format of LHa for UNIX (header.doc).

import { LIMITS } from '../../src/message/limits.ts';

const FIXED = 32;
const METHOD = /^-l[hz][0-9a-z]-$/;
const LEVEL = 20;
const BEHIND_OS = 24;
/** Extended headers: type, data, size of the next one. */
const SUM_OF_HEADER = 0x00;
/** A comment of one blank. */
const NOTHING_SAID = Buffer.from([0x3f, 0x20]);
const LONGEST = 0xffff;

/** The archive with headers of level 2, up to the first that makes no sense; as it is where it begins with none of level 3. */
export function inLevel2(archive: Uint8Array): Uint8Array {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.length);
  const pieces: Uint8Array[] = [];
  let at = 0;
  while (at + FIXED <= bytes.length && bytes[at] !== 0 && pieces.length <= 2 * LIMITS.archiveEntries) {
    if (
      bytes.readUInt16LE(at) !== 4 ||
      bytes[at + LEVEL] !== 3 ||
      !METHOD.test(bytes.toString('latin1', at + 2, at + 7))
    )
      break;
    const end = at + bytes.readUInt32LE(at + BEHIND_OS);
    const header = end <= bytes.length ? headerOf(bytes.subarray(at, end)) : undefined;
    const next = end + bytes.readUInt32LE(at + 7);
    if (header === undefined || next > bytes.length) break;
    pieces.push(header, bytes.subarray(end, next));
    at = next;
  }
  // What follows is the end of the archive, or what 7-Zip finds wrong as it is.
  return pieces.length === 0
    ? archive
    : Buffer.concat([...pieces, at < bytes.length ? bytes.subarray(at) : Buffer.alloc(1)]);
}

/** One header anew; undefined where its extended headers do not fit. */
function headerOf(old: Buffer): Buffer | undefined {
  if (old.length < FIXED) return undefined;
  const extended: Buffer[] = [];
  let size = BEHIND_OS + 2;
  let at = FIXED;
  for (let length = old.readUInt32LE(FIXED - 4); length > 0;) {
    if (length < 5 || at + length > old.length) return undefined;
    const data = old.subarray(at, at + length - 4);
    size += data.length + 2;
    if (size > LONGEST) return undefined;
    if (data[0] === SUM_OF_HEADER) size -= data.length + 2;
    else extended.push(data);
    at += length;
    length = old.readUInt32LE(at - 4);
  }
  // A size whose low byte is 0 would be the end of the archive.
  if ((size & 0xff) === 0) extended.push(NOTHING_SAID);
  const sizes = [...extended.map((data) => data.length + 2), 0];
  const parts = [Buffer.from(old.subarray(0, BEHIND_OS)), u16(sizes[0] ?? 0)];
  for (const [nth, data] of extended.entries()) parts.push(data, u16(sizes[nth + 1] ?? 0));
  const header = Buffer.concat(parts);
  if (header.length > LONGEST) return undefined;
  header.writeUInt16LE(header.length, 0);
  header[LEVEL] = 2;
  return header;
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
