// The inner side's own records: how each message ended, and who had it already when some recipients must wait.
import { parseMessageId, shardOf, timeOf, timeOfShard, type MessageId } from '../message/id.ts';
import { DeliveryRecordSchema, type Delivered, type DeliveryRecord } from '../message/stages.ts';
import { ClosedShards } from '../store/closed-shards.ts';
import { recordCodec } from '../store/records.ts';
import type { Store } from '../store/store.ts';
import type { Outbox } from '../outbox/outbox.ts';

const codec = recordCodec('delivery', DeliveryRecordSchema);
const RECORD_BYTES = 1024 * 1024;
const END = '.04-ended.json';

/** Records of ends, a flat file each in the message's shard: one durable file a message. */
export class Ledger {
  readonly #store: Store;
  readonly #closed = new ClosedShards();

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

  /**
   * Takes an end back that left somebody without the message, so that it is delivered once more: who had it is left out
   * then, who refused it is not. False when there is no such end.
   */
  async reopen(id: MessageId): Promise<boolean> {
    const end = await this.end(id);
    if (end === undefined || (end.record.stage === 'delivered' && end.record.rejected.length === 0)) return false;
    const { accepted } = await this.settled(id);
    for (const recipient of end.record.accepted) accepted.add(recipient);
    const notes = await this.#store.list(partly(id));
    // The new note first: a crash in between must not forget who had it.
    if (accepted.size > 0) await this.recordSettled(id, { ...end.record, accepted: [...accepted], rejected: [] });
    for (const name of notes) await this.#store.delete(`${partly(id)}/${name}`);
    await this.#store.delete(`${shardOf(id)}/${id}${END}`);
    return true;
  }

  /** What became of each recipient who was answered for good in earlier attempts. */
  async settled(id: MessageId): Promise<{ readonly accepted: Set<string>; readonly rejected: Set<string> }> {
    const accepted = new Set<string>();
    const rejected = new Set<string>();
    if (!(await this.#store.has(shardOf(id), id))) return { accepted, rejected }; // nearly always: one look, no listing
    for (const name of await this.#store.list(partly(id))) {
      const bytes = await this.#store.get(partly(id), name, RECORD_BYTES);
      if (bytes === undefined) continue;
      const record = codec.decode(bytes);
      for (const recipient of record.accepted) accepted.add(recipient);
      for (const recipient of record.rejected) rejected.add(recipient);
    }
    return { accepted, rejected };
  }

  /** Notes who was answered for good while others must wait, so that a later attempt leaves them out. */
  async recordSettled(id: MessageId, record: DeliveryRecord): Promise<void> {
    const content = codec.encode(record);
    for (let at = Date.now(); ; at++)
      // a name that is taken is another note's
      if ((await this.#store.put(partly(id), { name: `accepted-${at}.json`, content })) === 'stored') return;
  }

  /** Ends of messages that arrived before `time`, oldest first. */
  async *endsBefore(time: number): AsyncGenerator<Delivered, void, undefined> {
    for (const shard of await this.#store.list('')) {
      if (!(timeOfShard(shard) < time)) continue;
      for (const name of await this.#store.list(shard)) {
        const id = name.endsWith(END) ? parseMessageId(name.slice(0, -END.length)) : undefined;
        if (id === undefined || timeOf(id) >= time) continue;
        const end = await this.end(id);
        if (end !== undefined) yield end;
      }
    }
  }

  /** Deletes what is written of a message: the notes first, the end last. */
  async forget(id: MessageId): Promise<void> {
    await this.#store.delete(partly(id));
    await this.#store.delete(`${shardOf(id)}/${id}${END}`);
  }

  /**
   * Packages of the outbox that have no end yet, oldest first, at most `most`. `after`: only those behind this one, where an earlier
   * call had to stop.
   */
  async unfinished(outbox: Outbox, most: number, after?: MessageId): Promise<MessageId[]> {
    const found: MessageId[] = [];
    const from = after === undefined ? '' : shardOf(after);
    for (const shard of await outbox.shards()) {
      if (shard < from) continue;
      if (this.#closed.has(shard)) continue;
      const ended = new Set(await this.#store.list(shard));
      let pending = 0;
      for (const id of await outbox.idsOf(shard)) {
        if (ended.has(`${id}${END}`)) continue;
        pending += 1;
        if (after !== undefined && id <= after) continue;
        found.push(id);
        if (found.length >= most) return found;
      }
      if (pending === 0) this.#closed.close(shard);
    }
    return found;
  }
}

/** Folder of the notes of a message that some recipients have and others not yet. */
function partly(id: MessageId): string {
  return `${shardOf(id)}/${id}`;
}
