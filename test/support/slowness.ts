// How slow this machine is at this moment, for bounds of time that hold on a quiet one.

/** Milliseconds of the loop below on a quiet machine half as quick as the one it was measured on (82 ms). */
const QUIET_MS = 170;

/** How many times slower than a quiet machine everything goes now, others that work on it included; 1 at least. */
export function slowness(): number {
  const started = performance.now();
  let state = 1;
  for (let n = 0; n < 60_000_000; n++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
  // The sum is looked at, or the compiler might leave the loop out.
  return Math.max(state === 0 ? 2 : 1, (performance.now() - started) / QUIET_MS);
}

/** True when so many milliseconds are within `most` of a quiet machine: before or after, whichever was slower. */
export function withinQuiet(ms: number, most: number): boolean {
  return ms < most || ms < most * Math.max(slowness(), slowness());
}
