// The policy that the configuration names: its age, what is wrong with it, whether it is the one in force, and who stands behind it.
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Config } from '../../config.ts';
import { builtInPolicy, readPolicy, type Policy } from '../../policy/policy.ts';
import { approvalOf } from '../../policy/two-persons.ts';
import { complaintsAbout } from '../policy/complaints.ts';
import { found, type Evidence, type State } from './evidence.ts';
import { inForce } from './in-force.ts';

const DAY = 24 * 3_600_000;

/** What the configuration says is to be in force. */
export async function policyToBe({
  policyFile,
}: Config): Promise<{ readonly policy: Policy; readonly text: string | undefined }> {
  if (policyFile === undefined) return { policy: builtInPolicy(), text: undefined };
  const text = await readFile(policyFile, 'utf8');
  return { policy: readPolicy(text, policyFile), text };
}

export async function policy(config: Config, answers: boolean, now: number): Promise<Evidence[]> {
  const { policy: current, text } = await policyToBe(config);
  const { name, version, sha256 } = current;
  const complaints = complaintsAbout(current);
  const age = config.policyFile === undefined ? undefined : now - statSync(config.policyFile).mtimeMs;
  const days = age === undefined ? '-' : String(Math.floor(age / DAY));
  const told = complaints.map(({ rule, why }) => `${rule}: ${why}`).join(', ');
  const facts = `${name} ${version}, SHA-256 ${sha256}`;
  const { zones, others } = await inForce(config.dataDir, sha256);
  // A gateway that stands still takes what the file says when it starts.
  const state = complaints.length > 0 || (answers && others.length > 0) ? 'fails' : 'holds';
  const [ja, en] =
    others.length > 0
      ? [
          `。${answers ? '実際に有効なのは別のポリシー' : '最後に有効だったのは別のポリシー'}: ${others.join('、')}`,
          `; ${answers ? 'not this one is in force' : 'another one was in force last'}: ${others.join(', ')}`,
        ]
      : zones.length > 0
        ? [`、有効（${zones.join('、')}）`, `, in force (${zones.join(', ')})`]
        : ['', ''];
  const own = found(
    'policy',
    state,
    `${`${facts}、変更から ${days} 日、規則 ${current.rules.length} 件、指摘 ${complaints.length} 件 ${told}`.trim()}${ja}`,
    `${`${facts}, ${days} days old, ${current.rules.length} rules, ${complaints.length} complaints ${told}`.trim()}${en}`,
  );
  return [own, await personsBehind(config, text)];
}

/** Who stands behind a policy's text; undefined: the built-in one's. */
async function personsBehind({ dataDir, policyPersons }: Config, text: string | undefined): Promise<Evidence> {
  const told = (state: State, ja: string, en: string): Evidence => found('policy-persons', state, ja, en);
  if (text === undefined) return told('note', '組み込みのポリシー', 'the built-in policy');
  if (policyPersons === undefined)
    return told('note', '設定されていません（MUGAI_POLICY_PERSONS）', 'not asked for (MUGAI_POLICY_PERSONS)');
  const approval = await approvalOf(dataDir, text, policyPersons);
  switch (approval) {
    case 'last':
      return told('holds', '二人が承認したもの', 'two persons stand behind it');
    case 'earlier':
      return told(
        'fails',
        '二人が承認したものだが、その後に別のものが承認されている（ファイルが置き換わっていない）',
        'two persons approved it, and another one after it: that one did not take its place',
      );
    case 'none':
      return told('fails', '二人目の承認がありません', 'no second person approved it');
    default:
      return approval satisfies never;
  }
}
