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

/**
 * What these journals tell of messages and places. Approvals are always told. Lines that are broken are left out
 * (`verifyChains` names them). A line that does not hold an id is not parsed: a million take about a second.
 */
export async function storyOf(folders: readonly string[], { messages, places, most }: Asked): Promise<Story> {
  const ids = messages.map((id) => `"message":${JSON.stringify(id)}`);
  const numbers = new Set(places.map((place) => `{"seq":${place.split(':')[1]}`));
  const told: Told[] = [];
  const witnesses: Told[] = [];
  let leftOut = 0;
  let plain = 0;
  for (const folder of folders)
    for await (const raw of readLines(folder, journalFiles(folder))) {
      if (raw.fault !== undefined) continue;
      const { text } = raw;
      const mayStand = numbers.has(text.slice(0, text.indexOf(',')));
      if (!mayStand && !ids.some((words) => text.includes(words))) continue;
      const line = parseLine(text);
      if ('fault' in line) continue;
      const one = { line, position: positionOf(line.chain, { seq: line.seq, hash: hashOf(raw.bytes) }) };
      if (places.some((place) => standsAt(one, place) || repeats(one, place))) witnesses.push(one);
      if (!messages.includes(line.message ?? '')) continue;
      if (APPROVALS.includes(line.act)) told.push(one);
      else if (plain === most) leftOut += 1;
      else {
        told.push(one);
        plain += 1;
      }
    }
  return { told: inTime(told), witnesses, leftOut };
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
