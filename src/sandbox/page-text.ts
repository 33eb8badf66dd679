// Host side of a page's text: runs of characters with their places, every number checked.
import { LIMITS } from '../message/limits.ts';
import { FieldReader, WireError } from './wire.ts';

/**
 * Characters on one straight line, evenly spread: origin of the first on the page (points, from the lower left corner as
 * the page is seen), the vector to where the last one ends, and the size of the font.
 */
export interface TextRun {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly size: number;
}

const LARGEST_PT = 1e6;
const RUN_CHARS = 2000;
// Nothing that steers, hides or turns text around (Unicode 17: Cc, Cf, Cs, Co, Cn, Zl, Zp), only what a person reads; U+0020 and
// U+3000 are the only blanks.
const READABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} \u3000]*$/u;

/** Reads a `runs` payload: u32 count, then for each text, f64 x, y, dx, dy, size. `WireError` for what no honest child sends. */
export function readRuns(payload: Buffer): TextRun[] {
  const fields = new FieldReader(payload);
  const count = fields.u32(LIMITS.pageRuns);
  const runs: TextRun[] = [];
  for (let i = 0; i < count; i++) {
    const text = fields.text(4 * RUN_CHARS);
    const place = (): number => fields.f64(-LARGEST_PT, LARGEST_PT);
    const run = { text, x: place(), y: place(), dx: place(), dy: place(), size: fields.f64(0.01, LARGEST_PT) };
    if (text === '' || !READABLE.test(text)) throw new WireError('text that nobody can read');
    if (Math.hypot(run.dx, run.dy) < 0.001) throw new WireError('text without a length');
    runs.push(run);
  }
  fields.end();
  return runs;
}
