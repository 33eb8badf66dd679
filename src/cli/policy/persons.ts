// `mugai policy propose` and `approve`: a policy changed by two persons, told in the journal before.
import { join } from 'node:path';
import { openJournal } from '../../audit/journal.ts';
import type { Config } from '../../config.ts';
import { MugaiError } from '../../message/errors.ts';
import { personHere } from '../../policy/person.ts';
import { loadPolicy, readPolicy } from '../../policy/policy.ts';
import { approve, propose, proposedText } from '../../policy/two-persons.ts';
import { replaceFile } from '../../store/fs-sync.ts';
import { say, sayLine, tell } from '../usage.ts';
import { zoneHere } from '../zone-here.ts';

export async function proposeHere(config: Config, file: string, by: string): Promise<number> {
  const { name, version } = await loadPolicy(file);
  const sha256 = await propose(config.dataDir, file, personHere(by), async (detail) =>
    tellJournal(config, by, { ...detail, policy: `${name} ${version}` }),
  );
  say(sha256);
  tell(`to be looked at and approved by another person:
  mugai policy show ${sha256}
  mugai policy check ${sha256}
  mugai policy rehearse --new ${sha256} --since 7d
  mugai policy approve ${sha256} --by NAME`);
  return 0;
}

export async function approveHere(config: Config, sha256: string, by: string): Promise<number> {
  const { policyFile, dataDir } = config;
  if (policyFile === undefined)
    throw new MugaiError('bad-config', 'MUGAI_POLICY_FILE names no file that could be replaced', { permanent: true });
  const proposed = await proposedText(dataDir, sha256);
  if (proposed !== undefined) readPolicy(proposed, sha256); // whoever may write there need not have proposed it by the command
  const two = { by: personHere(by), toldBy: config.policyPersons ?? 'names' } as const;
  const { text, proposer } = await approve(dataDir, sha256, two, async (detail) => tellJournal(config, by, detail));
  await replaceFile(policyFile, text, 0o644);
  sayLine(`${policyFile} is the policy ${proposer.name} proposed; running gateways take it within seconds`);
  if (two.toldBy === 'names') say('that these are two persons is what they say (MUGAI_POLICY_PERSONS)');
  return 0;
}

async function tellJournal(config: Config, person: string, detail: Record<string, string>): Promise<void> {
  const root = join(config.dataDir, 'journal');
  const journal = await openJournal({ root, zone: zoneHere(root, 'inner'), keepDays: config.journalDays });
  await journal.append({ act: 'changed', person, detail: { what: 'policy', ...detail } });
  await journal.close();
}
