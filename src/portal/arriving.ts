// What is still on its way to somebody, and the pages of it that can be read already. Nothing is shown that is not signed.
import type { KeyObject } from 'node:crypto';
import { parseMessageId, type MessageId } from '../message/id.ts';
import { readerOf, type BoardEntry } from '../outbox/board.ts';
import type { LiveDocument } from '../outbox/live.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { PageImage } from '../outbox/read-pdf.ts';
import { GateRefusal } from '../outbox/refusal.ts';
import type { OnRefusal } from './packages.ts';

/** Milliseconds a board that was read counts as what is so now. */
const NOW_MS = 1000;
/** How long after its last word a message is still known here: its package may need a moment to be in the list. */
const REMEMBERED_MS = 120_000;

/** A message on its way to one of the asked addresses. */
export interface Arriving extends BoardEntry {
  readonly id: MessageId;
}

/** Reads boards and live pages for the portal. */
export class OnTheWay {
  readonly #outbox: Outbox;
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #now: () => number;
  readonly #onRefusal: OnRefusal;
  #at = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  /** Entries of the last board, and those that were on one a moment ago. */
  #entries: ReadonlyMap<string, BoardEntry> = new Map();
  readonly #lately = new Map<string, { readonly entry: BoardEntry; readonly at: number }>();

  /** `onRefusal`: told of each look at a page that is not the one that was sealed. */
  constructor(
    outbox: Outbox,
    keys: ReadonlyMap<string, KeyObject>,
    now: () => number,
    onRefusal: OnRefusal = () => undefined,
  ) {
    this.#outbox = outbox;
    this.#keys = keys;
    this.#now = now;
    this.#onRefusal = onRefusal;
  }

  /** What is on its way to these addresses, first come first. */
  async of(addresses: readonly string[]): Promise<Arriving[]> {
    await this.#look();
    const readers = new Set(addresses.map(readerOf));
    return [...this.#entries.values()]
      .filter((entry) => entry.for.some((one) => readers.has(one)))
      .map(arrivingOf)
      .filter((entry) => entry !== undefined)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** One message on its way to one of the addresses, or lately so; undefined as if there were none. */
  async find(id: MessageId, addresses: readonly string[]): Promise<Arriving | undefined> {
    await this.#look();
    const entry = this.#entries.get(id) ?? this.#lately.get(id)?.entry;
    const readers = new Set(addresses.map(readerOf));
    return entry?.for.some((one) => readers.has(one)) === true ? arrivingOf(entry) : undefined;
  }

  /** The documents whose first pages are there; `id` is a message's or, for pages drawn anew, a request's. */
  async documents(id: MessageId): Promise<LiveDocument[]> {
    return this.#outbox.live(id).documents(this.#keys);
  }

  /** The image of a page (from 1) of such a document, verified; undefined when it is not there, `bad-package` when it does not hold. */
  async page(
    id: MessageId,
    output: string,
    number: number,
  ): Promise<{ readonly image: PageImage; readonly stored: Buffer } | undefined> {
    let page: { readonly image: PageImage; readonly stored: Buffer } | undefined;
    try {
      const file = await this.#outbox.live(id).page(output, number, this.#keys, (image, data) => {
        page = { image, stored: Buffer.from(data) };
      });
      return file === undefined ? undefined : page;
    } catch (error) {
      if (error instanceof GateRefusal) this.#onRefusal(id, error);
      throw error;
    }
  }

  async #look(): Promise<void> {
    if (this.#now() - this.#at < NOW_MS) return;
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    await this.#reading;
  }

  async #read(): Promise<void> {
    const now = this.#now();
    this.#entries = await this.#outbox.boards.entries(this.#keys, now);
    this.#at = now;
    for (const [id, entry] of this.#entries) this.#lately.set(id, { entry, at: now });
    for (const [id, { at }] of this.#lately) if (now - at > REMEMBERED_MS) this.#lately.delete(id);
  }
}

function arrivingOf(entry: BoardEntry): Arriving | undefined {
  const id = parseMessageId(entry.id);
  return id === undefined ? undefined : { ...entry, id };
}
