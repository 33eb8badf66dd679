// What the prefixes of an XML document stand for, element by element: a name is what its namespace makes of it, whatever it is called.
import type { Attributes } from './xml-filter.ts';

interface Scope {
  readonly depth: number;
  readonly bound: ReadonlyMap<string, string>;
}

export class Namespaces {
  readonly #scopes: Scope[] = [];

  /** Takes an element that opens, in the order of the document; `depth`: elements around it. */
  enter(depth: number, attributes: Attributes): void {
    while ((this.#scopes.at(-1)?.depth ?? -1) >= depth) this.#scopes.pop();
    const bound = new Map<string, string>();
    for (const [key, value] of Object.entries(attributes)) {
      if (key === 'xmlns') bound.set('', value);
      else if (key.startsWith('xmlns:')) bound.set(key.slice('xmlns:'.length), value);
    }
    if (bound.size > 0) this.#scopes.push({ depth, bound });
  }

  /** The namespace of a prefix (`''`: none) inside the element that was taken last; a prefix that is bound nowhere stands for itself. */
  of(prefix: string): string {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const found = this.#scopes[i]?.bound.get(prefix);
      if (found !== undefined) return found;
    }
    return prefix;
  }
}
