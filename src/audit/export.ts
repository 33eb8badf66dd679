// Entries of journals as JSON lines or CSV, chosen by period, person, message and act.
import { forLine } from '../message/untrusted.ts';
import { readLines } from './read-lines.ts';
import { journalFiles } from './journal-files.ts';
import { LINE_BYTES, parseLine, type Line } from './line.ts';

/** What is wanted; absent: everything. Times as in the lines (RFC 3339, UTC); `from` is within, `to` is not. */
export interface Wanted {
  readonly from?: string;
  readonly to?: string;
  readonly person?: string;
  readonly message?: string;
  readonly act?: string;
}

/** The entries of a journal that are wanted, in the order of the chain. Lines that are broken are left to `verify`. */
export async function* entriesOf(folder: string, wanted: Wanted): AsyncGenerator<Line, void, undefined> {
  for await (const raw of readLines(folder, journalFiles(folder))) {
    if (raw.fault !== undefined) continue;
    const line = parseLine(raw.text);
    if (!('fault' in line) && isWanted(line, wanted)) yield line;
  }
}

function isWanted(line: Line, wanted: Wanted): boolean {
  if (wanted.from !== undefined && line.at < wanted.from) return false;
  if (wanted.to !== undefined && line.at >= wanted.to) return false;
  if (wanted.person !== undefined && line.person !== wanted.person) return false;
  if (wanted.message !== undefined && line.message !== wanted.message) return false;
  return wanted.act === undefined || line.act === wanted.act;
}

export const CSV_HEAD = 'seq,at,chain,act,message,person,detail';

/**
 * A row of CSV (RFC 4180). Cells that a spreadsheet would run (`=`, `+`, `-`, `@`, CWE-1236) are prefixed; no escape sequence
 * reaches the terminal it is printed on (CWE-150).
 */
export function csvOf(line: Line): string {
  const detail = Object.entries(line.detail ?? {})
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(' ') : String(value)}`)
    .join('; ');
  return [String(line.seq), line.at, line.chain, line.act, line.message ?? '', line.person ?? '', detail]
    .map(cell)
    .join(',');
}

function cell(text: string): string {
  const line = forLine(text, LINE_BYTES);
  const safe = /^[=+\-@]/.test(line) ? `'${line}` : line;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
