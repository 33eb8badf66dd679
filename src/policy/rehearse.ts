// A new policy tried on messages that came already, by what was written down of them: no original is read.
import { mailTexts, type PartRow } from '../message/part.ts';
import type { Policy } from './policy.ts';

/** What a manifest tells of a message, as far as a policy looks at it. */
export interface Seen {
  readonly id: string;
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly parts: readonly (Pick<
    PartRow,
    'path' | 'name' | 'detectedType' | 'size' | 'verdict' | 'reason' | 'outputs'
  > & {
    readonly findings: readonly { readonly code: string }[];
  })[];
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

/** Every field that is a setting of the whole message, and how it is told; what rules say of parts is compared part by part. */
const SETTINGS: {
  readonly [field in Exclude<keyof Policy, NotCompared>]: (policy: Policy) => string | number | boolean | undefined;
} = {
  language: ({ language }) => language,
  mailCharset: ({ mailCharset }) => mailCharset,
  links: ({ links }) => links,
  archives: ({ archives }) => archives,
  csv: ({ csv }) => csv,
  html: ({ html }) => html,
  frames: ({ frames }) => frames,
  delivery: ({ delivery }) => delivery,
  attachBytes: ({ attachBytes }) => attachBytes,
  textLayer: ({ textLayer }) => textLayer,
  unscanned: ({ unscanned }) => unscanned,
  ocr: ({ ocr }) => ocr,
  discImages: ({ discImages }) => discImages,
  codePages: ({ codePages }) => codePages,
  keepDays: ({ keepDays }) => keepDays,
  passwordPairing: ({ passwordPairing }) => passwordPairing,
  passwordPairingHours: ({ passwordPairingHours }) => passwordPairingHours,
  asset: (policy) => gradesOf(policy),
};

/** What a policy is called, what it does, and fields of more than one value, which are compared by themselves. */
type NotCompared =
  | ('name' | 'version' | 'sha256' | 'drop' | 'rules' | 'groups' | 'judged')
  | ('forMessage' | 'decide' | 'explain')
  | ('originals' | 'limits');

const ORIGINALS: { readonly [field in keyof Policy['originals']]: string } = {
  levels: 'approvers',
  waitMinutes: 'waitMinutes',
  validHours: 'validHours',
  linkHours: 'linkHours',
};

/** All settings of a policy for one message, by the name they are told with. */
function settingsOf(policy: Policy): ReadonlyMap<string, string> {
  const { originals, limits } = policy;
  return new Map([
    ...Object.entries(SETTINGS).map(([name, read]) => [name, String(read(policy) ?? '-')] as const),
    ...Object.entries(ORIGINALS).map(([field, name]) => {
      const value = originals[field as keyof typeof ORIGINALS];
      return [name, typeof value === 'number' ? String(value) : JSON.stringify(value)] as const;
    }),
    ...Object.entries(limits).map(([name, limit]) => [name, String(limit)] as const),
  ]);
}

/** What would change for one message. */
export function changesFor(seen: Seen, before: Policy, after: Policy): Change[] {
  const [one, other] = [before.forMessage(seen.envelope), after.forMessage(seen.envelope)];
  const changes: Change[] = [];
  const next = settingsOf(other);
  for (const [what, was] of settingsOf(one)) {
    const is = next.get(what) ?? '-';
    if (was !== is) changes.push({ id: seen.id, path: '', what, before: was, after: is, rule: undefined });
  }
  const texts = mailTexts(seen.parts);
  for (const part of seen.parts) {
    if (texts.has(part)) continue;
    const { path, name, detectedType, size, findings } = part;
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
