// Rows of a table under each other in plain text: columns as wide as their widest cell, full-width letters counted as two.

/** Stands between cells until the whole text is there; no text holds it. */
export const CELL = '\u0001';

const ROWS_MAX = 1000;
const COLUMNS_MAX = 30;
/** Columns beyond are text, not data: padding them would push the others out of sight. */
const COLUMN_WIDTH = 40;
const TABLE_WIDTH = 110;
/** Spaces that padding may add to a text. */
const PADDING_MAX = 1024 * 1024;

/**
 * The text with its cells set in columns. `tables` says which lines (counted by their line ends) belong to which table.
 * Columns that are empty in every row go; what is no table of data stays in line, cells apart by ` | `. Linear.
 */
export function withTables(text: string, tables: ReadonlyMap<number, number>): string {
  if (!text.includes(CELL)) return text;
  const lines = text.split('\n');
  let padding = PADDING_MAX;
  for (let from = 0; from < lines.length;) {
    const table = tables.get(from);
    if (table === undefined || lines[from]?.includes(CELL) !== true) {
      from += 1;
      continue;
    }
    let to = from + 1;
    while (to < lines.length && to - from < ROWS_MAX && tables.get(to) === table && lines[to]?.includes(CELL)) to += 1;
    const rows = lines.slice(from, to).map((line) => line.split(CELL).map((cell) => cell.trimEnd()));
    for (const [index, line] of setRows(rows, padding).entries()) {
      padding -= line.padding;
      lines[from + index] = line.text;
    }
    from = to;
  }
  return lines.join('\n');
}

interface SetLine {
  readonly text: string;
  readonly padding: number;
}

function setRows(rows: readonly (readonly string[])[], room: number): SetLine[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: Math.min(columns, COLUMNS_MAX) }, (_, column) =>
    Math.max(...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const used = widths.flatMap((width, column) => (width > 0 ? [column] : []));
  const whole = used.reduce((sum, column) => sum + (widths[column] ?? 0) + 3, 0);
  const isData =
    rows.length > 1 &&
    columns <= COLUMNS_MAX &&
    used.length > 1 &&
    used.slice(0, -1).every((column) => (widths[column] ?? 0) <= COLUMN_WIDTH) &&
    whole - (widths[used.at(-1) ?? 0] ?? 0) <= TABLE_WIDTH &&
    whole * rows.length < room;
  if (!isData) return rows.map((row) => ({ text: row.filter((cell) => cell.trim() !== '').join(' | '), padding: 0 }));
  return rows.map((row) => {
    let padding = 0;
    const cells = used.map((column, index) => {
      const cell = row[column] ?? '';
      if (index === used.length - 1) return cell;
      const spaces = (widths[column] ?? 0) - widthOf(cell);
      padding += spaces;
      return cell + ' '.repeat(spaces);
    });
    return { text: cells.join(' | ').trimEnd(), padding };
  });
}

/** Columns of a terminal that a text takes: two for East Asian wide and full-width letters (UAX #11), none for marks. */
export function widthOf(text: string): number {
  let width = 0;
  for (const letter of text) {
    const point = letter.codePointAt(0) ?? 0;
    if (point < 0x300) width += 1;
    else if (isMark(point)) continue;
    else width += isWide(point) ? 2 : 1;
  }
  return width;
}

function isMark(point: number): boolean {
  return (
    (point >= 0x300 && point <= 0x36f) ||
    point === 0x3099 ||
    point === 0x309a ||
    (point >= 0xfe00 && point <= 0xfe0f) ||
    (point >= 0xe0100 && point <= 0xe01ef)
  );
}

function isWide(point: number): boolean {
  return (
    (point >= 0x1100 && point <= 0x115f) ||
    (point >= 0x2e80 && point <= 0xa4cf) ||
    (point >= 0xac00 && point <= 0xd7a3) ||
    (point >= 0xf900 && point <= 0xfaff) ||
    (point >= 0xfe30 && point <= 0xfe6f) ||
    (point >= 0xff00 && point <= 0xff60) ||
    (point >= 0xffe0 && point <= 0xffe6) ||
    (point >= 0x1f300 && point <= 0x1faff) ||
    (point >= 0x20000 && point <= 0x3fffd) ||
    // Of ambiguous width; Japanese fonts draw them full-width.
    (point >= 0x2460 && point <= 0x24ff) ||
    point === 0x203b ||
    (point >= 0x2190 && point <= 0x21ff) ||
    (point >= 0x25a0 && point <= 0x25ff) ||
    (point >= 0x2160 && point <= 0x217f)
  );
}
