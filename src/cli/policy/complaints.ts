// All that is wrong with a policy though it fits the schema: its rules among themselves, and words that are found on no part.
import { complaintsOf, type Complaint } from '../../policy/check.ts';
import { complaintsOfWords } from '../../policy/known-words.ts';
import type { Policy } from '../../policy/policy.ts';
import { DETECTED_TYPES } from '../../sanitise/detected-types.ts';
import { FINDINGS } from '../../sanitise/findings.ts';

export function complaintsAbout(policy: Policy): Complaint[] {
  const words = complaintsOfWords(policy, { types: DETECTED_TYPES, findings: FINDINGS });
  return [...complaintsOf(policy.rules, policy.groups, policy.originals.levels), ...words];
}
