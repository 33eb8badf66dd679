// The text of an Ichitaro document (.jtd, .jtt; versions 8 and later) from its compound file: paragraphs, ruled lines, ruby, styles.
// Facts of the format: the published notes of OpenJTD and EZPZ File JTD, who read some 100 public files.
import { Refusal } from '../run.ts';

/** What is known of a run's looks. */
export interface Look {
  readonly bold: boolean;
  readonly underline: boolean;
  /** Hundredths of a millimetre; 0 as the document has it. */
  readonly size: number;
  /** `#rrggbb`, '' for automatic. */
  readonly colour: string;
}

export interface Run {
  readonly text: string;
  readonly look: Look;
  readonly ruby: string;
}

export interface Cell {
  /** Columns of the grid. */
  readonly left: number;
  readonly right: number;
  readonly runs: Run[];
}

export type Line =
  | { readonly kind: 'paragraph'; readonly align: number; readonly runs: readonly Run[] }
  | { readonly kind: 'row'; readonly cells: readonly Cell[] }
  | { readonly kind: 'page' };

export interface JtdText {
  readonly lines: readonly Line[];
  /** Instructions of a template that its program does not show. */
  readonly hidden: boolean;
}

const PLAIN: Look = { bold: false, underline: false, size: 0, colour: '' };
const RECORD = 0x1c;
const START = 0x1f;
const INLINE = 0x1d;
const INLINE_END = 0x1e;
const ALIGNMENT = 0x24;

/** The text in a stream `DocumentText`, `LayoutBoxText`, `Footnote` or `Header`. */
export function readJtdText(stream: Buffer): JtdText {
  const { units, looks } = read(stream);
  const lines: Line[] = [];
  let runs: Run[] = [];
  let cells: Cell[] = [];
  let align = 0;
  let hidden = false;
  const into = (): Run[] => cells.at(-1)?.runs ?? runs;
  const say = (text: string, look: Look): void => {
    const to = into();
    const last = to.at(-1);
    if (last !== undefined && last.look === look && last.ruby === '')
      to[to.length - 1] = { ...last, text: last.text + text };
    else to.push({ text, look, ruby: '' });
  };
  const end = (): void => {
    lines.push(cells.length > 0 ? { kind: 'row', cells } : { kind: 'paragraph', align, runs });
    runs = [];
    cells = [];
    align = 0;
  };
  for (let at = 0; at < units.length;) {
    const unit = units[at] as number;
    if (unit === RECORD) {
      const kind = units[at + 1] ?? 0;
      const inline = kind === 1 ? inlineAt(units, at) : undefined;
      if (inline !== undefined) {
        const { text, sort } = inline;
        if (sort === 'hidden') hidden = true;
        else if (sort === 'ruby') annotate(into(), text);
        // A run of its own, so that a reading that follows belongs to these letters only.
        else into().push({ text, look: looks(at), ruby: '' });
        at = inline.next;
        continue;
      }
      const next = recordEnd(units, at);
      if (kind === 0x10) align = alignmentOf(units.slice(at + 3, next)) ?? align;
      if (kind === 0x30) cells.push({ left: units[at + 4] ?? 0, right: units[at + 5] ?? 0, runs: [] });
      at = next;
      continue;
    }
    if (unit === 0x0a || unit === 0x0e) end();
    else if (unit === 0x0c) {
      if (runs.length > 0 || cells.length > 0) end();
      lines.push({ kind: 'page' });
    } else if (unit === 0x09 || unit >= 0x20) say(String.fromCharCode(unit), looks(at));
    at += 1;
  }
  if (runs.length > 0 || cells.length > 0) end();
  return { lines, hidden };
}

interface Inline {
  readonly text: string;
  readonly sort: 'shown' | 'ruby' | 'hidden';
  readonly next: number;
}

/** `1C 0001 0007 0000 a b 1D text 1E 0005 0000 0001 1F`. */
function inlineAt(units: Uint16Array, at: number): Inline | undefined {
  if (units[at + 6] !== INLINE) return undefined;
  const from = at + 7;
  let to = from;
  while (to < units.length && units[to] !== INLINE_END && units[to] !== RECORD) to += 1;
  if (units[to] !== INLINE_END) return undefined;
  const [a, b] = [units[at + 4], units[at + 5]];
  const text = Array.from(units.slice(from, to), (unit) => (unit >= 0x20 ? String.fromCharCode(unit) : '')).join('');
  const sort = a === 1 && b === 0x82 ? 'ruby' : a === 1 && b === 0 ? 'hidden' : 'shown';
  const isFooted = units[to + 1] === 5 && units[to + 4] === START;
  return { text, sort, next: isFooted ? to + 5 : to + 1 };
}

/** Behind a record: its length counts from its first word, and its last one is `1F`. */
function recordEnd(units: Uint16Array, at: number): number {
  const length = units[at + 2] ?? 0;
  if (length >= 4 && units[at + length - 1] === START) return at + length;
  const start = units.indexOf(START, at);
  return start < 0 || start > at + 4096 ? at + 1 : start + 1;
}

/** The value of the item for alignment in a list of (tag, count, values). */
function alignmentOf(payload: Uint16Array): number | undefined {
  for (let at = 1; at + 2 < payload.length && payload[at] !== 0xffff; at += 2 + (payload[at + 1] ?? 0))
    if (payload[at] === ALIGNMENT) return payload[at + 2];
  return undefined;
}

/** Gives the letters said last their reading. */
function annotate(runs: Run[], ruby: string): void {
  const last = runs.pop();
  if (last !== undefined) runs.push({ ...last, ruby: last.ruby + ruby });
}

interface Units {
  readonly units: Uint16Array;
  readonly looks: (at: number) => Look;
}

/** The units of the text and their looks: the stream is a store of blocks, in which the text is one piece or several. */
function read(stream: Buffer): Units {
  if (stream.toString('latin1', 0, 8) !== 'SsmgV.01') throw new Refusal('damaged', 'no text of Ichitaro');
  const parts = blocks(stream);
  const first = parts.get(0) ?? Buffer.alloc(0);
  const kind = first.toString('latin1', 0, 8);
  const pieces: { readonly bytes: Buffer; readonly count: number }[] = [];
  if (kind === 'TextV.01' && first.length >= 12)
    pieces.push({ bytes: first.subarray(12), count: first.readUInt32BE(8) });
  else if (kind === 'QLSTV.01' && first.length >= 12) {
    const most = Math.min(first.readUInt32BE(8), (first.length - 12) / 8);
    const used = new Set<number>();
    for (let i = 0; i < most; i++) {
      const index = first.readUInt32BE(16 + i * 8);
      const bytes = parts.get(index);
      if (bytes === undefined || used.has(index)) throw new Refusal('damaged', 'a piece of its text is missing');
      used.add(index);
      pieces.push({ bytes, count: first.readUInt32BE(12 + i * 8) });
    }
  } else throw new Refusal('damaged', 'a text of another kind');
  const counted = pieces.map(({ bytes, count }) => Math.min(count, bytes.length >> 1));
  const units = new Uint16Array(counted.reduce((sum, count) => sum + count, 0));
  const changes: { at: number; look: Look }[] = [];
  let at = 0;
  for (const [nth, { bytes }] of pieces.entries()) {
    const count = counted[nth] ?? 0;
    for (let i = 0; i < count; i++) units[at + i] = bytes.readUInt16BE(i * 2);
    changes.push({ at, look: PLAIN }, ...lookChanges(bytes.subarray(count * 2), at));
    at += count;
  }
  return { units, looks: finder(changes) };
}

/** The parts of the store. Counts are bounded by the stream's own length. */
function blocks(stream: Buffer): Map<number, Buffer> {
  const size = stream.readUInt32BE(12);
  const count = stream.readUInt32BE(16);
  const parts = new Map<number, Buffer>();
  if (size < 16 || 20 + count * size > stream.length) throw new Refusal('damaged', 'its text is cut');
  let left = stream.length;
  for (let at = 20 + count * size; at + 20 <= stream.length;) {
    const index = stream.readUInt32BE(at);
    const length = stream.readUInt32BE(at + 8);
    const ids = stream.readUInt32BE(at + 12);
    if (at + 20 + ids * 4 > stream.length) break;
    const pieces: Buffer[] = [];
    for (let i = 0; i < ids; i++) {
      const id = stream.readUInt32BE(at + 20 + i * 4);
      left -= size;
      if (left < -size) throw new Refusal('damaged', 'blocks are shared');
      if (id < count) pieces.push(stream.subarray(20 + id * size, 20 + (id + 1) * size));
    }
    if (!parts.has(index)) parts.set(index, Buffer.concat(pieces).subarray(0, length));
    at += 20 + ids * 4;
  }
  return parts;
}

/** `00 n`: n units as they are; `FE (id length value)… FF 00`: changes, and covers one unit; `FF`: the end. */
function lookChanges(bytes: Buffer, start: number): { at: number; look: Look }[] {
  const changes: { at: number; look: Look }[] = [];
  let look = PLAIN;
  let unit = start;
  for (let at = 0; at < bytes.length;) {
    if (bytes[at] === 0 && at + 5 <= bytes.length) {
      unit += bytes.readUInt32BE(at + 1);
      at += 5;
    } else if (bytes[at] === 0xfe) {
      at += 1;
      while (at + 2 <= bytes.length && bytes[at] !== 0xff) {
        const length = bytes.readUInt8(at + 1);
        const value = bytes.subarray(at + 2, at + 2 + length);
        look = changed(look, bytes.readUInt8(at), value);
        at += 2 + length;
      }
      at += 2;
      changes.push({ at: unit, look });
      unit += 1;
    } else break;
  }
  return changes;
}

function changed(look: Look, id: number, value: Buffer): Look {
  const number = value.length === 2 ? value.readUInt16BE(0) : value.length === 4 ? value.readUInt32BE(0) : 0;
  if (id === 1) return { ...look, bold: number === 1 };
  if (id === 2) return { ...look, size: number };
  if (id === 13) return { ...look, underline: number === 1 || number === 2 };
  if (id !== 15) return look;
  const hex = (shift: number): string => ((number >>> shift) & 255).toString(16).padStart(2, '0');
  return { ...look, colour: number >= 0xff000000 ? '' : `#${hex(0)}${hex(8)}${hex(16)}` };
}

/** The look at a place; places are asked for in their order. */
function finder(changes: readonly { readonly at: number; readonly look: Look }[]): (at: number) => Look {
  let index = 0;
  return (at) => {
    while (index + 1 < changes.length && (changes[index + 1]?.at ?? 0) <= at) index += 1;
    return changes[index]?.look ?? PLAIN;
  };
}
