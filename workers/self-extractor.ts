// Programs that carry an archive behind them (self-extractors): where the program ends by its own headers, and whether an archive
// begins there. Nothing of the program is read but these headers.
import { crc32 } from 'node:zlib';

/** Sections that WinZip's self-extractor keeps its archive in. */
const WINZIP_SECTION = '_winzip_';
const ELF = 0x7f454c46;

/** Offset at which the archive begins that a program carries; undefined when it is no program, or carries none that we see. */
export function carriedArchive(bytes: Buffer): number | undefined {
  for (const from of placesIn(bytes)) {
    const at = archiveFrom(bytes, from);
    if (at !== undefined) return at;
  }
  return isWindowsProgram(bytes) ? cabinetIn(bytes) : undefined;
}

function isWindowsProgram(bytes: Buffer): boolean {
  return bytes.length >= 64 && bytes.toString('latin1', 0, 2) === 'MZ';
}

/** Where an archive may begin: behind the program, and in a section made for it. */
function placesIn(bytes: Buffer): number[] {
  if (isWindowsProgram(bytes)) return portableExecutable(bytes) ?? [dosEnd(bytes)];
  return bytes.length >= 64 && bytes.readUInt32BE(0) === ELF ? [elfEnd(bytes)] : [];
}

/** Ends of a PE file by its section table (Microsoft's PE format, "Section Table"); undefined for a program of DOS. */
function portableExecutable(bytes: Buffer): number[] | undefined {
  const head = bytes.readUInt32LE(60);
  if (head + 24 > bytes.length || bytes.toString('latin1', head, head + 4) !== 'PE\0\0') return undefined;
  const places: number[] = [];
  const first = head + 24 + bytes.readUInt16LE(head + 20);
  let end = first;
  for (let n = 0; n < Math.min(96, bytes.readUInt16LE(head + 6)); n++) {
    const at = first + n * 40;
    if (at + 40 > bytes.length) break;
    const start = bytes.readUInt32LE(at + 20);
    end = Math.max(end, at + 40, start + bytes.readUInt32LE(at + 16));
    if (bytes.toString('latin1', at, at + 8) === WINZIP_SECTION) places.push(start);
  }
  return [end, ...places];
}

/** A program of DOS ends where its pages do; a header that says nonsense says nothing. */
function dosEnd(bytes: Buffer): number {
  const last = bytes.readUInt16LE(2);
  const end = bytes.readUInt16LE(4) * 512 - (last === 0 ? 0 : 512 - last);
  return last < 512 && end >= 28 && end <= bytes.length ? end : 28;
}

/** The end of an ELF file: its segments and its table of sections, whichever is last (System V ABI, "ELF Header"). */
function elfEnd(bytes: Buffer): number {
  const is64 = bytes[4] === 2;
  if (bytes[5] !== 1) return bytes.length; // big-endian machines are nobody's office
  const word = (at: number): number => {
    if (at + (is64 ? 8 : 4) > bytes.length) return 0;
    return is64 ? Number(bytes.readBigUInt64LE(at)) : bytes.readUInt32LE(at);
  };
  const counts = is64 ? 54 : 42; // e_phentsize, e_phnum, e_shentsize, e_shnum
  const [segmentBytes, segments, sectionBytes, sections] = [0, 2, 4, 6].map((at) => bytes.readUInt16LE(counts + at));
  let end = word(is64 ? 40 : 32) + (sectionBytes ?? 0) * (sections ?? 0);
  for (let n = 0; n < Math.min(64, segments ?? 0); n++) {
    const at = word(is64 ? 32 : 28) + n * (segmentBytes ?? 0);
    end = Math.max(end, word(at + (is64 ? 8 : 4)) + word(at + (is64 ? 32 : 16)));
  }
  return end;
}

const SIGNS: readonly (readonly [sign: Buffer, back: number, fits: (bytes: Buffer, at: number) => boolean])[] = [
  [Buffer.from('PK\x03\x04', 'latin1'), 0, isZip],
  [Buffer.from('377abcaf271c', 'hex'), 0, isSevenZip],
  [Buffer.from('Rar!\x1a\x07', 'latin1'), 0, (bytes, at) => (bytes[at + 6] ?? 9) <= 1],
  [Buffer.from('-lh', 'latin1'), 2, isLha],
  [Buffer.from('MSCF\0\0\0\0', 'latin1'), 0, isCabinet],
];

/** The first archive at or behind an offset: some extractors have words for their program in between. */
function archiveFrom(bytes: Buffer, from: number): number | undefined {
  let first: number | undefined;
  for (const [sign, back, fits] of SIGNS) {
    for (let at = bytes.indexOf(sign, from); at >= 0; at = bytes.indexOf(sign, at + 1)) {
      const start = at - back;
      if (first !== undefined && start >= first) break;
      if (start < from || !fits(bytes, start)) continue;
      first = start;
      break;
    }
  }
  return first;
}

/** Microsoft's own extractor (IExpress) keeps a cabinet among its resources. */
function cabinetIn(bytes: Buffer): number | undefined {
  const sign = Buffer.from('MSCF\0\0\0\0', 'latin1');
  for (let at = bytes.indexOf(sign); at >= 0; at = bytes.indexOf(sign, at + 1)) if (isCabinet(bytes, at)) return at;
  return undefined;
}

/** A local header (APPNOTE 4.3.7): a version there is, a name. */
function isZip(bytes: Buffer, at: number): boolean {
  return at + 30 <= bytes.length && (bytes[at + 4] ?? 99) <= 63 && bytes.readUInt16LE(at + 26) > 0;
}

/** The start header of 7z has a sum of its own (7zFormat.txt). */
function isSevenZip(bytes: Buffer, at: number): boolean {
  return at + 32 <= bytes.length && crc32(bytes.subarray(at + 12, at + 32)) === bytes.readUInt32LE(at + 8);
}

/** `-lh0-` to `-lh7-`, `-lhd-`; a header of level 0 or 1 sums up. */
function isLha(bytes: Buffer, at: number): boolean {
  if (at + 22 > bytes.length || !/^-lh[0-7d]-$/.test(bytes.toString('latin1', at + 2, at + 7))) return false;
  const level = bytes[at + 20] ?? 9;
  if (level === 2) return bytes.readUInt16LE(at) >= 26;
  if (level > 1) return false;
  const sum = bytes.subarray(at + 2, at + 2 + (bytes[at] ?? 0)).reduce((total, byte) => total + byte, 0);
  return (sum & 0xff) === bytes[at + 1];
}

/** CFHEADER ([MS-CAB] 2.1): its size, its reserved words, version 1.3. */
function isCabinet(bytes: Buffer, at: number): boolean {
  if (at + 36 > bytes.length) return false;
  const offset = bytes.readUInt32LE(at + 16);
  return (
    bytes.readUInt32LE(at + 12) === 0 && bytes.readUInt16LE(at + 24) === 0x0103 && offset < bytes.readUInt32LE(at + 8)
  );
}
