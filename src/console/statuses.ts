// How things stand everywhere, as the inner side knows it: its own process, and what the other zones' signed files say. The
// last half hour is remembered for the charts.
import type { KeyObject } from 'node:crypto';
import { reasonOf } from '../message/errors.ts';
import type { Alarm, JobStatus, ProcessStatus, QueueStatus, RoadEvent } from '../message/status.ts';
import type { Log } from '../ops/log.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { openStatus } from '../outbox/status.ts';

/** Pause between two looks. */
const LOOK_MS = 5000;
/** Half an hour of looks. */
const SAMPLES_KEPT = 360;
/** A process that said nothing for so long is shown as silent, and forgotten later. */
export const SILENT_MS = 30_000;
const FORGET_MS = 10 * 60_000;

/** One look, for the charts. Rates are per second since the look before. */
export interface Sample {
  readonly at: number;
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly oldestSeconds: number;
  readonly received: number;
  readonly delivered: number;
  readonly pages: number;
}

export interface StatusesOf {
  readonly outbox: Outbox;
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly own: () => Promise<ProcessStatus>;
  readonly log: Log;
}

const COUNTED = {
  received: /^messages spooled ok$/,
  delivered: /^messages deliver delivered$/,
  pages: /^pages$/,
} as const;

/** The statuses of all processes. */
export class Statuses {
  readonly #of: StatusesOf;
  readonly #known = new Map<string, ProcessStatus>();
  readonly #samples: Sample[] = [];
  readonly #listeners = new Set<(sample: Sample) => void>();
  #before: ReadonlyMap<string, Readonly<Record<string, number>>> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;
  #told = false;

  constructor(of: StatusesOf) {
    this.#of = of;
  }

  start(): void {
    this.#running = this.look().finally(() => {
      if (!this.#closed) this.#timer = setTimeout(() => this.start(), LOOK_MS);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** Calls back after each look; the answer ends it. */
  listen(listener: (sample: Sample) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads what there is now. Never rejects: what cannot be read is told once, and the processes go silent by themselves. */
  async look(now: number = Date.now()): Promise<void> {
    try {
      this.#keep(await this.#of.own());
      const read = new Set<string>();
      for (const { process: name, bytes } of await this.#of.outbox.status.read(FORGET_MS, now)) {
        if (read.has(name)) continue; // the newest that can be read counts
        if (await this.#open(bytes)) read.add(name);
      }
      this.#told = false;
    } catch (error) {
      if (!this.#told) this.#of.log.warn({ error: reasonOf(error) }, 'console: the other zones cannot be seen');
      this.#told = true;
    }
    for (const [name, { at }] of this.#known) if (now - Date.parse(at) > FORGET_MS) this.#known.delete(name);
    this.#sample(now);
  }

  async #open(bytes: Buffer): Promise<boolean> {
    const processes = await openStatus(bytes, this.#of.keys);
    for (const status of processes ?? []) this.#keep(status);
    return processes !== undefined;
  }

  #keep(status: ProcessStatus): void {
    const known = this.#known.get(status.name);
    if (known === undefined || known.at < status.at) this.#known.set(status.name, status);
  }

  #sample(now: number): void {
    const queues = this.queues();
    const sum = (of: (queue: QueueStatus) => number): number => queues.reduce((total, queue) => total + of(queue), 0);
    const last = this.#samples.at(-1);
    const seconds = last === undefined ? Number.POSITIVE_INFINITY : Math.max(0.001, (now - last.at) / 1000);
    const totals = new Map(this.processes().map(({ name, totals: of }) => [name, of]));
    const rate = (pattern: RegExp): number => increase(this.#before, totals, pattern) / seconds;
    const sample: Sample = {
      at: now,
      waiting: sum(({ waiting }) => waiting),
      active: sum(({ active }) => active),
      delayed: sum(({ delayed }) => delayed),
      oldestSeconds: Math.max(0, ...queues.map(({ oldestSeconds }) => oldestSeconds)),
      received: rate(COUNTED.received),
      delivered: rate(COUNTED.delivered),
      pages: rate(COUNTED.pages),
    };
    this.#before = totals;
    this.#samples.push(sample);
    if (this.#samples.length > SAMPLES_KEPT) this.#samples.shift();
    for (const listener of this.#listeners) {
      try {
        listener(sample);
      } catch (error) {
        this.#of.log.warn({ error: reasonOf(error) }, 'console: somebody who listens cannot be told');
      }
    }
  }

  samples(): readonly Sample[] {
    return this.#samples;
  }

  /** All processes that were heard of lately, by role and name. */
  processes(): ProcessStatus[] {
    return [...this.#known.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Whether originals can be scanned, as the workers that are heard of say it; undefined: none says it now. */
  hasScanner(now: number = Date.now()): boolean | undefined {
    const said = this.processes().flatMap(({ scanner, at }) =>
      scanner === undefined || now - Date.parse(at) > SILENT_MS ? [] : [scanner],
    );
    return said.length === 0 ? undefined : said.every((one) => one);
  }

  /** Queues; one that several processes share (Redis) counts once, as the newest of them says. */
  queues(): QueueStatus[] {
    const found = new Map<string, { readonly at: string; readonly queue: QueueStatus }>();
    for (const { at, queues } of this.processes())
      for (const queue of queues) {
        const known = found.get(queue.queue);
        if (known === undefined || known.at < at) found.set(queue.queue, { at, queue });
      }
    const order = ['sanitise', 'seal', 'deliver'];
    return [...found.values()]
      .map(({ queue }) => queue)
      .toSorted((a, b) => order.indexOf(a.queue) - order.indexOf(b.queue));
  }

  /** Jobs in the queues. What several processes tell of the same queue is told once, by the one that looked last. */
  jobs(): JobStatus[] {
    const told = new Map<string, ProcessStatus>();
    for (const process of this.processes())
      for (const { queue } of process.queues) {
        const known = told.get(queue);
        if (known === undefined || known.at < process.at) told.set(queue, process);
      }
    return [...told].flatMap(([queue, { jobs }]) => jobs.filter((job) => job.queue === queue));
  }

  /** What was done with messages lately, oldest first; with an id, with that message. */
  events(id?: string): RoadEvent[] {
    return this.processes()
      .flatMap(({ events }) => events)
      .filter((event) => id === undefined || event.id === id)
      .toSorted((a, b) => (a.at < b.at ? -1 : 1));
  }

  /** Alarms, newest first, with the process that raised them. */
  alarms(): (Alarm & { readonly role: string })[] {
    return this.processes()
      .flatMap(({ alarms, role }) => alarms.map((alarm) => ({ ...alarm, role })))
      .toSorted((a, b) => (a.at < b.at ? 1 : -1));
  }
}

/** How much counters grew in all; a process that is new, or began anew, counts from nothing only when it was seen before. */
function increase(
  before: ReadonlyMap<string, Readonly<Record<string, number>>>,
  now: ReadonlyMap<string, Readonly<Record<string, number>>>,
  pattern: RegExp,
): number {
  let sum = 0;
  for (const [name, totals] of now) {
    const earlier = before.get(name);
    if (earlier === undefined) continue;
    for (const [counter, value] of Object.entries(totals))
      if (pattern.test(counter)) sum += Math.max(0, value - (earlier[counter] ?? 0));
  }
  return sum;
}
