// Host side of a page's text: runs of characters with their places, every number checked.
import { LIMITS } from '../message/limits.ts';
import { FieldReader, READABLE_TEXT, WireError, type Run } from './wire.ts';

const LARGEST_PT = 1e6;
const RUN_BYTES = 4096;

/** Reads the payload of a `runs` frame; a `WireError` for what no honest child sends. */
export function readRuns(payload: Buffer): Run[] {
  const fields = new FieldReader(payload);
  const count = fields.u32(LIMITS.pageRuns);
  const runs: Run[] = [];
  for (let i = 0; i < count; i++) {
    const text = fields.text(RUN_BYTES);
    const place = (): number => fields.f64(-LARGEST_PT, LARGEST_PT);
    const run = { text, x: place(), y: place(), dx: place(), dy: place(), size: fields.f64(0.01, LARGEST_PT) };
    if (text === '' || !READABLE_TEXT.test(text)) throw new WireError('text that nobody can read');
    if (Math.hypot(run.dx, run.dy) < 0.001) throw new WireError('text without a length');
    runs.push(run);
  }
  fields.end();
  return runs;
}
