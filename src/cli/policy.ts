// `mugai policy`: checks a policy, tells which rule says what, tries a new one on what came already, and changes it by two persons.
import { parseArgs } from 'node:util';
import { readConfig, type Config } from '../config.ts';
import { PolicySchema, type Policy } from '../policy/policy.ts';
import { demandTaken, type Takes } from './acts.ts';
import { complaintsAbout } from './policy/complaints.ts';
import { explain, explainKind } from './policy/explain.ts';
import { policyOf, textOf } from './policy/named.ts';
import { approveHere, proposeHere } from './policy/persons.ts';
import { rehearse, sinceOf } from './policy/rehearse.ts';
import { say, sayLine, sayText, UsageError, type Command } from './usage.ts';

const HELP = `mugai policy check [FILE|SHA256]
mugai policy explain RECIPIENT TYPE [--to ADDRESS]… [--from ADDRESS] [--size BYTES] [--finding CODE]… [--policy FILE]
mugai policy explain MESSAGE-ID [--policy FILE]
mugai policy explain FILE.eml [--from ADDRESS] [--to ADDRESS]… [--policy FILE]
mugai policy rehearse --new FILE|SHA256 [--since 7d] [--policy FILE] [--json]
mugai policy propose FILE --by NAME
mugai policy approve SHA256 --by NAME
mugai policy show [SHA256]
mugai policy schema

check     finds rules that can never match, or that say otherwise than an earlier one of the same; types that nothing
          is detected as, findings that are never told
explain   says which rule decides, and what, for a recipient and a detected type, for each part of a message
          that is in the outbox, or of a mail (or any file) that is opened behind the walls for it: as from and to
          whom is said, or as the mail's own header says; of several recipients each is judged alone, the strictest
          outcome holds, and whose rule it is is said; each rule with those of its conditions that hold
rehearse  replays what is written of the messages since then against a new policy: which parts would have ended
          otherwise, which settings would have been others
propose   lays a new policy before a second person; prints its SHA-256, with which he may show, check and rehearse it
approve   by another person than who proposed it: the policy file is replaced, and running gateways take it. Persons are who they
          say, and the journal tells the account and the login of each; with MUGAI_POLICY_PERSONS=2-logins both must have
          signed in to the machine as different accounts, as Linux keeps it through sudo and su (loginuid). What was
          approved last counts alone; what was proposed before that is proposed again
show      prints the policy that MUGAI_POLICY_FILE names (the built-in one without); one that was in force here, by the
          digest that a manifest names it with; or a proposal, by the SHA-256 that propose printed
schema    prints the JSON Schema of a policy file (docs/policy.schema.json), for editors

FILE defaults to MUGAI_POLICY_FILE; without one, the built-in policy. SHA256 names a policy as show does.

Exit: 0 as it should be, 1 complaints, or refused, 2 wrong usage.

Example: mugai policy rehearse --new policy-new.yaml --since 7d`;

const ACTS = {
  check: { usage: 'policy check [FILE|SHA256]', words: [0, 1] },
  rehearse: {
    usage: 'policy rehearse --new FILE|SHA256 [--since 7d] [--policy FILE] [--json]',
    options: ['new', 'since', 'policy', 'json'],
    words: [0, 0],
  },
  propose: { usage: 'policy propose FILE --by NAME', options: ['by'], words: [1, 1] },
  approve: { usage: 'policy approve SHA256 --by NAME', options: ['by'], words: [1, 1] },
  show: { usage: 'policy show [SHA256]', words: [0, 1] },
  schema: { usage: 'policy schema', words: [0, 0] },
} as const satisfies { readonly [act: string]: Takes };

export const policyCommand: Command = {
  help: HELP,
  run: async (args) => {
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      allowPositionals: true,
      tokens: true,
      options: {
        policy: { type: 'string' },
        new: { type: 'string' },
        since: { type: 'string', default: '7d' },
        from: { type: 'string' },
        size: { type: 'string' },
        finding: { type: 'string', multiple: true, default: [] },
        to: { type: 'string', multiple: true, default: [] },
        by: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    const [act = '', ...words] = positionals;
    const [word = ''] = words;
    const demand = (takes: Takes): void => demandTaken(takes, { tokens, words });
    if (act !== 'explain' && Object.hasOwn(ACTS, act)) demand(ACTS[act as keyof typeof ACTS]);
    const config = readConfig();
    switch (act) {
      case 'check':
        return check(await policyOf(words[0] ?? config.policyFile, config));
      case 'show':
        return show(config, words[0]);
      case 'schema':
        say(policySchemaText().trimEnd());
        return 0;
      case 'explain':
        demand(explainKind(words));
        return explain(words, values, await policyOf(values.policy ?? config.policyFile, config), config);
      case 'rehearse': {
        if (values.new === undefined) throw new UsageError('say which policy is new: --new FILE');
        const now = await policyOf(values.policy ?? config.policyFile, config);
        return rehearse(now, await policyOf(values.new, config), sinceOf(values.since), values.json, config);
      }
      case 'propose':
        return proposeHere(config, word, byOf(values, ACTS.propose));
      case 'approve':
        return approveHere(config, word, byOf(values, ACTS.approve));
      default:
        throw new UsageError('say "policy check", "explain", "rehearse", "propose", "approve", "show" or "schema"');
    }
  },
};

function byOf({ by }: { readonly by?: string | undefined }, { usage }: Takes): string {
  if (by === undefined) throw new UsageError(`say "${usage}"`);
  return by;
}

/** The JSON Schema of a policy file as it is published. */
export function policySchemaText(): string {
  const head = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:mugai:policy:v1',
    title: 'Mugai policy',
  };
  return `${JSON.stringify({ ...head, ...PolicySchema }, null, 2)}\n`;
}

async function show(config: Config, sha256: string | undefined): Promise<number> {
  const text = await textOf(config, sha256);
  if (text === undefined)
    throw new UsageError(`${sha256} is the SHA-256 of no policy that was in force or is proposed here`);
  sayText(text.trimEnd());
  return 0;
}

function check(policy: Policy): number {
  const complaints = complaintsAbout(policy);
  for (const { rule, kind, why } of complaints) sayLine(`${kind}  ${rule}: ${why}`);
  sayLine(`${policy.name} ${policy.version}: ${policy.rules.length} rules, ${complaints.length} complaints`);
  return complaints.length === 0 ? 0 : 1;
}
