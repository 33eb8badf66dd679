// Compound files ([MS-CFB]): the container of Office 97 to 2003, Ichitaro, HWP 5. Reads leniently, as their own programs do, and
// never further than the file is long: every chain ends after as many sectors as there are.
import { Refusal } from './run.ts';

const FREE = 0xfffffffa; // from here on: no sector
const MINI_CUTOFF = 4096;
const ENTRY = 128;
const ENTRIES_MOST = 10_000;
/** Of the private use area: no name of a stream begins with it. */
const NOBODYS_LETTER = 0xe000;

/** A stream of a compound file: its path of names, joined by `/`. */
export interface OleStream {
  readonly path: string;
  readonly bytes: Buffer;
}

export function isOle(bytes: Buffer): boolean {
  return bytes.length >= 512 && bytes.readUInt32BE(0) === 0xd0cf11e0 && bytes.readUInt32BE(4) === 0xa1b11ae1;
}

/** The streams of a compound file whose path `wanted` accepts, all of them at most as long as the file itself. */
export function oleStreams(bytes: Buffer, wanted: (path: string) => boolean): OleStream[] {
  if (!isOle(bytes)) throw new Refusal('damaged', 'no compound file');
  const sectors = new Sectors(bytes);
  const directory = sectors.chain(bytes.readUInt32LE(48));
  const root = entryAt(directory, 0);
  if (root === undefined) throw new Refusal('damaged', 'no directory');
  const mini = sectors.mini(sectors.chain(root.start).subarray(0, root.size), bytes.readUInt32LE(60));
  let left = bytes.length; // no honest stream shares sectors with another
  const found: OleStream[] = [];
  for (const { path, entry } of walk(directory)) {
    if (entry.kind !== 2 || !wanted(path)) continue;
    const whole = entry.size < MINI_CUTOFF ? mini(entry.start) : sectors.chain(entry.start);
    const content = whole.subarray(0, entry.size);
    left -= content.length;
    if (left < 0) throw new Refusal('damaged', 'streams share bytes');
    found.push({ path, bytes: content });
  }
  return found;
}

/** One stream by its path, whatever the case of its letters. */
export function oleStream(bytes: Buffer, path: string): Buffer | undefined {
  const lower = path.toLowerCase();
  return oleStreams(bytes, (one) => one.toLowerCase() === lower)[0]?.bytes;
}

/**
 * Whether a name stands in the root of a compound file, as a stream or a folder, whatever the case of its letters ([MS-CFB] 2.6.4): those
 * below are of what is embedded in it. Of a file whose directory cannot be read, whether it stands anywhere, as it is written.
 */
export function oleRoot(bytes: Buffer): (name: string) => boolean {
  const names = rootNames(bytes);
  return names.size > 0
    ? (name) => names.has(name.toUpperCase())
    : (name) => bytes.includes(Buffer.from(`${name}\0`, 'utf16le'));
}

/**
 * A compound file for readers that look for a name anywhere: what is embedded in it has names that nobody looks for. The same bytes
 * where nothing is, and where the directory cannot be read.
 */
export function rootAlone(bytes: Buffer): Buffer {
  const embedded = directoryOf(bytes).filter(({ path, entry }) => path !== entry.name);
  if (embedded.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  for (const { at } of embedded) if (at + 2 <= copy.length) copy.writeUInt16LE(NOBODYS_LETTER, at);
  return copy;
}

function rootNames(bytes: Buffer): ReadonlySet<string> {
  return new Set(
    directoryOf(bytes)
      .filter(({ path, entry }) => path === entry.name && entry.kind !== 0)
      .map(({ path }) => path.toUpperCase()),
  );
}

/** Every entry, with the offset in the file at which it stands; none of a directory that cannot be read. */
function directoryOf(bytes: Buffer): (Found & { readonly at: number })[] {
  if (!isOle(bytes)) return [];
  try {
    const sectors = new Sectors(bytes);
    const start = bytes.readUInt32LE(48);
    const at = sectors.offsets(start);
    const perSector = sectors.size / ENTRY;
    return walk(sectors.chain(start)).map((found) => {
      const { index } = found;
      return { ...found, at: (at[Math.floor(index / perSector)] ?? 0) + (index % perSector) * ENTRY };
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return [];
  }
}

class Sectors {
  readonly size: number;
  readonly #bytes: Buffer;
  readonly #fat: Buffer;
  readonly #count: number;

  constructor(bytes: Buffer) {
    const shift = bytes.readUInt16LE(30);
    if (shift !== 9 && shift !== 12) throw new Refusal('damaged', `sectors of 2^${shift} bytes`);
    this.#bytes = bytes;
    this.size = 1 << shift;
    this.#count = Math.ceil((bytes.length - this.size) / this.size);
    this.#fat = this.#readFat();
  }

  /** The bytes of a chain of sectors. */
  chain(start: number): Buffer {
    return Buffer.concat(this.#chained(start).map((at) => this.#sector(at)));
  }

  /** Where the sectors of a chain stand in the file. */
  offsets(start: number): number[] {
    return this.#chained(start).map((at) => (at + 1) * this.size);
  }

  #chained(start: number): number[] {
    const places: number[] = [];
    for (let at = start, left = this.#count; at < this.#count && left > 0; left--) {
      places.push(at);
      at = this.#fat.length >= at * 4 + 4 ? this.#fat.readUInt32LE(at * 4) : FREE;
    }
    return places;
  }

  /** Reads chains of the 64-byte sectors that small streams are kept in. */
  mini(store: Buffer, fatStart: number): (start: number) => Buffer {
    const fat = this.chain(fatStart);
    return (start) => {
      const parts: Buffer[] = [];
      for (let at = start, left = fat.length / 4; at * 64 < store.length && left > 0; left--) {
        parts.push(store.subarray(at * 64, at * 64 + 64));
        at = fat.length >= at * 4 + 4 ? fat.readUInt32LE(at * 4) : FREE;
        if (parts.length * 64 > MINI_CUTOFF) break;
      }
      return Buffer.concat(parts);
    };
  }

  #sector(at: number): Buffer {
    return this.#bytes.subarray((at + 1) * this.size, (at + 2) * this.size);
  }

  #readFat(): Buffer {
    const places: number[] = [];
    for (let at = 76; at < 512; at += 4) places.push(this.#bytes.readUInt32LE(at));
    const perSector = this.size / 4 - 1;
    for (let next = this.#bytes.readUInt32LE(68), left = this.#count; next < this.#count && left > 0; left--) {
      const sector = this.#sector(next);
      if (sector.length < this.size) break;
      for (let i = 0; i < perSector; i++) places.push(sector.readUInt32LE(i * 4));
      next = sector.readUInt32LE(perSector * 4);
    }
    const used = places.filter((place) => place < this.#count).slice(0, this.#count);
    return Buffer.concat(used.map((place) => this.#sector(place)));
  }
}

interface Entry {
  readonly name: string;
  /** 1 a folder, 2 a stream, 5 the root. */
  readonly kind: number;
  readonly left: number;
  readonly right: number;
  readonly child: number;
  readonly start: number;
  readonly size: number;
}

function entryAt(directory: Buffer, index: number): Entry | undefined {
  const at = index * ENTRY;
  if (index >= ENTRIES_MOST || at + ENTRY > directory.length) return undefined;
  const nameBytes = Math.max(0, Math.min(64, directory.readUInt16LE(at + 64)) - 2);
  return {
    name: directory.toString('utf16le', at, at + nameBytes),
    kind: directory.readUInt8(at + 66),
    left: directory.readUInt32LE(at + 68),
    right: directory.readUInt32LE(at + 72),
    child: directory.readUInt32LE(at + 76),
    start: directory.readUInt32LE(at + 116),
    size: directory.readUInt32LE(at + 120),
  };
}

interface Found {
  readonly index: number;
  readonly path: string;
  readonly entry: Entry;
}

/** Every entry with its path. Not recursive, and each entry once: the tree may be a ring. */
function walk(directory: Buffer): Found[] {
  const found: Found[] = [];
  const seen = new Set<number>([0]);
  const open: { index: number; folder: string }[] = [{ index: entryAt(directory, 0)?.child ?? FREE, folder: '' }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { index, folder } = next;
    if (seen.has(index)) continue;
    seen.add(index);
    const entry = entryAt(directory, index);
    if (entry === undefined) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    found.push({ index, path, entry });
    open.push({ index: entry.left, folder }, { index: entry.right, folder });
    if (entry.kind === 1) open.push({ index: entry.child, folder: path });
  }
  return found;
}
