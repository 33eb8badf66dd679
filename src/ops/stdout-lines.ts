// Lines for stdout. What it does not take never holds the work up: a reader that is slow finds its lines waiting (up to a bound),
// a full disk or a reader that is gone loses them, and how many is counted and told when it goes on.
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { reasonOf } from '../message/errors.ts';

/** Bytes that wait for a reader that is slow. */
const WAITING_MOST = 4 * 1024 * 1024;
const RETRY_MS = 50;
/** Milliseconds the end of the process waits for a reader that is slow. */
const END_MOST_MS = 1000;

interface Line {
  readonly bytes: Buffer;
  /** Lines that are lost when this one is: one that tells of a gap stands for those in it. */
  readonly stands: number;
  readonly counts: boolean;
}

export interface LinesTo {
  /** Writes what there is room for and says how many bytes that was; throws `EAGAIN` where there is none at the moment. */
  write(bytes: Buffer): number;
  /** Hears once why lines are lost, until it goes on. */
  tell(why: string): void;
}

/** A destination of pino on stdout: written at once, some 10 µs a line, so that nothing is under way when the process ends. */
export class StdoutLines {
  readonly #role: string;
  readonly #to: LinesTo;
  #waiting: Line[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #failing = false;
  /** A part of the first waiting line is written. */
  #begun = false;
  #rest: Buffer = Buffer.alloc(0);
  /** The last line written was left without its end. */
  #torn = false;
  #retry: NodeJS.Timeout | undefined;
  /** Counts what became of each line. */
  onLine: ((outcome: 'written' | 'dropped') => void) | undefined;

  constructor(role: string, to: LinesTo = STDOUT) {
    this.#role = role;
    this.#to = to;
  }

  write(json: string): void {
    const bytes = Buffer.from(json, 'utf8');
    if (this.#waitingBytes + bytes.length > WAITING_MOST) {
      this.#lost += 1;
      this.onLine?.('dropped');
      return;
    }
    if (this.#lost > 0 && this.#retry === undefined) this.#wait(this.#gap());
    this.#wait({ bytes, stands: 1, counts: true });
    if (this.#retry === undefined) this.#flush();
  }

  #wait(line: Line): void {
    this.#waiting.push(line);
    this.#waitingBytes += line.bytes.length;
  }

  #gap(): Line {
    const head = { level: 'error', time: new Date().toISOString(), role: this.#role, pid: process.pid };
    const told = JSON.stringify({ ...head, msg: 'log lines were lost: stdout did not take them', count: this.#lost });
    const gap = { bytes: Buffer.from(`${told}\n`, 'utf8'), stands: this.#lost, counts: false };
    this.#lost = 0;
    return gap;
  }

  #flush(): void {
    let done = 0;
    try {
      for (const line of this.#waiting) {
        this.#put(line.bytes);
        done += 1;
        this.#waitingBytes -= line.bytes.length;
        this.#failing = false;
        if (line.counts) this.onLine?.('written');
      }
      this.#waiting = [];
    } catch (error) {
      this.#waiting.splice(0, done);
      if (busy(error)) this.#later();
      else this.#lose(error);
    }
  }

  /** Writes one line whole, or throws; what is left of it then waits as the first. */
  #put(bytes: Buffer): void {
    let left = this.#torn && !this.#begun ? Buffer.concat([NEW_LINE, bytes]) : bytes;
    if (this.#begun) left = this.#rest;
    while (left.length > 0) {
      this.#rest = left;
      left = left.subarray(this.#to.write(left));
      this.#begun = left.length > 0;
      this.#torn = this.#begun;
    }
  }

  #later(): void {
    if (this.#retry === undefined) process.once('exit', this.#atExit);
    this.#retry = setTimeout(() => this.#again(), RETRY_MS);
    this.#retry.unref();
  }

  #again(): void {
    process.off('exit', this.#atExit);
    this.#retry = undefined;
    if (this.#waiting.length > 0) this.#flush();
    if (this.#retry !== undefined || this.#lost === 0 || this.#failing) return;
    this.#wait(this.#gap());
    this.#flush();
  }

  /** The rest, while the reader takes some of it. */
  readonly #atExit = (): void => {
    const until = performance.now() + END_MOST_MS;
    while (this.#waiting.length > 0 && performance.now() < until) {
      clearTimeout(this.#retry);
      this.#again();
      if (this.#waiting.length > 0) Atomics.wait(PAUSE, 0, 0, 5);
    }
  };

  #lose(error: unknown): void {
    for (const line of this.#waiting) {
      this.#lost += line.stands;
      if (line.counts) this.onLine?.('dropped');
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#begun = false;
    if (!this.#failing) this.#to.tell(reasonOf(error));
    this.#failing = true;
  }
}

const NEW_LINE = Buffer.from('\n');
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

const STDOUT: LinesTo = {
  write: (bytes) => {
    // A pipe never blocks once Node has opened it as its stdout.
    if (isMainThread) void process.stdout;
    return writeSync(1, bytes);
  },
  tell: (why) => {
    try {
      writeSync(2, `mugai: the log cannot be written to stdout: ${why}\n`);
    } catch {
      return; // stderr takes nothing either; the lines are counted all the same
    }
  },
};

function busy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}
