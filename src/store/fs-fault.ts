// What the disk says, in our words; and where a test makes it say so.
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';

/** Where a test may make the disk fail: called before each durable act with its name and path; throw to fail it. */
export type FaultPoint = (act: 'write' | 'fdatasync' | 'rename' | 'fsync-dir', path: string) => void;

/** True when there is no such file or folder. */
export function isAbsent(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** True when a link that leads back to itself stands where a folder should. */
export function isLoop(error: unknown): boolean {
  return systemCode(error) === 'ELOOP';
}

/** A failed call as an error of the house: `disk-full` or `store-failed`. */
export function storeError(error: unknown, what: string): MugaiError {
  if (error instanceof MugaiError) return error;
  const code = systemCode(error);
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new MugaiError(full ? 'disk-full' : 'store-failed', `${what}: ${full ? 'no space left' : reasonOf(error)}`, {
    cause: error,
  });
}
