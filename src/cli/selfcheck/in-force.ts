// The policy that a zone of this machine took last, by its name: the file may hold another one that was not taken.
import { MugaiError } from '../../message/errors.ts';
import { lastInForce, versionOf } from '../../policy/versions.ts';
import { readPolicy } from '../../policy/policy.ts';

/** Zones that judge by a policy, each with a record of which. */
const ZONES = ['middle', 'inner'] as const;

/** Zones with a record here, and those of them that took another policy than the one of this digest, with the name of it. */
export interface InForce {
  readonly zones: readonly string[];
  readonly others: readonly string[];
}

export async function inForce(dataDir: string, sha256: string): Promise<InForce> {
  const zones: string[] = [];
  const others: string[] = [];
  for (const zone of ZONES) {
    const last = await lastInForce(dataDir, zone);
    if (last === undefined) continue;
    zones.push(zone);
    if (last !== sha256) others.push(`${zone} ${await nameOf(dataDir, last)}SHA-256 ${last}`);
  }
  return { zones, others };
}

async function nameOf(dataDir: string, sha256: string): Promise<string> {
  const text = await versionOf(dataDir, sha256);
  if (text === undefined) return '';
  try {
    const { name, version } = readPolicy(text, sha256);
    return `${name} ${version}, `;
  } catch (error) {
    if (error instanceof MugaiError && error.code === 'bad-config') return ''; // a policy of an older version of ours
    throw error;
  }
}
