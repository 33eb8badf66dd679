// The policy in force in this process: read again when its file changes, whole or not at all.
import { readFile } from 'node:fs/promises';
import type { Config } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Audit } from '../message/act.ts';
import { reasonOf } from '../message/errors.ts';
import type { Log } from '../ops/log.ts';
import { watchKeys } from '../outbox/keys.ts';
import { builtInPolicy, readPolicy, type Policy } from '../policy/policy.ts';
import { isApproved } from '../policy/two-persons.ts';
import { keepVersion } from '../policy/versions.ts';

const LOOK_MS = 2000;

/** Where the policy stands; `current` is another object after a change. */
export interface PolicyInForce {
  readonly current: Policy;
}

/**
 * Reads the policy and goes on looking at its file. A new text that is no policy, or that two persons must stand behind and
 * do not, changes nothing and is told in the log. A change is in the journal before it is in force.
 */
export async function openPolicy(config: Config, log: Log, life: Lifecycle, audit: Audit): Promise<PolicyInForce> {
  const { policyFile, dataDir } = config;
  if (policyFile === undefined) return { current: builtInPolicy() };
  const read = async (): Promise<Policy> => {
    const text = await readFile(policyFile, 'utf8').catch(() => readPolicyAgain(policyFile));
    if (config.policyPersons === 2 && !(await isApproved(dataDir, text)))
      throw new Error(`${policyFile} is not approved by a second person: mugai policy propose, approve`);
    const policy = readPolicy(text, policyFile);
    await keepVersion(dataDir, policy.sha256, text);
    return policy;
  };
  const held = { current: await read() };
  const stop = watchKeys(policyFile, LOOK_MS, async () => {
    try {
      const next = await read();
      if (next.sha256 === held.current.sha256) return;
      const { name, version, sha256 } = next;
      await audit.append({
        act: 'changed',
        detail: { what: 'policy', step: 'in force', policy: `${name} ${version}`, sha256 },
      });
      held.current = next;
      log.info({ name, version, sha256 }, 'another policy is in force');
    } catch (error) {
      log.error({ error: reasonOf(error) }, 'the policy file changed and is not taken: the old policy stays');
    }
  });
  life.started('policy', async () => stop());
  return held;
}

/** The error of a file that cannot be read, in the words of `loadPolicy`. */
async function readPolicyAgain(file: string): Promise<string> {
  const { loadPolicy } = await import('../policy/policy.ts');
  await loadPolicy(file);
  return readFile(file, 'utf8');
}
