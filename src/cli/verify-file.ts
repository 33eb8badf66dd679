// One delivered file by itself: which signed manifest lists it, and whether it has the form of its kind.
import { createHash, type KeyObject } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf, systemCode } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import { MANIFEST, openManifest, type Statement } from '../outbox/manifest.ts';
import { verifyFile } from '../outbox/verify.ts';

/** What was found of a file: the statement that lists it, under which name, and where that lies. */
export interface Found {
  readonly statement: Statement;
  readonly name: string;
  readonly manifest: string;
  /** Other manifests that list it and hold. */
  readonly also: readonly string[];
  /** Manifests that name its digest and do not hold, with the reason. */
  readonly refused: readonly Refused[];
}

export interface Refused {
  readonly manifest: string;
  readonly why: string;
}

/** Undefined: too large for one, or deleted since it was found. */
async function readManifest(path: string): Promise<Buffer | undefined> {
  try {
    return (await stat(path)).size > LIMITS.manifestBytes ? undefined : await readFile(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Looks a file up in manifests (paths of `manifest.dsse.json`), all of them: one that does not hold hides none that does. The
 * file is read as the gate does. Undefined: none lists it. Throws `GateRefusal` when none that lists it holds, or the file has
 * not the form of its kind.
 */
export async function lookUp(
  path: string,
  manifests: readonly string[],
  keys: ReadonlyMap<string, KeyObject>,
): Promise<Found | undefined> {
  const sha256 = await digestOf(path);
  const source = { names: async () => [], get: async () => undefined, open: async () => createReadStream(path) };
  const holding: { readonly statement: Statement; readonly name: string; readonly manifest: string }[] = [];
  const refused: Refused[] = [];
  let refusal: unknown;
  for (const manifest of manifests) {
    const bytes = await readManifest(manifest);
    if (bytes === undefined || !mentions(bytes, sha256)) continue;
    try {
      const statement = await openManifest(bytes, keys);
      const name = statement.subject.find(({ digest }) => digest.sha256 === sha256)?.name;
      if (name === undefined) continue;
      // The same bytes under the same kind of name have the same form.
      if (holding.length === 0)
        await verifyFile(source, statement, name, { keepBytes: 0 }, new AbortController().signal);
      holding.push({ statement, name, manifest });
    } catch (error) {
      refusal ??= error;
      refused.push({ manifest, why: reasonOf(error) });
    }
  }
  const [found, ...also] = holding;
  if (found !== undefined) return { ...found, also: also.map(({ manifest }) => manifest), refused };
  if (refusal !== undefined) throw refusal;
  return undefined;
}

/** Path of the manifest of a package folder. */
export function manifestOf(folder: string): string {
  return join(folder, MANIFEST);
}

/** True when the payload, as it stands and believed by nobody yet, has this digest in it. */
function mentions(envelope: Buffer, sha256: string): boolean {
  const payload = /"payload":"([A-Za-z0-9+/=]*)"/.exec(envelope.toString('latin1'))?.[1] ?? '';
  return Buffer.from(payload, 'base64').includes(sha256);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
