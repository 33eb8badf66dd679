// A message for several recipients: each is judged as if he were the only one, and the strictest outcome holds for the
// whole message. So whoever writes to one more address never gets more than he would have got without it.
import {
  grades,
  looksAtParts,
  matchesMessage,
  matchesPart,
  setsSomething,
  type Asset,
  type Groups,
  type PartFacts,
  type Rule,
  type Settings,
} from './rules.ts';
import type { Decision, Explained, Policy } from './policy.ts';

/** What the rules say of a message for these recipients. */
export interface Judged {
  /** None: a message for nobody. */
  readonly recipients: readonly string[];
  readonly asset: Asset | undefined;
  readonly gradedBy: string | undefined;
  readonly settings: Settings;
  readonly settledBy: string | undefined;
  /** Rules that may decide on a part, in their order. */
  readonly acting: readonly Rule[];
}

/** What the rules say for each recipient; those of whom they say the same stand together. */
export function judge(
  rules: readonly Rule[],
  groups: Groups,
  { from, to }: { readonly from: string; readonly to: readonly string[] },
): readonly Judged[] {
  const places = new Map(rules.map((rule, place) => [rule, place]));
  const alike = new Map<string, Judged>();
  for (const recipient of to.length === 0 ? [undefined] : to) {
    // First what kind of information it is, then what holds for that kind.
    const ungraded = { from, to: recipient };
    const grading = rules.find((rule) => grades(rule) && matchesMessage(rule, ungraded, groups));
    const facts = { ...ungraded, asset: grading?.set?.asset };
    const matching = rules.filter((rule) => matchesMessage(rule, facts, groups));
    const settling = matching.find((rule) => setsSomething(rule) && !looksAtParts(rule));
    const acting = matching.filter((rule) => rule.action !== undefined);
    const key = JSON.stringify([grading, settling, ...acting].map((rule) => rule && places.get(rule)));
    const recipients = [...(alike.get(key)?.recipients ?? []), ...(recipient === undefined ? [] : [recipient])];
    alike.set(key, {
      recipients,
      asset: facts.asset,
      gradedBy: grading?.name,
      settings: settling?.set ?? {},
      settledBy: settling?.name,
      acting,
    });
  }
  return [...alike.values()];
}

/** How strict a decision is; of two different forms neither lets the other pass. */
const STRICTNESS: { readonly [decision in Decision]: number } = {
  convert: 0,
  pages: 1,
  text: 1,
  image: 1,
  hold: 2,
  drop: 3,
};

/** What becomes of a part, by the strictest of what is said for the recipients; `usual`: where no rule says anything. */
export function decideFor(judged: readonly Judged[], part: PartFacts, usual: Explained): Explained {
  const said = judged.map(({ acting, recipients }): Explained => {
    const found = acting.find((rule) => matchesPart(rule, part));
    if (found?.action === undefined) return usual;
    const recipient = judged.length === 1 ? undefined : recipients[0];
    return { decision: found.action === 'pass' ? 'convert' : found.action, rule: found.name, recipient };
  });
  const strictest = said.reduce((a, b) => (STRICTNESS[b.decision] > STRICTNESS[a.decision] ? b : a));
  const forms = said.filter(({ decision }) => STRICTNESS[decision] === 1);
  const other = forms.find(({ decision }) => decision !== forms[0]?.decision);
  if (forms[0] === undefined || other === undefined || strictest.decision === 'drop') return strictest;
  // One lets pages alone pass, the other text alone: nothing passes both.
  return { decision: 'drop', rule: `${forms[0].rule} and ${other.rule}`, recipient: other.recipient };
}

/** Settings of a policy that rules may change for a message. */
export type Own = Pick<
  Policy,
  'language' | 'links' | 'delivery' | 'attachBytes' | 'textLayer' | 'ocr' | 'discImages' | 'codePages' | 'keepDays'
> &
  Pick<Policy, 'passwordPairing' | 'asset' | 'limits'> & { readonly levels: readonly (readonly string[])[] };

const LINKS = ['plain', 'hxxp', 'removed'] as const;

/** The strictest of what holds for each recipient; in matters of taste what all agree on, otherwise `usual`. */
export function strictestOf(own: readonly [Own, ...Own[]], usual: Own): Own {
  if (own.length === 1) return own[0];
  const all = <Name extends keyof Own>(name: Name): Own[Name][] => own.map((one) => one[name]);
  const least = (name: keyof Policy['limits']): number => Math.min(...own.map(({ limits }) => limits[name]));
  const dots = own.map(({ limits }) => limits.dpi).filter((dpi) => dpi > 0);
  const days = all('keepDays').filter((one) => one !== undefined);
  return {
    language: new Set(all('language')).size === 1 ? own[0].language : usual.language,
    links: LINKS[Math.max(...all('links').map((links) => LINKS.indexOf(links)))] ?? 'removed',
    delivery: all('delivery').includes('link') ? 'link' : 'attach',
    attachBytes: Math.min(...all('attachBytes')),
    textLayer: all('textLayer').every(Boolean),
    ocr: all('ocr').every(Boolean),
    discImages: all('discImages').includes('refuse') ? 'refuse' : 'open',
    codePages: Math.max(...all('codePages')),
    // The longest: what was deleted too early comes back from nowhere.
    keepDays: days.length < own.length ? undefined : Math.max(...days),
    passwordPairing: all('passwordPairing').every(Boolean),
    asset: highest(all('asset')),
    levels: levelsOfAll(all('levels')),
    limits: {
      parts: least('parts'),
      depth: least('depth'),
      pages: least('pages'),
      expandedBytes: least('expandedBytes'),
      outputBytes: least('outputBytes'),
      pixels: least('pixels'),
      seconds: least('seconds'),
      dpi: dots.length === 0 ? 0 : Math.min(...dots),
    },
  };
}

function highest(assets: readonly (Asset | undefined)[]): Asset | undefined {
  const given = assets.filter((asset) => asset !== undefined);
  if (given.length === 0) return undefined;
  const most = (name: keyof Asset): Asset => {
    const named = given.map((asset) => asset[name]).filter((grade) => grade !== undefined);
    return named.length === 0 ? {} : { [name]: Math.max(...named) };
  };
  return { ...most('confidentiality'), ...most('integrity'), ...most('availability') };
}

/**
 * Levels of approvers that content each recipient's: every list that one names, as often as it does, and as many levels as the
 * longest has. An empty list, anybody who may approve, is contented by whoever decides for another.
 */
function levelsOfAll(all: readonly Own['levels'][]): Own['levels'] {
  const wanted: (readonly string[])[] = [];
  // Those who leave the least choice first: who decides for them decides for the others, too.
  const choices = (levels: Own['levels']): number => Math.max(0, ...levels.map((names) => names.length));
  for (const levels of all.toSorted((a, b) => choices(a) - choices(b))) {
    const left = [...wanted];
    for (const names of levels.toSorted((a, b) => a.length - b.length)) {
      if (names.length === 0) continue;
      const place = left.findIndex((one) => one.every((name) => names.includes(name)));
      if (place >= 0) left.splice(place, 1);
      else wanted.push(names);
    }
  }
  const longest = Math.max(...all.map((levels) => levels.length));
  return [...wanted, ...Array.from({ length: Math.max(0, longest - wanted.length) }, () => [])];
}
