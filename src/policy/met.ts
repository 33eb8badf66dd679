// Which of a rule's conditions hold, in words: `type image/*, from @example.com`.
import { isAddress, isType, type Facts, type Groups, type PartFacts, type Rule } from './rules.ts';

/** Each condition of a rule by the value of its list that holds; of a rule that matches. Without a part: those on the message alone. */
export function conditionsMet({ when = {} }: Rule, facts: Facts, groups: Groups, part?: PartFacts): string {
  const { to, group, from, type, finding, minBytes, maxBytes, asset } = when;
  const isRecipient = (pattern: string): boolean => facts.to !== undefined && isAddress(pattern, facts.to);
  const found: readonly (readonly [name: string, value: string | number | undefined])[] = [
    ['to', to?.find(isRecipient)],
    ['group', group?.find((name) => groups[name]?.some(isRecipient) === true)],
    ['from', from?.find((pattern) => isAddress(pattern, facts.from))],
    [
      'asset',
      asset &&
        Object.entries(asset)
          .map(([name, grade]) => `${name} ${grade}`)
          .join(' and '),
    ],
    ['type', part && type?.find((pattern) => isType(pattern, part.type))],
    ['finding', part && finding?.find((code) => part.findings?.includes(code) === true)],
    ['minBytes', part && minBytes],
    ['maxBytes', part && maxBytes],
  ];
  const told = found.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]));
  return told.length === 0 ? 'whatever it is' : told.join(', ');
}
