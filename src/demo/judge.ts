// Compares a result with its expectation, and every output with what an output may be at all.
import type { PartRow } from '../message/part.ts';
import type { VerifiedFile } from '../outbox/verify.ts';
import { outputFaults, pixelsOf, textOf } from './output-faults.ts';
import type { Result } from './result.ts';
import type { Expectation } from './samples.ts';

type Judged = Pick<Result, 'predicate' | 'files' | 'delivered'>;

/** Every difference in words; empty when the result is as expected. */
export function judge(expected: Expectation, result: Judged): string[] {
  const { predicate, files, delivered } = result;
  const faults: string[] = [];
  differ(faults, 'state', expected.state, predicate.state);
  differ(faults, 'reason', expected.reason, predicate.reason);
  differ(faults, 'number of parts', expected.parts.length, predicate.parts.length);
  for (const [index, part] of expected.parts.entries()) {
    const row = predicate.parts[index];
    if (row !== undefined) faults.push(...judgePart(part, row, files));
  }
  const text = files.map(textOf).join('\n');
  for (const words of expected.text ?? []) if (!text.includes(words)) faults.push(`text lacks "${words}"`);
  for (const words of expected.notText ?? []) if (text.includes(words)) faults.push(`text holds "${words}"`);
  for (const file of files) faults.push(...outputFaults(file));
  if (delivered === undefined) faults.push('no mail was delivered');
  return faults;
}

function judgePart(expected: Expectation['parts'][number], row: PartRow, files: readonly VerifiedFile[]): string[] {
  const faults: string[] = [];
  const where = `part ${row.path}`;
  if (expected.path !== undefined) differ(faults, `${where} path`, expected.path, row.path);
  if (expected.name !== undefined) differ(faults, `${where} name`, expected.name, row.name);
  differ(faults, `${where} verdict`, expected.verdict, row.verdict);
  differ(faults, `${where} reason`, expected.reason, row.reason);
  if (expected.pages !== undefined) differ(faults, `${where} pages`, expected.pages, row.pages);
  for (const [kind, wanted, had] of [
    ['finding', expected.findings ?? [], row.findings],
    ['loss', expected.losses ?? [], row.losses],
  ] as const) {
    const codes = had.map(({ code }) => code);
    for (const code of wanted) {
      if (!codes.includes(code))
        faults.push(`${where}: ${kind} ${code} is missing (has: ${codes.join(' ') || 'none'})`);
    }
  }
  if (expected.pixels !== undefined) {
    const output = files.find((file) => file.name === row.outputs[0]);
    const pixels = output?.bytes === undefined ? undefined : pixelsOf(output.bytes);
    differ(faults, `${where} pixels`, expected.pixels.join(' × '), pixels?.join(' × '));
  }
  return faults;
}

function differ(faults: string[], what: string, expected: unknown, actual: unknown): void {
  if (expected !== actual) faults.push(`${what} is ${String(actual)}, expected ${String(expected)}`);
}
