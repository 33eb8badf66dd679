// What the inner side does before it believes a package: signature, names, digests of every file. It streams; what is
// kept in memory is what `keepBytes` allows, and those kept bytes are the very ones that were checked.
import { createHash, type KeyObject } from 'node:crypto';
import { LIMITS } from '../message/limits.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { MANIFEST, openManifest, type Statement } from './manifest.ts';

/** A package as its place offers it. */
export interface PackageFiles {
  /** Names of the files under the package, path relative to it: of each folder `most` at most. */
  names(most: number): Promise<string[]>;
  get(name: string, cap: number): Promise<Buffer | undefined>;
  open(name: string): Promise<AsyncIterable<Uint8Array> | undefined>;
}

/** One checked file; `bytes` are undefined when it was over what the caller wanted kept. */
export interface VerifiedFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly bytes: Buffer | undefined;
}

/** A package whose signature, names and digests held. Made here only. */
export interface VerifiedPackage {
  readonly __verified: true;
  readonly statement: Statement;
  readonly files: readonly VerifiedFile[];
}

/**
 * Verifies a package. `keepBytes`: files are kept in memory in manifest order while their sum stays below it.
 * Throws `bad-package` with the reason for anything that does not hold.
 */
export async function verifyPackage(
  source: PackageFiles,
  keys: ReadonlyMap<string, KeyObject>,
  keepBytes: number,
  signal: AbortSignal,
): Promise<VerifiedPackage> {
  const manifest = await source.get(MANIFEST, LIMITS.manifestBytes);
  if (manifest === undefined) throw bad('no manifest');
  const statement = await openManifest(manifest, keys);
  const listed = new Map(statement.subject.map((subject) => [subject.name, subject.digest.sha256]));
  if (listed.size !== statement.subject.length) throw bad('a file is listed twice');
  // One name more than there may be: the manifest, `files`, what is listed. A folder stuffed with others costs no more.
  for (const name of await source.names(listed.size + 3)) {
    if (name !== MANIFEST && !listed.has(name)) throw bad(`file not in the manifest: ${name}`);
  }
  const files: VerifiedFile[] = [];
  let room = keepBytes;
  for (const [name, sha256] of listed) {
    const isText = name === 'message.txt'; // always kept: without it a mail says nothing
    const file = await readChecked(source, name, isText ? LIMITS.messageTextBytes : room, signal);
    if (file.sha256 !== sha256) throw bad(`digest of ${name} differs`);
    if (file.bytes !== undefined && !isText) room -= file.size;
    files.push(file);
  }
  return { statement, files } as unknown as VerifiedPackage;
}

async function readChecked(
  source: PackageFiles,
  name: string,
  room: number,
  signal: AbortSignal,
): Promise<VerifiedFile> {
  const stream = await source.open(name);
  if (stream === undefined) throw bad(`file is missing: ${name}`);
  const hash = createHash('sha256');
  let kept: Uint8Array[] | undefined = [];
  let size = 0;
  try {
    for await (const bytes of stream) {
      signal.throwIfAborted();
      size += bytes.length;
      if (size > LIMITS.outputBytes) throw bad(`${name} is over ${LIMITS.outputBytes} bytes`);
      hash.update(bytes);
      if (size > room) kept = undefined;
      kept?.push(bytes);
    }
  } catch (error) {
    if (error instanceof MugaiError || signal.aborted) throw error;
    throw new MugaiError('store-failed', `cannot read ${name}: ${reasonOf(error)}`, { cause: error });
  }
  return { name, size, sha256: hash.digest('hex'), bytes: kept === undefined ? undefined : Buffer.concat(kept) };
}

function bad(why: string): MugaiError {
  return new MugaiError('bad-package', why, { permanent: true });
}
