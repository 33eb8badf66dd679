// The pages of one document while they are written: those of a long one, or those that were asked for alone, are shown.
import { LIMITS } from '../message/limits.ts';
import { singlePage } from './page-pdf.ts';
import type { Leaf } from './part.ts';
import type { EncodedPage } from './pdf-writer.ts';
import type { Tools } from './tools.ts';

/** Shows the pages of a document where somebody may wait for them, under the name that its file will have. */
export class LivePages {
  /** How many there will be, as far as is known. */
  pages = 0;
  /** How many there are, once all were drawn: those behind them say what is missing. */
  drawn: number | undefined;
  readonly #leaf: Leaf;
  readonly #tools: Tools;
  #name: string | undefined;

  constructor(leaf: Leaf, tools: Tools) {
    this.#leaf = leaf;
    this.#tools = tools;
  }

  /** Path of the file in the package. */
  get name(): string {
    return (this.#name ??= this.#tools.nextFile(this.#leaf.name, 'pdf'));
  }

  /** Takes a page that was written, `index` from 0. */
  readonly add = async (page: EncodedPage, index: number): Promise<void> => {
    const { live, only } = this.#tools;
    // One signature and two small files a page: it pays where a person would wait.
    if (live === undefined || (only?.as !== 'pages' && this.pages < LIMITS.livePages)) return;
    const pages = this.drawn !== undefined && index >= this.drawn ? this.drawn : this.pages;
    await live.page(this.name, index, pages, singlePage(page));
  };
}
