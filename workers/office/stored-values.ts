// Formulas whose value is stored beside them go, the value stays: what the sender saw is what is shown. The engine would compute some
// of them anew, without the other workbooks and the names that do not come along: errors, or the day of today, where a value was.
import { filterXml, type Attributes } from './xml-filter.ts';

/** A worksheet that computes only what has no value yet: a program that never showed the sheet leaves none. */
export function withStoredValues(sheet: Uint8Array): Uint8Array {
  if (!/<(?:\w+:)?f[\s>/]/.test(Buffer.from(sheet).toString('latin1'))) return sheet;
  const stored = new Set<number>();
  /** Groups of shared formulas, of which the first has the words, with a cell that is to be computed. */
  const needed = new Set<string>();
  let [count, isOpen, group] = [0, false, ''];
  const endOfCell = (): void => {
    if (isOpen && group !== '') needed.add(group);
    [isOpen, group] = [false, ''];
  };
  filterXml(sheet, {
    element: (local, attributes) => {
      if (local === 'c') endOfCell();
      else if (local === 'f') [count, isOpen, group] = [count + 1, true, groupOf(attributes)];
      else if (local === 'v' && isOpen) {
        stored.add(count);
        isOpen = false;
      }
      return true;
    },
  });
  endOfCell();
  count = 0;
  return filterXml(sheet, {
    element: (local, attributes) => {
      if (local !== 'f') return true;
      count += 1;
      return !stored.has(count) || needed.has(groupOf(attributes));
    },
  });
}

function groupOf(attributes: Attributes): string {
  return attributes['t'] === 'shared' ? (attributes['si'] ?? '') : '';
}
