// Documents of which the other reader says something else than the file: what it misses on our pages is not in the document.

import type { Count } from './office-check.ts';

const RECKONS =
  'it reckons formulas anew, and gives its own marks of an error where it knows one not; the file keeps the values, which the page has';

/** Letters and cells that it alone gives, and why. Whatever else of the same file is lost, counts. */
export const OTHER_READER: ReadonlyMap<
  string,
  { readonly letters: string; readonly cells: RegExp; readonly why: string }
> = new Map([
  ['office/poi/spreadsheet-52575_main.xlsx', { letters: 'Er54', cells: /^Err:540$/, why: RECKONS }],
  ['office/poi/spreadsheet-StructuredReferences.xlsx', { letters: 'E8', cells: /^Err:50[789]$/, why: RECKONS }],
  [
    'office/tika/testWORD2003.xml',
    { letters: '0', cells: /^$/, why: 'it writes the number of the figure as 0 into a text; on its own pages it is 1' },
  ],
]);

/** The count without what the other reader alone gives. */
export function withoutItsOwn(path: string, count: Count | undefined): Count | undefined {
  const own = OTHER_READER.get(path);
  if (count === undefined || own === undefined) return count;
  const lettersLost = count.lettersLost.filter((letter) => !own.letters.includes(letter));
  const cellsLost = count.cellsLost.filter((cell) => !own.cells.test(cell));
  return { ...count, lettersLost, cellsLost };
}
