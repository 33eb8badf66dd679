// The policy that a command speaks of: of a file, built in, or by its digest.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Config } from '../../config.ts';
import { builtInPolicy, builtInText, loadPolicy, readPolicy, type Policy } from '../../policy/policy.ts';
import { proposedText } from '../../policy/two-persons.ts';
import { versionOf } from '../../policy/versions.ts';

/** The policy of a file, or of a digest that `textOf` knows; the built-in one without. */
export async function policyOf(named: string | undefined, config: Config): Promise<Policy> {
  if (named === undefined) return builtInPolicy();
  const text = existsSync(named) ? undefined : await textOf(config, named);
  return text === undefined ? loadPolicy(named) : readPolicy(text, named);
}

/** The text of the policy that is named; by its digest of one that was in force here, or that is proposed. */
export async function textOf({ policyFile, dataDir }: Config, sha256: string | undefined): Promise<string | undefined> {
  if (sha256 === undefined) return policyFile === undefined ? builtInText() : readFile(policyFile, 'utf8');
  if (sha256 === builtInPolicy().sha256) return builtInText();
  return (await versionOf(dataDir, sha256)) ?? proposedText(dataDir, sha256);
}
