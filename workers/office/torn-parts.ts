// Parts of a package that do not open: what is whole is shown without them, and that something is missing is told.
import type { Report } from './cleaned.ts';

/** Names of parts in the one form in which they are compared. */
const formOf = (name: string): string => name.toLowerCase();

/** Parts that do not open, by their names, and which of them the document misses. */
export class TornParts {
  readonly #torn = new Map<string, string>();
  readonly #missed = new Set<string>();

  add(name: string): void {
    this.#torn.set(formOf(name), name);
  }

  get names(): readonly string[] {
    return [...this.#torn.values()];
  }

  /** To be called for a part that the document needs and that is not there: true when it is torn. */
  misses(name: string): boolean {
    const torn = this.#torn.get(formOf(name));
    if (torn !== undefined) this.#missed.add(torn);
    return torn !== undefined;
  }

  get areMissed(): boolean {
    return this.#missed.size > 0;
  }

  /** One loss for all of them: there may be thousands. */
  tell(report: Report): void {
    if (this.areMissed) report.loss('damaged', [...this.#missed].join(', ').slice(0, 200));
  }
}
