// What each act of a command takes: an option of another act, or a word too many, would be passed over, and the answer be about
// something else than was asked.
import { UsageError } from './usage.ts';

/** What an act takes. */
export interface Takes {
  /** As the help shows it, after `mugai`: `policy check [FILE]`. */
  readonly usage: string;
  /** Names of options, without their dashes. */
  readonly options?: readonly string[];
  /** How many words after the act there are, at least and at most. */
  readonly words: readonly [least: number, most: number];
}

/** What `parseArgs` read: with `tokens: true`, and its positionals after the act. */
interface Given {
  readonly tokens: readonly { readonly kind: string; readonly name?: string; readonly rawName?: string }[];
  readonly words: readonly string[];
}

/** `UsageError` for an option that the act does not take, and for words that are too many or too few. */
export function demandTaken({ usage, options = [], words: [least, most] }: Takes, { tokens, words }: Given): void {
  const other = tokens.find(({ kind, name = '' }) => kind === 'option' && !options.includes(name));
  if (other !== undefined) throw new UsageError(`${other.rawName} does not belong there; say "${usage}"`);
  const extra = words.slice(most);
  if (extra.length > 0) throw new UsageError(`"${extra.join(' ')}" is too much; say "${usage}"`);
  if (words.length < least) throw new UsageError(`say "${usage}"`);
}
