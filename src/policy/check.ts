// What is wrong with the rules of a policy though each fits the schema: rules that can never match, or that cannot be meant.
import {
  grades,
  isAddress,
  isGraded,
  isType,
  looksAtParts,
  setsSomething,
  type Groups,
  type Rule,
  type When,
} from './rules.ts';

export interface Complaint {
  readonly rule: string;
  readonly kind: 'unreachable' | 'contradictory' | 'unknown-group' | 'without-effect' | 'same-name';
  readonly why: string;
}

/** Complaints about rules, in their order. */
export function complaintsOf(rules: readonly Rule[], groups: Groups): Complaint[] {
  const complaints: Complaint[] = [];
  rules.forEach((rule, nth) => {
    const say = (kind: Complaint['kind'], why: string): void => void complaints.push({ rule: rule.name, kind, why });
    const earlier = rules.slice(0, nth);
    if (earlier.some((one) => one.name === rule.name)) say('same-name', 'another rule has this name');
    const when = rule.when ?? {};
    for (const name of when.group ?? [])
      if (groups[name] === undefined) say('unknown-group', `there is no group ${name}`);
    if (when.minBytes !== undefined && when.maxBytes !== undefined && when.minBytes > when.maxBytes)
      say('contradictory', `no size is at least ${when.minBytes} and at most ${when.maxBytes}`);
    if (rule.action === undefined && rule.set === undefined)
      say('without-effect', 'it has neither an action nor settings');
    if (rule.set !== undefined && looksAtParts(rule))
      say('contradictory', 'settings are of the whole message: a rule that looks at parts cannot make them');
    if (when.asset !== undefined && !rules.some((one) => grades(one) && isGraded(when.asset ?? {}, one.set?.asset)))
      say('unreachable', 'no rule gives a message these grades');
    if (when.asset !== undefined && rule.set?.asset !== undefined)
      say('contradictory', 'it gives grades to messages that it finds by their grades');
    // An action is hidden by an earlier action, settings by earlier settings.
    const cover = earlier.find(
      (one) =>
        covers(one.when ?? {}, when, groups) &&
        (rule.action === undefined || one.action !== undefined) &&
        (!setsSomething(rule) || (setsSomething(one) && !looksAtParts(one))) &&
        (!grades(rule) || grades(one)),
    );
    if (cover === undefined || (rule.action === undefined && rule.set === undefined)) return;
    const same = covers(when, cover.when ?? {}, groups);
    if (same && cover.action !== rule.action) say('contradictory', `${cover.name} says otherwise of the same`);
    else say('unreachable', `whatever it matches, ${cover.name} matches before`);
  });
  return complaints;
}

/** True when the conditions `wide` hold for everything that `narrow` holds for. */
function covers(wide: When, narrow: When, groups: Groups): boolean {
  const members = (when: When): readonly string[] | undefined => {
    const grouped = when.group?.flatMap((name) => groups[name] ?? []);
    if (when.to === undefined) return grouped;
    return grouped === undefined ? when.to : undefined;
  };
  if (wide.asset !== undefined && !isGraded(wide.asset, narrow.asset)) return false;
  if (wide.to !== undefined && wide.group !== undefined) return false; // both at once: not judged
  const wanted = members(wide);
  const given = members(narrow) ?? narrow.to ?? undefined;
  if (wanted !== undefined && !within(wanted, given, addressWithin)) return false;
  if (wide.from !== undefined && !within(wide.from, narrow.from, addressWithin)) return false;
  if (wide.type !== undefined && !within(wide.type, narrow.type, typeWithin)) return false;
  if (wide.finding !== undefined && !within(wide.finding, narrow.finding, (a, b) => a === b)) return false;
  if (wide.minBytes !== undefined && (narrow.minBytes ?? -1) < wide.minBytes) return false;
  return wide.maxBytes === undefined || (narrow.maxBytes ?? Infinity) <= wide.maxBytes;
}

function within(
  wide: readonly string[],
  narrow: readonly string[] | undefined,
  holds: (wide: string, narrow: string) => boolean,
): boolean {
  if (narrow === undefined) return wide.includes('*');
  return narrow.every((one) => wide.some((pattern) => holds(pattern, one)));
}

function addressWithin(wide: string, narrow: string): boolean {
  if (wide === '*') return true;
  return narrow === '*' ? false : isAddress(wide, narrow.startsWith('@') ? `x${narrow}` : narrow);
}

function typeWithin(wide: string, narrow: string): boolean {
  return wide === narrow || (narrow !== '*' && isType(wide, narrow));
}
