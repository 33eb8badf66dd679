// Formulas whose value is stored beside them go, the value stays: what the sender saw is what is shown. The engine would compute some
// of them anew, without the other workbooks and the names that do not come along: errors, or the day of today, where a value was.
import { readXml, type Attributes } from './xml-filter.ts';

/** Whether the next formula of the sheet, in its order, goes. */
export type DropsNext = (attributes: Attributes) => boolean;

/**
 * Looks through a worksheet once. What has no value yet is computed: a program that never showed the sheet leaves nothing beside its
 * formulas, an empty value, or nought.
 */
export function storedFormulas(sheet: Uint8Array): DropsNext {
  if (!/<(?:\w+:)?f[\s>/]/.test(Buffer.from(sheet).toString('latin1'))) return () => false;
  const stored = new Set<number>();
  /** Groups of shared formulas, of which the first has the words, with a cell that is to be computed. */
  const needed = new Set<string>();
  let [count, isOpen, group] = [0, false, ''];
  let [isText, hasValue, value] = [false, false, ''];
  const endOfCell = (): void => {
    if (!isOpen) return;
    isOpen = false;
    if (hasValue && (isText || !NOUGHT.test(value.trim()))) stored.add(count);
    else if (group !== '') needed.add(group);
  };
  readXml(sheet, {
    element: (local, attributes) => {
      if (local === 'c') {
        endOfCell();
        isText = /^(?:str|b|e|s)$/.test(attributes['t'] ?? '');
      } else if (local === 'f') {
        [count, isOpen, group] = [count + 1, true, groupOf(attributes)];
        [hasValue, value] = [false, ''];
      } else if (local === 'v') hasValue = true;
      return true;
    },
    text: (text, local) => {
      if (local === 'v') value += text;
      return text;
    },
  });
  endOfCell();
  count = 0;
  return (attributes) => {
    count += 1;
    return stored.has(count) && !needed.has(groupOf(attributes));
  };
}

/** Nothing, or nought: a program that does not compute writes one of these. */
const NOUGHT = /^(?:|-?0(?:\.0*)?)$/;

function groupOf(attributes: Attributes): string {
  return attributes['t'] === 'shared' ? (attributes['si'] ?? '') : '';
}
