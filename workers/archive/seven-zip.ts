// 7-Zip as WebAssembly for all archives that are no plain ZIP. A fresh instance for each call; the archive is the only file
// there is, and entries come out of its standard output one behind the other: none of their names names a file.
import { constants, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { crc32 } from 'node:zlib';
import { LIMITS } from '../../src/message/limits.ts';
import { Refusal } from '../run.ts';
import { crc16 } from './crc16.ts';
import { shut, type ArchiveEntry } from './entry.ts';
import { charsetOfNames, nameIn } from './names.ts';
import { zstdEntries, type InBlock } from './zstd-blocks.ts';

interface Stream {
  stream_ops: object;
}

interface SevenZip {
  readonly FS: {
    getStream(fd: number): Stream | undefined;
    writeFile(path: string, bytes: Uint8Array): void;
  };
  callMain(args: readonly string[]): number;
}

type Factory = (options: object) => Promise<SevenZip>;

const require = createRequire(import.meta.url);
// Its driver for the real file system, which nobody mounts, asks for Node's numbers in a way that the jail denies.
Object.assign(process, { binding: () => ({ fs: constants }) });
const start = require('7z-wasm') as Factory;
const { version } = require('7z-wasm/package.json') as { readonly version: string };
const wasmBinary = readFileSync(require.resolve('7z-wasm/7zz.wasm'));

export const SEVEN_ZIP = `7z-wasm ${version}`;

/** What 7-Zip calls the one entry of an archive `a` that keeps no name. */
const NO_NAME = 'a~';
/** What it calls XAR's own table of entries, which it gives as one more. */
const XAR_TABLE = '[TOC].xml';
/** Those archives, by their first bytes in hex: gzip, compress, bzip2, xz, zstd (which may begin with a frame to be skipped). */
const NAMELESS = /^(?:1f8b|1f9d|425a68|fd377a585a|28b52ffd|5.2a4d18)/;

/** Entries that are opened one by one where the archive as a whole gives something else than it lists. */
const ONE_BY_ONE = 100;

interface Answer {
  readonly code: number;
  readonly out: Buffer;
  readonly said: string;
}

async function call(archive: Uint8Array, args: readonly string[], most: number): Promise<Answer> {
  const seven = await start({ wasmBinary, print: () => undefined, printErr: () => undefined, quit: () => undefined });
  const out: Buffer[] = [];
  const said: Buffer[] = [];
  let size = 0;
  const redirect = (fd: number, to: Buffer[], cap: number): void => {
    const stream = seven.FS.getStream(fd);
    if (stream === undefined) throw new Error('7-Zip has no output');
    const write = (_stream: unknown, heap: Uint8Array, at: number, length: number): number => {
      size += fd === 1 ? length : 0;
      if (size > cap) throw new Refusal('ratio', `more than ${cap} bytes`);
      to.push(Buffer.from(heap.subarray(at, at + length)));
      return length;
    };
    stream.stream_ops = { ...stream.stream_ops, write };
  };
  redirect(1, out, most);
  redirect(2, said, Number.POSITIVE_INFINITY);
  seven.FS.writeFile('/a', archive);
  let code = 2;
  try {
    code = seven.callMain([...args, '-y', '-bd', '-sccUTF-8', '-mmt=1', '/a']);
  } catch (error) {
    // C++ exceptions come out as numbers: it gave up, and says why on its error output.
    if (error instanceof Refusal) throw error;
    if (
      typeof error !== 'number' &&
      !(error instanceof Error && /unreachable|memory|null function|ExitStatus/.test(`${error.name} ${error.message}`))
    )
      throw error;
  }
  return { code, out: Buffer.concat(out), said: Buffer.concat(said).toString('utf8') };
}

interface Listed extends InBlock {
  readonly rawName: string;
  readonly name: string;
  readonly crc: number | undefined;
  /** LHA's sum. */
  readonly crc16: number | undefined;
  readonly locked: boolean;
  readonly special: boolean;
}

/**
 * Opens an archive with the first of the passwords that fits and gives its entries to `take`; `torn` is called before them
 * where its list breaks off: there may be more. Throws a `Refusal` when it is no archive, is locked as a whole, or holds
 * more than the limits allow.
 */
export async function openSevenZip(
  archive: Uint8Array,
  passwords: readonly string[],
  take: (entry: ArchiveEntry) => void | Promise<void>,
  torn: () => void,
): Promise<void> {
  const { entries, password, isTorn } = await list(archive, passwords);
  if (entries.length > LIMITS.archiveEntries) throw new Refusal('too-many-parts', `${entries.length} entries`);
  const total = entries.reduce((sum, { size }) => sum + (size ?? 0), 0);
  if (total > LIMITS.expandedBytes) throw new Refusal('ratio', `${total} bytes`);
  const locked = entries.filter((entry) => entry.locked);
  let key = password;
  if (key === undefined && locked.length > 0) key = await fitting(archive, locked, passwords);
  const open = entries.filter((entry) => !entry.special && (!entry.locked || key !== undefined));
  // Without a key the locked ones would ask for one: the others are opened by name.
  const whole = locked.length === 0 || key !== undefined;
  const all = whole ? await call(archive, ['x', '-so', `-p${key ?? ''}`], LIMITS.expandedBytes) : undefined;
  const pieces = all === undefined ? undefined : split(all.out, entries);
  // A tar has no sums of its files: one that lacks its end alone gives as much as it lists.
  const isAll = isTar(archive) && all?.out.length === total;
  const zstd = zstdEntries(archive, entries);
  if (isTorn) torn();
  let single = 0;
  const isXar = Buffer.from(archive.subarray(0, 4)).toString('latin1') === 'xar!';
  for (const entry of entries) {
    if (isXar && entry.rawName === XAR_TABLE) continue;
    if (entry.special) {
      await take(shut(entry.name, 'unsupported-type', 'link'));
      continue;
    }
    if (!open.includes(entry)) {
      await take(shut(entry.name, passwords.length === 0 ? 'password-needed' : 'password-wrong'));
      continue;
    }
    const ofZstd = zstd.get(entry);
    let bytes = ofZstd !== undefined && entry.crc !== undefined && fits(entry, ofZstd) ? ofZstd : pieces?.get(entry);
    if (bytes === undefined || !fits(entry, bytes) || !(isSummed(entry) || all?.code === 0 || isAll)) {
      single += 1;
      bytes = single > ONE_BY_ONE ? undefined : await one(archive, entry, key);
    }
    await take(
      bytes === undefined ? shut(entry.name, 'damaged') : { name: entry.name, bytes, trouble: '', findings: [] },
    );
  }
}

function fits(entry: Listed, bytes: Uint8Array): boolean {
  if (entry.size !== undefined && bytes.length !== entry.size) return false;
  if (entry.crc16 !== undefined) return crc16(bytes) === entry.crc16;
  return entry.crc === undefined || crc32(bytes) === entry.crc;
}

/** True for an entry whose sum says whether it is whole. */
function isSummed({ crc, crc16: short }: Listed): boolean {
  return crc !== undefined || short !== undefined;
}

function isTar(archive: Uint8Array): boolean {
  return Buffer.from(archive.subarray(257, 262)).toString('latin1') === 'ustar';
}

async function one(archive: Uint8Array, entry: Listed, key: string | undefined): Promise<Uint8Array | undefined> {
  const args = ['x', '-so', '-spd', `-p${key ?? ''}`, `-i!${entry.rawName}`];
  const { out, code } = await call(archive, args, LIMITS.expandedBytes);
  return fits(entry, out) && (code === 0 || isSummed(entry)) ? out : undefined;
}

/** What came out, cut where the listed sizes say. A single entry's size may be unknown (gzip, bzip2). */
function split(out: Buffer, entries: readonly Listed[]): Map<Listed, Uint8Array> {
  const pieces = new Map<Listed, Uint8Array>();
  const [only] = entries;
  if (entries.length === 1 && only !== undefined && only.size === undefined) return pieces.set(only, out);
  let at = 0;
  for (const entry of entries) {
    const size = entry.size ?? 0;
    if (at + size <= out.length) pieces.set(entry, out.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

interface List {
  readonly entries: Listed[];
  readonly password: string | undefined;
  /** 7-Zip lists what stands before a header that is torn or not there, and says so by its exit code alone. */
  readonly isTorn: boolean;
}

async function list(archive: Uint8Array, passwords: readonly string[]): Promise<List> {
  let answer = await call(archive, ['l', '-slt', '-ba', '-p'], 16 * 1024 * 1024);
  let entries = listing(answer.out, archive);
  if (entries.length > 0 || answer.code === 0) return { entries, password: undefined, isTorn: answer.code !== 0 };
  if (!/password|encrypted/i.test(answer.said) && !isLocked7z(archive))
    throw new Refusal('damaged', answer.said.replace(/\s+/g, ' ').slice(0, 200));
  for (const password of passwords) {
    answer = await call(archive, ['l', '-slt', '-ba', `-p${password}`], 16 * 1024 * 1024);
    entries = listing(answer.out, archive);
    if (answer.code === 0) return { entries, password, isTorn: false };
  }
  throw new Refusal(passwords.length === 0 ? 'password-needed' : 'password-wrong', 'its directory is locked');
}

/** A 7z whose directory is packed by AES (coder 06F10701 in its encoded header): 7-Zip gives up on it without a word. */
function isLocked7z(archive: Uint8Array): boolean {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.length);
  if (bytes.length < 32 || bytes.readUInt32BE(0) !== 0x377abcaf) return false;
  const at = 32n + bytes.readBigUInt64LE(12);
  const end = at + bytes.readBigUInt64LE(20);
  if (end > BigInt(bytes.length)) return false;
  return bytes.subarray(Number(at), Number(end)).includes(Buffer.from('06f10701', 'hex'));
}

/** The password that opens the smallest of the locked entries. */
async function fitting(
  archive: Uint8Array,
  locked: readonly Listed[],
  passwords: readonly string[],
): Promise<string | undefined> {
  const smallest = locked.toSorted((a, b) => (a.size ?? 0) - (b.size ?? 0)).find(({ size }) => size !== 0) ?? locked[0];
  if (smallest === undefined) return undefined;
  for (const password of passwords) if ((await one(archive, smallest, password)) !== undefined) return password;
  return undefined;
}

/** Reads `7z l -slt -ba`: a block of `Key = value` lines an entry, names as raw bytes. Folders are left out. */
function listing(out: Buffer, archive: Uint8Array): Listed[] {
  const text = out.toString('latin1').replace(/^[^\n]*\x08 *\x08*/, '');
  // Size and sum at its end are those of its last member; 7-Zip checks each.
  const isGzip = archive[0] === 0x1f && archive[1] === 0x8b;
  const isNameless = NAMELESS.test(Buffer.from(archive.subarray(0, 5)).toString('hex'));
  const entries: Listed[] = [];
  for (const block of text.split(/\n\n+/)) {
    const facts = new Map<string, string>();
    for (const line of block.split('\n')) {
      const cut = line.indexOf(' = ');
      if (cut > 0 && !facts.has(line.slice(0, cut))) facts.set(line.slice(0, cut), line.slice(cut + 3));
    }
    // compress says neither a name nor a size of what is in it.
    if (!['Path', 'Size', 'Packed Size'].some((key) => facts.has(key))) continue;
    const told = facts.get('Path') ?? ''; // bzip2, xz and zstd keep no name
    const path = isNameless && told === NO_NAME ? '' : told;
    const attributes = facts.get('Attributes') ?? '';
    if (facts.get('Folder') === '+' || attributes.startsWith('D') || /(?:^|\s)d[rwx-]{9}/.test(attributes)) continue;
    const number = (key: string, base: number): number | undefined => {
      const value = facts.get(key) ?? '';
      return value === '' ? undefined : Number.parseInt(value, base);
    };
    const special =
      /(?:^|\s)[lbcps][rwxsStT-]{9}/.test(attributes) ||
      ['Symbolic Link', 'Hard Link'].some((key) => (facts.get(key) ?? '') !== '');
    const isLha = /^-(?:lh|lz)/.test(facts.get('Method') ?? '');
    entries.push({
      rawName: Buffer.from(path, 'latin1').toString('utf8'),
      name: path,
      size: isGzip ? undefined : number('Size', 10),
      packed: number('Packed Size', 10),
      block: number('Block', 10),
      method: facts.get('Method') ?? '',
      crc: isLha || isGzip ? undefined : number('CRC', 16),
      crc16: isLha ? number('CRC', 16) : undefined,
      locked: facts.get('Encrypted') === '+',
      special,
    });
  }
  const names = entries.map(({ name }) => Buffer.from(name, 'latin1'));
  const charset = charsetOfNames(names, isOfDos(archive));
  return entries.map((entry, index) => ({ ...entry, name: nameIn(charset, names[index] ?? Buffer.alloc(0)) }));
}

/** Archives of DOS and Windows: LHA, CAB, ARJ. */
function isOfDos(archive: Uint8Array): boolean {
  return /^(?:..-l[hz]|MSCF|\x60\xea)/s.test(Buffer.from(archive.subarray(0, 8)).toString('latin1'));
}
