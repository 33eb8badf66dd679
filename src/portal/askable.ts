// What a part can be asked for: the forms of a message's page and those who take them in go by the same.
import { MugaiError } from '../message/errors.ts';
import type { MessageId } from '../message/id.ts';
import { waitsForPassword, type PartRow } from '../message/part.ts';
import type { Ask } from './asking.ts';
import type { Desk } from './desk.ts';
import type { Listed } from './message-lists.ts';

/** Their pages are scans or frames that are shown in all their pixels already: there is nothing finer to be had. */
const OWN_PIXELS = /^(?:image\/(?!(?:emf|wmf|x-pict|x-pcx)$)|application\/vnd\.fujixerox\.docuworks$)/;
const SHEETS = /spreadsheet|ms-excel|sun\.xml\.calc/;
const WORDS = /^application\/(?:pdf|.*(?:officedocument|opendocument|msword|ms-|rtf|sun\.xml|office-xml))/;

/** Paths of the parts that a password opened, or may open, in any version of a message. */
export type Locks = ReadonlySet<string>;

/** What was locked as the message came. The middle keeps no password: it can make nothing anew of what lies behind one. */
export async function locksOf(desk: Desk, line: Listed): Promise<Locks> {
  const locks = new Set<string>();
  for (const { id, waiting } of desk.index.lists.versions(line.id)) {
    if (waiting === 0) continue;
    for (const part of await partsOf(desk, id)) if (waitsForPassword(part)) locks.add(part.path);
  }
  return locks;
}

async function partsOf(desk: Desk, id: MessageId): Promise<readonly PartRow[]> {
  try {
    return (await desk.packages.statement(id)).predicate.parts;
  } catch (error) {
    // Its own page says so; and a version whose time is over may be gone before its line is.
    if (error instanceof MugaiError && (error.code === 'bad-package' || error.code === 'not-found')) return [];
    throw error;
  }
}

/** True for a part in something that was locked: only with the password is it known at all. */
export function isWithin(path: string, locks: Locks): boolean {
  return [...locks].some((locked) => path.startsWith(`${locked}.`));
}

/** True when it makes sense to ask this of the part; an operator's `rerun` is about no part. */
export function canBeAsked(kind: Exclude<Ask['kind'], 'rerun'>, part: PartRow, locks: Locks): boolean {
  const isOpen = !locks.has(part.path) && !isWithin(part.path, locks);
  const isPages = part.verdict === 'pages' && part.pages > 0 && isOpen;
  switch (kind) {
    case 'password':
      return waitsForPassword(part);
    case 'render':
      return isPages && !OWN_PIXELS.test(part.detectedType);
    case 'text':
      return isPages && WORDS.test(part.detectedType);
    case 'values':
      return isPages && SHEETS.test(part.detectedType);
    default:
      return kind satisfies never;
  }
}
