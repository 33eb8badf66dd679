// What cleaning a document gives besides its bytes: what was dangerous in it, what its reader will not see, its letters.

export interface Cleaned {
  readonly bytes: Buffer;
  readonly report: Report;
}

/** Collects remarks (each code and detail once) and the letters of a document. */
export class Report {
  readonly findings = new Map<string, { readonly code: string; readonly detail: string }>();
  readonly losses = new Map<string, { readonly code: string; readonly detail: string }>();
  readonly #letters = new Set<string>();

  finding(code: string, detail = ''): void {
    this.findings.set(`${code} ${detail}`, { code, detail });
  }
  loss(code: string, detail = ''): void {
    this.losses.set(`${code} ${detail}`, { code, detail });
  }
  text(text: string): void {
    for (const letter of text) this.#letters.add(letter);
  }
  /** Every code point of the document's text, once. */
  get letters(): string {
    return [...this.#letters].join('');
  }
}
