// `mugai policy`: checks a policy, tells which rule says what, tries a new one on what came already, and changes it by two persons.
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openJournal } from '../audit/journal.ts';
import { readConfig, type Config } from '../config.ts';
import { LIMITS } from '../message/limits.ts';
import { MugaiError } from '../message/errors.ts';
import { timeOf } from '../message/id.ts';
import type { PartRow } from '../message/part.ts';
import type { Envelope } from '../message/stages.ts';
import { forLog } from '../message/untrusted.ts';
import { loadPublicKeys } from '../outbox/keys.ts';
import { MANIFEST, openManifest } from '../outbox/manifest.ts';
import { Outbox } from '../outbox/outbox.ts';
import { PolicySchema, builtInPolicy, builtInText, loadPolicy, type Explained, type Policy } from '../policy/policy.ts';
import { personHere } from '../policy/person.ts';
import { approve, propose } from '../policy/two-persons.ts';
import { versionOf } from '../policy/versions.ts';
import { complaintsOf } from '../policy/check.ts';
import { changesFor, gradesOf } from '../policy/rehearse.ts';
import { openSharedStore } from '../store/open-store.ts';
import { partsOf } from './harmless-file.ts';
import { zoneHere } from './zone-here.ts';
import { say, tell, UsageError, type Command } from './usage.ts';

const HELP = `mugai policy check [FILE]
mugai policy explain RECIPIENT TYPE [--to ADDRESS]… [--from ADDRESS] [--size BYTES] [--finding CODE]… [--policy FILE]
mugai policy explain MESSAGE-ID [--policy FILE]
mugai policy explain FILE.eml [--from ADDRESS] [--to ADDRESS]… [--policy FILE]
mugai policy rehearse --new FILE [--since 7d] [--json]
mugai policy propose FILE --by NAME
mugai policy approve SHA256 --by NAME
mugai policy show [SHA256]
mugai policy schema

check     finds rules that can never match, or that say otherwise than an earlier one of the same
explain   says which rule decides, and what, for a recipient and a detected type, for each part of a message
          that is in the outbox, or of a mail (or any file) that is opened behind the walls for it; of several
          recipients each is judged alone, the strictest outcome holds, and whose rule it is is said
rehearse  replays what is written of the messages since then against a new policy: what would have changed
propose   lays a new policy before a second person; prints its SHA-256
approve   by another person than who proposed it: the policy file is replaced, and running gateways take it. Persons are who they
          say, and the journal tells the account and the login of each; with MUGAI_POLICY_PERSONS=2-logins both must have
          signed in to the machine as different accounts, as Linux keeps it through sudo and su (loginuid)
show      prints the policy that MUGAI_POLICY_FILE names (the built-in one without), or one that was in force here, by the
          digest that a manifest names it with
schema    prints the JSON Schema of a policy file (docs/policy.schema.json), for editors

FILE defaults to MUGAI_POLICY_FILE; without one, the built-in policy.

Exit: 0 as it should be, 1 complaints, or refused, 2 wrong usage.

Example: mugai policy rehearse --new policy-new.yaml --since 7d`;

export const policyCommand: Command = {
  help: HELP,
  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        policy: { type: 'string' },
        new: { type: 'string' },
        since: { type: 'string', default: '7d' },
        from: { type: 'string', default: '' },
        size: { type: 'string' },
        finding: { type: 'string', multiple: true, default: [] },
        to: { type: 'string', multiple: true, default: [] },
        by: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const [act, first, second] = positionals;
    const config = readConfig();
    const inForce = async (): Promise<Policy> => policyOf(values.policy ?? config.policyFile);
    switch (act ?? '') {
      case 'check':
        return check(await policyOf(first ?? config.policyFile));
      case 'show': {
        const text = await textOf(config, first);
        if (text === undefined) throw new UsageError(`${first} is the SHA-256 of no policy that was in force here`);
        say(text.trimEnd());
        return 0;
      }
      case 'schema':
        say(policySchemaText().trimEnd());
        return 0;
      case 'explain': {
        if (first === undefined) throw new UsageError('name a recipient and a type, or a message');
        if (second === undefined && existsSync(first))
          return explainFile(first, { from: values.from, to: values.to }, await inForce());
        if (second === undefined) return explainMessage(first, await inForce(), config);
        const size = values.size === undefined ? 0 : Number(values.size);
        if (!Number.isInteger(size) || size < 0)
          throw new UsageError(`--size is "${values.size}", not a number of bytes`);
        const policy = (await inForce()).forMessage({ from: values.from, to: [first, ...values.to] });
        const explained = policy.explain(second, { size, findings: values.finding });
        say(`${second}  ${explained.decision}  ${ruleOf(explained, 'no rule: passes as whatever it becomes')}`);
        tellMessage(policy);
        return 0;
      }
      case 'rehearse':
        if (values.new === undefined) throw new UsageError('say which policy is new: --new FILE');
        return rehearse(await inForce(), await loadPolicy(values.new), sinceOf(values.since), values.json, config);
      case 'propose': {
        if (first === undefined || values.by === undefined) throw new UsageError('say "policy propose FILE --by NAME"');
        const { name, version } = await loadPolicy(first);
        const { by } = values;
        const sha256 = await propose(config.dataDir, first, personHere(by), async (detail) =>
          tellJournal(config, by, { ...detail, policy: `${name} ${version}` }),
        );
        say(sha256);
        return 0;
      }
      case 'approve': {
        if (first === undefined || values.by === undefined)
          throw new UsageError('say "policy approve SHA256 --by NAME"');
        if (config.policyFile === undefined)
          throw new MugaiError('bad-config', 'MUGAI_POLICY_FILE names no file that could be replaced', {
            permanent: true,
          });
        const { by } = values;
        const two = { by: personHere(by), toldBy: config.policyPersons ?? 'names' } as const;
        const { text, proposer } = await approve(config.dataDir, first, two, async (detail) =>
          tellJournal(config, by, detail),
        );
        const { replaceFile } = await import('../store/fs-sync.ts');
        await replaceFile(config.policyFile, text, 0o644);
        say(`${config.policyFile} is the policy ${proposer.name} proposed; running gateways take it within seconds`);
        if (two.toldBy === 'names') say('that these are two persons is what they say (MUGAI_POLICY_PERSONS)');
        return 0;
      }
      default:
        throw new UsageError('say "policy check", "explain", "rehearse", "propose", "approve", "show" or "schema"');
    }
  },
};

/** The JSON Schema of a policy file as it is published. */
export function policySchemaText(): string {
  const head = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:mugai:policy:v1',
    title: 'Mugai policy',
  };
  return `${JSON.stringify({ ...head, ...PolicySchema }, null, 2)}\n`;
}

/** The text of the policy in force, or of one that was, by its digest. */
async function textOf({ policyFile, dataDir }: Config, sha256: string | undefined): Promise<string | undefined> {
  if (sha256 === undefined) return policyFile === undefined ? builtInText() : readFile(policyFile, 'utf8');
  return sha256 === builtInPolicy().sha256 ? builtInText() : versionOf(dataDir, sha256);
}

async function policyOf(file: string | undefined): Promise<Policy> {
  return file === undefined ? builtInPolicy() : loadPolicy(file);
}

function check(policy: Policy): number {
  const complaints = complaintsOf(policy.rules, policy.groups, policy.originals.levels);
  for (const { rule, kind, why } of complaints) say(`${kind}  ${rule}: ${why}`);
  say(`${policy.name} ${policy.version}: ${policy.rules.length} rules, ${complaints.length} complaints`);
  return complaints.length === 0 ? 0 : 1;
}

async function* messagesSince(since: number, config: Config) {
  const outbox = new Outbox(await openSharedStore(config, 'outbox', { access: 'read' }));
  const keys = await loadPublicKeys(config.verifyKeyFile);
  for (const shard of await outbox.shards()) {
    for (const id of await outbox.idsOf(shard)) {
      if (timeOf(id) < since) continue;
      const manifest = await outbox.files(id).get(MANIFEST, LIMITS.manifestBytes);
      if (manifest === undefined) continue;
      try {
        yield (await openManifest(manifest, keys)).predicate;
      } catch (error) {
        if (!(error instanceof MugaiError)) throw error;
        tell(`${id}: ${error.message}`); // a package that does not verify tells nothing
      }
    }
  }
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

async function rehearse(now: Policy, next: Policy, since: number, json: boolean, config: Config): Promise<number> {
  let messages = 0;
  let changed = 0;
  for await (const predicate of messagesSince(since, config)) {
    messages += 1;
    const changes = changesFor(predicate, now, next);
    if (changes.length > 0) changed += 1;
    for (const change of changes) {
      const { id, path, what, before, after, rule } = change;
      if (json) say(JSON.stringify(change));
      else
        say(`${id}  ${path || 'message'}  ${what}: ${before} → ${after}${rule === undefined ? '' : ` (rule ${rule})`}`);
    }
  }
  if (!json) say(`${messages} messages, ${changed} would have ended otherwise under ${next.name} ${next.version}`);
  return 0;
}

function sinceOf(text: string): number {
  const found = /^(\d{1,5})([dh])$/.exec(text);
  if (found === null) throw new UsageError(`--since is "${text}", not a time such as 7d or 12h`);
  return Date.now() - Number(found[1]) * (found[2] === 'd' ? 86_400_000 : 3_600_000);
}

async function tellJournal(config: Config, person: string, detail: Record<string, string>): Promise<void> {
  const root = join(config.dataDir, 'journal');
  const journal = await openJournal({ root, zone: zoneHere(root, 'inner'), keepDays: config.journalDays });
  await journal.append({ act: 'changed', person, detail: { what: 'policy', ...detail } });
  await journal.close();
}
