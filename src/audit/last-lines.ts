// What the last lines of a journal say of its signing: the newest head, and whether the run has ended.
import { journalFiles } from './journal-files.ts';
import { parseLine } from './line.ts';
import { readLines } from './read-lines.ts';

/** How a journal was left. */
export interface Left {
  /** Time of the last line that opened the journal or signed a head; empty: none. */
  readonly signed: string;
  /** Whether the last run was closed and nothing came since. */
  readonly closed: boolean;
}

/** Looks through the files from the newest back, until one has a line that opened the journal or signed a head. */
export async function leftAs(folder: string): Promise<Left> {
  let later = false; // lines in newer files, none of which tells
  for (const file of journalFiles(folder).toReversed()) {
    let signed = '';
    let closed = false;
    let lines = 0;
    for await (const { text, fault } of readLines(folder, [file])) {
      const line = fault === undefined ? parseLine(text) : undefined;
      if (line === undefined || 'fault' in line) continue;
      lines += 1;
      if (line.act === 'opened' || line.act === 'head') signed = line.at;
      closed = line.act === 'closed' || (closed && line.act === 'head');
    }
    if (signed !== '') return { signed, closed: closed && !later };
    if (closed) return { signed, closed: !later };
    later ||= lines > 0;
  }
  return { signed: '', closed: false };
}
