// What lists are filtered by, said once: for the partial indexes, which hold the few lines that a filter shows, and for the walks.
import type { State } from '../message/part.ts';

/** What the operator's list shows: `attention` is everything somebody may have to do something about. */
export type AnyFilter = 'all' | 'attention' | 'held' | 'refused' | 'undelivered' | 'waiting' | 'broken';

/** Lines of `messages` that have an index of their own. `hidden`: versions in whose place another one is shown. */
export type Few = Exclude<AnyFilter, 'all'> | 'hidden' | 'wholeHeld';

const FEW: { readonly [few in Few]: string } = {
  attention: "(state = 'held' OR waiting > 0 OR stage NOT IN ('delivered', 'sealed'))",
  held: "(state = 'held' OR waiting > 0)",
  refused: "state = 'refused'",
  undelivered: "stage IN ('expired', 'rejected')",
  waiting: "stage = 'sealed'",
  broken: "(stage = 'quarantined' OR reason = 'converter-failed')",
  hidden: 'shown = 0',
  wholeHeld: "state = 'held'",
};

/** Where a recipient's line stands: on the shelf of its message's state, or on none (0) while another version is shown. */
export const SHELVES: { readonly [state in State]: number } = { sanitised: 1, held: 2, refused: 3 };
const RARE_SHELVES = [SHELVES.held, SHELVES.refused];

/** The partial indexes. A usual line (passed, delivered) is in none of them, so they cost next to nothing. */
export const FILTER_INDEXES = [
  ...Object.entries(FEW).map(([few, where]) => `CREATE INDEX idx.messages_${few} ON messages (key) WHERE ${where};`),
  ...RARE_SHELVES.map((at) => `CREATE INDEX idx.recipients_${at} ON recipients (address, key) WHERE shelf = ${at};`),
].join('\n');

/** `FROM … WHERE …` of these few lines of `messages`, by their index or not at all. */
export function fromFew(few: Few): string {
  return `FROM idx.messages INDEXED BY messages_${few} WHERE ${FEW[few]}`;
}

/** The condition of a person's lines in `recipients`. The state is written out: a value bound later would find no index. */
export function onShelf(state: State | undefined): string {
  return state === undefined ? 'shelf > 0' : `shelf = ${SHELVES[state]}`;
}
