// Follows a journal from its first line to its last and names the first one that breaks the chain; compares several chains
// where one names a place in another.
import { basename, join } from 'node:path';
import type { Position } from '../message/act.ts';
import { extentOf, type Extent } from './journal-files.ts';
import { GENESIS, hashOf, parseLine, parsePosition, positionOf, type Line } from './line.ts';
import { Proof } from './proof.ts';
import { readLines, type RawLine } from './read-lines.ts';
import { UnknownChains, lostChain } from './unknown-chains.ts';
import { Witnesses, type Lie } from './witnesses.ts';

/** The first thing that is wrong with a chain. */
export interface Break {
  readonly file: string;
  /** Line in its file, from 1; 0: the file, or its place among the others. */
  readonly line: number;
  readonly seq: number | undefined;
  readonly why: string;
}

/** What following one chain gave. `entries` counts what held, `heads` those whose signature was checked. */
export interface ChainReport {
  readonly folder: string;
  readonly chain: string | undefined;
  readonly entries: number;
  readonly heads: number;
  readonly first: string | undefined;
  readonly last: string | undefined;
  readonly position: Position | undefined;
  /** Public keys (base64 of the DER) that the chain says it signs its heads with. */
  readonly keys: readonly string[];
  /** Number of the last line that a checked head stands for; undefined: nothing is signed. */
  readonly signedTo: number | undefined;
  /** The last line that somebody else names as it is, and who; undefined: nobody does, the chain speaks for itself alone. */
  readonly anchored: { readonly seq: number; readonly from: string } | undefined;
  readonly broken: Break | undefined;
  /** What is not broken and could not be checked. */
  readonly unchecked: readonly string[];
}

/** What is known of a chain from elsewhere: a position on paper, in syslog, in another zone's chain. */
export interface Anchor {
  readonly position: Position;
  /** Who says so. */
  readonly from: string;
  /** The chain whose line says so, and the message the line is about. */
  readonly chain?: string;
  readonly message?: string | undefined;
}

/** Bytes of a line's hash that are kept for the comparison with what other chains say of it. */
const KEPT = 16;

/** Hashes of lines by number: 16 bytes a line, so a million lines take 16 MB. */
export class Hashes {
  #bytes = Buffer.alloc(1024 * KEPT);
  #first = 0;
  #count = 0;

  add(seq: number, hash: string): void {
    if (this.#count === 0) this.#first = seq;
    const at = (seq - this.#first) * KEPT;
    if (at + KEPT > this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes], this.#bytes.length * 2);
    this.#bytes.write(hash.slice(0, KEPT * 2), at, 'hex');
    this.#count = Math.max(this.#count, seq - this.#first + 1);
  }

  /** Whether the line is the one with this hash; undefined where the line is older than what is kept. */
  holds(seq: number, hash: string): boolean | undefined {
    if (seq < this.#first) return undefined;
    const at = (seq - this.#first) * KEPT;
    if (seq >= this.#first + this.#count) return false;
    return this.#bytes.toString('hex', at, at + KEPT) === hash.slice(0, KEPT * 2);
  }
}

/** Hears of positions in other chains as a chain tells of them. */
type Told = (anchor: Anchor) => void;

interface State {
  seq: number;
  prev: string;
  at: string;
  chain: string | undefined;
  entries: number;
  first: string | undefined;
  readonly proof: Proof;
  /** Where the chain says that older files ended; the first line must follow one of these when it is not number 1. */
  begins: Position | undefined;
}

/** What following several chains gave. */
export interface Followed {
  /** One for each folder, and one for each chain that should be here and is not. */
  readonly reports: readonly ChainReport[];
  /** Places that packages named and that never were. */
  readonly lies: readonly Lie[];
  /** Places that lines name in chains that are not here and need not be: those of another zone's machine. */
  readonly elsewhere: number;
}

/** As `followChains`, the reports alone. */
export async function verifyChains(
  folders: readonly string[],
  anchors: readonly Anchor[] = [],
): Promise<readonly ChainReport[]> {
  return (await followChains(folders, anchors)).reports;
}

/**
 * Follows the chains in these folders, also while they are written. `anchors` are positions known from elsewhere; the chains
 * they name must be here, and so must chains that lines name of a zone that has a folder here. Memory: 16 bytes a line.
 */
export async function followChains(folders: readonly string[], anchors: readonly Anchor[] = []): Promise<Followed> {
  const reports: (ChainReport & { readonly state: State })[] = [];
  const hashes = new Map<string, Hashes>();
  // Chains that others tell of come first, so that what the inner side tells is compared at once and not collected.
  const order = folders.toSorted((a, b) => rank(a) - rank(b));
  // How far each had come, those that tell of others first: so whatever one tells is within what is read of the others.
  const extents = new Map<string, Extent>();
  for (const folder of order.toReversed()) extents.set(folder, await extentOf(folder));
  const unknown = new UnknownChains();
  const witnesses = new Witnesses(hashes);
  const compare = (anchor: Anchor): void => {
    const place = parsePosition(anchor.position);
    if (place !== undefined && !witnesses.hear(anchor)) unknown.add(place.chain, place.seq, anchor);
  };
  for (const folder of order) {
    const own = new Hashes();
    const report = await follow(folder, extents.get(folder) ?? { files: [], end: 0 }, own, compare);
    const same = reports.find(({ chain }) => chain !== undefined && chain === report.chain);
    if (report.chain !== undefined && same === undefined) hashes.set(report.chain, own);
    reports.push(same === undefined || report.broken !== undefined ? report : { ...report, broken: twice(same) });
  }
  // Whatever lines say of chains that came later is no matter: those are here.
  const zones = new Set(folders.map(zoneOf));
  const { missing, elsewhere } = unknown.judge((chain) => hashes.has(chain), zones);
  const named = new UnknownChains();
  for (const anchor of anchors) {
    const place = parsePosition(anchor.position);
    if (place !== undefined && !hashes.has(place.chain)) named.add(place.chain, place.seq, anchor);
  }
  const breaks = witnesses.judge(anchors);
  const followed = reports.map(({ state, ...report }): ChainReport => {
    if (report.chain === undefined || report.broken !== undefined) return report;
    const broken = breaks.get(report.chain);
    if (broken !== undefined) return { ...report, broken };
    const by = witnesses.anchored.get(report.chain);
    return { ...report, anchored: by, unchecked: state.proof.doubts(state.begins, report, by?.seq ?? 0) };
  });
  const lost = new Map([...missing, ...named.all()]);
  const all = [...followed, ...[...lost].map(([chain, place]) => lostChain(chain, place))];
  return { reports: all, lies: witnesses.lies, elsewhere };
}

/** Of two journals of one chain nobody can say which is the true one, and what names a line of it names one of the other, too. */
function twice({ folder }: ChainReport): Break {
  return { file: '', line: 0, seq: undefined, why: `is the chain of ${folder}, too` };
}

/** The zone of a journal's folder, by its name. */
function zoneOf(folder: string): string {
  return /^(?:outer|middle|inner)/.exec(basename(folder))?.[0] ?? '';
}

function rank(folder: string): number {
  const name = basename(folder);
  return name.startsWith('outer') ? 0 : name.startsWith('middle') ? 1 : 2;
}

async function follow(
  folder: string,
  { files, end }: Extent,
  hashes: Hashes,
  tell: Told,
): Promise<ChainReport & { readonly state: State }> {
  const state: State = {
    seq: 0,
    prev: GENESIS,
    at: '',
    chain: undefined,
    entries: 0,
    first: undefined,
    proof: new Proof(),
    begins: undefined,
  };
  let broken: Break | undefined;
  if (files.length === 0) broken = { file: folder, line: 0, seq: undefined, why: 'there is no journal here' };
  let file = '';
  for await (const raw of readLines(folder, files, end)) {
    const fault = raw.fault ?? step(raw, raw.file !== file, state, hashes, tell);
    file = raw.file;
    if (fault !== undefined) {
      broken = { file: join(folder, raw.file), line: raw.number, seq: state.seq + 1, why: fault };
      break;
    }
  }
  if (broken === undefined && state.entries === 0)
    broken = { file: join(folder, files[0] ?? ''), line: 0, seq: undefined, why: 'there is no line' };
  if (broken === undefined && state.begins !== undefined && !state.proof.isRetired(state.begins)) {
    const why = 'older lines are gone, and no line says that they were retired';
    broken = { file: join(folder, files[0] ?? ''), line: 1, seq: undefined, why };
  }
  return {
    folder,
    chain: state.chain,
    entries: state.entries,
    heads: state.proof.heads,
    first: state.first,
    last: state.at === '' ? undefined : state.at,
    position: state.chain === undefined ? undefined : positionOf(state.chain, { seq: state.seq, hash: state.prev }),
    keys: state.proof.keys,
    signedTo: state.proof.signedTo,
    anchored: undefined,
    broken,
    unchecked: [],
    state,
  };
}

/** Takes one line further; what is wrong with it, or undefined. */
function step(
  { text, bytes, file }: RawLine,
  begins: boolean,
  state: State,
  hashes: Hashes,
  tell: Told,
): string | undefined {
  const line = parseLine(text);
  if ('fault' in line) return line.fault;
  const first = state.entries === 0;
  if (first && line.seq > 1) {
    state.chain = line.chain;
    state.seq = line.seq - 1;
    state.prev = line.prev;
    state.begins = positionOf(line.chain, { seq: state.seq, hash: line.prev });
    hashes.add(state.seq, state.prev); // who names the last line that is gone names this one
  }
  if (line.seq !== state.seq + 1) return `has number ${line.seq}, not ${state.seq + 1}`;
  if (line.prev !== state.prev) return 'does not hold the hash of the line before';
  if (line.chain !== (state.chain ?? line.chain)) return `is of the chain ${line.chain}`;
  if (begins && Number(file.slice(9, 24)) !== line.seq) return `stands in a file that begins with another number`;
  if (line.at < state.at && !followsClock(line)) return `is older than the line before`;
  state.chain = line.chain;
  const fault = ofTheJournal(line, state, hashes, tell);
  if (fault !== undefined) return fault;
  const sha256 = hashOf(bytes);
  hashes.add(line.seq, sha256);
  state.seq = line.seq;
  state.prev = sha256;
  state.at = line.at;
  state.first ??= line.at;
  state.entries += 1;
  return undefined;
}

/** A clock that was set back is told by whoever opens the journal next; within a run time never goes back. */
function followsClock(line: Line): boolean {
  return line.act === 'opened' || line.act === 'recovered';
}

/** Lines of the journal about itself and about others. */
function ofTheJournal(line: Line, state: State, hashes: Hashes, tell: Told): string | undefined {
  const detail = line.detail ?? {};
  if (line.act === 'opened') {
    const key = detail['key'];
    if (typeof key !== 'string') return 'opens the journal without a key';
    state.proof.opened(key, line.seq);
  } else if (line.act === 'head') {
    const here = positionOf(line.chain, { seq: state.seq, hash: state.prev });
    if (detail['of'] !== here) return 'signs another line than the one before';
    // A chain whose first lines were retired may begin after the line that names its key.
    if (!state.proof.head(here, state.seq, String(detail['signature']))) return 'has a signature that does not hold';
  } else if (line.act === 'retired') {
    const place = parsePosition(detail['upTo']);
    if (place === undefined) return 'retires lines without a position';
    if (place.chain !== line.chain || hashes.holds(place.seq, place.hash) === false)
      return 'retires lines that never were';
    // The line that opened the journal may have gone with the others.
    if (state.proof.keys.length === 0 && typeof detail['key'] === 'string') state.proof.named(detail['key'], line.seq);
    state.proof.retire(String(detail['upTo']), line.seq);
  } else if (Array.isArray(detail['chain'])) {
    const { chain, message } = line;
    for (const position of detail['chain']) tell({ position, from: `line ${line.seq} of ${chain}`, chain, message });
  }
  return undefined;
}
