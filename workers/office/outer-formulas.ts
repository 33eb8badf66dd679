// Formulas that look into another workbook, `[1]Sheet!A1`: the other book does not come along, and the engine would put an error
// where the value of the cell stands. Without its formula a cell keeps its value.
import { filterXml, type Attributes } from './xml-filter.ts';

const OTHER_BOOK = /(?<![\w\]])\[\d+\](?=[^\],\s)])/;

/** A worksheet without such formulas; most have none, and stay as they are. */
export function withoutOuterFormulas(sheet: Uint8Array): Uint8Array {
  if (!OTHER_BOOK.test(Buffer.from(sheet).toString('latin1'))) return sheet;
  const outer = new Set<number>();
  /** Groups of shared formulas: only the first of a group has its text. */
  const groups = new Set<string>();
  let [count, group, words] = [0, '', ''];
  filterXml(sheet, {
    element: (local, attributes) => {
      if (local !== 'f') return true;
      [count, group, words] = [count + 1, groupOf(attributes), ''];
      return true;
    },
    text: (text, local) => {
      if (local !== 'f') return text;
      words += text; // it may come in pieces
      if (OTHER_BOOK.test(words)) outer.add(count);
      if (outer.has(count) && group !== '') groups.add(group);
      return text;
    },
  });
  count = 0;
  return filterXml(sheet, {
    element: (local, attributes) => {
      if (local !== 'f') return true;
      count += 1;
      return !outer.has(count) && !groups.has(groupOf(attributes));
    },
  });
}

function groupOf(attributes: Attributes): string {
  return attributes['t'] === 'shared' ? (attributes['si'] ?? '') : '';
}
