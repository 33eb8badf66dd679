// Every policy that was in force is kept as it was written, comments and all, by the digest that manifests name it with.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../message/errors.ts';

const SHA256 = /^[0-9a-f]{64}$/;

const pathOf = (dataDir: string, sha256: string): string => join(dataDir, 'policy', 'versions', `${sha256}.yaml`);

/** Where a zone remembers the policy in force. */
export const inForcePath = (dataDir: string, zone: string): string => join(dataDir, 'policy', 'in-force', zone);

/** Keeps a policy's text under its digest (`Policy.sha256`); the first text of a digest stays. */
export async function keepVersion(dataDir: string, sha256: string, text: string): Promise<void> {
  const path = pathOf(dataDir, sha256);
  if (existsSync(path)) return;
  // Whole or not there: half a text under this name would stand for the policy for ever.
  await writeWhole(path, text);
}

/** Remembers which policy is in force in a zone, by its digest, over a stop. */
export async function keepInForce(dataDir: string, zone: string, sha256: string): Promise<void> {
  await writeWhole(inForcePath(dataDir, zone), `${sha256}\n`);
}

/** The digest of the policy that was last in force in a zone; undefined where none was remembered. */
export async function lastInForce(dataDir: string, zone: string): Promise<string | undefined> {
  try {
    return (await readFile(inForcePath(dataDir, zone), 'utf8')).trim();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const work = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    await writeFile(work, text, { flag: 'wx', mode: 0o600, flush: true });
    await rename(work, path);
  } finally {
    await rm(work, { force: true });
  }
}

/** The text of a policy that a manifest names by this digest; undefined when none was kept. */
export async function versionOf(dataDir: string, sha256: string): Promise<string | undefined> {
  if (!SHA256.test(sha256)) return undefined;
  try {
    return await readFile(pathOf(dataDir, sha256), 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
