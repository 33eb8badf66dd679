// One row per leaf of the input: what it was, what became of it, what the reader does not see any more.
import { Type, type Static } from 'typebox';

/** What became of a part. */
export const VERDICTS = ['text', 'pages', 'image', 'expanded', 'dropped', 'held', 'refused'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Why a part (or a whole message) was held or refused. */
export const REASONS = [
  'password-needed',
  'password-wrong',
  'unsupported-type',
  'type-mismatch',
  'damaged',
  'encrypted',
  'empty',
  'too-large',
  'too-deep',
  'too-many-parts',
  'too-many-pages',
  'too-many-pixels',
  'ratio',
  'timeout',
  'out-of-memory',
  'converter-failed',
  'ambiguous',
  'policy',
  'malware',
] as const;
export type Reason = (typeof REASONS)[number];

/** State of a whole message. */
export const STATES = ['sanitised', 'held', 'refused'] as const;
export type State = (typeof STATES)[number];

const oneOf = <const T extends readonly string[]>(values: T) =>
  Type.Unsafe<T[number]>(Type.Union(values.map((value) => Type.Literal(value))));

export const VerdictSchema = oneOf(VERDICTS);
export const ReasonSchema = oneOf(REASONS);
export const StateSchema = oneOf(STATES);

/** A remark on a part: `findings` say what was dangerous and is gone, `losses` what the reader no longer sees. */
export const RemarkSchema = Type.Object(
  { code: Type.String({ pattern: '^[a-z][a-z0-9-]{0,39}$' }), detail: Type.String({ maxLength: 1000 }) },
  { additionalProperties: false },
);
export type Remark = Static<typeof RemarkSchema>;

/** sha256 in hex. */
export const DigestSchema = Type.String({ pattern: '^[0-9a-f]{64}$' });

/** One leaf (or opened container) of the input; sizes in bytes, sha256 over the transfer-decoded bytes. */
export const PartRowSchema = Type.Object(
  {
    path: Type.String({ pattern: '^[0-9]+(\\.[0-9]+)*$', maxLength: 200 }),
    name: Type.String({ maxLength: 300 }),
    declaredType: Type.String({ maxLength: 200 }),
    detectedType: Type.String({ maxLength: 200 }),
    size: Type.Integer({ minimum: 0 }),
    sha256: DigestSchema,
    verdict: VerdictSchema,
    reason: Type.Union([ReasonSchema, Type.Null()]),
    outputs: Type.Array(Type.String({ maxLength: 200 })),
    pages: Type.Integer({ minimum: 0 }),
    findings: Type.Array(RemarkSchema),
    losses: Type.Array(RemarkSchema),
  },
  { additionalProperties: false },
);
export type PartRow = Static<typeof PartRowSchema>;

/** True for a part that a password may still open. */
export function waitsForPassword({ verdict, reason }: Pick<PartRow, 'verdict' | 'reason'>): boolean {
  return verdict === 'held' && (reason === 'password-needed' || reason === 'password-wrong');
}

/**
 * The rows that are the text of a mail, or another form of it that was left out. Rules of a policy keep parts out, not what
 * somebody writes: none of them is asked about these.
 */
export function mailTexts<P extends Pick<PartRow, 'path' | 'detectedType' | 'verdict' | 'reason' | 'outputs'>>(
  parts: readonly P[],
): ReadonlySet<P> {
  const isOf = (output: string, path: string): boolean =>
    output === 'message.txt' || parts.some((mail) => mail.outputs.includes(output) && path.startsWith(`${mail.path}.`));
  const isShown = ({ path, outputs }: P): boolean => outputs.some((output) => isOf(output, path));
  const isLeftOut = ({ verdict, reason, detectedType }: P): boolean =>
    verdict === 'dropped' && reason === null && detectedType.startsWith('text/');
  return new Set(parts.filter((part) => isShown(part) || isLeftOut(part)));
}
