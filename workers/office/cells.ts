// Names of columns: A, B, … Z, AA, …

/** The name of a column counted from 0. */
export function columnName(index: number): string {
  return index < 26 ? String.fromCharCode(65 + index) : columnName(Math.floor(index / 26) - 1) + columnName(index % 26);
}

/** The column of a cell's name (`AB12`), counted from 0. */
export function columnOf(cell: string): number {
  let column = 0;
  for (const letter of cell.toUpperCase()) {
    const value = letter.charCodeAt(0) - 64;
    if (value < 1 || value > 26) break;
    column = column * 26 + value;
  }
  return column - 1;
}
