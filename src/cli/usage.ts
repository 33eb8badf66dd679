// Wrong usage: one line on stderr, exit 2.

import { forText } from '../message/untrusted.ts';

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command of `mugai`. `help` is printed whole by `--help`; it ends with an example. */
export interface Command {
  readonly help: string;
  /** Runs it with the arguments after its name; resolves to the exit code. */
  run(args: readonly string[]): Promise<number>;
}

/** A reader that went away (`| head -1`) wants no more; what is under way is still done. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

/** True when nobody reads the output any more: a command that does nothing else may end. */
export function outputEnded(): boolean {
  return process.stdout.destroyed || process.stdout.errored !== null;
}

/** Prints a line of output. */
export function say(line: string): void {
  if (!outputEnded()) process.stdout.write(`${line}\n`);
}

/** Prints a line about the work, not part of the output. Names of files stand in it: no escape sequence of theirs (CWE-150). */
export function tell(line: string): void {
  process.stderr.write(`${forText(line)}\n`);
}
