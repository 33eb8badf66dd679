// Whether every leaf of an input has its row: no path twice, none missing, and as many of a mail's own leaves as another
// reader finds. mail-leaves.json holds what Python's `email` package (3.11) counts in those mails of the corpus in which it sees
// no defect, `mime4j/double-bound.eml` left out: there it takes a doubled boundary for one more part.
import { readFileSync } from 'node:fs';
import type { PartRow } from '../../src/message/part.ts';

const counted = JSON.parse(readFileSync(new URL('mail-leaves.json', import.meta.url), 'utf8')) as Record<
  string,
  number
>;

/** What is wrong with the rows of the corpus file `path` (relative to the corpus); empty when nothing is. */
export function leafFaults(path: string, parts: readonly Pick<PartRow, 'path'>[]): string[] {
  const paths = parts.map((part) => part.path);
  const faults: string[] = [];
  if (paths.length === 0) faults.push('no row');
  if (new Set(paths).size !== paths.length) faults.push('two rows of one path');
  const wanted = counted[path.replace(/^mail\//, '')];
  // What is in a leaf (a mail in a mail, a file in a text) has rows below the leaf's own: the other reader does not look there.
  const leaves = paths.filter((own) => !paths.some((other) => own.startsWith(`${other}.`))).length;
  if (wanted !== undefined && path.startsWith('mail/') && leaves !== wanted)
    faults.push(`${leaves} leaves, not the ${wanted} that are there`);
  return faults;
}
