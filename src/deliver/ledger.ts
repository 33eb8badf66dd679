// The inner side's own records: how each message ended, and who had it already when some recipients must wait.
import { shardAt, shardOf, type MessageId } from '../message/id.ts';
import { DeliveryRecordSchema, type Delivered, type DeliveryRecord } from '../message/stages.ts';
import { recordCodec } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Outbox } from '../outbox/outbox.ts';

const codec = recordCodec('delivery', DeliveryRecordSchema);
const RECORD_BYTES = 1024 * 1024;
const END = '.04-ended.json';

/** Records of ends, a flat file each in the message's shard: one durable file a message. */
export class Ledger {
  readonly #store: Store;
  readonly #closed = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** How the message ended, undefined while it has not. */
  async end(id: MessageId): Promise<Delivered | undefined> {
    const bytes = await this.#store.get(shardOf(id), `${id}${END}`, RECORD_BYTES);
    return bytes === undefined ? undefined : ({ id, record: codec.decode(bytes) } as Delivered);
  }

  /** Writes the end of a message; the first one stands. */
  async recordEnd(id: MessageId, record: DeliveryRecord): Promise<Delivered> {
    await this.#store.put(shardOf(id), { name: `${id}${END}`, content: codec.encode(record) });
    return { id, record } as Delivered;
  }

  /** Recipients who accepted the message in earlier attempts. */
  async accepted(id: MessageId): Promise<ReadonlySet<string>> {
    const accepted = new Set<string>();
    if (!this.#store.has(shardOf(id), id)) return accepted; // nearly always: one look, no listing
    for (const name of await this.#store.list(partly(id))) {
      const bytes = await this.#store.get(partly(id), name, RECORD_BYTES);
      if (bytes !== undefined) for (const recipient of codec.decode(bytes).accepted) accepted.add(recipient);
    }
    return accepted;
  }

  /** Notes who accepted while others must wait, so that a later attempt leaves them out. */
  async recordAccepted(id: MessageId, record: DeliveryRecord): Promise<void> {
    await this.#store.put(partly(id), { name: `accepted-${Date.now()}.json`, content: codec.encode(record) });
  }

  /** Packages of the outbox that have no end yet, oldest first, at most `most`. */
  async unfinished(outbox: Outbox, most: number): Promise<MessageId[]> {
    const found: MessageId[] = [];
    const open = new Set([shardAt(Date.now()), shardAt(Date.now() - 3_600_000)]);
    for (const shard of await outbox.shards()) {
      if (this.#closed.has(shard)) continue;
      const ended = new Set(await this.#store.list(shard));
      const pending = (await outbox.idsOf(shard)).filter((id) => !ended.has(`${id}${END}`));
      found.push(...pending);
      if (pending.length === 0 && !open.has(shard)) this.#closed.add(shard);
      if (found.length >= most) return found.slice(0, most);
    }
    return found;
  }
}

/** Folder of the notes of a message that some recipients have and others not yet. */
function partly(id: MessageId): string {
  return `${shardOf(id)}/${id}`;
}
