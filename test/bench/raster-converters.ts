// What the raster bench measures: our own road and other programs, each as something that converts a PDF and says what it took.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../../src/message/limits.ts';
import { threadsCpuMs } from './cpu.ts';

const run = promisify(execFile);
const PEER_MS = 600_000;
/** Milliseconds in which a process brings what it still has to do to an end: collecting, compiling. */
const SETTLE_MS = 30;
/** The Python that has PyMuPDF. */
const PYTHON = process.env['MUGAI_BENCH_PYTHON'] ?? '/usr/bin/python3';

export interface Answer {
  readonly ms: number;
  readonly pages: number;
  readonly bytes: number;
  /** Milliseconds until the first page was made, where the program says so. */
  readonly first?: number | null;
  readonly error?: string;
}

export interface Result extends Answer {
  /** CPU milliseconds of all its processes. */
  readonly cpuMs: number;
}

export type Cores = '0' | '0,1';

/** Something that converts a PDF and says how long it took. */
export interface Converter {
  /** `keep`: where the PDF that it makes is wanted. What fails is said in the answer. */
  convert(path: string, keep?: string): Promise<Result>;
  /** The process whose tree is at work. */
  readonly pid: number;
  stop(): void;
}

/** Another program: its name in the lines, and how it is started; undefined where it is not installed. */
export interface Peer {
  readonly name: string;
  readonly start: ((cores: Cores) => Converter) | undefined;
}

/** A warm process that reads paths and answers lines; one that ended is started again. */
class LineServer implements Converter {
  readonly #start: () => ChildProcess;
  #process: ChildProcess | undefined;
  #lines: AsyncIterator<string> | undefined;

  constructor(command: string, args: readonly string[], cores: Cores) {
    this.#start = () =>
      spawn('taskset', ['-c', cores, command, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }).on(
        'error',
        () => undefined, // the answer that does not come says it
      );
    this.#open();
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  #open(): { readonly process: ChildProcess; readonly lines: AsyncIterator<string> } {
    const process = (this.#process ??= this.#start());
    if (process.stdout === null || process.stdin === null) throw new Error('no pipe');
    if (this.#lines === undefined) {
      process.stdin.on('error', () => undefined); // it ended: told by the answer that does not come
      this.#lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    }
    return { process, lines: this.#lines };
  }

  /** One document at a time, or the CPU time is that of others, too. */
  async convert(path: string, keep = ''): Promise<Result> {
    const { process, lines } = this.#open();
    const before = threadsCpuMs(this.pid);
    const started = performance.now();
    process.stdin?.write(`${path}\t${keep}\n`);
    const next = await lines.next();
    if (next.done === true) {
      this.stop();
      return { ms: performance.now() - started, cpuMs: 0, pages: 0, bytes: 0, error: 'the converter ended' };
    }
    await sleep(SETTLE_MS);
    return { ...(JSON.parse(next.value) as Answer), cpuMs: threadsCpuMs(this.pid) - before };
  }

  stop(): void {
    this.#process?.stdin?.end();
    this.#process = undefined;
    this.#lines = undefined;
  }
}

type Steps = (path: string, folder: string) => readonly (readonly string[])[];

/** Commands of one process per document. */
class Commands implements Converter {
  readonly #folder: string;
  readonly #steps: Steps;
  readonly #cores: Cores;
  pid = 0;

  constructor(folder: string, cores: Cores, steps: Steps) {
    this.#folder = folder;
    this.#cores = cores;
    this.#steps = steps;
  }

  async convert(path: string, keep = ''): Promise<Result> {
    const work = await mkdtemp(join(this.#folder, 'peer-'));
    const started = performance.now();
    let cpuMs = 0;
    try {
      for (const step of this.#steps(path, work)) cpuMs += await this.#step(step);
      const ms = performance.now() - started;
      const made = join(work, 'out.pdf');
      const { size } = await stat(made);
      if (keep !== '') await copyFile(made, keep);
      return { ms, cpuMs, pages: 1, bytes: size };
    } catch (error) {
      return { ms: performance.now() - started, cpuMs, pages: 0, bytes: 0, error: String(error).slice(0, 80) };
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }

  /** CPU milliseconds of one command. The shell only expands the names of the pages, and tells them as the last of its stderr. */
  async #step(step: readonly string[]): Promise<number> {
    const timed = `TIMEFORMAT='%3U %3S'; time ${step.join(' ')}`;
    const options = { timeout: PEER_MS, maxBuffer: 1e8 };
    const running = run('taskset', ['-c', this.#cores, 'bash', '-c', timed], options);
    this.pid = running.child.pid ?? 0;
    const seconds = (await running).stderr.trim().split('\n').at(-1)?.split(' ') ?? [];
    return seconds.reduce((sum, one) => sum + Number(one) * 1000, 0);
  }

  stop(): void {
    this.pid = 0;
  }
}

const own = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const quote = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;

/** How our own side is run: `dpi` 0 is what the policy says unless it says more. */
export interface Ours {
  readonly cores?: Cores;
  readonly children?: number;
  readonly dpi?: number;
  /** Pages of long documents are sealed one by one, too. */
  readonly live?: boolean;
}

let started = 0;

/** Starts our own side, with a folder of its own in this one. */
export function startOurs(
  folder: string,
  { cores = '0', children = 1, dpi = LIMITS.dpi, live = false }: Ours = {},
): Converter {
  const settings = JSON.stringify({ children, dpi, live });
  return new LineServer(process.execPath, [own('raster-ours.ts'), join(folder, `ours-${++started}`), settings], cores);
}

/** The programs beside ours, in the order of the lines. */
export async function findPeers(folder: string): Promise<Peer[]> {
  const dpi = String(LIMITS.dpi);
  const python = await works(PYTHON, ['-c', 'import fitz']);
  const poppler = (await works('pdftoppm', ['-v'])) && (await works('img2pdf', ['--version']));
  const ghostscript = await works('gs', ['--version']);
  const commands = (steps: Steps) => (cores: Cores) => new Commands(folder, cores, steps);
  return [
    {
      name: 'dangerzone-method',
      start: python ? (cores) => new LineServer(PYTHON, [own('dangerzone_like.py'), dpi], cores) : undefined,
    },
    {
      name: 'pdftoppm+img2pdf',
      start: poppler
        ? commands((path, work) => [
            ['pdftoppm', '-q', '-r', dpi, '-jpeg', quote(path), quote(join(work, 'p'))],
            ['img2pdf', '-o', quote(join(work, 'out.pdf')), `${quote(work)}/p*.jpg`],
          ])
        : undefined,
    },
    {
      name: 'ghostscript',
      start: ghostscript
        ? commands((path, work) => [
            ['gs', '-q', '-dSAFER', '-sDEVICE=pdfimage24', `-r${dpi}`, '-o', quote(join(work, 'out.pdf')), quote(path)],
          ])
        : undefined,
    },
    { name: 'render-only', start: (cores) => new LineServer(process.execPath, [own('raster-render.ts')], cores) },
  ];
}

/** A peer's name in a line, where it may be missing. */
export function named({ name, start }: Peer): string {
  return start === undefined ? `${name} (missing)` : name;
}

async function works(command: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(command, args);
    return true;
  } catch {
    return false; // not installed: its lines say so
  }
}
