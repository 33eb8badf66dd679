// What became of one message, read where the inner side reads it: the verified package and the delivered mail.
import type { KeyObject } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../message/errors.ts';
import type { MessageId } from '../message/id.ts';
import type { Predicate } from '../outbox/manifest.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { verifyPackage, type VerifiedFile } from '../outbox/verify.ts';

/** A finished message. `delivered` is undefined when the mail file is not where it must be. */
export interface Result {
  readonly id: MessageId;
  readonly predicate: Predicate;
  readonly files: readonly VerifiedFile[];
  readonly delivered: string | undefined;
}

const KEEP_BYTES = 64 * 1024 * 1024;

/** Verifies the package of a message, signature and digests, and looks for its mail. Throws for a package that does not hold. */
export async function readResult(
  id: MessageId,
  outbox: Outbox,
  keys: ReadonlyMap<string, KeyObject>,
  deliveredDir: string,
): Promise<Result> {
  const verified = await verifyPackage(outbox.files(id), keys, KEEP_BYTES, new AbortController().signal);
  const file = join(deliveredDir, `${id}.eml`);
  return {
    id,
    predicate: verified.statement.predicate,
    files: verified.files,
    delivered: (await sizeOf(file)) > 0 ? file : undefined,
  };
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
