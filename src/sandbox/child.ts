// One jailed child, host side: fed one input at a time, read strictly, bound in time and memory from outside.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { LIMITS } from '../message/limits.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { forLog } from '../message/untrusted.ts';
import { REASONS, type Reason } from '../message/part.ts';
import type { Family } from './families.ts';
import type { Walls } from './jail.ts';
import { JailedProcess, type End } from './jailed-process.ts';
import { machineJail } from './probe.ts';
import { FRAME, FieldReader, FrameReader, WireError, bytesFrame, fieldsFrame, isOnOrder, type Frame } from './wire.ts';

/** Letters of the passwords that one document may have: ten of the longest that a mail names. The child reads 4,096 bytes of them. */
const PASSWORD_LETTERS = 1300;

/** What is asked of a child for one input. */
export interface ChildRequest {
  readonly operation: number;
  readonly dpi: number;
  readonly maxPages: number;
  readonly declaredType: string;
  readonly name: string;
  readonly password: string;
}

/**
 * How an input ended. `failed` means the child is gone; its output so far must not be used unless it stands by itself.
 * `spoilt`: it had inputs before, failed of itself and gave nothing of this one, so that an earlier input may be to blame.
 * `outside`: it was killed, and not by us: by the kernel on a machine short of memory, or by a person. Says nothing of the input.
 * `gave`: something of this input was taken before it ended.
 */
export type ChildOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly reason: Reason; readonly detail: string }
  | {
      readonly kind: 'failed';
      readonly reason: Reason;
      readonly detail: string;
      readonly spoilt: boolean;
      readonly outside?: boolean;
      readonly gave?: boolean;
    };

/** Takes the frames of one input in order; throws a `WireError` for anything its grammar does not allow. */
export type FrameSink = (frame: Frame) => void | Promise<void>;

/** Deadline: milliseconds without which the child is killed; `touch` restarts it where progress was proven. */
export interface Bounds {
  readonly deadlineMs: number;
  /** Milliseconds for the whole input; a `touch` may add to it. */
  readonly totalMs: number;
  /** Called when the child says that it is done; throws a `WireError` when what it sent is no whole. */
  readonly whole?: () => void;
  readonly signal: AbortSignal;
}

interface Job {
  readonly sink: FrameSink;
  readonly whole: (() => void) | undefined;
  readonly settle: (outcome: ChildOutcome) => void;
  /** Frames that the sink took. */
  frames: number;
  /** What its beginning must say. */
  readonly number: number;
  /** The child has reached it. */
  begun: boolean;
  /** The whole input was written. */
  fed: boolean;
  /** Whether its pages are drawn on order, and whether orders may still follow. */
  orders: 'none' | 'open' | 'enough';
}

/** Told of each child that had to be killed: family name and cause. */
export type OnKill = (family: string, cause: string) => void;

/** A running child. Takes one input at a time; after anything odd it is dead and says so in `usable`. */
export class JailedChild {
  readonly family: Family;
  /** What parses in there, as the child says it: name and version. */
  engine = '';
  readonly #process: JailedProcess;
  readonly #onKill: OnKill;
  #job: Job | undefined;
  #dead = false;
  #cause: { reason: Reason; detail: string } | undefined;
  #inputs = 0;
  #busyMs = 0;
  /** What failed on our side while it took this child's frames. */
  #hostFault: unknown;
  /** The frame that a sink is at: an input is over when its sink is. */
  #taking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #deadline = Number.POSITIVE_INFINITY;
  #ready: (() => void) | undefined;

  private constructor(family: Family, onKill: OnKill, walls: Walls) {
    this.family = family;
    this.#onKill = onKill;
    this.#process = new JailedProcess(family, walls, {
      fault: (detail, reason = 'converter-failed') => this.#die(reason, detail),
      ended: (end) => this.#gone(end),
    });
    this.#watch();
    this.#pump().catch((error: unknown) => this.#die('converter-failed', `odd frame: ${reasonOf(error)}`));
  }

  /**
   * Starts a child behind the walls of this machine, or those given, and waits until it is ready. A child that does not
   * start behind them is a `no-child`: it is never tried with fewer.
   */
  static async start(family: Family, onKill: OnKill, walls?: Walls): Promise<JailedChild> {
    const child = new JailedChild(family, onKill, walls ?? (await machineJail()).walls);
    const timer = setTimeout(() => child.#die('timeout', 'did not start'), family.startMs ?? LIMITS.startMs);
    const ready = new Promise<void>((resolve) => (child.#ready = resolve));
    try {
      await Promise.race([Promise.all([ready, child.#process.walled]), child.#process.closed]);
    } finally {
      clearTimeout(timer);
    }
    if (child.#dead) {
      const why = child.#cause?.detail ?? 'ended';
      throw new MugaiError('no-child', `${family.name} child did not start: ${why} ${child.#process.stderr}`.trim());
    }
    return child;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** True when the child may take another input. */
  get usable(): boolean {
    const { inputsPerChild, busyMs } = this.family;
    return !this.#dead && this.#job === undefined && this.#inputs < inputsPerChild && this.#busyMs <= busyMs;
  }

  /** True when the child has had no input yet. */
  get fresh(): boolean {
    return this.#inputs === 0;
  }

  /** The start of what the child wrote to stderr, cleaned, for the log. */
  get stderr(): string {
    return this.#process.stderr;
  }

  /**
   * Restarts the deadline of the current input where progress was proven: `ms` from now, within the total of `Bounds`, which
   * grows by `more`.
   */
  touch(ms: number, more = 0): void {
    if (this.#paused !== undefined) this.#total += performance.now() - this.#paused;
    this.#paused = undefined;
    this.#total += more;
    this.#deadline = Math.min(performance.now() + ms, this.#total);
  }
  #total = Number.POSITIVE_INFINITY;

  /** Stops its clocks until the next `touch`: it waits for us. */
  pause(): void {
    this.#paused ??= performance.now();
    this.#deadline = Number.POSITIVE_INFINITY;
  }
  #paused: number | undefined;

  /** Starts its clocks again, where they stand. */
  resume(ms: number): void {
    if (this.#paused !== undefined) this.touch(ms);
  }

  /** Orders a page (from 0) of the current input. A child that asks for orders before it has the input lies. */
  order(index: number): void {
    const job = this.#job;
    if (this.#dead || job === undefined) return; // the outcome says why
    if (job.orders !== 'open') throw new TypeError('orders for an input that takes none');
    if (!job.fed) throw new WireError('pages before its input ended');
    this.#process.stdin.write(fieldsFrame(FRAME.draw, [index]));
  }

  /** No more orders for the current input: the child ends it when it has drawn those it has. */
  enough(): void {
    const job = this.#job;
    if (this.#dead || job?.orders !== 'open') return;
    job.orders = 'enough';
    this.#process.stdin.write(fieldsFrame(FRAME.enough));
  }

  /** Hands over what the DNS said to a question of the current input; nothing: it said nothing. */
  answer(question: number, packet: Uint8Array): void {
    if (this.#dead || this.#job === undefined) return; // it did not wait for it
    const number = Buffer.alloc(4);
    number.writeUInt32BE(question);
    for (const bytes of bytesFrame(FRAME.answer, Buffer.concat([number, packet]))) this.#process.stdin.write(bytes);
  }

  /**
   * Feeds one input and gives its frames to `sink`. Never throws for what the child does: the outcome says it. Throws what
   * the input's source threw, and what the sink threw unless it is a `WireError`: those are faults of ours.
   */
  async run(
    request: ChildRequest,
    input: Uint8Array | AsyncIterable<Uint8Array>,
    sink: FrameSink,
    bounds: Bounds,
  ): Promise<ChildOutcome> {
    if (!this.usable) throw new MugaiError('child-failed', 'child taken twice');
    this.#inputs += 1;
    const { promise: outcome, resolve: settle } = Promise.withResolvers<ChildOutcome>();
    const orders = isOnOrder(request.operation) ? 'open' : 'none';
    const number = randomInt(2 ** 32);
    const job: Job = { sink, whole: bounds.whole, settle, frames: 0, number, begun: false, fed: false, orders };
    this.#job = job;
    const started = performance.now();
    this.#total = started + bounds.totalMs;
    this.#paused = undefined;
    this.touch(bounds.deadlineMs);
    this.#look();
    const onAbort = (): void => this.#die('timeout', 'stopped by the host');
    bounds.signal.addEventListener('abort', onAbort, { once: true });
    if (bounds.signal.aborted) onAbort();
    try {
      await this.#feed(job, request, input);
    } catch (error) {
      // The input itself could not be read (disk): the child waits for bytes that will not come.
      this.#die('converter-failed', 'input could not be read');
      await outcome;
      throw error;
    } finally {
      await outcome;
      await this.#taking;
      bounds.signal.removeEventListener('abort', onAbort);
      this.#busyMs += performance.now() - started;
      this.#deadline = Number.POSITIVE_INFINITY;
    }
    if (this.#hostFault !== undefined) throw this.#hostFault;
    return outcome;
  }

  /** Ends the child and everything it started, at once: it has nothing that is worth a goodbye. */
  async stop(): Promise<void> {
    if (this.#job !== undefined) this.#die('timeout', 'stopped by the host');
    this.#dead = true;
    this.#process.kill();
    await this.#process.closed;
  }

  async #feed(job: Job, request: ChildRequest, input: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const { stdin } = this.#process;
    stdin.cork(); // a small input goes out in one system call
    stdin.write(
      fieldsFrame(FRAME.open, [
        job.number,
        request.operation,
        request.dpi,
        request.maxPages,
        request.declaredType.slice(0, 1000),
        request.name.slice(0, 1000),
        request.password.slice(0, PASSWORD_LETTERS),
      ]),
    );
    const chunks = input instanceof Uint8Array ? [input] : input;
    try {
      for await (const chunk of chunks) {
        for (let at = 0; at < chunk.length; at += LIMITS.frameBytes) {
          if (this.#dead || stdin.destroyed) return; // the outcome says why
          const [head, payload] = bytesFrame(FRAME.input, chunk.subarray(at, at + LIMITS.frameBytes));
          stdin.write(head);
          if (stdin.write(payload)) continue;
          while (stdin.writableCorked > 0) stdin.uncork();
          await Promise.race([once(stdin, 'drain').catch(() => undefined), this.#process.closed]); // broken: said above
        }
      }
      job.fed = true;
      stdin.write(fieldsFrame(FRAME.inputEnd));
    } finally {
      while (stdin.writableCorked > 0) stdin.uncork();
    }
  }

  async #pump(): Promise<void> {
    const reader = new FrameReader(LIMITS.frameBytes, true);
    for await (const chunk of this.#process.stdout) {
      for (const frame of reader.push(chunk as Buffer)) {
        if (this.#dead) return;
        const waiting = this.#take(frame);
        if (waiting === undefined) continue;
        this.#taking = waiting.catch(() => undefined); // told below
        await waiting;
      }
    }
    // A pipe is cut when the child ends: its end says why, and whether we are to blame. One that only closes it is not waited for.
    if (reader.pending > 0 && !this.#dead)
      setTimeout(() => this.#die('converter-failed', 'output cut'), LIMITS.sweepMs).unref();
  }

  #take(frame: Frame): void | Promise<void> {
    const job = this.#job;
    if (job === undefined) {
      if (frame.type !== FRAME.ready || this.#ready === undefined)
        throw new WireError(`frame ${frame.type} without an input`);
      const fields = new FieldReader(frame.payload);
      this.engine = forLog(fields.text(100));
      fields.end();
      this.#ready();
      this.#ready = undefined;
      return undefined;
    }
    if (!job.begun) return this.#begin(job, frame);
    if (frame.type === FRAME.begun) throw new WireError('a beginning twice');
    if ((frame.type === FRAME.done || frame.type === FRAME.refuse) && !job.fed)
      throw new WireError('answered before its input ended');
    if (frame.type === FRAME.done && job.orders === 'open') throw new WireError('done before it was enough');
    if (frame.type === FRAME.refuse) this.enough();
    if (frame.type === FRAME.done) {
      new FieldReader(frame.payload).end();
      this.#mind(job.whole);
      return this.#settle({ kind: 'done' });
    }
    if (frame.type === FRAME.refuse) {
      const fields = new FieldReader(frame.payload);
      const said = fields.text(100);
      const reason = REASONS.find((known) => known === said);
      const detail = forLog(fields.text(4000));
      fields.end();
      if (this.#process.overflowed) return this.#settle({ kind: 'refused', reason: 'out-of-memory', detail });
      return this.#settle({ kind: 'refused', reason: reason ?? 'converter-failed', detail });
    }
    if (job.frames >= LIMITS.frames) throw new WireError('a flood of frames');
    const taken = this.#mind(() => job.sink(frame));
    job.frames += 1;
    return taken?.catch((error: unknown) => this.#blame(error));
  }

  /** Words of an earlier input that come late must not become this one's. */
  #begin(job: Job, frame: Frame): void {
    if (frame.type !== FRAME.begun) throw new WireError(`frame ${frame.type} before the beginning`);
    const fields = new FieldReader(frame.payload);
    if (fields.u32() !== job.number) throw new WireError('the beginning of another input');
    fields.end();
    job.begun = true;
  }

  #mind<T>(act: (() => T) | undefined): T | undefined {
    try {
      return act?.();
    } catch (error) {
      return this.#blame(error);
    }
  }

  /** A `WireError` is the child's fault; whatever else a sink throws is ours, and `run` throws it. */
  #blame(error: unknown): never {
    if (!(error instanceof WireError)) this.#hostFault = error;
    throw error;
  }

  #settle(outcome: ChildOutcome): void {
    const job = this.#job;
    this.#job = undefined;
    job?.settle(outcome);
  }

  /** Looks at time and memory now and, for as long as the child lives, again and again. */
  #watch(): void {
    if (this.#dead) return;
    if (performance.now() > this.#deadline) return this.#die('timeout', 'over its time');
    const { resident } = this.#process;
    if (resident > this.family.rssLimit)
      return this.#die('out-of-memory', `resident ${Math.round(resident / 1048576)} MiB`);
    this.#look();
  }

  /** Sets the next look: soon while there is an input, seldom while there is none. */
  #look(): void {
    clearTimeout(this.#timer);
    const ms = this.#job === undefined ? LIMITS.idlePollMs : LIMITS.memoryPollMs;
    this.#timer = setTimeout(() => this.#watch(), ms);
    this.#timer.unref();
  }

  #die(reason: Reason, detail: string): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#cause = { reason, detail };
    this.#onKill(this.family.name, reason);
    this.#process.kill();
  }

  #gone(end: End): void {
    this.#dead = true;
    clearTimeout(this.#timer);
    const itself = this.#cause === undefined;
    const outside = itself && end.outside;
    this.#cause ??= end;
    const { reason, detail } = this.#cause;
    const gave = this.#job !== undefined && this.#job.frames > 0;
    // An abort of its own reads as memory that ran out: that, too, may be what an earlier input left behind.
    const failed = reason === 'converter-failed' || (reason === 'out-of-memory' && itself && !outside);
    const spoilt = failed && this.#inputs > 1 && !gave;
    this.#settle({ kind: 'failed', reason, detail: `${detail} ${this.stderr}`.trim(), spoilt, outside, gave });
  }
}
