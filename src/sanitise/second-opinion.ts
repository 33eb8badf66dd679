// The second opinion of a malware scanner on a part, where there is one. It never decides that something is harmless: what it
// finds is refused besides, and that it gave no answer is told or holds the part, as the policy says; never nothing.
import type { Remark } from '../message/part.ts';
import { refusal, type Converted, type Leaf } from './part.ts';
import type { Tools } from './tools.ts';

/** What the scanner had to say: `end` when the part goes no further. */
export interface Opinion {
  readonly findings: readonly Remark[];
  readonly end: Converted | undefined;
}

const NONE: Opinion = { findings: [], end: undefined };

/** Asks the scanner about a leaf. Throws only when we are stopping. */
export async function secondOpinion(leaf: Leaf, { scan, signal, policy }: Tools): Promise<Opinion> {
  if (scan === undefined || leaf.content.size === 0) return NONE;
  try {
    const found = await scan(leaf.content, signal);
    if (found === undefined) return NONE;
    return { findings: [{ code: 'malware', detail: found.slice(0, 200) }], end: refusal('malware') };
  } catch {
    signal.throwIfAborted();
    // Why, the operator's alarm says: addresses and paths of this machine are nobody else's.
    const findings = [{ code: 'not-scanned', detail: '' }];
    return { findings, end: policy.unscanned === 'hold' ? { ...refusal('policy'), verdict: 'held' } : undefined };
  }
}
