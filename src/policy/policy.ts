// The policy: what is done with each kind of part, and which limits are lower than the ceilings. Name, version and
// digest stand in every manifest.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { parse, stringify } from 'yaml';
import { LIMITS } from '../message/limits.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { decideFor, judge, strictestOf, type Judged, type Own } from './recipients.ts';
import { faultOfText, faultOfWords } from './seen-text.ts';
import { SETTINGS, levelsOf, lowered, oneOf } from './settings.ts';
import { RuleSchema, type Action, type Asset, type Groups, type Rule, type Settings } from './rules.ts';

const OriginalsSchema = Type.Object(
  {
    levels: levelsOf('who agrees: one of each level, in turn'),
    waitMinutes: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_080,
        description: 'minutes between the last approval and the release: time for scanners to learn',
      }),
    ),
    validHours: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 720,
        description: 'hours a request waits for its approver, and an approval for its use',
      }),
    ),
    linkHours: Type.Optional(Type.Integer({ minimum: 1, maximum: 168, description: 'hours the link lives' })),
  },
  {
    additionalProperties: false,
    description: 'who may agree that an original is handed out on the Internet side, and how',
  },
);

/** Shape of a policy file. */
export const PolicySchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100, description: 'whose policy it is; stands in every manifest' }),
    version: Type.String({ minLength: 1, maxLength: 40, description: 'its version; stands in every manifest' }),
    ...SETTINGS,
    mailCharset: oneOf(
      ['utf-8', 'iso-2022-jp'],
      'what delivered mail is written in: utf-8 (without), or iso-2022-jp for programs of the days before it',
    ),
    archives: oneOf(
      ['files', 'zip'],
      'what came in one archive travels file by file (files, without), or in one zip of ours with the same folders (zip)',
    ),
    csv: oneOf(
      ['text', 'pages'],
      'CSV and TSV: as text and as the pages of a table (pages, without), or as text alone',
    ),
    html: oneOf(
      ['text', 'pages'],
      'HTML and saved web pages (MHTML): as text (without), or as text and as pages, without scripts, style sheets and network',
    ),
    frames: oneOf(
      ['first', 'pages'],
      'of a moving picture (GIF, WebP): its first frame as a picture (first, without), or all its frames as pages',
    ),
    drop: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z]+/([a-z0-9.+-]+|\\*)$' }), {
        description: 'detected MIME types that are dropped, whatever they hold: image/gif, image/*',
      }),
    ),
    unscanned: oneOf(
      ['hold', 'pass'],
      'what becomes of a part when the malware scanner (MUGAI_CLAMD) gives no answer: it is held, or goes on and is told (pass, without)',
    ),
    originals: Type.Optional(OriginalsSchema),
    groups: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[^\\s]{1,100}$' }),
        Type.Array(Type.String({ pattern: '^(@[^@\\s]+|[^@\\s]+@[^@\\s]+)$' }), { maxItems: 10_000 }),
        { description: 'groups of recipients by name: addresses or @domains' },
      ),
    ),
    rules: Type.Optional(
      Type.Array(RuleSchema, {
        maxItems: 1000,
        description: 'the first rule that matches decides; what none decides passes as whatever it becomes',
      }),
    ),
    passwordPairingHours: lowered(LIMITS.pairingHours, 'hours in which that second mail with a password comes'),
  },
  { additionalProperties: false },
);

/** What rules see of a message. */
interface Envelope {
  readonly from: string;
  readonly to: readonly string[];
}

/** A policy in force. */
export interface Policy {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly language: 'ja' | 'en';
  readonly mailCharset: 'utf-8' | 'iso-2022-jp';
  readonly links: 'plain' | 'hxxp' | 'removed';
  readonly archives: 'files' | 'zip';
  readonly csv: 'text' | 'pages';
  readonly html: 'text' | 'pages';
  readonly frames: 'first' | 'pages';
  readonly attachBytes: number;
  readonly textLayer: boolean;
  readonly unscanned: 'hold' | 'pass';
  readonly ocr: boolean;
  readonly discImages: 'refuse' | 'open';
  readonly codePages: number;
  readonly originals: {
    readonly levels: readonly (readonly string[])[];
    readonly waitMinutes: number;
    readonly validHours: number;
    readonly linkHours: number;
  };
  readonly limits: {
    readonly parts: number;
    readonly depth: number;
    readonly pages: number;
    readonly expandedBytes: number;
    readonly outputBytes: number;
    readonly pixels: number;
    readonly seconds: number;
    /** 0: what suits each page, `LIMITS.dpi` or `LIMITS.sharpDpi`. */
    readonly dpi: number;
  };
  readonly delivery: 'attach' | 'link';
  readonly keepDays: number | undefined;
  readonly passwordPairing: boolean;
  readonly passwordPairingHours: number;
  /** Grades of the information asset, where a rule gives them. */
  readonly asset: Asset | undefined;
  /** Detected MIME types that are dropped whatever they hold. */
  readonly drop: readonly string[];
  readonly rules: readonly Rule[];
  readonly groups: Groups;
  /** Which rules say what for which recipients. */
  readonly judged: readonly Judged[];
  /** The policy as it is for one message: for each recipient the first rule that matches, of them all the strictest. */
  forMessage(envelope: Envelope): Policy;
  /** What is done with a part of this detected type: what it may become, `drop`, `hold`, or `convert` to whatever suits. */
  decide(detectedType: string, facts?: { readonly size: number; readonly findings: readonly string[] }): Decision;
  /** As `decide`, and which rule says so; undefined: none. */
  explain(detectedType: string, facts?: { readonly size: number; readonly findings: readonly string[] }): Explained;
}

const DAY_MS = 86_400_000;

/** Milliseconds that a message is kept under its own policy (`forMessage`); undefined: for ever. */
export function keptMs({ keepDays }: Pick<Policy, 'keepDays'>): number | undefined {
  return keepDays === undefined ? undefined : keepDays * DAY_MS;
}

/** The shortest time any message is kept under a policy: what is younger need not be looked at. Undefined: nothing ends. */
export function shortestKeptMs(policy: Policy): number | undefined {
  const days = [policy.keepDays, ...policy.rules.map(({ set }) => set?.keepDays)].filter((one) => one !== undefined);
  return days.length === 0 ? undefined : Math.min(...days) * DAY_MS;
}

export type Decision = 'convert' | Exclude<Action, 'pass'>;
export interface Explained {
  readonly decision: Decision;
  readonly rule: string | undefined;
  /** For which recipient the rule says so; undefined: for all alike. */
  readonly recipient: string | undefined;
}

const BUILT_IN: Static<typeof PolicySchema> = { name: 'built-in', version: '1' };

/** The policy that holds when no file is named: everything that can be converted is, everything else is refused. */
export function builtInPolicy(): Policy {
  return policyOf(BUILT_IN);
}

/** The built-in policy as a file would say it; read, it has the same digest. */
export function builtInText(): string {
  return `# what holds where no file is named: whatever can be converted is, everything else is refused\n${stringify(BUILT_IN)}`;
}

/** The same policy with other limits for one run; they may be higher than its own, never than the ceilings. */
export function withLimits(policy: Policy, limits: Partial<Policy['limits']>): Policy {
  return {
    ...policy,
    limits: { ...policy.limits, ...limits },
    forMessage: (envelope) => withLimits(policy.forMessage(envelope), limits),
  };
}

/** The policy of a YAML file; `bad-config` in one line for anything wrong with it. */
export async function loadPolicy(file: string): Promise<Policy> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new MugaiError('bad-config', `policy file ${file}: ${reasonOf(error)}`, { permanent: true, cause: error });
  }
  return readPolicy(text, file);
}

/** The policy in a YAML text; `file` names it in errors. */
export function readPolicy(text: string, file: string): Policy {
  const demand = (fault: string | undefined): void => {
    if (fault !== undefined) throw new MugaiError('bad-config', `policy file ${file}: ${fault}`, { permanent: true });
  };
  demand(faultOfText(text));
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 10 });
  } catch (error) {
    throw new MugaiError('bad-config', `policy file ${file}: ${reasonOf(error)}`, { permanent: true, cause: error });
  }
  const validator = Compile(PolicySchema);
  if (validator.Check(value)) {
    demand(faultOfWords(value)); // behind the schema: no policy has a value within itself
    return policyOf(value);
  }
  const first = validator.Errors(value)[0];
  const where = first === undefined ? '' : `${first.instancePath.slice(1) || 'the file'} ${wordsOf(first.message)}`;
  throw new MugaiError('bad-config', `policy file ${file}: ${where}`, { permanent: true });
}

/** The validator's words, but where they help nobody. */
function wordsOf(message: string): string {
  return message === 'schema is false' ? 'is no key of a policy' : message;
}

type File = Static<typeof PolicySchema>;

function policyOf(file: File): Policy {
  return policyFor(file, createHash('sha256').update(JSON.stringify(file)).digest('hex'), { from: '', to: [] });
}

/** A policy for a message; for no message in particular where it has no recipient. */
function policyFor(file: File, sha256: string, envelope: Envelope): Policy {
  const rules = file.rules ?? [];
  const groups = file.groups ?? {};
  const judged = judge(rules, groups, envelope);
  const usual = ownOf(file, {}, undefined);
  const [one = usual, ...others] = judged.map(({ settings, asset }) => ownOf(file, settings, asset));
  const { levels, ...own } = strictestOf([one, ...others], usual);
  const dropped = new Set(file.drop);
  const explain: Policy['explain'] = (type, part) => {
    const isDropped = dropped.has(type) || dropped.has(`${type.split('/')[0] ?? ''}/*`);
    const unruled = isDropped ? DROPPED : UNRULED;
    return decideFor(judged, { type, ...part }, unruled);
  };
  return {
    name: file.name,
    version: file.version,
    sha256,
    ...own,
    mailCharset: file.mailCharset ?? 'utf-8',
    archives: file.archives ?? 'files',
    csv: file.csv ?? 'pages',
    html: file.html ?? 'text',
    frames: file.frames ?? 'first',
    unscanned: file.unscanned ?? 'pass',
    passwordPairingHours: file.passwordPairingHours ?? LIMITS.pairingHoursUsual,
    originals: {
      levels,
      waitMinutes: file.originals?.waitMinutes ?? 0,
      validHours: file.originals?.validHours ?? 72,
      linkHours: file.originals?.linkHours ?? 24,
    },
    drop: file.drop ?? [],
    rules,
    groups,
    judged,
    // Without rules all messages are alike, and most policies have none.
    forMessage({ from, to }) {
      return rules.length === 0 ? this : policyFor(file, sha256, { from, to });
    },
    decide: (type, part) => explain(type, part).decision,
    explain,
  };
}

const DROPPED: Explained = { decision: 'drop', rule: 'drop', recipient: undefined };
const UNRULED: Explained = { decision: 'convert', rule: undefined, recipient: undefined };

/** What a file says with the settings of one of its rules. */
function ownOf(file: File, set: Settings, asset: Asset | undefined): Own {
  const delivery = set.delivery ?? file.delivery ?? 'attach';
  const limit = (name: keyof Policy['limits'], otherwise: number): number =>
    Math.min(set.limits?.[name] ?? Infinity, file.limits?.[name] ?? Infinity, otherwise);
  return {
    language: set.language ?? file.language ?? 'ja',
    links: set.links ?? file.links ?? 'plain',
    delivery,
    attachBytes: delivery === 'link' ? 0 : (set.attachBytes ?? file.attachBytes ?? LIMITS.attachBytes),
    textLayer: set.textLayer ?? file.textLayer ?? true,
    ocr: set.ocr ?? file.ocr ?? false,
    discImages: set.discImages ?? file.discImages ?? 'refuse',
    codePages: set.codePages ?? file.codePages ?? LIMITS.codePagesUsual,
    keepDays: set.keepDays ?? file.keepDays,
    passwordPairing: set.passwordPairing ?? file.passwordPairing ?? false,
    asset,
    levels: set.approvers ?? file.originals?.levels ?? [[]],
    limits: {
      parts: limit('parts', LIMITS.parts),
      depth: limit('depth', LIMITS.depth),
      pages: limit('pages', LIMITS.pages),
      expandedBytes: limit('expandedBytes', LIMITS.expandedBytes),
      outputBytes: limit('outputBytes', LIMITS.outputBytes),
      pixels: limit('pixels', LIMITS.pixels),
      seconds: limit('seconds', LIMITS.messageSeconds),
      dpi: set.limits?.dpi ?? file.limits?.dpi ?? 0,
    },
  };
}
