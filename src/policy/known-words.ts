// Words of a policy that fit the schema and are found on no part: a type that nothing is detected as, a finding that is never told.
import type { Complaint } from './check.ts';
import type { Policy } from './policy.ts';
import { isType } from './rules.ts';

/** What parts are found to be; the step that looks at them says it. */
export interface KnownWords {
  readonly types: ReadonlySet<string>;
  readonly findings: ReadonlySet<string>;
}

/** Complaints about each word that is unknown, in rules and in `drop`. */
export function complaintsOfWords({ rules, drop }: Pick<Policy, 'rules' | 'drop'>, known: KnownWords): Complaint[] {
  const types = [...known.types];
  const complaints: Complaint[] = [];
  const lookAtTypes = (rule: string, patterns: readonly string[] = []): void => {
    for (const pattern of patterns)
      if (!types.some((type) => isType(pattern, type)))
        complaints.push({
          rule,
          kind: 'unknown-type',
          why: `nothing is ever detected as ${pattern} (docs/formats.md)`,
        });
  };
  lookAtTypes('drop', drop);
  for (const { name, when } of rules) {
    lookAtTypes(name, when?.type);
    for (const code of when?.finding ?? [])
      if (!known.findings.has(code))
        complaints.push({ rule: name, kind: 'unknown-finding', why: `there is no finding ${code}` });
  }
  return complaints;
}
