// What is wrong with the rules of a policy though each fits the schema: rules that can never match, or that cannot be meant.
import { coverOf } from './covered.ts';
import {
  grades,
  isAddress,
  isGraded,
  looksAtParts,
  setsSomething,
  type Asset,
  type Groups,
  type Rule,
  type When,
} from './rules.ts';

export interface Complaint {
  readonly rule: string;
  readonly kind:
    | ('unreachable' | 'contradictory' | 'without-effect' | 'same-name')
    | ('unknown-group' | 'unknown-type' | 'unknown-finding');
  readonly why: string;
}

/** Complaints about rules, in their order; before them about the policy's own levels of approvers, where they are given. */
export function complaintsOf(
  rules: readonly Rule[],
  groups: Groups,
  levels: readonly (readonly string[])[] = [],
): Complaint[] {
  const complaints: Complaint[] = [];
  const lacking = personsLacking(levels);
  if (lacking !== undefined) complaints.push({ rule: 'originals', kind: 'contradictory', why: lacking });
  const given = rules.flatMap((one) => (grades(one) && one.set?.asset !== undefined ? [one.set.asset] : []));
  rules.forEach((rule, nth) => {
    const say = (kind: Complaint['kind'], why: string): void => void complaints.push({ rule: rule.name, kind, why });
    const earlier = rules.slice(0, nth);
    if (earlier.some((one) => one.name === rule.name)) say('same-name', 'another rule has this name');
    const when = rule.when ?? {};
    for (const name of when.group ?? [])
      if (groups[name] === undefined) say('unknown-group', `there is no group ${name}`);
    if (when.minBytes !== undefined && when.maxBytes !== undefined && when.minBytes > when.maxBytes)
      say('contradictory', `no size is at least ${when.minBytes} and at most ${when.maxBytes}`);
    complainOfNobody(when, groups, say);
    if (rule.action === undefined && rule.set === undefined)
      say('without-effect', 'it has neither an action nor settings');
    else if (rule.action === undefined && !setsSomething(rule) && Object.keys(rule.set?.asset ?? {}).length === 0)
      say('without-effect', 'its settings set nothing');
    if (rule.set?.delivery === 'link' && rule.set.attachBytes !== undefined)
      say('contradictory', 'nothing is attached where attachments stay in the portal: attachBytes has no effect');
    const persons = personsLacking(rule.set?.approvers ?? []);
    if (persons !== undefined) say('contradictory', persons);
    if (rule.set !== undefined && looksAtParts(rule))
      say('contradictory', 'settings are of the whole message: a rule that looks at parts cannot make them');
    if (when.asset !== undefined && !rules.some((one) => grades(one) && isGraded(when.asset ?? {}, one.set?.asset)))
      say('unreachable', 'no rule gives a message these grades');
    if (when.asset !== undefined && rule.set?.asset !== undefined)
      say('contradictory', 'it gives grades to messages that it finds by their grades');
    const cover =
      rule.action === undefined && rule.set === undefined ? undefined : coverOfAll(rule, earlier, groups, given);
    if (cover === undefined) return;
    const isSame = cover.every((one) => covers(rule, one, groups, given) && one.action !== rule.action);
    const names = cover.map(({ name }) => name).join(', ');
    if (isSame) say('contradictory', `${names} ${cover.length === 1 ? 'says' : 'together say'} otherwise of the same`);
    else
      say('unreachable', `whatever it matches, ${names} ${cover.length === 1 ? 'matches' : 'together match'} before`);
  });
  return complaints;
}

/** Conditions on recipients that nobody meets. */
function complainOfNobody(when: When, groups: Groups, say: (kind: Complaint['kind'], why: string) => void): void {
  const { to, group } = when;
  if (group === undefined || group.some((name) => groups[name] === undefined)) return;
  const members = group.flatMap((name) => groups[name] ?? []);
  if (members.length === 0) return say('unreachable', `nobody is in ${group.join(', ')}`);
  if (to === undefined) return;
  const meet = (one: string, other: string): boolean => addressWithin(one, other) || addressWithin(other, one);
  if (!to.some((pattern) => members.some((member) => meet(pattern, member))))
    say('unreachable', 'nobody is both of its recipients and of its groups');
}

/** What is wrong with levels that one person each must fill (no person fills two); an empty list is anybody. */
function personsLacking(levels: readonly (readonly string[])[]): string | undefined {
  const taken = new Map<string, number>();
  const fill = (level: number, seen: Set<string>): boolean =>
    (levels[level] ?? []).some((name) => {
      if (seen.has(name)) return false;
      seen.add(name);
      const other = taken.get(name);
      if (other !== undefined && !fill(other, seen)) return false;
      taken.set(name, level);
      return true;
    });
  for (const [level, names] of levels.entries())
    if (names.length > 0 && !fill(level, new Set()))
      return 'its levels of approvers name too few persons: nobody decides at two levels, and no request gets through';
  return undefined;
}

/**
 * The earlier rules that together leave a rule nothing: neither its action (hidden by actions), nor its settings, nor its
 * grades (hidden by those of others).
 */
function coverOfAll(
  rule: Rule,
  earlier: readonly Rule[],
  groups: Groups,
  given: readonly Asset[],
): readonly Rule[] | undefined {
  const found = new Set<Rule>();
  const kinds = [
    (one: Rule) => one.action !== undefined,
    (one: Rule) => setsSomething(one) && !looksAtParts(one),
    (one: Rule) => grades(one),
  ];
  for (const isOfKind of kinds) {
    if (!isOfKind(rule)) continue;
    const cover = coverOf(rule, earlier.filter(isOfKind), groups, given);
    if (cover === undefined) return undefined;
    for (const one of cover) found.add(one);
  }
  return found.size === 0 ? undefined : earlier.filter((one) => found.has(one));
}

/** True when `wide` holds for everything that `narrow` holds for. */
function covers(wide: Rule, narrow: Rule, groups: Groups, given: readonly Asset[]): boolean {
  return coverOf(narrow, [wide], groups, given) !== undefined;
}

function addressWithin(wide: string, narrow: string): boolean {
  if (wide === '*') return true;
  return narrow === '*' ? false : isAddress(wide, narrow.startsWith('@') ? `x${narrow}` : narrow);
}
