// What every bench prints, and how two variants are compared: in alternation, by the median of the runs' ratios.
import { loadavg } from 'node:os';

/** MUGAI_BENCH_PART: a part of the usual load, to try a bench out; its lines say so and are no figures. */
const PART = Number(process.env['MUGAI_BENCH_PART'] ?? 1);
if (!(PART > 0 && PART <= 1)) throw new RangeError('MUGAI_BENCH_PART is not over 0 and at most 1');

/** So much of the usual load as this run takes. */
export function partOf(usual: number): number {
  return Math.max(1, Math.ceil(usual * PART));
}

export interface Measure {
  readonly bench: string;
  readonly case: string;
  readonly metric: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: string;
  readonly peerValue: number | null;
  readonly runs: number;
}

/** A line as it was printed. */
export interface Printed extends Measure {
  readonly ratio: number | null;
  readonly partOfLoad?: number;
  /** Load average of the machine over the last minute, the bench included. */
  readonly load?: number;
  readonly at?: string;
}

/** Prints one line; `ratio` is ours / peer. A peer that is not there is named with a null value. */
export function line(measure: Measure): void {
  const ratio = measure.peerValue === null || measure.peerValue === 0 ? null : round(measure.ours / measure.peerValue);
  const tried = PART === 1 ? {} : { partOfLoad: PART };
  const printed: Printed = {
    ...measure,
    ...tried,
    ours: round(measure.ours),
    peerValue: measure.peerValue === null ? null : round(measure.peerValue),
    ratio,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    at: new Date().toISOString(),
  };
  process.stdout.write(`${JSON.stringify(printed)}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
