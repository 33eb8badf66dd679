// What journals tell of messages: each line with its place in its chain.
import type { Act, Position } from '../message/act.ts';
import { journalFiles } from './journal-files.ts';
import { hashOf, parseLine, positionOf, type Line } from './line.ts';
import { readLines } from './read-lines.ts';

/** A line and where it stands. */
export interface Told {
  readonly line: Line;
  readonly position: Position;
}

/** What is looked for in journals. */
export interface Asked {
  readonly messages: readonly string[];
  /** Places in chains: the line at each is told whatever it is about, and so is every line that repeats one. */
  readonly places: readonly Position[];
  /** Lines at most, besides approvals. */
  readonly most: number;
}

/** What journals tell. */
export interface Story {
  /** Lines about the messages, by time. */
  readonly told: readonly Told[];
  /** Lines at the places that were asked for, or that repeat one. */
  readonly witnesses: readonly Told[];
  /** Lines about the messages that were not told, because there were too many. */
  readonly leftOut: number;
}

/** A story while journals are read. */
interface Telling {
  readonly asked: Asked;
  readonly told: Told[];
  readonly witnesses: Told[];
  plain: number;
  leftOut: number;
}

/**
 * What these journals tell of messages and places, for each asking its own; all are read once, however many ask. Approvals are
 * always told. Lines that are broken are left out (`verifyChains` names them). A line that nobody asks for is not parsed: a
 * million take about a second.
 */
export async function storiesOf(folders: readonly string[], asked: readonly Asked[]): Promise<Story[]> {
  const tellings = asked.map((one): Telling => ({ asked: one, told: [], witnesses: [], plain: 0, leftOut: 0 }));
  const byMessage = new Map<string, Set<Telling>>();
  const byNumber = new Map<string, Set<Telling>>();
  for (const telling of tellings) {
    for (const id of telling.asked.messages) join(byMessage, JSON.stringify(id), telling);
    for (const place of telling.asked.places) join(byNumber, `{"seq":${place.split(':')[1]}`, telling);
  }
  for (const folder of byMessage.size + byNumber.size === 0 ? [] : folders)
    for await (const raw of readLines(folder, journalFiles(folder))) {
      if (raw.fault !== undefined) continue;
      const { text } = raw;
      const about = byMessage.get(MESSAGE.exec(text)?.[1] ?? '') ?? NOBODY;
      const standing = byNumber.get(text.slice(0, text.indexOf(','))) ?? NOBODY;
      if (about.size === 0 && standing.size === 0) continue;
      const line = parseLine(text);
      if ('fault' in line) continue;
      const one = { line, position: positionOf(line.chain, { seq: line.seq, hash: hashOf(raw.bytes) }) };
      for (const telling of new Set([...about, ...standing])) take(one, telling);
    }
  return tellings.map(({ told, witnesses, leftOut }) => ({ told: inTime(told), witnesses, leftOut }));
}

/** The message of a line as it is written; it stands before whatever else has this name. */
const MESSAGE = /"message":("(?:[^"\\]|\\.)*")/;
const NOBODY: ReadonlySet<Telling> = new Set();

function join(asking: Map<string, Set<Telling>>, key: string, telling: Telling): void {
  const others = asking.get(key);
  if (others === undefined) asking.set(key, new Set([telling]));
  else others.add(telling);
}

function take(one: Told, telling: Telling): void {
  const { line } = one;
  const { messages, places, most } = telling.asked;
  if (places.some((place) => standsAt(one, place) || repeats(one, place))) telling.witnesses.push(one);
  if (!messages.includes(line.message ?? '')) return;
  if (APPROVALS.includes(line.act)) telling.told.push(one);
  else if (telling.plain === most) telling.leftOut += 1;
  else {
    telling.told.push(one);
    telling.plain += 1;
  }
}

function inTime(found: readonly Told[]): Told[] {
  return found.toSorted((a, b) => (a.line.at < b.line.at ? -1 : a.line.at > b.line.at ? 1 : 0));
}

/** Acts by which an original may leave: asked for, decided on, handed out. */
export const APPROVALS: readonly Act[] = ['asked', 'approved', 'rejected', 'released', 'release-ended'];

/** A place that a signed manifest names, and what journals say of it. */
export interface Place {
  readonly position: Position;
  /** `line`: it is that line; `repeated`: another line repeats it; `other`: another line stands there; else not among these. */
  readonly known: 'line' | 'repeated' | 'other' | 'elsewhere';
  /** The line that says so. */
  readonly by: Position | undefined;
}

/** Compares the places that a signed manifest names with the lines that stand there or repeat them. */
export function placesOf(chain: readonly Position[], witnesses: readonly Told[]): Place[] {
  return chain.map((position) => {
    const standing = witnesses.filter((told) => standsAt(told, position));
    const line = standing.find((told) => told.position !== position) ?? standing[0];
    if (line !== undefined)
      return { position, known: line.position === position ? 'line' : 'other', by: line.position } as const;
    const by = witnesses.find((told) => repeats(told, position))?.position;
    return { position, known: by === undefined ? 'elsewhere' : 'repeated', by } as const;
  });
}

/** Whether a line has the chain and the number of this place. */
function standsAt(told: Told, place: Position): boolean {
  return told.position.startsWith(place.slice(0, place.lastIndexOf(':') + 1));
}

function repeats({ line: { detail } }: Told, place: Position): boolean {
  const chain = detail?.['chain'];
  return Array.isArray(chain) && chain.includes(place);
}
