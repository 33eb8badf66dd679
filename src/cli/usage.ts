// Wrong usage: one line on stderr, exit 2.

import { reasonOf } from '../message/errors.ts';
import { forLine, forText } from '../message/untrusted.ts';

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command of `mugai`. `help` is printed whole by `--help`; it ends with an example. */
export interface Command {
  readonly help: string;
  /** Runs it with the arguments after its name; resolves to the exit code. */
  run(args: readonly string[]): Promise<number>;
}

/** Why output could not be written; a reader that went away (`| head -1`) wants no more, and what is under way is still done. */
let lost: Error | undefined;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && stream === process.stdout) lost ??= error;
  });
}

/** Waits until the output is written; the exit code then, which is no 0 where some of it was lost: that is told in one line. */
export async function outputWritten(code: number): Promise<number> {
  if (process.stdout.writableLength > 0 && !outputEnded())
    await new Promise<void>((resolve) => {
      process.stdout.once('close', resolve);
      process.stdout.write('', () => resolve());
    });
  await new Promise(setImmediate); // an error is heard of after the write
  if (lost === undefined) return code;
  tell(`mugai: the output could not be written: ${reasonOf(lost)}`);
  return code === 2 ? code : 1;
}

/** True when nobody reads the output any more: a command that does nothing else may end. */
export function outputEnded(): boolean {
  return process.stdout.destroyed || process.stdout.errored !== null;
}

/** Prints a line of output. */
export function say(line: string): void {
  if (!outputEnded()) process.stdout.write(`${line}\n`);
}

/** UTF-16 units of a line that holds what others wrote. */
const LINE = 4000;

/** Prints a line of output with words in it that others wrote (names, what a manifest says): one line, no escape sequence (CWE-150). */
export function sayLine(line: string): void {
  say(`${/^ */.exec(line)?.[0] ?? ''}${forLine(line, LINE)}`);
}

// What JSON leaves as it is, and a terminal does not: C1, bidi, zero-width, tags.
const STEERING =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;
/** Controls of C0 that are no line end and no tab. */
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\r(?!\n)/g;

function escaped(letters: string): string {
  return Array.from(
    { length: letters.length },
    (_, at) => `\\u${letters.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('');
}

/** Prints a value as a line of JSON: the same value, with an escape for whatever steers a terminal. */
export function sayJson(value: unknown): void {
  say(JSON.stringify(value).replace(STEERING, escaped));
}

/** Prints a text that somebody else wrote, line by line, with an escape for whatever steers a terminal; a mark before its first letter stays. */
export function sayText(text: string): void {
  const mark = text.startsWith('\ufeff') ? '\ufeff' : '';
  say(`${mark}${text.slice(mark.length).replace(CONTROL, escaped).replace(STEERING, escaped)}`);
}

/** Prints a line about the work, not part of the output. Names of files stand in it: no escape sequence of theirs (CWE-150). */
export function tell(line: string): void {
  process.stderr.write(`${forText(line)}\n`);
}
