// One jailed child, host side: start, feed, read strictly, bound in time and memory from outside, kill for certain.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { once } from 'node:events';
import { LIMITS } from '../message/limits.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { forLog } from '../message/untrusted.ts';
import { REASONS, type Reason } from '../message/part.ts';
import { EXIT } from './exit-codes.ts';
import type { Family } from './families.ts';
import { jailCommand } from './jail.ts';
import { FRAME, FieldReader, FrameReader, WireError, bytesFrame, fieldsFrame, type Frame } from './wire.ts';

/** What is asked of a child for one input. */
export interface ChildRequest {
  readonly operation: number;
  readonly dpi: number;
  readonly maxPages: number;
  readonly declaredType: string;
  readonly name: string;
  readonly password: string;
}

/** How an input ended. `failed` means the child is gone; its output so far must not be used unless it stands by itself. */
export type ChildOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly reason: Reason; readonly detail: string }
  | { readonly kind: 'failed'; readonly reason: Reason; readonly detail: string };

/** Takes the frames of one input in order; throws a `WireError` for anything its grammar does not allow. */
export type FrameSink = (frame: Frame) => void | Promise<void>;

/** Deadline: milliseconds without which the child is killed; `touch` restarts it where progress was proven. */
export interface Bounds {
  readonly deadlineMs: number;
  /** Milliseconds for the whole input, however often `touch` is called. */
  readonly totalMs: number;
  readonly signal: AbortSignal;
}

interface Job {
  readonly sink: FrameSink;
  readonly settle: (outcome: ChildOutcome) => void;
}

/** Told of each child that had to be killed: family name and cause. */
export type OnKill = (family: string, cause: string) => void;

/** A running child. Takes one input at a time; after anything odd it is dead and says so in `usable`. */
export class JailedChild {
  readonly family: Family;
  /** What parses in there, as the child says it: name and version. */
  engine = '';
  readonly #process: ChildProcess;
  readonly #stdin: Writable;
  readonly #stdout: Readable;
  readonly #onKill: OnKill;
  readonly #closed: Promise<void>;
  #stderr = '';
  #job: Job | undefined;
  #dead = false;
  #cause: { reason: Reason; detail: string } | undefined;
  #inputs = 0;
  #timer: NodeJS.Timeout | undefined;
  #deadline = Number.POSITIVE_INFINITY;
  #ready: (() => void) | undefined;

  private constructor(family: Family, onKill: OnKill) {
    this.family = family;
    this.#onKill = onKill;
    const jail = jailCommand(family);
    this.#process = spawn(jail.command, jail.args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {},
      cwd: '/',
      detached: true,
    });
    const { stdin, stdout, stderr } = this.#process;
    if (stdin === null || stdout === null || stderr === null)
      throw new MugaiError('child-failed', 'child has no pipes');
    this.#stdin = stdin;
    this.#stdout = stdout;
    stdin.on('error', (error) => this.#die('converter-failed', reasonOf(error)));
    stderr.on('data', (chunk: Buffer) => {
      if (this.#stderr.length < LIMITS.stderrBytes) this.#stderr += chunk.toString('latin1');
    });
    this.#closed = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        this.#die('converter-failed', reasonOf(error));
        resolve();
      });
      this.#process.once('close', (code, signal) => {
        this.#gone(code, signal);
        resolve();
      });
    });
    this.#pump().catch((error: unknown) => this.#die('converter-failed', `odd frame: ${reasonOf(error)}`));
  }

  /** Starts a child and waits until it is ready. */
  static async start(family: Family, onKill: OnKill): Promise<JailedChild> {
    const child = new JailedChild(family, onKill);
    const timer = setTimeout(() => child.#die('timeout', 'did not start'), LIMITS.startMs);
    const ready = new Promise<void>((resolve) => (child.#ready = resolve));
    try {
      await Promise.race([ready, child.#closed]);
    } finally {
      clearTimeout(timer);
    }
    if (child.#dead) {
      const why = child.#cause?.detail ?? 'ended';
      throw new MugaiError(
        'child-failed',
        `${family.name} child did not start: ${why} ${forLog(child.#stderr)}`.trim(),
      );
    }
    return child;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** True when the child may take another input. */
  get usable(): boolean {
    return !this.#dead && this.#job === undefined && this.#inputs < this.family.inputsPerChild;
  }

  /** The start of what the child wrote to stderr, cleaned, for the log. */
  get stderr(): string {
    return forLog(this.#stderr);
  }

  /** Restarts the deadline of the current input: `ms` from now. The total of `Bounds` stays. */
  touch(ms: number): void {
    this.#deadline = Math.min(performance.now() + ms, this.#total);
  }
  #total = Number.POSITIVE_INFINITY;

  /** Feeds one input and gives its frames to `sink`. Never throws for what the child does: the outcome says it. */
  async run(
    request: ChildRequest,
    input: Uint8Array | AsyncIterable<Uint8Array>,
    sink: FrameSink,
    bounds: Bounds,
  ): Promise<ChildOutcome> {
    if (!this.usable) throw new MugaiError('child-failed', 'child taken twice');
    this.#inputs += 1;
    const outcome = new Promise<ChildOutcome>((settle) => (this.#job = { sink, settle }));
    this.#total = performance.now() + bounds.totalMs;
    this.touch(bounds.deadlineMs);
    this.#timer = setInterval(() => void this.#watch(), LIMITS.memoryPollMs);
    const onAbort = (): void => this.#die('timeout', 'stopped by the host');
    bounds.signal.addEventListener('abort', onAbort, { once: true });
    if (bounds.signal.aborted) onAbort();
    try {
      await this.#feed(request, input);
      return await outcome;
    } catch (error) {
      // The input itself could not be read (disk): the child waits for bytes that will not come.
      this.#die('converter-failed', 'input could not be read');
      await outcome;
      throw error;
    } finally {
      bounds.signal.removeEventListener('abort', onAbort);
      clearInterval(this.#timer);
    }
  }

  /** Ends the child: politely when idle, otherwise SIGKILL for its whole process group. */
  async stop(): Promise<void> {
    if (this.#job !== undefined) this.#die('timeout', 'stopped by the host');
    else this.#stdin.end();
    const timer = setTimeout(() => this.#kill(), 500);
    await this.#closed;
    clearTimeout(timer);
  }

  async #feed(request: ChildRequest, input: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const stdin = this.#stdin;
    stdin.cork(); // a small input goes out in one system call
    stdin.write(
      fieldsFrame(FRAME.open, [
        request.operation,
        request.dpi,
        request.maxPages,
        request.declaredType.slice(0, 1000),
        request.name.slice(0, 1000),
        request.password.slice(0, 1000),
      ]),
    );
    const chunks = input instanceof Uint8Array ? [input] : input;
    try {
      for await (const chunk of chunks) {
        for (let at = 0; at < chunk.length; at += LIMITS.frameBytes) {
          if (this.#dead) return; // the outcome says why
          if (this.#job === undefined) return this.#die('converter-failed', 'answered before its input ended');
          const [head, payload] = bytesFrame(FRAME.input, chunk.subarray(at, at + LIMITS.frameBytes));
          stdin.write(head);
          if (stdin.write(payload)) continue;
          while (stdin.writableCorked > 0) stdin.uncork();
          await Promise.race([once(stdin, 'drain'), this.#closed]);
        }
      }
      stdin.write(fieldsFrame(FRAME.inputEnd));
    } finally {
      while (stdin.writableCorked > 0) stdin.uncork();
    }
  }

  async #pump(): Promise<void> {
    const reader = new FrameReader(LIMITS.frameBytes, true);
    for await (const chunk of this.#stdout) {
      for (const frame of reader.push(chunk as Buffer)) {
        if (this.#dead) return;
        const waiting = this.#take(frame);
        if (waiting !== undefined) await waiting;
      }
    }
    if (reader.pending > 0 && !this.#dead) throw new WireError('output cut');
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
    if (frame.type === FRAME.done) {
      new FieldReader(frame.payload).end();
      return this.#settle({ kind: 'done' });
    }
    if (frame.type === FRAME.refuse) {
      const fields = new FieldReader(frame.payload);
      const said = fields.text(100);
      const reason = REASONS.find((known) => known === said);
      const detail = forLog(fields.text(4000));
      fields.end();
      return this.#settle({ kind: 'refused', reason: reason ?? 'converter-failed', detail });
    }
    return job.sink(frame);
  }

  #settle(outcome: ChildOutcome): void {
    const job = this.#job;
    this.#job = undefined;
    job?.settle(outcome);
  }

  async #watch(): Promise<void> {
    if (this.#dead) return;
    if (performance.now() > this.#deadline) return this.#die('timeout', 'over its time');
    const resident = await residentBytes(this.pid);
    if (resident > this.family.rssLimit) this.#die('out-of-memory', `resident ${Math.round(resident / 1048576)} MiB`);
  }

  #die(reason: Reason, detail: string): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#cause = { reason, detail };
    this.#onKill(this.family.name, reason);
    this.#kill();
  }

  #kill(): void {
    const pid = this.pid;
    if (pid === undefined || this.#process.exitCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL'); // the group: the child leads its own session
    } catch {
      this.#process.kill('SIGKILL'); // already gone, or its group is: nothing left but the process itself
    }
  }

  #gone(code: number | null, signal: NodeJS.Signals | null): void {
    this.#dead = true;
    const cause =
      this.#cause ??
      ({
        // V8 out of heap aborts; the kernel's killer sends SIGKILL.
        reason: signal === 'SIGABRT' || signal === 'SIGKILL' || code === 134 ? 'out-of-memory' : 'converter-failed',
        detail: signal === null ? `exit ${code === EXIT.failed ? 'failed' : String(code)}` : `ended by ${signal}`,
      } as const);
    this.#cause = cause;
    this.#settle({ kind: 'failed', reason: cause.reason, detail: `${cause.detail} ${this.stderr}`.trim() });
  }
}

/** Resident bytes of a process; 0 when it is gone (its end is reported elsewhere). */
async function residentBytes(pid: number | undefined): Promise<number> {
  if (pid === undefined) return 0;
  try {
    const statm = await readFile(`/proc/${pid}/statm`, 'latin1');
    return Number(statm.split(' ')[1] ?? 0) * 4096;
  } catch {
    return 0;
  }
}
