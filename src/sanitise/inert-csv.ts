// Values of a sheet as CSV (RFC 4180) that stays text wherever it is opened: a cell that a spreadsheet would take for a formula
// gets an apostrophe before it (CWE-1236).
import { forText } from '../message/untrusted.ts';

const FORMULA = /^[\s]*[=+@\-\t\r]/;
const NUMBER = /^[-+]?[\d.,\s]*\d%?$/;

/** The same table, cleaned and inert. */
export function inertCsv(text: string): string {
  return rowsOf(forText(text))
    .map((row) => row.map(cell).join(','))
    .join('\n');
}

function cell(value: string): string {
  const inert = FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value;
  return /[",\n\t]/.test(inert) || inert !== inert.trim() ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** The rows of a CSV text; what stands behind a closing quote belongs to the cell. */
function rowsOf(text: string): string[][] {
  const rows: string[][] = [[]];
  let value = '';
  let quoted = false;
  const end = (): void => {
    rows.at(-1)?.push(value);
    value = '';
  };
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at);
    if (quoted) {
      if (letter !== '"') value += letter;
      else if (text.charAt(at + 1) === '"') {
        value += '"';
        at += 1;
      } else quoted = false;
    } else if (letter === '"' && value === '') quoted = true;
    else if (letter === ',') end();
    else if (letter === '\n') {
      end();
      rows.push([]);
    } else value += letter;
  }
  if (value !== '' || (rows.at(-1)?.length ?? 0) > 0) end();
  else rows.pop();
  return rows;
}
