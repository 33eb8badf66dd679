// The policy in force in this process: read again when its file changes, whole or not at all.
import { readFile } from 'node:fs/promises';
import type { Config } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Audit, JournalZone } from '../message/act.ts';
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';
import type { Log } from '../ops/log.ts';
import { watchKeys } from '../outbox/keys.ts';
import { builtInPolicy, readPolicy, type Policy } from '../policy/policy.ts';
import { approvalOf } from '../policy/two-persons.ts';
import { inForcePath, keepInForce, keepVersion, lastInForce } from '../policy/versions.ts';

const LOOK_MS = 2000;

/** Where the policy stands; `current` is another object after a change. */
export interface PolicyInForce {
  readonly current: Policy;
}

/** What a policy is told to. */
export interface PolicyTold {
  readonly log: Pick<Log, 'info' | 'error'>;
  readonly life: Pick<Lifecycle, 'started'>;
  readonly audit: Pick<Audit, 'append'>;
  /** Milliseconds between two looks at the file. */
  readonly lookMs?: number;
}

/**
 * Reads the policy and goes on looking at its file. A new text that is no policy, or that two persons must stand behind and
 * do not, changes nothing and is told in the log; after any other fault it is looked at again. A change is in the journal
 * before it is in force, one that was made while nothing ran as well.
 */
export async function openPolicy(config: Config, zone: JournalZone, told: PolicyTold): Promise<PolicyInForce> {
  const { policyFile, dataDir } = config;
  const { log, life, audit, lookMs = LOOK_MS } = told;
  // A data folder of which only the stores are writable must not keep a gateway from its start.
  const cannot =
    config.policyPersons === undefined
      ? 'the policy in force cannot be kept'
      : 'the policy in force cannot be kept: once another one is approved, this will start with that one only';
  const kept = async (keeping: Promise<void>): Promise<void> =>
    keeping.catch((error: unknown) => log.error({ error: reasonOf(error) }, cannot));
  const read = async (inForce: string | undefined): Promise<Policy> => {
    if (policyFile === undefined) return builtInPolicy();
    const text = await readFile(policyFile, 'utf8').catch(() => readPolicyAgain(policyFile));
    const policy = readPolicy(text, policyFile);
    const toldBy = config.policyPersons;
    const approval = toldBy === undefined ? 'last' : await approvalOf(dataDir, text, toldBy);
    if (approval === 'none') throw refused(`${policyFile} is not approved by a second person`);
    // What is in force stays until what was approved after it is in its place.
    if (approval === 'earlier' && policy.sha256 !== inForce) {
      const unknown = `, and ${inForcePath(dataDir, zone)} does not say that it is in force (can that folder be written?)`;
      const why = `${policyFile} is not what was last approved by a second person${inForce === undefined ? unknown : ''}`;
      throw refused(`${why}; put what was approved last in its place`);
    }
    await kept(keepVersion(dataDir, policy.sha256, text));
    return policy;
  };
  const tell = async ({ name, version, sha256 }: Policy): Promise<void> => {
    const detail = { what: 'policy', step: 'in force', policy: `${name} ${version}`, sha256 };
    await audit.append({ act: 'changed', detail });
  };
  const before = await lastInForce(dataDir, zone);
  const held = { current: await read(before) };
  if (before !== undefined && before !== held.current.sha256) await tell(held.current);
  if (before !== held.current.sha256) await kept(keepInForce(dataDir, zone, held.current.sha256));
  if (policyFile === undefined) return held;
  let last = ''; // what was told of the look before: the same fault is told once
  const look = async (): Promise<void> => {
    const next = await read(held.current.sha256);
    if (next.sha256 === held.current.sha256) return;
    await tell(next);
    const { name, version, sha256 } = next;
    await kept(keepInForce(dataDir, zone, sha256)); // before it is: after a death in between, what was before is not taken again
    held.current = next;
    log.info({ name, version, sha256 }, 'another policy is in force');
  };
  const stop = watchKeys(policyFile, lookMs, async () => {
    try {
      await look();
      last = '';
    } catch (error) {
      const why = reasonOf(error);
      if (why !== last) log.error({ error: why }, 'the policy file changed and is not taken: the old policy stays');
      last = why;
      if (!isItsText(error)) throw error; // seen again at the next look
    }
  });
  life.started('policy', async () => stop());
  return held;
}

function refused(why: string): MugaiError {
  return new MugaiError('bad-config', `${why}: mugai policy propose, approve`, { permanent: true });
}

/** Whether the text of the file is at fault: it can only become another one. */
function isItsText(error: unknown): boolean {
  return error instanceof MugaiError && error.code === 'bad-config' && systemCode(error.cause) === undefined;
}

/** The error of a file that cannot be read, in the words of `loadPolicy`. */
async function readPolicyAgain(file: string): Promise<string> {
  const { loadPolicy } = await import('../policy/policy.ts');
  await loadPolicy(file);
  return readFile(file, 'utf8');
}
