// Whether earlier rules together leave a later one nothing. What rules look at falls into finitely many cases: one value stands for
// all that match the same patterns, so each pattern that is named gives one, and one more stands for whatever matches none.
import { matchesMessage, matchesPart, type Asset, type Groups, type Rule, type When } from './rules.ts';

/** Steps of the search for a case that is left; where it takes more, one is taken to be. */
const MOST_STEPS = 200_000;
/** A name that no rule knows. */
const OTHER = '\u0001';

/** The earlier rules that are possible in a case, a bit each. */
type Mask = bigint;

/**
 * The earlier rules that leave `rule` no case, each the first in one at least; undefined where it has a case for itself, or none at
 * all. `given`: the grades that rules give messages. Every message has a recipient, as on the road from the doors.
 */
export function coverOf(
  rule: Rule,
  earlier: readonly Rule[],
  groups: Groups,
  given: readonly Asset[],
): readonly Rule[] | undefined {
  const dimensions = dimensionsOf(rule, earlier, groups, given);
  if (dimensions.some((masks) => masks.length === 0)) return undefined;
  const first = new Set<Rule | undefined>();
  const seen = dimensions.map(() => new Set<Mask>());
  let steps = 0;
  // True where, of the rules that are left, one is possible in every case of the dimensions from `nth` on.
  const isCovered = (nth: number, left: Mask): boolean => {
    const masks = dimensions[nth];
    if (left === 0n || masks === undefined) {
      first.add(earlier.find((_, bit) => isSet(left, bit)));
      return left !== 0n;
    }
    if (seen[nth]?.has(left) === true) return true;
    steps += masks.length;
    if (steps > MOST_STEPS || !masks.every((mask) => isCovered(nth + 1, left & mask))) return false;
    seen[nth]?.add(left);
    return true;
  };
  return isCovered(0, (1n << BigInt(earlier.length)) - 1n) ? earlier.filter((one) => first.has(one)) : undefined;
}

function isSet(mask: Mask, bit: number): boolean {
  return ((mask >> BigInt(bit)) & 1n) === 1n;
}

/** Recipient, sender, grades, type, size, findings: for each the masks of its cases that `rule` matches. */
function dimensionsOf(rule: Rule, earlier: readonly Rule[], groups: Groups, given: readonly Asset[]): Mask[][] {
  const rules = [rule, ...earlier];
  const named = (of: (when: When) => readonly string[] | undefined): string[] =>
    rules.flatMap(({ when }) => of(when ?? {}) ?? []);
  const masksOf = <Case>(
    looksAt: readonly (keyof When)[],
    cases: readonly Case[],
    isMatch: (rule: Rule, one: Case) => boolean,
  ): Mask[] => {
    const [own, ...others] = rules.map((one) => lookingAt(one, looksAt));
    const masks = new Set<Mask>();
    for (const one of cases) {
      if (own === undefined || !isMatch(own, one)) continue;
      masks.add(others.reduce((mask, other, bit) => (isMatch(other, one) ? mask | (1n << BigInt(bit)) : mask), 0n));
    }
    // Where fewer rules are possible in another case, this one says nothing more.
    return [...masks].filter((mask) => ![...masks].some((other) => other !== mask && (other & mask) === other));
  };
  const recipients = named(({ to, group }) => [...(to ?? []), ...(group ?? []).flatMap((name) => groups[name] ?? [])]);
  // A rule that matches with some findings matches with more of them, too: none, or a single one, is where the fewest do.
  const findings = [[], ...named(({ finding }) => finding).map((code) => [code])];
  return [
    masksOf(['to', 'group'], addressesOf(recipients), (one, to) => matchesMessage(one, { from: '', to }, groups)),
    masksOf(['from'], addressesOf(named(({ from }) => from)), (one, from) =>
      matchesMessage(one, { from, to: undefined }, groups),
    ),
    masksOf(['asset'], [undefined, ...given], (one, asset) =>
      matchesMessage(one, { from: '', to: undefined, asset }, groups),
    ),
    masksOf(['type'], typesOf(named(({ type }) => type)), (one, type) => matchesPart(one, { type })),
    masksOf(['minBytes', 'maxBytes'], sizesOf(rules), (one, size) =>
      matchesPart(one, size === undefined ? { type: '' } : { type: '', size }),
    ),
    masksOf(['finding'], findings, (one, codes) => matchesPart(one, { type: '', findings: codes })),
  ];
}

/** The rule with these conditions alone. */
function lookingAt({ name, when = {} }: Rule, names: readonly (keyof When)[]): Rule {
  return {
    name,
    when: Object.fromEntries(names.flatMap((one) => (when[one] === undefined ? [] : [[one, when[one]]]))),
  };
}

/** Each address that is named, somebody else of each domain, and somebody of none of them. */
function addressesOf(patterns: readonly string[]): string[] {
  const named = new Set(patterns.map((one) => one.toLowerCase()));
  named.delete('*');
  return [...[...named].map((one) => (one.startsWith('@') ? OTHER + one : one)), `${OTHER}@${OTHER}`];
}

/** Each type that is named, another of each family, and one of none of them. */
function typesOf(patterns: readonly string[]): string[] {
  return [...new Set([...patterns.map((one) => one.replace('*', OTHER)), `${OTHER}/${OTHER}`])];
}

/** The least of the sizes between which nothing changes; undefined: not known. */
function sizesOf(rules: readonly Rule[]): (number | undefined)[] {
  const starts = rules.flatMap(({ when: { minBytes = 0, maxBytes } = {} }) =>
    maxBytes === undefined ? [minBytes] : [minBytes, maxBytes + 1],
  );
  return [undefined, ...new Set([0, ...starts])];
}
