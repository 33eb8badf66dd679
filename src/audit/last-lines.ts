// What the last lines of a journal say of its signing: the newest head, what waits for the next one, and whether the run has ended.
import { journalFiles } from './journal-files.ts';
import { parseLine } from './line.ts';
import { readLines } from './read-lines.ts';

/** How a journal was left. */
export interface Left {
  /** Time of the last line that opened the journal or signed a head; empty: none. */
  readonly signed: string;
  /** Time of the oldest line of the last run that no head signs yet; empty: none waits for one. */
  readonly unsigned: string;
  /** Whether the last run was closed and nothing came since. */
  readonly closed: boolean;
}

/** Looks through the files from the newest back, until one has a line that opened the journal or signed a head. */
export async function leftAs(folder: string): Promise<Left> {
  let later = ''; // time of the first line of newer files, none of which tells
  for (const file of journalFiles(folder).toReversed()) {
    let signed = '';
    let unsigned = '';
    let closed = false;
    for await (const { text, fault } of readLines(folder, [file])) {
      const line = fault === undefined ? parseLine(text) : undefined;
      if (line === undefined || 'fault' in line) continue;
      if (line.act === 'opened' || line.act === 'head') signed = line.at;
      if (line.act === 'head') unsigned = '';
      else if (line.act === 'opened' || unsigned === '') unsigned = line.at;
      closed = line.act === 'closed' || (closed && line.act === 'head');
    }
    const waits = unsigned === '' ? later : unsigned;
    if (signed !== '' || closed) return { signed, unsigned: waits, closed: closed && later === '' };
    later = waits;
  }
  return { signed: '', unsigned: later, closed: false };
}
