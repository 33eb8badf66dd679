// The demo's road: every sample through the real doors of a whole gateway, and what came out judged.
import type { KeyObject } from 'node:crypto';
import { basename, join } from 'node:path';
import type { Config } from '../config.ts';
import { reasonOf } from '../message/errors.ts';
import type { MessageId } from '../message/id.ts';
import type { PartRow } from '../message/part.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { judge } from './judge.ts';
import { readResult } from './result.ts';
import { send, type Doors } from './senders.ts';
import type { Sample } from './samples.ts';
import type { Table } from './table.ts';
import type { Ended, Watch } from './watch.ts';

/** Longest wait for one sample: the slowest honest end is a converter stopped by its own limit. */
const SAMPLE_MS = 180_000;

/** What the journey needs of a running gateway. */
export interface Running {
  readonly config: Config;
  readonly doors: Doors;
  readonly outbox: Outbox;
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly watch: Watch;
  readonly table: Table;
  readonly signal: AbortSignal;
}

/** How it went: differences by sample, pages drawn, seconds from the first to the last. */
export interface Summary {
  readonly samples: number;
  readonly faults: ReadonlyMap<string, readonly string[]>;
  readonly pages: number;
  readonly seconds: number;
}

interface Finished {
  readonly faults: readonly string[];
  readonly parts: readonly PartRow[];
  readonly ms: number;
}

/** Sends every sample, as many at once as messages are sanitised at once, and prints each when it has arrived. */
export async function travel(samples: readonly Sample[], running: Running): Promise<Summary> {
  const { table, watch, config, signal } = running;
  const faults = new Map<string, readonly string[]>();
  const started = performance.now();
  let done = 0;
  let pages = 0;
  const draw = (): void => table.progress(done, samples.length, watch.words());
  watch.onStep = draw;
  table.heading();
  const queue = samples.values();
  const lane = async (): Promise<void> => {
    for (const sample of queue) {
      const finished = await one(sample, running);
      if (signal.aborted) return;
      done += 1;
      pages += finished.parts.reduce((sum, part) => sum + part.pages, 0);
      if (finished.faults.length > 0) faults.set(sample.file, finished.faults);
      show(sample, finished, table);
      draw();
    }
  };
  await Promise.all(Array.from({ length: Math.min(config.workers, samples.length) }, lane));
  watch.onStep = () => undefined;
  table.endProgress();
  return { samples: done, faults, pages, seconds: (performance.now() - started) / 1000 };
}

async function one(sample: Sample, running: Running): Promise<Finished> {
  try {
    const id = await send(sample, running.doors);
    const ended = await running.watch.end(id, SAMPLE_MS, running.signal);
    if (ended === undefined)
      return { faults: [`did not arrive within ${SAMPLE_MS / 1000} s`], parts: [], ms: SAMPLE_MS };
    const result = await resultOf(id, running);
    const faults = judge(sample.expect, result);
    if (ended.outcome !== 'delivered') faults.push(`delivery ended as ${ended.outcome}`);
    return { faults, parts: result.predicate.parts, ms: ended.ms };
  } catch (error) {
    return { faults: [reasonOf(error)], parts: [], ms: 0 };
  }
}

async function resultOf(id: MessageId, { outbox, keys, config }: Running): ReturnType<typeof readResult> {
  return readResult(id, outbox, keys, join(config.dataDir, 'delivered'));
}

function show(sample: Sample, { faults, parts, ms }: Finished, table: Table): void {
  const label = basename(sample.file);
  if (parts.length > 0) table.message({ label, parts, ms, asExpected: faults.length === 0 });
  else table.line(`${label} ${table.paint('✗', 'red')}`);
  for (const fault of faults) table.line(table.paint(`  ✗ ${fault}`, 'red'));
}

/** Prints a message that somebody else sent while the demo is up. */
export async function showStranger(id: MessageId, ended: Ended, running: Running): Promise<void> {
  const { table } = running;
  try {
    const { predicate, delivered } = await resultOf(id, running);
    table.message({
      label: predicate.headers?.subject ?? predicate.source.name,
      parts: predicate.parts,
      ms: ended.ms,
      asExpected: undefined,
    });
    table.line(table.paint(`  ${predicate.state} → ${delivered ?? ended.outcome}`, 'dim'));
  } catch (error) {
    table.line(`${id}: ${reasonOf(error)}`);
  }
}
