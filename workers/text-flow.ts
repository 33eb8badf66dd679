// Lays out plain text: pending line breaks, collapsed spaces, prefixes of quotes and lists. Linear, and capped.

import { CELL, withTables } from './text-table.ts';

// Beyond, deeper quotes and lists are not indented further: output stays a small factor of the input.
const PREFIX_MAX = 40;
const BREAKS_MAX = 4;
const CELLS_MAX = 100;

/** Text in the making. `full` becomes true when `max` UTF-16 units are reached; what comes later is dropped. */
export class TextFlow {
  readonly #max: number;
  readonly #pieces: string[] = [];
  #length = 0;
  #breaks = 0;
  #space = false;
  /** The pending space came from white space with a line end in it. */
  #spaceOfLine = false;
  #lastLetter = 0;
  #started = false;
  #lineEmpty = true;
  #marker = '';
  #lastPrefix = '';
  /** Boundaries between cells since the last text of the row. */
  #boundaries = 0;
  #cellSpan = 0;
  readonly #tables = new Map<number, number>();
  /** Number of the table whose cells come; 0 outside of tables. */
  table = 0;
  /** Put before every line; set by the caller as quotes and lists open and close. */
  prefix = '';
  full = false;
  /** Lines broken so far. */
  lines = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Nothing on the current line yet, or a break is waiting. */
  get atLineStart(): boolean {
    return this.#lineEmpty || this.#breaks > 0;
  }

  /** Number of the line on which the next text will stand. */
  get lineOfNext(): number {
    return this.lines + (this.#started ? this.#breaks : 0);
  }

  /** At least `count` line breaks before the next text. */
  block(count: number): void {
    this.#space = false;
    this.#breaks = Math.max(this.#breaks, count);
  }

  /** One more line break. */
  newLine(): void {
    this.#space = false;
    if (this.#breaks < BREAKS_MAX) this.#breaks += 1;
  }

  /** Takes back breaks that wait: the cell of a table ended in a block, its row goes on. */
  keepLine(): void {
    this.#breaks = 0;
  }

  /** A row of a table starts: on a line of its own, no cell yet. */
  row(): void {
    this.#boundaries = 0;
    this.#cellSpan = 0;
  }

  /** A cell of the row starts; it takes the place of `span` columns. */
  cell(span: number): void {
    if (this.#boundaries < CELLS_MAX) this.#boundaries += this.#cellSpan;
    this.#cellSpan = span;
    this.#space = false;
  }

  /** The table that is around one which ended: its row goes on after it. */
  resumeRow(): void {
    this.#boundaries = 0;
    this.#cellSpan = 1;
  }

  /** Put before the next text in place of the prefix: that of the list, and the sign of its item. */
  mark(prefix: string, marker: string): void {
    this.#marker = prefix.slice(0, PREFIX_MAX) + marker;
  }

  /** Text as it stands, no collapsing. */
  raw(text: string): void {
    if (text.includes(CELL)) return this.raw(text.replaceAll(CELL, ''));
    if (text === '' || this.full) return;
    this.#startText(text.charCodeAt(0));
    this.#put(text);
    this.#lastLetter = text.charCodeAt(text.length - 1);
  }

  /** Preformatted text: its line ends are line ends. */
  lined(text: string): void {
    let from = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      this.raw(text.slice(from, at).replace(/\r$/, ''));
      this.newLine();
      from = at + 1;
    }
    this.raw(text.slice(from));
  }

  /** Text of HTML: runs of white space are one space, none at the ends of lines. */
  collapsed(text: string): void {
    let from = -1;
    for (let at = 0; at <= text.length && !this.full; at++) {
      const code = at < text.length ? text.charCodeAt(at) : 0x20;
      const white = code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d || code === 0x0c;
      if (!white) {
        if (from < 0) from = at;
        continue;
      }
      if (from >= 0) {
        this.raw(text.slice(from, at));
        from = -1;
      }
      if (at === text.length) return;
      if (code === 0x0a) this.#spaceOfLine = true;
      this.#space = true;
    }
  }

  /** The whole text: no spaces at line ends, one line end at its end. */
  finish(): string {
    return withTables(this.#pieces.join(''), this.#tables);
  }

  #startText(letter: number): void {
    if (this.#started && this.#breaks > 0) {
      // A blank line between a text and a quote in it belongs to the outer one.
      const next = this.#prefixNow();
      const empty = `\n${(this.#lastPrefix.length < next.length ? this.#lastPrefix : next).trimEnd()}`;
      this.#put(empty.repeat(this.#breaks - 1));
      this.#put('\n');
      this.lines += this.#breaks;
      this.#lineEmpty = true;
    }
    const starts = this.#lineEmpty;
    if (starts) this.#startLine();
    if (this.#boundaries > 0) {
      this.#put(CELL.repeat(this.#boundaries));
      this.#tables.set(this.lines, this.table);
    }
    // A line end between two Japanese letters is no space: the source was folded there.
    else if (!starts && this.#space && !(this.#spaceOfLine && isWide(this.#lastLetter) && isWide(letter)))
      this.#put(' ');
    this.#breaks = 0;
    this.#space = false;
    this.#spaceOfLine = false;
    this.#boundaries = 0;
    this.#started = true;
    this.#lineEmpty = false;
  }

  #startLine(): void {
    this.#lastPrefix = this.#prefixNow();
    this.#put(this.#marker === '' ? this.#lastPrefix : this.#marker);
    this.#marker = '';
  }

  #prefixNow(): string {
    return this.prefix.length > PREFIX_MAX ? this.prefix.slice(0, PREFIX_MAX) : this.prefix;
  }

  #put(text: string): void {
    if (this.full || text === '') return;
    const room = this.#max - this.#length;
    if (text.length > room) this.full = true;
    const piece = text.length > room ? text.slice(0, room) : text;
    this.#pieces.push(piece);
    this.#length += piece.length;
  }
}

/** CJK letters and full-width signs: written without spaces between words. */
function isWide(code: number): boolean {
  return (
    (code >= 0x2e80 && code <= 0xd7af && !(code >= 0xac00)) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xff00 && code <= 0xffef)
  );
}
