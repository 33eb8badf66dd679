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

/**
 * The lines of these journals about any of the messages, at most `most`, by time. Lines that are broken are left out
 * (`verifyChains` names them). A line that does not hold an id is not parsed: a million take about a second.
 */
export async function storyOf(folders: readonly string[], messages: readonly string[], most: number): Promise<Told[]> {
  const wanted = messages.map((id) => `"message":${JSON.stringify(id)}`);
  const found: Told[] = [];
  for (const folder of folders)
    for await (const raw of readLines(folder, journalFiles(folder))) {
      if (raw.fault !== undefined || !wanted.some((words) => raw.text.includes(words))) continue;
      const line = parseLine(raw.text);
      if ('fault' in line || !messages.includes(line.message ?? '')) continue;
      found.push({ line, position: positionOf(line.chain, { seq: line.seq, hash: hashOf(raw.text) }) });
      if (found.length === most) return inTime(found);
    }
  return inTime(found);
}

function inTime(found: readonly Told[]): Told[] {
  return found.toSorted((a, b) => (a.line.at < b.line.at ? -1 : a.line.at > b.line.at ? 1 : 0));
}

/** Acts by which an original may leave: asked for, decided on, handed out. */
export const APPROVALS: readonly Act[] = ['asked', 'approved', 'rejected', 'released'];

/** A place that a signed manifest names, and what journals say of it. */
export interface Place {
  readonly position: Position;
  /** `line`: it is that line; `repeated`: another line repeats it; `other`: another line stands there; else not among these. */
  readonly known: 'line' | 'repeated' | 'other' | 'elsewhere';
  /** The line that says so. */
  readonly by: Position | undefined;
}

/** Compares the places that a signed manifest names with what journals tell of its message. */
export function placesOf(chain: readonly Position[], story: readonly Told[]): Place[] {
  return chain.map((position) => {
    const place = position.slice(0, position.lastIndexOf(':') + 1);
    const line = story.find((told) => told.position.startsWith(place));
    if (line !== undefined)
      return { position, known: line.position === position ? 'line' : 'other', by: line.position } as const;
    const repeats = story.find(({ line: { detail } }) => {
      const told = detail?.['chain'];
      return Array.isArray(told) && told.includes(position);
    });
    return { position, known: repeats === undefined ? 'elsewhere' : 'repeated', by: repeats?.position } as const;
  });
}
