// `mugai policy explain`: which rule decides, and what, for a recipient and a type, a message of the outbox, or a file.
import { existsSync, statSync } from 'node:fs';
import type { Config } from '../../config.ts';
import { MugaiError } from '../../message/errors.ts';
import { mailTexts, type PartRow } from '../../message/part.ts';
import { parseMessageId } from '../../message/id.ts';
import type { Envelope, Headers } from '../../message/stages.ts';
import { forLine, forLog } from '../../message/untrusted.ts';
import type { Explained, Policy } from '../../policy/policy.ts';
import { conditionsMet } from '../../policy/met.ts';
import { gradesOf } from '../../policy/rehearse.ts';
import { matchesMessage, matchesPart, type Facts, type PartFacts } from '../../policy/rules.ts';
import { DETECTED_TYPES } from '../../sanitise/detected-types.ts';
import { FINDINGS } from '../../sanitise/findings.ts';
import { addressesIn } from '../../sanitise/identity.ts';
import type { Takes } from '../acts.ts';
import { lookInto } from '../harmless-file.ts';
import { sayLine, UsageError } from '../usage.ts';
import { openSealed } from './sealed-messages.ts';

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
  return parseMessageId(first) === undefined && existsSync(first) ? A_FILE : A_MESSAGE;
}

const TEXT_OF_A_MAIL = 'no rule keeps out the text of a mail';

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
    default: {
      demandKnown(first, type, finding);
      const facts = { size: bytesOf(size), findings: finding };
      return explainType(type, facts, judgedFor(policy, { from, to: [first, ...to] }));
    }
  }
}

/** A policy as it is for one message, and whose message that is. */
interface JudgedFor {
  readonly own: Policy;
  readonly from: string;
}

function judgedFor(policy: Policy, envelope: Envelope): JudgedFor {
  return { own: policy.forMessage(envelope), from: envelope.from };
}

function bytesOf(text: string | undefined): number {
  const size = text === undefined ? 0 : Number(text);
  if (!Number.isInteger(size) || size < 0) throw new UsageError(`--size is "${text}", not a number of bytes`);
  return size;
}

/** What is found on no part has no answer, and must not look as if no rule were meant for it. */
function demandKnown(recipient: string, type: string, findings: readonly string[]): void {
  if (!recipient.includes('@')) throw new UsageError(`"${recipient}" is no address of a recipient`);
  if (!DETECTED_TYPES.has(type)) {
    const [like = 'application/pdf'] = [...DETECTED_TYPES].filter((one) => one.endsWith(`/${type}`));
    throw new UsageError(`nothing is ever detected as "${type}"; say a type such as ${like} (docs/formats.md)`);
  }
  const unknown = findings.find((code) => !FINDINGS.has(code));
  if (unknown !== undefined) throw new UsageError(`there is no finding "${unknown}"; say one such as macro`);
}

function explainType(type: string, facts: Omit<PartFacts, 'type'>, judged: JudgedFor): number {
  const part = { type, ...facts };
  const explained = judged.own.explain(type, { size: 0, findings: [], ...facts });
  sayLine(
    `${type}  ${explained.decision}  ${ruleOf(explained, 'no rule: passes as whatever it becomes', part, judged)}`,
  );
  if (type.startsWith('text/') && explained.rule !== undefined)
    sayLine(`          as an attachment, or a file by itself; of a mail's own text: ${TEXT_OF_A_MAIL}`);
  tellMessage(judged);
  return 0;
}

async function explainMessage(word: string, policy: Policy, config: Config): Promise<number> {
  const id = parseMessageId(word);
  if (id === undefined) throw new UsageError(`${word} is no file here, and no id of a message`);
  const predicate = await (await openSealed(config)).of(id);
  if (predicate === undefined) throw new MugaiError('not-found', `${id} is not in the outbox`, { permanent: true });
  tellParts(predicate.parts, judgedFor(policy, predicate.envelope));
  return 0;
}

/** A mail, or another file, as if it came from and to these addresses. Its parts are told in their jailed children. */
async function explainFile(path: string, given: Envelope, policy: Policy): Promise<number> {
  if (!statSync(path).isFile()) throw new UsageError(`${path} is no file`);
  let looked = await lookInto(path, policy, given);
  const envelope = envelopeOf(given, looked.headers);
  // Who it is from and to is known only now, and rules may look at that.
  const isOther = envelope.from !== given.from || envelope.to.length !== given.to.length;
  if (isOther && policy.rules.length > 0) looked = await lookInto(path, policy, envelope);
  tellParts(looked.parts, judgedFor(policy, envelope));
  if (policy.rules.length === 0) return 0;
  const [from, to] = [forLog(envelope.from) || 'nobody', forLine(envelope.to.join(' ')) || 'nobody'];
  sayLine(`          judged as from ${from} to ${to}${isOther ? ', as its own header says' : ''} (--from, --to)`);
  return 0;
}

/** What is given by hand; for the rest what a mail says itself. */
function envelopeOf({ from, to }: Envelope, headers: Headers | null): Envelope {
  if (headers === null) return { from, to };
  return {
    from: from || (addressesIn(headers.from)[0] ?? ''),
    to: to.length > 0 ? to : [...new Set([...addressesIn(headers.to), ...addressesIn(headers.cc)])],
  };
}

function tellParts(parts: readonly PartRow[], judged: JudgedFor): void {
  const texts = mailTexts(parts);
  for (const part of parts) {
    const { path, name, detectedType, size, findings, verdict, reason } = part;
    const facts = { size, findings: findings.map(({ code }) => code) };
    const explained = judged.own.explain(detectedType, facts);
    const rule = ruleOf(explained, 'no rule', { type: detectedType, ...facts }, judged);
    const became = `became ${verdict}${reason === null ? '' : ` (${reason})`}`;
    const decided = texts.has(part) ? `convert  ${TEXT_OF_A_MAIL}` : `${explained.decision}  ${rule}`;
    sayLine(`${path}  ${detectedType}  ${forLog(name)}  ${decided}  ${became}`);
  }
  tellMessage(judged);
}

/** Which rule decided, by which of its conditions, and whose, where not all recipients have the same ones. */
function ruleOf({ rule, recipient }: Explained, none: string, part: PartFacts, { own, from }: JudgedFor): string {
  if (rule === undefined) return none;
  const to = recipient ?? own.judged[0]?.recipients[0];
  const met = metBy(
    own,
    rule,
    { from, to, asset: own.judged.find(({ recipients }) => to === undefined || recipients.includes(to))?.asset },
    part,
  );
  return recipient === undefined ? `rule ${rule}${met}` : `rule ${rule}${met}, for ${forLog(recipient)}`;
}

/** The conditions of the rule of this name that hold, in brackets; nothing of what is no rule by itself (`drop`, two forms at once). */
function metBy({ rules, groups }: Policy, name: string, facts: Facts, part?: PartFacts): string {
  const rule = rules.find(
    (one) => one.name === name && matchesMessage(one, facts, groups) && (part === undefined || matchesPart(one, part)),
  );
  return rule === undefined ? '' : ` (${conditionsMet(rule, facts, groups, part)})`;
}

/** What holds for the message as a whole. */
function tellMessage({ own, from }: JudgedFor): void {
  const { language, links, delivery, keepDays, passwordPairing, originals, limits } = own;
  sayLine(`message   language ${language}, links ${links}, delivery ${delivery}`);
  sayLine(`          kept ${keepDays === undefined ? 'for ever' : `${keepDays} days`}, asset ${gradesOf(own)}`);
  const levels = originals.levels.map((names) => (names.length === 0 ? 'the role approver' : names.join(' or ')));
  sayLine(
    `          originals approved by ${levels.join(', then ')}; password pairing ${passwordPairing ? 'on' : 'off'}`,
  );
  sayLine(
    `          limits ${Object.entries(limits)
      .map(([name, limit]) => `${name} ${limit}`)
      .join(', ')}`,
  );
  const { judged, rules } = own;
  if (rules.length === 0) return;
  if (judged.length > 1) sayLine('          for recipients each by themselves, of which the strictest holds:');
  for (const { recipients, settledBy, gradedBy, asset } of judged) {
    const facts = { from, to: recipients[0] };
    const by = (rule: string | undefined, more = {}): string =>
      rule === undefined ? 'no rule' : `rule ${rule}${metBy(own, rule, { ...facts, ...more })}`;
    const whose = recipients.length === 0 ? 'nobody' : recipients.map((one) => forLog(one)).join(' ');
    sayLine(`          ${whose}: settings by ${by(settledBy, { asset })}, grades by ${by(gradedBy)}`);
  }
}
