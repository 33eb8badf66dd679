// The policy that a command speaks of: of a file, built in, or by its digest.
import { readFile } from 'node:fs/promises';
import type { Config } from '../../config.ts';
import { builtInPolicy, builtInText, loadPolicy, type Policy } from '../../policy/policy.ts';
import { versionOf } from '../../policy/versions.ts';

/** The policy of a file; the built-in one without. */
export async function policyOf(file: string | undefined): Promise<Policy> {
  return file === undefined ? builtInPolicy() : loadPolicy(file);
}

/** The text of the policy in force, or of one that was, by its digest. */
export async function textOf({ policyFile, dataDir }: Config, sha256: string | undefined): Promise<string | undefined> {
  if (sha256 === undefined) return policyFile === undefined ? builtInText() : readFile(policyFile, 'utf8');
  return sha256 === builtInPolicy().sha256 ? builtInText() : versionOf(dataDir, sha256);
}
