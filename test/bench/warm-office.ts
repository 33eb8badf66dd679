// The native engine as it is: started beforehand with our settings, handed its document by a second call, and gone after it.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const SOFFICE = '/usr/bin/soffice';
/** Where an instance listens for the next call; their names follow from the folder of the profile. */
const PIPE = /^OSL_PIPE_/;
const START_MS = 30_000;

export class WarmOffice {
  readonly #place: string;
  readonly #first: ChildProcess;
  readonly #gone: Promise<unknown>;

  private constructor(place: string) {
    this.#place = place;
    mkdirSync(place, { recursive: true });
    this.#first = spawn(SOFFICE, [...this.#args(), '--nodefault'], { stdio: 'ignore', detached: true });
    this.#gone = once(this.#first, 'exit');
  }

  /** One that takes calls. */
  static async start(place: string): Promise<WarmOffice> {
    const pipes = (): string[] => readdirSync(tmpdir()).filter((name) => PIPE.test(name));
    const before = new Set(pipes());
    const office = new WarmOffice(place);
    const end = Date.now() + START_MS;
    while (!pipes().some((name) => !before.has(name))) {
      if (Date.now() > end) throw new Error('soffice does not start');
      await sleep(20);
    }
    return office;
  }

  #args(): string[] {
    return [
      `-env:UserInstallation=file://${this.#place}/profile`,
      '--headless',
      '--norestore',
      '--nologo',
      '--nolockcheck',
    ];
  }

  /** Milliseconds from a document of Word to its PDF. */
  async convert(bytes: Buffer): Promise<number> {
    const source = join(this.#place, 'a.docx');
    writeFileSync(source, bytes);
    const started = performance.now();
    const args = [...this.#args(), '--convert-to', 'pdf', '--outdir', this.#place, source];
    await once(spawn(SOFFICE, args, { stdio: 'ignore' }), 'exit');
    if (!existsSync(join(this.#place, 'a.pdf'))) throw new Error('soffice made no PDF');
    return performance.now() - started;
  }

  async stop(): Promise<void> {
    const { pid, exitCode, signalCode } = this.#first;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
    await this.#gone;
  }
}
