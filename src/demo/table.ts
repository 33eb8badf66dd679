// The live table: a row for each part as messages finish, and on a terminal a bar below it that moves with every step.
import { stripVTControlCharacters } from 'node:util';
import type { PartRow } from '../message/part.ts';

/** Cells of verdict, pages and ms; message and part share what a line has left. */
const FIXED = [28, 5, 6] as const;
const GAPS_AND_MARK = 6;
const LEAST_SHARED = 40;
const LINE_WITHOUT_TERMINAL = 116;
const HEADINGS = ['message', 'part', 'verdict', 'pages', 'ms'] as const;
/** Columns of numbers stand at the right. */
const NUMBERS_FROM = 3;
const BAR = 24;

const COLOUR = { plain: 0, red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;
export type Colour = keyof typeof COLOUR;

/** What the table shows of a finished message. */
export interface Shown {
  readonly label: string;
  readonly parts: readonly PartRow[];
  readonly ms: number;
  /** Undefined when nothing was expected of it (a message that the visitor sent). */
  readonly asExpected: boolean | undefined;
}

/** Draws on a stream. Everything that is printed while the bar is up goes through it. */
export class Table {
  readonly #stream: NodeJS.WriteStream;
  readonly #live: boolean;
  readonly #widths: readonly number[];
  #bar = '';

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#live = stream.isTTY;
    const line = this.#live ? stream.columns : LINE_WITHOUT_TERMINAL;
    const shared = Math.max(LEAST_SHARED, line - GAPS_AND_MARK - FIXED.reduce((sum, width) => sum + width, 0));
    this.#widths = [Math.floor(shared / 2), Math.ceil(shared / 2), ...FIXED];
  }

  paint(text: string, colour: Colour): string {
    return this.#live && this.#stream.hasColors() ? `\u001b[${COLOUR[colour]}m${text}\u001b[0m` : text;
  }

  /** Prints a line above the bar. */
  line(text = ''): void {
    this.#stream.write(`${this.#wipe()}${text}\n${this.#bar}`);
  }

  heading(): void {
    this.line(this.paint(this.#row(HEADINGS), 'bold'));
    this.line(this.paint('─'.repeat(this.#widths.reduce((sum, width) => sum + width + 1, 1)), 'dim'));
  }

  /** One row for each part; the message's own name and time stand in the first. */
  message({ label, parts, ms, asExpected }: Shown): void {
    const mark = asExpected === undefined ? ' ' : asExpected ? this.paint('✓', 'green') : this.paint('✗', 'red');
    for (const [index, part] of parts.entries()) {
      const first = index === 0;
      const name = `${part.path} ${part.name === '' ? part.detectedType : part.name}`;
      const row = this.#row([
        first ? label : '',
        name,
        verdictWords(part),
        part.pages === 0 ? '' : String(part.pages),
        first ? String(ms) : '',
      ]);
      this.line(`${this.paint(row, colourOf(part))}${first ? ` ${mark}` : ''}`.trimEnd());
    }
  }

  /** Moves the bar; without a terminal it does nothing. */
  progress(done: number, total: number, words: string): void {
    if (!this.#live) return;
    const filled = Math.round((done / Math.max(1, total)) * BAR);
    const text = `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${done}/${total} ${words}`;
    const wipe = this.#wipe();
    this.#bar = fit(text, (this.#stream.columns ?? 80) - 1).trimEnd();
    this.#stream.write(`${wipe}${this.#bar}`);
  }

  /** Takes the bar away. */
  endProgress(): void {
    this.#stream.write(this.#wipe());
    this.#bar = '';
  }

  #row(cellTexts: readonly string[]): string {
    return cellTexts.map((text, index) => fit(text, this.#widths[index] ?? 10, index >= NUMBERS_FROM)).join(' ');
  }

  #wipe(): string {
    return this.#bar === '' ? '' : '\r\u001b[2K';
  }
}

function verdictWords(part: PartRow): string {
  return part.reason === null ? part.verdict : `${part.verdict} (${part.reason})`;
}

function colourOf(part: PartRow): Colour {
  if (part.verdict === 'refused' || part.verdict === 'held') return 'yellow';
  return part.verdict === 'dropped' || part.verdict === 'expanded' ? 'dim' : 'plain';
}

/** Cuts or pads to a width in terminal cells. */
export function fit(text: string, width: number, right = false): string {
  let kept = '';
  let used = 0;
  const plain = stripVTControlCharacters(text);
  const whole = cells(plain) <= width;
  for (const letter of plain) {
    const wide = cells(letter);
    if (used + wide > (whole ? width : width - 1)) break;
    kept += letter;
    used += wide;
  }
  if (!whole) {
    kept += '…';
    used += 1;
  }
  const pad = ' '.repeat(Math.max(0, width - used));
  return right ? pad + kept : kept + pad;
}

// East Asian Wide and Fullwidth (UAX #11), and marks that take no room.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NO_ROOM = /[\p{Mn}\p{Me}]/u;

/** Cells of a terminal that a text takes. */
export function cells(text: string): number {
  let sum = 0;
  for (const letter of text) sum += NO_ROOM.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1;
  return sum;
}
