// Rules of a policy: who gets what, as what. The first rule that matches decides.
import { Type, type Static } from 'typebox';
import { comparedForm } from '../message/address.ts';
import { SETTINGS, levelsOf } from './settings.ts';

const strict = { additionalProperties: false } as const;
const words = (pattern: string, description: string) =>
  Type.Optional(Type.Array(Type.String({ pattern, maxLength: 320 }), { minItems: 1, maxItems: 1000, description }));
const grade = (most: number, description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: most, description }));
const bytes = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }));

const ADDRESS = '^(\\*|@[^@\\s]+|[^@\\s]+@[^@\\s]+)$';
const TYPE = '^(\\*|[a-z]+/([a-z0-9.+-]+|\\*))$';

/** Grades of an information asset: 機密性 1-3, 完全性 1-2, 可用性 1-2. */
const assetSchema = (description: string) =>
  Type.Object(
    {
      confidentiality: grade(3, '機密性, 1 to 3'),
      integrity: grade(2, '完全性, 1 to 2'),
      availability: grade(2, '可用性, 1 to 2'),
    },
    { ...strict, description },
  );

const AssetSchema = assetSchema('grades of the information in it, which other rules may look at');
export type Asset = Static<typeof AssetSchema>;

/** What must hold for a rule to match; every condition given, any value of its list. */
export const WhenSchema = Type.Object(
  {
    to: words(
      ADDRESS,
      'a recipient: an address, @domain, or *; each recipient is judged alone, and the strictest outcome holds for the message',
    ),
    group: words('^[^\\s]+$', 'names of groups that the recipient is in one of'),
    from: words(ADDRESS, 'envelope sender: an address, @domain, or *'),
    type: words(TYPE, 'detected MIME type: image/png, image/*, or *'),
    finding: words('^[a-z][a-z0-9-]{0,39}$', 'codes of findings, such as macro or link-mismatch'),
    minBytes: bytes('bytes of the part, at least'),
    maxBytes: bytes('bytes of the part, at most'),
    asset: Type.Optional(
      assetSchema('grades that another rule gave the message; each named one must be as high or higher'),
    ),
  },
  { ...strict, description: 'what must hold: every condition given, any value of its list; without: always' },
);
export type When = Static<typeof WhenSchema>;

export const ACTIONS = ['pass', 'pages', 'text', 'image', 'drop', 'hold'] as const;
export type Action = (typeof ACTIONS)[number];

/** Settings of a message, in a rule without conditions on parts. */
export const SettingsSchema = Type.Object(
  {
    ...SETTINGS,
    approvers: levelsOf('who agrees that an original is handed out: one of each level, in turn'),
    asset: Type.Optional(AssetSchema),
  },
  { ...strict, description: 'settings of the messages it matches; a rule that looks at parts has none' },
);
export type Settings = Static<typeof SettingsSchema>;

export const RuleSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100, description: 'what it is called where it is told who decided' }),
    when: Type.Optional(WhenSchema),
    action: Type.Optional(
      Type.Unsafe<Action>(
        Type.Union(
          ACTIONS.map((action) => Type.Literal(action)),
          {
            description:
              'as what a part may pass: pass (whatever it becomes), pages, text, image (what becomes another is dropped), drop, hold',
          },
        ),
      ),
    ),
    set: Type.Optional(SettingsSchema),
  },
  strict,
);
export type Rule = Static<typeof RuleSchema>;

/** Members of groups: addresses or @domains. */
export type Groups = Readonly<Record<string, readonly string[]>>;

/** What a rule may look at of a message: its sender, one of its recipients, what kind of information it is. */
export interface Facts {
  readonly from: string;
  /** One recipient; a message for several is judged for each of them. Undefined: for nobody. */
  readonly to: string | undefined;
  /** Grades of the message; absent where no rule gave any. */
  readonly asset?: Asset | undefined;
}

/** What a rule may look at of one part. */
export interface PartFacts {
  readonly type: string;
  readonly size?: number;
  readonly findings?: readonly string[];
}

/** True for a rule that looks at parts: it decides on them and sets nothing of the message. */
export function looksAtParts({ when }: Rule): boolean {
  const { type, finding, minBytes, maxBytes } = when ?? {};
  return type !== undefined || finding !== undefined || minBytes !== undefined || maxBytes !== undefined;
}

/** True when a rule's conditions on the message hold. */
export function matchesMessage({ when }: Rule, facts: Facts, groups: Groups): boolean {
  if (when === undefined) return true;
  const { to, group, from, asset } = when;
  const isRecipient = (pattern: string): boolean => facts.to !== undefined && isAddress(pattern, facts.to);
  if (to !== undefined && !to.some(isRecipient)) return false;
  if (group !== undefined && !group.some((name) => groups[name]?.some(isRecipient) === true)) return false;
  if (from !== undefined && !from.some((pattern) => isAddress(pattern, facts.from))) return false;
  return asset === undefined || isGraded(asset, facts.asset);
}

/** True when a rule's conditions on a part hold. */
export function matchesPart({ when }: Rule, part: PartFacts): boolean {
  if (when === undefined) return true;
  const { type, finding, minBytes, maxBytes } = when;
  if (type !== undefined && !type.some((pattern) => isType(pattern, part.type))) return false;
  if (finding !== undefined && !finding.some((code) => part.findings?.includes(code) === true)) return false;
  if (minBytes !== undefined && (part.size === undefined || part.size < minBytes)) return false;
  return maxBytes === undefined || (part.size !== undefined && part.size <= maxBytes);
}

/** True when every grade that is asked for is reached. */
export function isGraded(asked: Asset, given: Asset | undefined): boolean {
  const names = ['confidentiality', 'integrity', 'availability'] as const;
  return names.every((name) => (given?.[name] ?? 0) >= (asked[name] ?? 0));
}

/** A rule that grades messages: it says what kind of information they are, and looks at no grades itself. */
export function grades(rule: Rule): boolean {
  return rule.set?.asset !== undefined && rule.when?.asset === undefined && !looksAtParts(rule);
}

/** True for a rule that sets something of a message besides its grades. */
export function setsSomething({ set }: Rule): boolean {
  return Object.keys(set ?? {}).some((name) => name !== 'asset');
}

/** A domain matches its subdomains too; neither case nor the form of a domain counts. */
export function isAddress(pattern: string, address: string): boolean {
  const [wanted, given] = [comparedForm(pattern), comparedForm(address)];
  if (wanted === '*') return true;
  if (!wanted.startsWith('@')) return wanted === given;
  const domain = given.slice(given.lastIndexOf('@') + 1);
  return domain === wanted.slice(1) || domain.endsWith(`.${wanted.slice(1)}`);
}

export function isType(pattern: string, type: string): boolean {
  return pattern === '*' || pattern === type || (pattern.endsWith('/*') && type.startsWith(pattern.slice(0, -1)));
}
