// Places of journals that are known from elsewhere: a print-out of `mugai audit heads`, lines of syslog.
import { readFile } from 'node:fs/promises';
import { parsePosition } from '../audit/line.ts';
import type { Anchor } from '../audit/verify-chain.ts';
import { reasonOf } from '../message/errors.ts';
import { UsageError } from './usage.ts';

/** The places that stand anywhere in the file of `--heads`; none without it. Throws `UsageError` when it names none. */
export async function placesKnown(file: string | undefined): Promise<Anchor[]> {
  if (file === undefined) return [];
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--heads ${file} cannot be read: ${reasonOf(error)}`);
  });
  const words = text.split(/[\s",]+/);
  const found = words.filter((word) => parsePosition(word) !== undefined);
  if (found.length === 0) throw new UsageError(`${file} names no position of a journal`);
  return found.map((position) => ({ position, from: file }));
}
