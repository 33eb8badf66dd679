// Where pages of a long document go as soon as they are drawn, so that a reader sees the first while the rest is made.

/** Pages of one message; sealing is another room's, which the zone joins to this one. */
export interface LiveSink {
  /**
   * A page, `index` from 0 of `pages`, as a file of its own, of the document that will be `output` of the package. One whose
   * `index` is no smaller than `pages` says what of the document is missing.
   */
  page(output: string, index: number, pages: number, file: Uint8Array): Promise<void>;
  /** For each document, the digest that names all its pages. */
  heads(): { readonly output: string; readonly head: string }[];
}
