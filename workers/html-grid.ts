// Which columns of a table's row are taken by cells of the rows above (rowspan).

/** Columns that are looked at; tables beyond are no data. */
const COLUMNS_MAX = 100;
const ROWS_MAX = 1000;

/** The grid of one table while its rows come. */
export class Grid {
  #column = 0;
  /** Rows that a cell above still takes, by column. */
  readonly #taken: number[] = [];
  /** Columns of this row that a cell above takes. */
  #occupied: boolean[] = [];

  row(): void {
    this.#column = 0;
    this.#occupied = this.#taken.map((rows) => rows > 0);
    for (let at = 0; at < this.#taken.length; at++) this.#taken[at] = Math.max(0, (this.#taken[at] ?? 0) - 1);
  }

  /** A cell comes. How many columns are passed over before it. */
  cell(columns: number, rows: number): number {
    let passed = 0;
    while (this.#occupied[this.#column] === true) {
      passed += 1;
      this.#column += 1;
    }
    for (let end = this.#column + columns; this.#column < end; this.#column++)
      if (rows > 1 && this.#column < COLUMNS_MAX) this.#takes(this.#column, Math.min(rows, ROWS_MAX) - 1);
    return passed;
  }

  #takes(column: number, rows: number): void {
    while (this.#taken.length < column) this.#taken.push(0);
    this.#taken[column] = rows;
  }
}
