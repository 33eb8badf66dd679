// Seals the pages of a long document one by one while the rest is drawn, each chained to the one before.
import type { MessageId } from '../message/id.ts';
import { NO_PAGE, sha256, type LiveFolder } from '../outbox/live.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Signer } from './seal.ts';

/** The pages of one message on their way to the inner side. */
export class LiveSealer {
  readonly #id: MessageId;
  readonly #folder: LiveFolder;
  readonly #signer: Signer;
  readonly #heads = new Map<string, string>();
  #cleared = false;

  constructor(id: MessageId, outbox: Outbox, signer: Signer) {
    this.#id = id;
    this.#folder = outbox.live(id);
    this.#signer = signer;
  }

  /** Makes a page visible: `index` from 0, of `pages`, of the document that will be `output` of the package. */
  async page(output: string, index: number, pages: number, file: Uint8Array): Promise<void> {
    if (!this.#cleared) await this.#folder.drop(); // of an earlier attempt
    this.#cleared = true;
    const previous = this.#heads.get(output) ?? NO_PAGE;
    const page = { id: this.#id, output, page: index + 1, pages, size: file.length, sha256: sha256(file), previous };
    const seal = this.#signer.signPage(page);
    await this.#folder.add(page, file, seal);
    this.#heads.set(output, sha256(seal));
  }

  /** Digest of the last seal of each document: what the manifest says of them. */
  heads(): { readonly output: string; readonly head: string }[] {
    return [...this.#heads].map(([output, head]) => ({ output, head }));
  }
}
