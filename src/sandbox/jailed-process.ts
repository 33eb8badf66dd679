// The process of a jailed child: started behind its walls, its memory and stderr watched from outside, killed as a tree, and told
// of when it ends.
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import type { Reason } from '../message/part.ts';
import { forLog } from '../message/untrusted.ts';
import { EXIT } from './exit-codes.ts';
import { groupLimit, type Family } from './families.ts';
import { jailCommand, type Walls } from './jail.ts';
import { MemoryGroup } from './memory-group.ts';
import { killTree, residentBytes } from './process-tree.ts';

/** Why a child ended that nobody of us killed. */
export interface End {
  readonly reason: Reason;
  readonly detail: string;
  /** It was killed by the kernel on a machine short of memory, or by a person: says nothing of its input. */
  readonly outside: boolean;
}

/** Who is told. */
export interface ProcessEvents {
  /** Something is wrong with it: it is of no more use. */
  readonly fault: (detail: string, reason?: Reason) => void;
  /** It has ended, and its pipes are closed. */
  readonly ended: (end: End) => void;
}

/** A running process with three pipes, its input, output and stderr. */
export class JailedProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** All its walls stand; what it is given before is not read. Never throws: a wall that does not stand is a fault. */
  readonly walled: Promise<void>;
  readonly closed: Promise<void>;
  readonly #process: ChildProcess;
  readonly #events: ProcessEvents;
  readonly #group: MemoryGroup | undefined;
  #stderr = '';
  #stderrBytes = 0;
  /** It has ended and its pipes are closed: its number may be another's by now. */
  #over = false;

  /** Throws `no-child` where there are no more descriptors, processes or memory groups. */
  constructor(family: Family, walls: Walls, events: ProcessEvents) {
    this.#events = events;
    const { command, args, filter, user } = jailCommand(family, walls);
    this.#group = groupOf(family, walls);
    try {
      this.#process = spawn(command, args, {
        stdio: ['pipe', 'pipe', 'pipe', ...(filter === undefined ? [] : (['pipe'] as const))],
        env: {},
        cwd: '/',
        detached: true,
        ...user,
      });
    } catch (error) {
      this.#group?.remove(); // a machine short of memory
      throw new MugaiError('no-child', `${family.name} child cannot be started: ${reasonOf(error)}`);
    }
    // No more descriptors, or processes: there are no pipes then, and the reason comes as an event.
    const pipes: Partial<Pick<ChildProcess, 'stdin' | 'stdout' | 'stderr'>> = this.#process;
    const { stdin, stdout, stderr } = pipes;
    if (!stdin || !stdout || !stderr) {
      this.#process.once('error', () => undefined);
      this.#group?.remove();
      throw new MugaiError('no-child', `${family.name} child has no pipes: too many open files or processes?`);
    }
    this.stdin = stdin;
    this.stdout = stdout;
    // A pipe breaks when the child ends: its end says why. One that only closes its input is not waited for.
    stdin.on('error', () => {
      setTimeout(() => events.fault('closed its input'), LIMITS.sweepMs).unref();
    });
    stderr.on('data', (chunk: Buffer) => this.#hear(chunk));
    this.closed = new Promise((resolve) => {
      this.#process.once('error', (error) => {
        events.fault(reasonOf(error));
        this.#gone(null, null);
        resolve();
      });
      this.#process.once('exit', () => this.#sweep());
      this.#process.once('close', (code, signal) => {
        this.#gone(code, signal);
        resolve();
      });
    });
    this.walled = this.#wall(filter);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The start of what it wrote to stderr, cleaned, for the log. */
  get stderr(): string {
    return forLog(this.#stderr);
  }

  /** Resident bytes of all its processes. */
  get resident(): number {
    return this.pid === undefined ? 0 : residentBytes(this.pid);
  }

  /** The kernel had no more memory for it and killed something of it. */
  get overflowed(): boolean {
    return this.#group?.overflowed === true;
  }

  /** Kills all of it: behind bubblewrap its process 1, too, and with that one every process inside. */
  kill(): void {
    const { pid } = this;
    if (pid === undefined || this.#over) return;
    try {
      if (this.#process.exitCode === null && this.#process.signalCode === null) killTree(pid);
      else process.kill(-pid, 'SIGKILL'); // the child led its own session
    } catch {
      this.#process.kill('SIGKILL'); // the group is gone: nothing left but, at most, the process itself
    }
  }

  /** bubblewrap starts nothing before it has the whole filter: until then the tree is small, and all of it is taken in. */
  async #wall(filter: Buffer | undefined): Promise<void> {
    const channel = this.#process.stdio[3] as Writable | undefined;
    channel?.on('error', (error) => this.#events.fault(`no system-call filter: ${reasonOf(error)}`));
    try {
      if (this.pid !== undefined) await this.#group?.take(this.pid);
      channel?.end(filter);
    } catch (error) {
      this.#events.fault(`no memory group: ${reasonOf(error)}`);
    }
  }

  /** Keeps the start of stderr; a child that goes on and on is at fault. */
  #hear(chunk: Buffer): void {
    if (this.#stderr.length < LIMITS.stderrBytes) this.#stderr += chunk.toString('latin1', 0, LIMITS.stderrBytes);
    this.#stderrBytes += chunk.length;
    if (this.#stderrBytes > LIMITS.stderrMost) this.#events.fault('a flood on stderr');
  }

  /** It has ended; what it left behind in its group goes too, and must not hold the pipes open. */
  #sweep(): void {
    this.kill();
    setTimeout(() => this.#process.stdio.forEach((stream) => stream?.destroy()), LIMITS.sweepMs).unref();
  }

  #gone(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#over) return;
    this.#over = true;
    if (this.overflowed) this.#events.fault('its memory group was full', 'out-of-memory');
    this.#events.ended(endOf(code, signal ?? signalOf(code)));
    this.#group?.remove();
  }
}

function groupOf(family: Family, { memory }: Walls): MemoryGroup | undefined {
  try {
    return memory === undefined ? undefined : new MemoryGroup(memory, groupLimit(family));
  } catch (error) {
    throw new MugaiError('no-child', `${family.name} child has no memory group: ${reasonOf(error)}`);
  }
}

/** bubblewrap and shells tell a signal as 128 + its number. */
function signalOf(code: number | null): string | undefined {
  if (code === null || code <= 128) return undefined;
  return Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
}

function endOf(code: number | null, signal: string | undefined): End {
  const outside = signal === 'SIGKILL';
  if (code === EXIT.memory) return { reason: 'out-of-memory', detail: 'no more memory', outside };
  if (signal === undefined)
    return { reason: 'converter-failed', detail: `exit ${code === EXIT.failed ? 'failed' : String(code)}`, outside };
  const detail = `ended by ${signal}`;
  if (signal === 'SIGXCPU') return { reason: 'timeout', detail, outside };
  // V8 out of heap aborts; the kernel's killer sends SIGKILL.
  return { reason: signal === 'SIGABRT' || outside ? 'out-of-memory' : 'converter-failed', detail, outside };
}
