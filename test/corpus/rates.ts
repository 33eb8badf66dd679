// How much of the corpus is converted that a good gateway can convert, by format; the refusals by name. A file counts unless there is
// a reason, told in `not-convertible.ts`, why nobody should convert it.
import { NOT_CONVERTIBLE } from './not-convertible.ts';
import type { Ended } from './run.ts';

/** Folders whose files are honest: the hostile ones are there to be refused. */
const HONEST = /^(?:office|image|archive)\//;

/** Of what can be converted: the rate that is asked for, in percent. */
export const LEAST_PERCENT = 98.9;

export interface Rates {
  readonly lines: readonly string[];
  /** Converted ones of those that can be, by folder, in percent. */
  readonly percent: ReadonlyMap<string, number>;
}

export function ratesOf(ended: readonly Ended[]): Rates {
  const lines: string[] = ['folder   format    files  converted  locked  cannot  refused   rate'];
  const percent = new Map<string, number>();
  const honest = ended.filter(({ path }) => HONEST.test(path));
  const refused: string[] = [];
  for (const [folder, of] of groups(honest, ({ path }) => path.split('/')[0] ?? '')) {
    const count = (ends: readonly Ended[], name: string): number => {
      const converted = ends.filter(isConverted);
      const locked = ends.filter((end) => !converted.includes(end) && isLocked(end));
      const cannot = ends.filter((end) => NOT_CONVERTIBLE.has(end.path) && ![...locked, ...converted].includes(end));
      const left = ends.filter((end) => !locked.includes(end) && !cannot.includes(end) && !converted.includes(end));
      const able = ends.length - locked.length - cannot.length;
      const rate = able === 0 ? 100 : (100 * converted.length) / able;
      const numbers = [ends.length, converted.length, locked.length, cannot.length, left.length];
      const widths = [5, 11, 8, 8, 9];
      lines.push(
        `${folder.padEnd(9)}${name.padEnd(9)}${numbers.map((number, at) => String(number).padStart(widths[at] ?? 8)).join('')}${able === 0 ? '      -' : `${rate.toFixed(1).padStart(6)} %`}`,
      );
      if (name === 'all')
        for (const end of left) refused.push(`  ${end.path}: ${end.reason ?? `${end.state}, nothing of it`}`);
      return rate;
    };
    for (const [format, ends] of groups(of, formatOf)) count(ends, format);
    percent.set(folder, count(of, 'all'));
  }
  for (const [path, why] of NOT_CONVERTIBLE)
    if (honest.some((end) => end.path === path)) lines.push(`  ${path} cannot be converted: ${why}`);
  return { lines: [...lines, ...refused.toSorted()], percent };
}

/** Held for a password, or everything in it is. */
function isLocked({ reason, became }: Ended): boolean {
  return reason === 'password-needed' || reason === 'encrypted' || became.includes('held');
}

/** Formats of the Office folder that are texts, mails or packages of texts. */
const TEXTS = /^(?:csv|txt|ics|vcs|xml|epub)$/;
/** A text and nothing else, under the name of a document. */
const TEXT_OF_A_NAME = 'office/tika/testODTnotaZipFile.odt';
/** Packages of Apple's programs, with a PDF of all their pages within. */
const OWN_PAGES = /^(?:pages|numbers|key)$/;

/** True where its reader has what is in it: pages of a document, a picture, at least one file of an archive. */
export function isConverted(end: Pick<Ended, 'path' | 'state' | 'became'>): boolean {
  if (end.state !== 'sanitised') return false;
  if (end.path.startsWith('office/') && !TEXTS.test(formatOf(end))) {
    const [first] = end.became;
    if (end.path === TEXT_OF_A_NAME) return first === 'text';
    return first === 'pages' || first === 'image' || (OWN_PAGES.test(formatOf(end)) && end.became.includes('pages'));
  }
  return end.became.some((verdict) => verdict === 'pages' || verdict === 'image' || verdict === 'text');
}

function formatOf({ path }: Pick<Ended, 'path'>): string {
  return (/\.([a-z0-9]{1,8})$/i.exec(path)?.[1] ?? '').toLowerCase();
}

function groups<T>(of: readonly T[], key: (one: T) => string): [string, T[]][] {
  return [...Map.groupBy(of, key)].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
