// C3 of the output contract: no 64 bytes in a row of an original, in whatever face, occur in an output.
import { isText, type Face } from './originals.ts';
import type { Regions } from './own-picture.ts';

const WINDOW = 64;
/** Any window of 64 bytes holds three of these whole. */
const BLOCK = 16;
const BLOOM_BITS = 22;
/** A window of few values, or of few steps between them, says nothing: blank paper, a gradient, a table of numbers. */
const LEAST_VALUES = 16;

/** An index over faces; `find` says where a run of bytes of one of them begins. */
export class WindowIndex {
  readonly #bloom = new Uint8Array(1 << (BLOOM_BITS - 3));
  readonly #places = new Map<number, { readonly bytes: Buffer; readonly at: number }[]>();

  constructor(faces: readonly Buffer[]) {
    for (const bytes of faces) {
      for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
        if (values(bytes, at, at + BLOCK) < 6) continue;
        const key = keyOf(bytes.readUInt32LE(at), bytes.readUInt32LE(at + 8));
        const slot = key >>> (32 - BLOOM_BITS);
        this.#bloom[slot >> 3] = (this.#bloom[slot >> 3] ?? 0) | (1 << (slot & 7));
        const places = this.#places.get(key);
        if (places === undefined) this.#places.set(key, [{ bytes, at }]);
        else if (places.length < 8) places.push({ bytes, at });
      }
    }
  }

  /** Offset in `output` of a window that an original has, too; undefined when there is none. */
  find(output: Buffer): number | undefined {
    const bloom = this.#bloom;
    const last = output.length - BLOCK;
    for (let at = 0; at <= last; at++) {
      const low =
        (output[at] ?? 0) |
        ((output[at + 1] ?? 0) << 8) |
        ((output[at + 2] ?? 0) << 16) |
        ((output[at + 3] ?? 0) << 24);
      const high =
        (output[at + 8] ?? 0) |
        ((output[at + 9] ?? 0) << 8) |
        ((output[at + 10] ?? 0) << 16) |
        ((output[at + 11] ?? 0) << 24);
      const key = keyOf(low, high);
      const slot = key >>> (32 - BLOOM_BITS);
      if (((bloom[slot >> 3] ?? 0) & (1 << (slot & 7))) === 0) continue;
      for (const place of this.#places.get(key) ?? []) {
        const window = common(output, at, place.bytes, place.at);
        if (window !== undefined) return window;
      }
    }
    return undefined;
  }
}

/** What breaks C3 in an output's decoded regions and its raw bytes. */
export class NoOriginal {
  readonly #structure: WindowIndex;
  readonly #pixels: WindowIndex;
  readonly #binary: WindowIndex;
  readonly #base64: ReadonlySet<string>;

  constructor(faces: readonly Face[]) {
    this.#structure = new WindowIndex(faces.map((face) => face.bytes));
    this.#pixels = new WindowIndex(faces.filter((face) => face.sent && !face.raster).map((face) => face.bytes));
    this.#binary = new WindowIndex(faces.map((face) => face.binary));
    this.#base64 = new Set(faces.filter((face) => face.sent && face.mail).flatMap((face) => base64Lines(face.bytes)));
  }

  /** A PDF or picture: what describes it against every face, its samples against what was sent. */
  inRegions(regions: Regions, name: string): string[] {
    for (const bytes of regions.structure) {
      const at = this.#structure.find(bytes);
      if (at !== undefined) return [`C3 ${name}: 64 bytes of an original, ${quote(bytes, at)}`];
    }
    for (const bytes of regions.pixels) {
      const at = this.#pixels.find(bytes);
      if (at !== undefined) return [`C3 ${name}: 64 bytes of an original as pixels, ${quote(bytes, at)}`];
    }
    return [];
  }

  /** A text: text may say what text said, but nothing of what was no text, and no encoded payload. */
  inText(bytes: Buffer, name: string): string[] {
    const at = this.#binary.find(bytes);
    if (at !== undefined) return [`C3 ${name}: 64 bytes of an original, ${quote(bytes, at)}`];
    let run = 0;
    for (const line of bytes.toString('latin1').split(/\r?\n/)) {
      run = this.#base64.has(line.trim()) ? run + 1 : 0;
      if (run === 3) return [`C3 ${name}: an encoded payload, ${line.slice(0, 40)}…`];
    }
    return [];
  }
}

/**
 * The lines of a mail that are base64 and stand for something that is no text. Armour that names itself (PGP, PEM) is text. In
 * a file that is no mail such lines are what its writer wrote, and nobody decodes them.
 */
function base64Lines(bytes: Buffer): string[] {
  const found: string[] = [];
  let run: string[] = [];
  let armour = false;
  for (const line of [...bytes.toString('latin1').split(/\r?\n/), '']) {
    if (/^(?:> ?)*-----(?:BEGIN|END) /.test(line)) armour = /-----BEGIN /.test(line);
    if (!armour && isPayload(line.trim())) {
      run.push(line.trim());
      continue;
    }
    if (run.length > 0 && !isText(Buffer.from(run.join(''), 'base64'))) found.push(...run);
    run = [];
  }
  return found;
}

/** A line of encoded bytes has many letters; one of one letter is a rule or a joke. */
function isPayload(line: string): boolean {
  return /^[A-Za-z0-9+/]{56,}={0,2}$/.test(line) && new Set(line).size >= LEAST_VALUES;
}

function keyOf(low: number, high: number): number {
  return Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b) >>> 0;
}

/** Start in `a` of a window of 64 equal bytes around these two places, if it says something. */
function common(a: Buffer, atA: number, b: Buffer, atB: number): number | undefined {
  let before = 0;
  while (before < WINDOW && atA - before > 0 && atB - before > 0 && a[atA - before - 1] === b[atB - before - 1])
    before += 1;
  let after = 0;
  while (after < WINDOW && atA + after < a.length && atB + after < b.length && a[atA + after] === b[atB + after])
    after += 1;
  if (before + after < WINDOW) return undefined;
  for (let start = atA - before; start + WINDOW <= atA + after; start += 8)
    if (values(a, start, start + WINDOW) >= LEAST_VALUES && steps(a, start, start + WINDOW) >= LEAST_VALUES)
      return start;
  return undefined;
}

function values(bytes: Buffer, from: number, to: number): number {
  return new Set(bytes.subarray(from, to)).size;
}

function steps(bytes: Buffer, from: number, to: number): number {
  const seen = new Set<number>();
  for (let at = from + 1; at < to; at++) seen.add(((bytes[at] ?? 0) - (bytes[at - 1] ?? 0)) & 255);
  return seen.size;
}

function quote(bytes: Buffer, at: number): string {
  return `at ${at}: ${JSON.stringify(bytes.toString('latin1', at, at + 32))}`;
}
