// A new policy tried on messages that came already, by what was written down of them: no original is read.
import type { Policy } from './policy.ts';

/** What a manifest tells of a message, as far as a policy looks at it. */
export interface Seen {
  readonly id: string;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly parts: readonly {
    readonly path: string;
    readonly name: string;
    readonly detectedType: string;
    readonly size: number;
    readonly findings: readonly { readonly code: string }[];
  }[];
}

/** What would be otherwise under the new policy. */
export interface Change {
  readonly id: string;
  /** Path of the part; empty: a setting of the message. */
  readonly path: string;
  readonly what: string;
  readonly before: string;
  readonly after: string;
  readonly rule: string | undefined;
}

const SETTINGS = [
  'language',
  'links',
  'delivery',
  'attachBytes',
  'textLayer',
  'ocr',
  'codePages',
  'keepDays',
  'passwordPairing',
] as const;

/** What would change for one message. */
export function changesFor(seen: Seen, before: Policy, after: Policy): Change[] {
  const [one, other] = [before.forMessage(seen.envelope), after.forMessage(seen.envelope)];
  const changes: Change[] = [];
  for (const what of SETTINGS) {
    const [was, is] = [String(one[what] ?? '-'), String(other[what] ?? '-')];
    if (was !== is) changes.push({ id: seen.id, path: '', what, before: was, after: is, rule: undefined });
  }
  const [grade, regrade] = [gradesOf(one), gradesOf(other)];
  if (grade !== regrade)
    changes.push({ id: seen.id, path: '', what: 'asset', before: grade, after: regrade, rule: undefined });
  const [levels, next] = [JSON.stringify(one.originals.levels), JSON.stringify(other.originals.levels)];
  if (levels !== next)
    changes.push({ id: seen.id, path: '', what: 'approvers', before: levels, after: next, rule: undefined });
  for (const [name, was] of Object.entries(one.limits)) {
    const is = other.limits[name as keyof Policy['limits']];
    if (was !== is)
      changes.push({ id: seen.id, path: '', what: name, before: `${was}`, after: `${is}`, rule: undefined });
  }
  for (const { path, name, detectedType, size, findings } of seen.parts) {
    const facts = { size, findings: findings.map(({ code }) => code) };
    const was = one.decide(detectedType, facts);
    const { decision, rule } = other.explain(detectedType, facts);
    if (was !== decision)
      changes.push({ id: seen.id, path, what: `${detectedType} ${name}`, before: was, after: decision, rule });
  }
  return changes;
}

/** Grades in one line: `confidentiality 3, integrity 2`; `-` where there are none. */
export function gradesOf({ asset }: Pick<Policy, 'asset'>): string {
  const told = Object.entries(asset ?? {}).map(([name, grade]) => `${name} ${grade}`);
  return told.length === 0 ? '-' : told.join(', ');
}
