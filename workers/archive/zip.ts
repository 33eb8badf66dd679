// ZIP by its central directory (APPNOTE 6.3.10), strictly: what the local headers say otherwise is told, and entries that
// share bytes (Fifield's bombs) are refused. Stored, deflated and zstd entries; ZipCrypto and WinZip AES.
import { constants, crc32, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { LIMITS } from '../../src/message/limits.ts';
import { Refusal } from '../run.ts';
import { shut, type ArchiveEntry } from './entry.ts';
import { charsetOfNames, nameIn } from './names.ts';
import { decryptEntry } from './zip-crypto.ts';

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const EXTRA_ZIP64 = 0x0001;
const EXTRA_AES = 0x9901;
const EXTRA_UTF8_PATH = 0x7075;
const MADE_ON_UNIX = 3;
/** FAT, NTFS, VFAT. */
const MADE_ON_DOS: readonly number[] = [0, 10, 14];
const UNIX_LINK = 0o120000;
const UNIX_TYPE = 0o170000;
/** More than this deflate does not make of a byte. */
const MOST_RATIO = 1032;
const METHOD = { stored: 0, deflated: 8, zstd: 93, aes: 99 } as const;
const UNPACKED: readonly number[] = [METHOD.stored, METHOD.deflated, METHOD.zstd];

interface Listed {
  readonly rawName: Buffer;
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly at: number;
  readonly time: number;
  readonly isLink: boolean;
  readonly aes: { readonly version: number; readonly strength: number; readonly method: number } | undefined;
}

/** An entry whose name is not read yet. `said`: what it says itself. */
interface Unnamed {
  readonly facts: Omit<Listed, 'name'>;
  readonly said: string | undefined;
  readonly onDos: boolean;
}

export interface Zip {
  readonly entries: readonly Listed[];
  readonly findings: ReadonlySet<string>;
  /** Methods among the entries that are not read here. */
  readonly strange: boolean;
  /** Opens the entry with the first of the passwords that fits. */
  open(entry: Listed, passwords: readonly string[]): ArchiveEntry;
}

/**
 * Reads the directory; `behindProgram`: what stands before the archive is no oddity; `most` files that it may have. Throws a `Refusal` when there is none, or it makes no
 * sense.
 */
export function readZip(bytes: Buffer, behindProgram = false, most: number = LIMITS.archiveEntries + 1): Zip {
  const findings = new Set<string>();
  const { entries, shift, begin } = directory(bytes, findings, most);
  if (shift > 0 && !behindProgram) findings.add(`${shift} bytes before its start`);
  const starts = new Map<Listed, number>();
  const ranges: [number, number][] = [];
  const heads = entries.map((entry) => entry.at + shift).filter((at) => hasHeader(bytes, at));
  const ends = endsOf(heads, begin);
  for (const entry of entries) {
    const start = dataStart(bytes, entry, shift, findings);
    starts.set(entry, start);
    if (start <= bytes.length) ranges.push([entry.at + shift, start + entry.packed]);
  }
  ranges.sort(([a], [b]) => a - b);
  for (let i = 1; i < ranges.length; i++) {
    if ((ranges[i] as [number, number])[0] < (ranges[i - 1] as [number, number])[1])
      throw new Refusal('ambiguous', 'entries share bytes');
  }
  const purse: Purse = { left: LIMITS.expandedBytes };
  const open = (entry: Listed, passwords: readonly string[]): ArchiveEntry => {
    if (entry.isLink) return shut(entry.name, 'unsupported-type', 'link');
    const start = starts.get(entry) ?? 0;
    const isInside = start + entry.packed <= bytes.length;
    let opened = isInside
      ? unpack(bytes.subarray(start, start + entry.packed), entry, passwords, purse)
      : shut(entry.name, 'damaged');
    if (opened.trouble === 'damaged')
      for (const { at, facts } of otherReadings(bytes, entry, entry.at + shift, ends)) {
        if (at === start && facts === entry) continue;
        const second = unpack(bytes.subarray(at, at + facts.packed), facts, passwords, purse);
        if (second.trouble !== '') continue;
        opened = { ...second, findings: [{ code: 'odd-archive', detail: 'its two directories disagree' }] };
        break;
      }
    return opened;
  };
  const readable: readonly number[] = Object.values(METHOD);
  const strange = entries.some(
    (entry) => !readable.includes(entry.method) || (entry.aes !== undefined && !readable.includes(entry.aes.method)),
  );
  return { entries: entries.filter(({ name }) => !/[/\\]$/.test(name)), findings, strange, open };
}

/** What stands whole before the directory of a zip, or in the first of its volumes, by the headers of the entries alone. */
export function readWithoutDirectory(bytes: Buffer): Pick<Zip, 'entries' | 'open'> {
  const found: Unnamed[] = [];
  const starts: number[] = [];
  // The first of several volumes begins with a mark of its own (APPNOTE 8.5.3).
  let at = bytes.toString('latin1', 0, 4) === 'PK\x07\x08' ? 4 : 0;
  while (at + 30 <= bytes.length && bytes.readUInt32LE(at) === LOCAL && found.length <= LIMITS.archiveEntries) {
    const flags = bytes.readUInt16LE(at + 6);
    const packed = bytes.readUInt32LE(at + 18);
    const nameLength = bytes.readUInt16LE(at + 26);
    const start = at + 30 + nameLength + bytes.readUInt16LE(at + 28);
    if ((flags & 9) !== 0 || start + packed > bytes.length) break; // measured behind its bytes, locked, or cut
    const rawName = bytes.subarray(at + 30, at + 30 + nameLength);
    const facts = {
      rawName,
      flags,
      method: bytes.readUInt16LE(at + 8),
      crc: bytes.readUInt32LE(at + 14),
      packed,
      size: bytes.readUInt32LE(at + 22),
      at,
      time: bytes.readUInt16LE(at + 10),
      isLink: false,
      aes: undefined,
    };
    if (!isFolder(rawName)) {
      found.push({ facts, said: saidName(rawName, flags, undefined), onDos: true });
      starts.push(start);
    }
    at = start + packed;
  }
  const entries = named(found);
  const purse: Purse = { left: LIMITS.expandedBytes };
  const open = (entry: Listed): ArchiveEntry => {
    const start = starts[entries.indexOf(entry)] ?? 0;
    return unpack(bytes.subarray(start, start + entry.packed), entry, [], purse);
  };
  return { entries, open };
}

/** Bytes that may still come out of an archive; those that come out for nothing are of it, too. */
interface Purse {
  left: number;
}

function unpack(packed: Buffer, entry: Listed, passwords: readonly string[], purse: Purse): ArchiveEntry {
  const { name } = entry;
  if ((entry.flags & 1) === 0) {
    try {
      return { name, bytes: inflate(packed, entry.method, entry, purse), trouble: '', findings: [] };
    } catch (error) {
      return shut(name, error instanceof Refusal ? error.reason : 'damaged');
    }
  }
  if ((entry.flags & 0x40) !== 0 && entry.aes === undefined) return shut(name, 'encrypted');
  for (const password of passwords) {
    for (const plain of decryptEntry(packed, entry, password)) {
      const { left } = purse;
      try {
        return {
          name,
          bytes: inflate(plain, entry.aes?.method ?? entry.method, entry, purse),
          trouble: '',
          findings: [],
        };
      } catch (error) {
        if (error instanceof Refusal && error.reason === 'ratio') return shut(name, 'ratio');
        // Its check byte fitted by chance, or it has none: not this password, and nothing that the archive holds.
        purse.left = left;
      }
    }
  }
  return shut(name, passwords.length === 0 ? 'password-needed' : 'password-wrong');
}

function inflate(packed: Uint8Array, method: number, entry: Listed, purse: Purse): Uint8Array {
  const room = purse.left;
  if ((method === METHOD.stored ? packed.length : entry.size) > room) throw new Refusal('ratio', 'more than is left');
  if (packed.length > 0 && !UNPACKED.includes(method)) throw new Refusal('unsupported-type', `method ${method}`);
  const most = Math.max(1, Math.min(room, entry.size === 0 ? room : entry.size));
  // Where it breaks off, nobody says after how many.
  let spent = method === METHOD.deflated ? Math.min(most, packed.length * MOST_RATIO) : most;
  let bytes: Uint8Array;
  try {
    bytes = unpacked(packed, method, most);
    spent = bytes.length;
  } finally {
    purse.left = Math.max(0, room - spent);
  }
  // AE-2 has no CRC: its authentication code was checked before.
  if (entry.aes?.version !== 2 && crc32(bytes) !== entry.crc) throw new Refusal('damaged', 'CRC');
  return bytes;
}

function unpacked(packed: Uint8Array, method: number, maxOutputLength: number): Uint8Array {
  if (method === METHOD.stored || packed.length === 0) return packed;
  if (method === METHOD.deflated)
    return inflateRawSync(packed, { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH });
  return zstdDecompressSync(packed, { maxOutputLength });
}

function directory(
  bytes: Buffer,
  findings: Set<string>,
  most: number,
): { entries: Listed[]; shift: number; begin: number } {
  const end = endOf(bytes);
  let count = bytes.readUInt16LE(end + 10);
  let size = bytes.readUInt32LE(end + 12);
  let at = bytes.readUInt32LE(end + 16);
  if (bytes.readUInt16LE(end + 4) !== 0 && bytes.readUInt16LE(end + 4) !== 0xffff)
    throw new Refusal('damaged', 'one of several disks');
  if (end + 22 + bytes.readUInt16LE(end + 20) !== bytes.length) findings.add('bytes after its end');
  let before = end;
  if (end >= 20 && bytes.readUInt32LE(end - 20) === LOCATOR64) {
    const at64 = bytes.lastIndexOf(Buffer.from('PK\x06\x06', 'latin1'), end - 20);
    if (at64 >= 0 && at64 + 56 <= bytes.length && bytes.readUInt32LE(at64) === END64) {
      count = Number(bytes.readBigUInt64LE(at64 + 32)); // what there is is counted, whatever it says
      size = number64(bytes, at64 + 40);
      at = number64(bytes, at64 + 48);
      before = at64;
    }
  }
  // A self-extractor's program stands in front; offsets count from the archive's own start.
  const shift = before - size - at;
  if (shift < 0) throw new Refusal('damaged', 'its directory lies outside');
  const entries: Unnamed[] = [];
  let cursor = at + shift;
  let files = 0;
  while (cursor + 46 <= before && bytes.readUInt32LE(cursor) === CENTRAL) {
    const { entry, next } = listed(bytes, cursor);
    if (!isFolder(entry.facts.rawName)) files += 1;
    if (files > most || entries.length >= LIMITS.zipEntries) throw new Refusal('too-many-parts', `${count} entries`);
    entries.push(entry);
    cursor = next;
  }
  if (cursor !== before || entries.length !== count) findings.add('its directory and its end disagree');
  if (entries.length === 0 && count > 0) throw new Refusal('damaged', 'no directory');
  return { entries: named(entries), shift, begin: at + shift };
}

function isFolder(rawName: Buffer): boolean {
  return /[/\\]$/.test(rawName.subarray(-1).toString('latin1'));
}

function endOf(bytes: Buffer): number {
  const least = Math.max(0, bytes.length - 22 - 0xffff);
  for (let at = bytes.length - 22; at >= least; at--) if (bytes.readUInt32LE(at) === END) return at;
  throw new Refusal('damaged', 'no end of the directory');
}

function number64(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64LE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Refusal('damaged', 'a number beyond all measure');
  return Number(value);
}

function listed(bytes: Buffer, at: number): { entry: Unnamed; next: number } {
  const nameLength = bytes.readUInt16LE(at + 28);
  const extraLength = bytes.readUInt16LE(at + 30);
  const next = at + 46 + nameLength + extraLength + bytes.readUInt16LE(at + 32);
  if (next > bytes.length) throw new Refusal('damaged', 'directory cut');
  const rawName = bytes.subarray(at + 46, at + 46 + nameLength);
  const extra = extras(bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength));
  const flags = bytes.readUInt16LE(at + 8);
  let packed = bytes.readUInt32LE(at + 20);
  let size = bytes.readUInt32LE(at + 24);
  let offset = bytes.readUInt32LE(at + 42);
  const big = extra.get(EXTRA_ZIP64);
  let cursor = 0;
  const take = (value: number): number => {
    if (value !== 0xffffffff || big === undefined || cursor + 8 > big.length) return value;
    cursor += 8;
    return number64(big, cursor - 8);
  };
  size = take(size);
  packed = take(packed);
  offset = take(offset);
  const method = bytes.readUInt16LE(at + 10);
  const aes = extra.get(EXTRA_AES);
  const maker = bytes.readUInt8(at + 5);
  const facts = {
    rawName,
    flags,
    method,
    crc: bytes.readUInt32LE(at + 16),
    packed,
    size,
    at: offset,
    time: bytes.readUInt16LE(at + 12),
    isLink: maker === MADE_ON_UNIX && ((bytes.readUInt32LE(at + 38) >>> 16) & UNIX_TYPE) === UNIX_LINK,
    aes:
      method === METHOD.aes && aes !== undefined && aes.length >= 7
        ? { version: aes.readUInt16LE(0), strength: aes.readUInt8(4), method: aes.readUInt16LE(5) }
        : undefined,
  };
  const said = saidName(rawName, flags, extra.get(EXTRA_UTF8_PATH));
  return { entry: { facts, said, onDos: MADE_ON_DOS.includes(maker) }, next };
}

function extras(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readUInt16LE(at + 2);
    if (!found.has(bytes.readUInt16LE(at))) found.set(bytes.readUInt16LE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

/** The name where the entry says what it is written in: UTF-8 by bit 11 or by Info-ZIP's extra field. */
function saidName(raw: Buffer, flags: number, path: Buffer | undefined): string | undefined {
  if ((flags & 0x800) !== 0) return raw.toString('utf8');
  const isItsPath = path !== undefined && path.length > 5 && path.readUInt32LE(1) === crc32(raw);
  return isItsPath ? path.subarray(5).toString('utf8') : undefined;
}

/** The entries with their names; where those do not say what they are written in, the makers' systems and all of them tell it. */
function named(entries: readonly Unnamed[]): Listed[] {
  const untold = entries.filter(({ said }) => said === undefined);
  const charset = charsetOfNames(
    untold.map(({ facts }) => facts.rawName),
    untold.every(({ onDos }) => onDos),
  );
  return entries.map(({ facts, said }) => ({ ...facts, name: said ?? nameIn(charset, facts.rawName) }));
}

function hasHeader(bytes: Buffer, at: number): boolean {
  return at + 30 <= bytes.length && bytes.readUInt32LE(at) === LOCAL;
}

/** Where what belongs to each header ends: at the next one of the directory, or at the directory; one of several entries has nothing. */
function endsOf(heads: readonly number[], begin: number): ReadonlyMap<number, number> {
  const ends = new Map<number, number>();
  const sorted = heads.toSorted((a, b) => a - b);
  for (const [index, head] of sorted.entries())
    if (!ends.has(head)) ends.set(head, Math.min(sorted[index + 1] ?? begin, begin));
  return ends;
}

/**
 * Where the directory's word of an entry does not fit its bytes: what its own header says of it, and, its header's lengths being wrong,
 * the bytes before the next entry; never bytes of another one. The sum tells whether one of them is right.
 */
function otherReadings(
  bytes: Buffer,
  entry: Listed,
  head: number,
  ends: ReadonlyMap<number, number>,
): readonly { readonly at: number; readonly facts: Listed }[] {
  const end = ends.get(head) ?? 0;
  if (end < head + 30) return [];
  const next = bytes.subarray(head + 4, end).indexOf('PK\x03\x04', 0, 'latin1');
  const behind = (next < 0 ? end : head + 4 + next) - entry.packed;
  const before = behind > head ? [{ at: behind, facts: entry }] : [];
  const [flags, method] = [bytes.readUInt16LE(head + 6), bytes.readUInt16LE(head + 8)];
  const [crc, packed, size] = [14, 18, 22].map((at) => bytes.readUInt32LE(head + at)) as [number, number, number];
  const at = head + 30 + bytes.readUInt16LE(head + 26) + bytes.readUInt16LE(head + 28);
  const isSame = method === entry.method && crc === entry.crc && packed === entry.packed && size === entry.size;
  // Its sizes stand behind its bytes, or it is locked.
  if (isSame || (flags & 9) !== 0 || entry.aes !== undefined || at + packed > end) return before;
  return [{ at, facts: { ...entry, flags, method, crc, packed, size } }, ...before];
}

/** Where the entry's bytes begin; what its local header says otherwise than the directory is told. */
function dataStart(bytes: Buffer, entry: Listed, shift: number, findings: Set<string>): number {
  const at = entry.at + shift;
  if (!hasHeader(bytes, at)) {
    findings.add('an entry without its header');
    return bytes.length + 1;
  }
  const nameLength = bytes.readUInt16LE(at + 26);
  const local = bytes.subarray(at + 30, at + 30 + nameLength);
  const streamed = (bytes.readUInt16LE(at + 6) & 8) !== 0; // its sizes and CRC stand behind it
  const differs =
    !local.equals(entry.rawName) ||
    bytes.readUInt16LE(at + 8) !== entry.method ||
    (!streamed && bytes.readUInt32LE(at + 14) !== entry.crc && bytes.readUInt32LE(at + 14) !== 0);
  if (differs) findings.add('its two directories disagree');
  return at + 30 + nameLength + bytes.readUInt16LE(at + 28);
}
