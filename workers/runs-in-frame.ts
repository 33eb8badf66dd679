// How much of a page's text goes over the wire.
import { LIMITS } from '../src/message/limits.ts';
import type { Run } from '../src/sandbox/wire.ts';

/** Bytes of a run besides its text: a length and five numbers. */
const RUN_BYTES = 44;

/** The runs of a page that one frame holds, at most as many as a page may have. */
export function runsInFrame(runs: readonly Run[]): readonly Run[] {
  let bytes = 4;
  for (const [index, { text }] of runs.entries()) {
    bytes += RUN_BYTES + Buffer.byteLength(text);
    if (bytes > LIMITS.frameBytes || index >= LIMITS.pageRuns) return runs.slice(0, index);
  }
  return runs;
}
