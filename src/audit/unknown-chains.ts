// Chains that others name and that are not among those that were followed: gone as a whole, or on another machine.
import type { Anchor, ChainReport } from './verify-chain.ts';

/** What is known of a chain that is not here: who named it first, at which line, and how many places of it were named. */
export interface Unknown {
  readonly seq: number;
  readonly from: string;
  readonly message: string | undefined;
  count: number;
}

/** Collects places in chains that were not met. Memory: one entry a chain, however many places are named. */
export class UnknownChains {
  readonly #chains = new Map<string, Unknown>();

  add(chain: string, seq: number, { from, message }: Anchor): void {
    const known = this.#chains.get(chain);
    if (known === undefined) this.#chains.set(chain, { seq, from, message, count: 1 });
    else known.count += 1;
  }

  all(): ReadonlyMap<string, Unknown> {
    return this.#chains;
  }

  /** Those that are missing where their zone has a folder, and how many places there are in the others. */
  judge(
    isHere: (chain: string) => boolean,
    zones: ReadonlySet<string>,
  ): { readonly missing: ReadonlyMap<string, Unknown>; readonly elsewhere: number } {
    const missing = new Map<string, Unknown>();
    let elsewhere = 0;
    for (const [chain, unknown] of this.#chains) {
      if (isHere(chain)) continue;
      if (zones.has(chain.slice(0, chain.lastIndexOf('-')))) missing.set(chain, unknown);
      else elsewhere += unknown.count;
    }
    return { missing, elsewhere };
  }
}

/** The report of a chain that should be here. */
export function lostChain(chain: string, { seq, from, message }: Unknown): ChainReport {
  const or = message === undefined ? '' : `, or never was and the package of ${message} lies`;
  return {
    folder: chain,
    chain,
    entries: 0,
    heads: 0,
    first: undefined,
    last: undefined,
    position: undefined,
    keys: [],
    signedTo: undefined,
    anchored: undefined,
    unchecked: [],
    broken: { file: '', line: 0, seq, why: `${from} names chain ${chain}, which is not here${or}` },
  };
}
