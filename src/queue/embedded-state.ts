// What one embedded queue remembers: every job by id, one place for each state, and the workers that wait for work.
// Each step is O(1) or O(log n): the lists are linked through the jobs themselves, times and priorities sit in heaps.
import type { JobJson } from 'bullmq';

/** Where a job stands; the words are BullMQ's. */
export type Place = 'waiting' | 'prioritized' | 'delayed' | 'active' | 'completed' | 'failed';

/** Something a `Heap` can hold: smallest `rank` first, then smallest `turn`; `slot` is the heap's own note. */
export interface Ranked {
  rank: number;
  turn: number;
  slot: number;
}

/** One job and where it is; it is in exactly one place at a time. */
export interface Entry extends Ranked {
  readonly id: string;
  readonly json: JobJson;
  place: Place;
  previous: Entry | undefined;
  next: Entry | undefined;
  /** The lock of an active job: whose it is, until when (ms since the epoch), and since when it looks abandoned. */
  token: string;
  lockedUntil: number;
  suspectSince: number;
}

/** What a worker gets when it asks for a job: the job or null, its id, a rate-limit delay, when the next one is due. */
export type Claim = [JobJson | null, string, number, number];

/** A line of jobs, oldest first; jobs leave it from any position in O(1). */
export class JobList {
  #first: Entry | undefined;
  #last: Entry | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Entry | undefined {
    return this.#first;
  }

  /** Puts the job at the end of the line, or at its head. */
  add(entry: Entry, atHead = false): void {
    entry.previous = atHead ? undefined : this.#last;
    entry.next = atHead ? this.#first : undefined;
    if (entry.previous === undefined) this.#first = entry;
    else entry.previous.next = entry;
    if (entry.next === undefined) this.#last = entry;
    else entry.next.previous = entry;
    this.#size += 1;
  }

  remove(entry: Entry): void {
    if (entry.previous === undefined) this.#first = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === undefined) this.#last = entry.previous;
    else entry.next.previous = entry.previous;
    entry.previous = undefined;
    entry.next = undefined;
    this.#size -= 1;
  }

  /** The jobs, oldest first, or newest first. */
  *walk(oldestFirst: boolean): Generator<Entry> {
    let entry = oldestFirst ? this.#first : this.#last;
    while (entry !== undefined) {
      const following = oldestFirst ? entry.next : entry.previous;
      yield entry;
      entry = following;
    }
  }
}

/** A binary heap; an item is removed from any position in O(log n), since each knows its slot. */
export class Heap<T extends Ranked> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The smallest item, or undefined. */
  get first(): T | undefined {
    return this.#items[0];
  }

  add(item: T): void {
    item.slot = this.#items.length;
    this.#items.push(item);
    this.#rise(item);
  }

  remove(item: T): void {
    const last = this.#items.pop();
    if (last === undefined || last === item) return;
    last.slot = item.slot;
    this.#items[last.slot] = last;
    this.#rise(last);
    this.#sink(last);
  }

  /** The items, smallest first (or last): sorts a copy, for listings only. */
  *walk(smallestFirst: boolean): Generator<T> {
    yield* this.#items.toSorted((a, b) => (before(a, b) === smallestFirst ? -1 : 1));
  }

  #rise(item: T): void {
    for (;;) {
      const parent = this.#items[(item.slot - 1) >> 1];
      if (item.slot === 0 || parent === undefined || !before(item, parent)) return;
      this.#swap(item, parent);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = this.#items[2 * item.slot + 1];
      const right = this.#items[2 * item.slot + 2];
      const child = left !== undefined && right !== undefined && before(right, left) ? right : left;
      if (child === undefined || !before(child, item)) return;
      this.#swap(item, child);
    }
  }

  #swap(a: T, b: T): void {
    const slot = a.slot;
    a.slot = b.slot;
    b.slot = slot;
    this.#items[a.slot] = a;
    this.#items[b.slot] = b;
  }
}

/**
 * Milliseconds since the epoch by a clock that never leaps. Everything that waits here waits by it: the wall clock set back by
 * a day would make a delayed job wait a day longer.
 */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}

/** A moment of the steady clock as the wall clock will show it; BullMQ's workers reckon by that one. 0 for none. */
function onTheWall(moment: number | undefined): number {
  return moment === undefined ? 0 : moment - steadyNow() + Date.now();
}

/** setTimeout's longest delay; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The state of one queue, shared by every Queue and Worker of that name in this process. */
export class QueueState {
  readonly jobs = new Map<string, Entry>();
  readonly meta = new Map<string, string>();
  readonly places = {
    waiting: new JobList(),
    prioritized: new Heap<Entry>(),
    delayed: new Heap<Entry>(),
    active: new JobList(),
    completed: new JobList(),
    failed: new JobList(),
  };
  #turn = 0;
  #alarm: NodeJS.Timeout | undefined;
  #alarmAt = Infinity;
  readonly #sleepers = new Set<() => void>();

  get paused(): boolean {
    return this.meta.has('paused');
  }

  /** Whether a worker that asks now would get a job. */
  get hasWork(): boolean {
    const { waiting, prioritized, delayed } = this.places;
    if (this.paused) return false;
    return waiting.size > 0 || prioritized.size > 0 || (delayed.first?.rank ?? Infinity) <= steadyNow();
  }

  /** Takes in a job; an id that exists is left as it is. Returns the id. */
  add(job: JobJson, wishedId: string | undefined): string {
    const id = wishedId === undefined || wishedId === '' ? String((this.#turn += 1)) : wishedId;
    if (this.jobs.has(id)) return id;
    const delay = job.opts.delay ?? 0;
    const json = { ...job, id, delay, priority: job.opts.priority ?? 0 };
    const links = { previous: undefined, next: undefined, rank: 0, turn: 0, slot: 0 };
    const entry: Entry = { id, json, place: 'waiting', ...links, token: '', lockedUntil: 0, suspectSince: 0 };
    this.jobs.set(id, entry);
    if (delay > 0) this.#postpone(entry, steadyNow() + delay);
    else this.#queue(entry, job.opts.lifo ?? false);
    return id;
  }

  /** Hands the next job to the holder of `token` and locks it for `lockMs`. */
  claim(token: string, lockMs: number, worker: string | undefined): Claim {
    if (this.paused) return [null, '', 0, 0];
    const now = steadyNow();
    this.#wakeDue(now);
    const { waiting, prioritized, delayed } = this.places;
    const entry = waiting.first ?? prioritized.first;
    if (entry === undefined) return [null, '', 0, onTheWall(delayed.first?.rank)];
    this.#lift(entry);
    this.#settle(entry, 'active');
    entry.token = token;
    entry.lockedUntil = now + lockMs;
    entry.suspectSince = 0;
    entry.json.attemptsStarted += 1;
    entry.json.processedOn = Date.now();
    if (worker !== undefined) entry.json.processedBy = worker;
    this.wakeOne();
    return [{ ...entry.json }, entry.id, 0, 0];
  }

  /** Puts a job back in line, at its head when it has waited its turn already. */
  requeue(entry: Entry, atHead: boolean): void {
    this.#lift(entry);
    entry.json.delay = 0;
    this.#queue(entry, atHead);
  }

  /** Sets a job aside for `delay` milliseconds. */
  delay(entry: Entry, delay: number): void {
    this.#lift(entry);
    entry.json.delay = delay;
    this.#postpone(entry, steadyNow() + delay);
  }

  /** Keeps a finished job in its list. */
  finish(entry: Entry, place: 'completed' | 'failed'): void {
    this.#lift(entry);
    this.#settle(entry, place);
  }

  /** Forgets a job. */
  forget(entry: Entry): void {
    this.#lift(entry);
    this.jobs.delete(entry.id);
  }

  /** Jobs of one place from position `start` to `end` inclusive (negative: from the end), as Redis counts. */
  range(place: Place, [start, end]: readonly [number, number], ascending: boolean): string[] {
    const line = this.places[place];
    const from = start < 0 ? Math.max(0, line.size + start) : start;
    const to = end < 0 ? line.size + end : end;
    const ids: string[] = [];
    let position = 0;
    for (const entry of line.walk(ascending)) {
      if (position > to) break;
      if (position >= from) ids.push(entry.id);
      position += 1;
    }
    return ids;
  }

  /** Calls `wake` once when there may be work. Returns the function that takes the request back. */
  whenWork(wake: () => void): () => void {
    this.#sleepers.add(wake);
    return () => this.#sleepers.delete(wake);
  }

  /** Wakes one waiting worker if there is work; who takes a job wakes the next, so none is left waiting. */
  wakeOne(): void {
    if (this.#sleepers.size === 0 || !this.hasWork) return;
    for (const wake of this.#sleepers) {
      this.#sleepers.delete(wake);
      wake();
      return;
    }
  }

  #queue(entry: Entry, atHead: boolean): void {
    this.#settle(entry, (entry.json.priority ?? 0) > 0 ? 'prioritized' : 'waiting', entry.json.priority, atHead);
    this.wakeOne();
  }

  #postpone(entry: Entry, due: number): void {
    this.#settle(entry, 'delayed', due);
    this.#setAlarm();
  }

  /** Puts an entry that is nowhere into a place. */
  #settle(entry: Entry, place: Place, rank = 0, atHead = false): void {
    entry.place = place;
    entry.token = '';
    entry.rank = rank;
    entry.turn = this.#turn += 1;
    if (place === 'delayed' || place === 'prioritized') this.places[place].add(entry);
    else this.places[place].add(entry, atHead);
  }

  #lift(entry: Entry): void {
    this.places[entry.place].remove(entry);
  }

  #wakeDue(now: number): void {
    const { delayed } = this.places;
    for (let entry = delayed.first; entry !== undefined && entry.rank <= now; entry = delayed.first) {
      this.requeue(entry, false);
    }
  }

  /** One timer for the earliest delayed job. Unreferenced: an idle worker keeps the process alive, this does not. */
  #setAlarm(): void {
    const due = this.places.delayed.first?.rank ?? Infinity;
    if (due >= this.#alarmAt) return;
    clearTimeout(this.#alarm);
    this.#alarmAt = due;
    const ring = () => {
      this.#alarmAt = Infinity;
      this.#wakeDue(steadyNow());
      this.#setAlarm();
    };
    this.#alarm = setTimeout(ring, Math.min(Math.max(due - steadyNow(), 0), LONGEST_TIMER_MS));
    this.#alarm.unref();
  }
}

function before(a: Ranked, b: Ranked): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.turn < b.turn);
}
