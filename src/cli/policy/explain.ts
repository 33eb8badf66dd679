// `mugai policy explain`: which rule decides, and what, for a recipient and a type, a message of the outbox, or a file.
import { existsSync, statSync } from 'node:fs';
import type { Config } from '../../config.ts';
import { MugaiError } from '../../message/errors.ts';
import type { PartRow } from '../../message/part.ts';
import type { Envelope } from '../../message/stages.ts';
import { forLog } from '../../message/untrusted.ts';
import type { Explained, Policy } from '../../policy/policy.ts';
import { gradesOf } from '../../policy/rehearse.ts';
import type { Takes } from '../acts.ts';
import { partsOf } from '../harmless-file.ts';
import { say, UsageError } from '../usage.ts';
import { messagesSince } from './sealed-messages.ts';

const A_TYPE: Takes = {
  usage:
    'policy explain RECIPIENT TYPE [--to ADDRESS]… [--from ADDRESS] [--size BYTES] [--finding CODE]… [--policy FILE]',
  options: ['to', 'from', 'size', 'finding', 'policy'],
  words: [2, 2],
};
const A_FILE: Takes = {
  usage: 'policy explain FILE.eml [--from ADDRESS] [--to ADDRESS]… [--policy FILE]',
  options: ['to', 'from', 'policy'],
  words: [1, 1],
};
const A_MESSAGE: Takes = { usage: 'policy explain MESSAGE-ID [--policy FILE]', options: ['policy'], words: [1, 1] };

/** What these words ask for, and what that takes. */
export function explainKind([first, second]: readonly string[]): Takes {
  if (first === undefined) throw new UsageError('name a recipient and a type, or a message');
  if (second !== undefined) return A_TYPE;
  return existsSync(first) ? A_FILE : A_MESSAGE;
}

/** What `explain` is asked about. */
interface Asked {
  readonly from?: string | undefined;
  readonly to: readonly string[];
  readonly size?: string | undefined;
  readonly finding: readonly string[];
}

export async function explain(
  words: readonly string[],
  { from = '', to, size, finding }: Asked,
  policy: Policy,
  config: Config,
): Promise<number> {
  const [first = '', type = ''] = words;
  switch (explainKind(words)) {
    case A_FILE:
      return explainFile(first, { from, to: [...to] }, policy);
    case A_MESSAGE:
      return explainMessage(first, policy, config);
    default:
      return explainType(
        type,
        { size: bytesOf(size), findings: finding },
        policy.forMessage({ from, to: [first, ...to] }),
      );
  }
}

function bytesOf(text: string | undefined): number {
  const size = text === undefined ? 0 : Number(text);
  if (!Number.isInteger(size) || size < 0) throw new UsageError(`--size is "${text}", not a number of bytes`);
  return size;
}

function explainType(
  type: string,
  facts: { readonly size: number; readonly findings: readonly string[] },
  own: Policy,
): number {
  const explained = own.explain(type, facts);
  say(`${type}  ${explained.decision}  ${ruleOf(explained, 'no rule: passes as whatever it becomes')}`);
  tellMessage(own);
  return 0;
}

async function explainMessage(id: string, policy: Policy, config: Config): Promise<number> {
  for await (const predicate of messagesSince(0, config)) {
    if (predicate.id !== id) continue;
    tellParts(predicate.parts, policy.forMessage(predicate.envelope));
    return 0;
  }
  throw new MugaiError('not-found', `${id} is not in the outbox`, { permanent: true });
}

/** A mail, or another file, as if it came from and to these addresses. Its parts are told in their jailed children. */
async function explainFile(path: string, envelope: Envelope, policy: Policy): Promise<number> {
  if (!statSync(path).isFile()) throw new UsageError(`${path} is no file`);
  tellParts(await partsOf(path, policy, envelope), policy.forMessage(envelope));
  return 0;
}

function tellParts(parts: readonly PartRow[], own: Policy): void {
  for (const { path, name, detectedType, size, findings, verdict, reason } of parts) {
    const explained = own.explain(detectedType, { size, findings: findings.map(({ code }) => code) });
    const became = `became ${verdict}${reason === null ? '' : ` (${reason})`}`;
    const { decision } = explained;
    say(`${path}  ${detectedType}  ${forLog(name)}  ${decision}  ${ruleOf(explained, 'no rule')}  ${became}`);
  }
  tellMessage(own);
}

/** Which rule decided, and whose, where not all recipients have the same ones. */
function ruleOf({ rule, recipient }: Explained, none: string): string {
  if (rule === undefined) return none;
  return recipient === undefined ? `rule ${rule}` : `rule ${rule}, for ${forLog(recipient)}`;
}

/** What holds for the message as a whole. */
function tellMessage(own: Policy): void {
  const { language, links, delivery, keepDays, passwordPairing, originals, limits } = own;
  say(`message   language ${language}, links ${links}, delivery ${delivery}`);
  say(`          kept ${keepDays === undefined ? 'for ever' : `${keepDays} days`}, asset ${gradesOf(own)}`);
  const levels = originals.levels.map((names) => (names.length === 0 ? 'the role approver' : names.join(' or ')));
  say(`          originals approved by ${levels.join(', then ')}; password pairing ${passwordPairing ? 'on' : 'off'}`);
  say(
    `          limits ${Object.entries(limits)
      .map(([name, limit]) => `${name} ${limit}`)
      .join(', ')}`,
  );
  const { judged } = own;
  if (judged.length === 1) return;
  say('          for recipients each by themselves, of which the strictest holds:');
  for (const { recipients, settledBy, gradedBy } of judged) {
    const [settled, graded] = [settledBy, gradedBy].map((rule) => (rule === undefined ? 'no rule' : `rule ${rule}`));
    say(`          ${recipients.map((one) => forLog(one)).join(' ')}: settings by ${settled}, grades by ${graded}`);
  }
}
