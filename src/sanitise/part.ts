// A part on its way: the bytes and what the sender says of them, and the row it will have.
import type { PartRow, Reason, Remark, Verdict } from '../message/part.ts';
import type { Entry, Staged } from '../spool/spool.ts';
import { LIMITS } from '../message/limits.ts';
import { countInvisible, forLine, hasBidi } from '../message/untrusted.ts';
import { hasTwoEndings } from './two-endings.ts';

/** A leaf to be converted; `path` as in the manifest, `depth` of nesting of whole files. */
export interface Leaf {
  readonly path: string;
  readonly depth: number;
  readonly name: string;
  readonly declaredType: string;
  /** What a mail says of its charset, as a label; none or '' when nothing. */
  readonly charset?: string;
  readonly content: Staged;
}

/** A type with what the mail says of the leaf's charset, as a child of texts is told it. */
export function withCharset(type: string, { charset = '' }: Leaf): string {
  return charset === '' ? type : `${type}; charset=${charset}`;
}

/** What a converter made of a leaf. Children of an opened container follow their parent. */
export interface Converted {
  readonly verdict: Verdict;
  readonly reason: Reason | null;
  readonly outputs: readonly Entry[];
  readonly pages: number;
  readonly findings: readonly Remark[];
  readonly losses: readonly Remark[];
}

/** A person can still help: with a password, with a key, by asking for the mail in another form. */
const NEEDS_A_PERSON: ReadonlySet<Reason> = new Set(['password-needed', 'password-wrong', 'encrypted', 'ambiguous']);

/** A leaf that cannot be passed, for a reason of the contract. */
export function refusal(
  reason: Reason,
  remarks: { findings?: readonly Remark[]; losses?: readonly Remark[] } = {},
): Converted {
  return {
    verdict: NEEDS_A_PERSON.has(reason) ? 'held' : 'refused',
    reason,
    outputs: [],
    pages: 0,
    findings: remarks.findings ?? [],
    losses: remarks.losses ?? [],
  };
}

/** The row of a leaf. Names are cleaned here; `seen` is what was remarked before the conversion. */
export function rowOf(
  leaf: Leaf,
  detectedType: string,
  converted: Converted,
  seen: { readonly findings: readonly Remark[]; readonly losses: readonly Remark[] } = { findings: [], losses: [] },
): PartRow {
  const findings = [...seen.findings, ...converted.findings];
  if (hasTwoEndings(leaf.name)) findings.push({ code: 'double-extension', detail: '' });
  if (hasBidi(leaf.name)) findings.push({ code: 'bidi-name', detail: '' });
  else if (countInvisible(leaf.name) > 0) findings.push({ code: 'invisible-characters', detail: '' });
  return {
    path: leaf.path,
    name: forLine(leaf.name, 300),
    declaredType: forLine(leaf.declaredType, 200),
    detectedType: forLine(detectedType, 200),
    size: leaf.content.size,
    sha256: leaf.content.sha256,
    verdict: converted.verdict,
    reason: converted.reason,
    outputs: converted.outputs.map((output) => output.name),
    pages: converted.pages,
    findings: distinct(findings),
    losses: distinct([...seen.losses, ...converted.losses]),
  };
}

function distinct(remarks: readonly Remark[]): Remark[] {
  const seen = new Map<string, Remark>();
  for (const remark of remarks) {
    if (seen.size < LIMITS.remarks) seen.set(`${remark.code} ${remark.detail}`, remark);
  }
  return [...seen.values()];
}
