// What a part can be asked for: the forms of a message's page and those who take them in go by the same.
import { waitsForPassword, type PartRow } from '../message/part.ts';
import type { Ask } from './asking.ts';

const SHEETS = /spreadsheet|ms-excel|sun\.xml\.calc/;
const WORDS = /^application\/(?:pdf|.*(?:officedocument|opendocument|msword|ms-|rtf|sun\.xml|office-xml))/;

/** True when it makes sense to ask this of the part; an operator's `rerun` is about no part. */
export function canBeAsked(kind: Exclude<Ask['kind'], 'rerun'>, part: PartRow): boolean {
  const isPages = part.verdict === 'pages' && part.pages > 0;
  switch (kind) {
    case 'password':
      return waitsForPassword(part);
    case 'render':
      return isPages;
    case 'text':
      return isPages && WORDS.test(part.detectedType);
    case 'values':
      return isPages && SHEETS.test(part.detectedType);
    default:
      return kind satisfies never;
  }
}
