// What falls leave in the spool: raw bytes whose record was never written, so that no sender heard yes, and folders of hours that
// hold nothing any more.
import { parseMessageId, shardOf, timeOf, timeOfShard, type MessageId } from '../message/id.ts';
import type { Store } from '../store/store.ts';

const HOUR = 3_600_000;
const RAW = '.raw';

/** Takes both away in hours that ended before `time`, younger ones may be an intake under way. How many things went. */
export async function sweepLeft(store: Store, time: number, signal: AbortSignal): Promise<number> {
  let count = 0;
  for (const shard of await store.list('')) {
    if (!(timeOfShard(shard) + HOUR <= time)) continue; // no shard, or a young one
    signal.throwIfAborted();
    const names = await store.list(shard);
    for (const id of withoutRecord(names)) {
      if (shardOf(id) !== shard || timeOf(id) >= time) continue;
      const hasMore = (await store.list(shard)).some((name) => name.startsWith(`${id}.`) && name !== `${id}${RAW}`);
      if (hasMore) continue; // it came meanwhile
      await store.delete(`${shard}/${id}${RAW}`);
      count += 1;
    }
    if ((await store.list(shard)).length > 0) continue;
    await store.prune(shard);
    count += 1;
  }
  return count;
}

/** Messages of which nothing but raw bytes is there. */
function withoutRecord(names: readonly string[]): MessageId[] {
  const byId = new Map<string, string[]>();
  for (const name of names) byId.set(name.slice(0, 26), [...(byId.get(name.slice(0, 26)) ?? []), name]);
  return [...byId].flatMap(([text, own]) => {
    const id = parseMessageId(text);
    return id !== undefined && own.length === 1 && own[0] === `${id}${RAW}` ? [id] : [];
  });
}
