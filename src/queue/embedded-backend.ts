// BullMQ's backend contract over memory of this process: the default queue, rebuilt from the spool at every start.
// Semantics follow bullmq 6.7.0's Lua scripts; one contract suite runs against both (test/queue/contract.test.ts).
import { EventEmitter } from 'node:events';
import {
  ErrorCode,
  type BackendFactory,
  type IQueueBackend,
  type JobJson,
  type JobsOptions,
  type JobState,
  type JobType,
  type KeepJobs,
  type MinimalJob,
  type MoveToDelayedOpts,
  type QueueBaseOptions,
  type RetryJobOpts,
} from 'bullmq';
import { QueueState, type Claim, type Entry, type Place, steadyNow } from './embedded-state.ts';
import { UNSUPPORTED } from './embedded-unsupported.ts';

/** The message by which BullMQ knows that a connection was closed on purpose. */
const CLOSED = 'Connection is closed.';

/** The options of a Worker that reach its backend; a Queue has none of them. */
interface Settings extends QueueBaseOptions {
  readonly name?: string;
  readonly lockDuration?: number;
  readonly maxStalledCount?: number;
  readonly limiter?: unknown;
  readonly removeOnComplete?: KeepJobs;
  readonly removeOnFail?: KeepJobs;
}

type Finish = { result: Claim | undefined; finishedOn: number };

/** Makes the backends of one house: those of the same queue name share one state. */
export function embeddedBackends(): BackendFactory {
  const states = new Map<string, QueueState>();
  const open = (name: string, settings: Settings): IQueueBackend => {
    const state = states.get(name) ?? new QueueState();
    states.set(name, state);
    const backend = new EmbeddedBackend(name, settings, state);
    return Object.assign(backend, UNSUPPORTED, { forQueue: (other: string) => open(other, settings) });
  };
  return open;
}

class EmbeddedBackend extends EventEmitter {
  readonly qualifiedName: string;
  readonly keys = {};
  readonly minimumBlockTimeout = 0.001;
  readonly maximumBlockTimeout = 60;
  closing: Promise<void> | undefined;
  readonly #settings: Settings;
  readonly #state: QueueState;
  readonly #lockMs: number;
  #disconnected = false;
  #interrupted = false;
  #interrupt: (() => void) | undefined;

  constructor(name: string, settings: Settings, state: QueueState) {
    super();
    if (settings.limiter !== undefined) throw new Error('not supported by the embedded queue: limiter');
    this.qualifiedName = name;
    this.#settings = settings;
    this.#state = state;
    this.#lockMs = settings.lockDuration ?? 30_000;
    setImmediate(() => this.emit('ready'));
  }

  // ── identity and life ──

  async waitUntilReady(): Promise<void> {}

  async setName(): Promise<void> {}

  clientName(suffix = ''): string {
    return `${this.qualifiedName}${suffix}`;
  }

  toKey(type: string): string {
    return `${this.qualifiedName}:${type}`;
  }

  parseNodeKey(key: string): { prefix: string; queueName: string; id: string } {
    const colon = key.indexOf(':');
    return { prefix: '', queueName: key.slice(0, colon), id: key.slice(colon + 1) };
  }

  async getClientList(): Promise<string[]> {
    return [];
  }

  async close(): Promise<void> {
    this.closing ??= this.disconnect();
    await this.closing;
  }

  async disconnect(): Promise<void> {
    this.#disconnected = true;
    await this.disconnectBlocking();
    this.emit('close');
  }

  async disconnectBlocking(): Promise<void> {
    this.#interrupted = true;
    this.#interrupt?.();
  }

  async reconnectBlocking(): Promise<void> {
    this.#interrupted = false;
  }

  // ── adding and taking ──

  async addJob(job: JobJson, jobId: string): Promise<string> {
    return this.#add(job, jobId);
  }

  async addJobs(entries: { job: JobJson; jobId: string }[]): Promise<string[]> {
    return entries.map(({ job, jobId }) => this.#add(job, jobId));
  }

  async moveToActive(token: string, name?: string): Promise<Claim> {
    return this.#claim(token, name);
  }

  /** Waits up to `seconds` for work. Rejects as a closed connection does when the wait is interrupted. */
  async waitForJob(seconds: number): Promise<{ member: string; score: number } | null> {
    if (this.#interrupted || this.#disconnected) throw new Error(CLOSED);
    if (this.#state.hasWork) return { member: '0', score: 0 };
    const outcome = await new Promise<'work' | 'time' | 'interrupted'>((resolve) => {
      const end = (how: 'work' | 'time' | 'interrupted') => {
        clearTimeout(timer);
        forget();
        this.#interrupt = undefined;
        resolve(how);
      };
      const forget = this.#state.whenWork(() => end('work'));
      const timer = setTimeout(() => end('time'), Math.ceil(seconds * 1000));
      this.#interrupt = () => end('interrupted');
    });
    if (outcome === 'interrupted') throw new Error(CLOSED);
    return outcome === 'work' ? { member: '0', score: 0 } : null;
  }

  // ── the ends of an attempt ──

  async moveToCompleted<T, R, N extends string>(
    job: MinimalJob<T, R, N>,
    returnValue: R,
    keep: boolean | number | KeepJobs | undefined,
    token: string,
    fetchNext: boolean,
  ): Promise<Finish> {
    const entry = this.#held(job.id, token, 'moveToFinished');
    entry.json.returnvalue = JSON.stringify(returnValue ?? null);
    return this.#finish(entry, 'completed', keepOf(keep, this.#settings.removeOnComplete), fetchNext ? token : '');
  }

  async moveToFailed<T, R, N extends string>(
    job: MinimalJob<T, R, N>,
    failedReason: string,
    keep: boolean | number | KeepJobs | undefined,
    token: string,
    fetchNext: boolean,
    fields?: Record<string, unknown>,
  ): Promise<Finish> {
    const entry = this.#held(job.id, token, 'moveToFinished');
    update(entry.json, fields);
    entry.json.failedReason = failedReason;
    delete entry.json.deferredFailure;
    return this.#finish(entry, 'failed', keepOf(keep, this.#settings.removeOnFail), fetchNext ? token : '');
  }

  async moveToDelayed(
    jobId: string,
    _timestamp: number,
    delay: number,
    token?: string,
    options: MoveToDelayedOpts = {},
  ): Promise<Claim | undefined> {
    const entry = this.#held(jobId, token, 'moveToDelayed');
    update(entry.json, options.fieldsToUpdate);
    if (options.skipAttempt !== true) entry.json.attemptsMade += 1;
    this.#state.delay(entry, delay);
    return options.fetchNext === true && token !== undefined ? this.#claimUnlessClosing(token) : undefined;
  }

  async retryJob(jobId: string, lifo: boolean, token?: string, options: RetryJobOpts = {}): Promise<void> {
    const entry = this.#held(jobId, token, 'retryJob');
    update(entry.json, options.fieldsToUpdate);
    entry.json.attemptsMade += 1;
    this.#state.requeue(entry, lifo);
  }

  async moveJobFromActiveToWait(jobId: string, token?: string): Promise<number> {
    this.#state.requeue(this.#held(jobId, token, 'moveJobFromActiveToWait'), true);
    return 0;
  }

  // ── locks ──

  async extendLock(jobId: string, token: string, duration: number): Promise<number> {
    const entry = this.#state.jobs.get(jobId);
    if (this.#disconnected || entry?.place !== 'active' || entry.token !== token) return 0;
    entry.lockedUntil = steadyNow() + duration;
    entry.suspectSince = 0;
    return 1;
  }

  async extendLocks(jobIds: string[], tokens: string[], duration: number): Promise<string[]> {
    const lost: string[] = [];
    for (const [i, jobId] of jobIds.entries()) {
      if ((await this.extendLock(jobId, tokens[i] ?? '', duration)) === 0) lost.push(jobId);
    }
    return lost;
  }

  /**
   * Puts jobs whose worker vanished back in line. A lock found expired is only noted at first and taken half a lock's
   * duration later: after a blocked event loop this check may run before the owner's own renewal timer.
   */
  async moveStalledJobsToWait(): Promise<string[]> {
    const now = steadyNow();
    const stalled: string[] = [];
    for (const entry of this.#state.places.active.walk(true)) {
      if (entry.lockedUntil > now) continue;
      if (entry.suspectSince === 0) entry.suspectSince = now;
      if (now - entry.suspectSince < this.#lockMs / 2) continue;
      entry.json.stalledCounter += 1;
      if (entry.json.stalledCounter > (this.#settings.maxStalledCount ?? 1)) {
        entry.json.deferredFailure = 'job stalled more than allowable limit';
      }
      this.#state.requeue(entry, true);
      stalled.push(entry.id);
    }
    return stalled;
  }

  // ── for operators ──

  async promote(jobId: string): Promise<void> {
    this.#state.requeue(this.#in('delayed', jobId, 'promote'), false);
  }

  async remove(jobId: string): Promise<number> {
    const entry = this.#state.jobs.get(jobId);
    if (entry?.place === 'active' && entry.lockedUntil > steadyNow()) return 0;
    if (entry !== undefined) this.#state.forget(entry);
    return 1;
  }

  async pause(pause: boolean): Promise<void> {
    if (pause) this.#state.meta.set('paused', '1');
    else this.#state.meta.delete('paused');
    this.#state.wakeOne();
  }

  async drain(delayed: boolean): Promise<void> {
    const { places } = this.#state;
    for (const place of [places.waiting, places.prioritized, ...(delayed ? [places.delayed] : [])]) {
      for (const entry of place.walk(true)) this.#state.forget(entry);
    }
  }

  async obliterate({ force }: { force: boolean; count: number }): Promise<number> {
    if (!force && this.#state.places.active.size > 0) throw new Error('Cannot obliterate queue with active jobs');
    for (const entry of this.#state.jobs.values()) this.#state.forget(entry);
    return 0;
  }

  async getJobData(jobId: string): Promise<JobJson | undefined> {
    const json = this.#state.jobs.get(jobId)?.json;
    return json === undefined ? undefined : { ...json };
  }

  async getState(jobId: string): Promise<JobState | 'unknown'> {
    return this.#state.jobs.get(jobId)?.place ?? 'unknown';
  }

  async getCounts(types: JobType[], before = Infinity): Promise<number[]> {
    return types.map((type) => {
      const place = placeOf(type);
      if (place !== 'delayed' || before === Infinity) return place === undefined ? 0 : this.#state.places[place].size;
      let count = 0;
      for (const entry of this.#state.places.delayed.walk(true)) count += entry.rank < before ? 1 : 0;
      return count;
    });
  }

  async getRanges(types: JobType[], start = 0, end = -1, ascending = false): Promise<[string][]> {
    const ranges = types.map((type) => {
      const place = placeOf(type);
      const ids = place === undefined ? [] : this.#state.range(place, [start, end], ascending);
      // BullMQ turns ascending ranges of these two round once more, as Redis keeps the newest of a list in front.
      return ascending && (place === 'waiting' || place === 'active') ? ids.toReversed() : ids;
    });
    return ranges as [string][]; // Declared so in BullMQ; what it means is string[][].
  }

  async isMaxed(): Promise<boolean> {
    return false;
  }

  async getRateLimitTtl(): Promise<number> {
    return 0;
  }

  // ── queue metadata ──

  async setQueueMeta(values: Record<string, string | number>): Promise<number> {
    for (const [field, value] of Object.entries(values)) {
      if (field === 'concurrency' || field === 'max') throw new Error(`not supported by the embedded queue: ${field}`);
      this.#state.meta.set(field, String(value));
    }
    return Object.keys(values).length;
  }

  async getQueueMetaField(field: string): Promise<string | null> {
    return this.#state.meta.get(field) ?? null;
  }

  async getQueueMeta(): Promise<Record<string, string>> {
    return Object.fromEntries(this.#state.meta);
  }

  async hasQueueMetaField(field: string): Promise<boolean> {
    return this.#state.meta.has(field);
  }

  // ── inside ──

  #add(job: JobJson, jobId: string): string {
    if (this.#disconnected) throw new Error(CLOSED);
    const odd = job.parentKey ?? job.repeatJobKey ?? job.deduplicationId;
    if (odd !== undefined) throw new Error('not supported by the embedded queue: parent, repeat or deduplication');
    return this.#state.add(job, jobId);
  }

  #claim(token: string, name: string | undefined): Claim {
    if (!this.#disconnected) return this.#state.claim(token, this.#lockMs, name);
    this.#state.wakeOne(); // This one was woken and will not take the job: another may.
    return [null, '', 0, 0];
  }

  #claimUnlessClosing(token: string): Claim | undefined {
    return this.closing === undefined ? this.#claim(token, this.#settings.name) : undefined;
  }

  #finish(entry: Entry, place: 'completed' | 'failed', keep: Keep, nextToken: string): Finish {
    const finishedOn = Date.now();
    entry.json.finishedOn = finishedOn;
    entry.json.attemptsMade += 1;
    if (keep.count === 0) this.#state.forget(entry);
    else this.#keep(entry, place, keep);
    return { result: nextToken === '' ? undefined : this.#claimUnlessClosing(nextToken), finishedOn };
  }

  /** Lists a finished job, and forgets the oldest ones beyond what is kept. */
  #keep(entry: Entry, place: 'completed' | 'failed', keep: Keep): void {
    this.#state.finish(entry, place);
    const kept = this.#state.places[place];
    for (const old of kept.walk(true)) {
      if (kept.size <= keep.count && (old.json.finishedOn ?? 0) >= Date.now() - keep.ageMs) return;
      this.#state.forget(old);
    }
  }

  #known(jobId: string, command: string): Entry {
    const entry = this.#state.jobs.get(jobId);
    if (entry === undefined) throw refusal(ErrorCode.JobNotExist, `Missing key for job ${jobId}. ${command}`);
    return entry;
  }

  #in(place: Place, jobId: string, command: string): Entry {
    const entry = this.#known(jobId, command);
    if (entry.place === place) return entry;
    throw refusal(ErrorCode.JobNotInState, `Job ${jobId} is not in the ${place} state. ${command}`);
  }

  /** The active job whose lock `token` holds (no token: any active job). Throws what Redis would answer otherwise. */
  #held(jobId: string | undefined, token: string | undefined, command: string): Entry {
    if (this.#disconnected) throw new Error(CLOSED);
    const entry = this.#known(jobId ?? '', command);
    if (token !== undefined && token !== '0') {
      if (entry.token === '') throw refusal(ErrorCode.JobLockNotExist, `Missing lock for job ${entry.id}. ${command}`);
      if (entry.token !== token) {
        throw refusal(ErrorCode.JobLockMismatch, `Lock mismatch for job ${entry.id}. Cmd ${command} from active`);
      }
    }
    return this.#in('active', entry.id, command);
  }
}

/** How many finished jobs to keep, and for how long. */
interface Keep {
  readonly count: number;
  readonly ageMs: number;
}

function keepOf(ofJob: JobsOptions['removeOnFail'], ofWorker: KeepJobs | undefined): Keep {
  const keep = ofJob ?? ofWorker ?? false;
  if (typeof keep === 'boolean') return { count: keep ? 0 : Infinity, ageMs: Infinity };
  if (typeof keep === 'number') return { count: keep < 0 ? Infinity : keep, ageMs: Infinity };
  const count = keep.count ?? Infinity;
  return { count: count < 0 ? Infinity : count, ageMs: 'age' in keep ? keep.age * 1000 : Infinity };
}

function placeOf(type: JobType): Place | undefined {
  switch (type) {
    case 'wait':
      return 'waiting';
    case 'repeat':
    case 'waiting-children':
      return undefined;
    case 'waiting':
    case 'prioritized':
    case 'delayed':
    case 'active':
    case 'completed':
    case 'failed':
      return type;
    default:
      return type satisfies never;
  }
}

/** The fields BullMQ updates at the end of a failed attempt. */
function update(json: JobJson, fields: Record<string, unknown> | undefined): void {
  if (typeof fields?.['failedReason'] === 'string') json.failedReason = fields['failedReason'];
  if (typeof fields?.['stacktrace'] === 'string') json.stacktrace = fields['stacktrace'];
}

/** An error with the code BullMQ's callers branch on. */
function refusal(code: number, message: string): Error {
  return Object.assign(new Error(message), { code });
}
