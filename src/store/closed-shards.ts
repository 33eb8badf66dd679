// Shards whose hour is over and whose messages have all ended: looked at again ever more seldom, but never not at all. A
// message may come late into an old shard: a worker that was down for hours seals it then, and its id says when it arrived.
import { shardAt, timeOfShard } from '../message/id.ts';

const HOUR = 3_600_000;
/** A closed shard is looked at again after a sixtieth of its age: a package three hours late waits three minutes at most. */
const AGE_PART = 1 / 60;

/** Remembers which shards need no look now. */
export class ClosedShards {
  readonly #againAt = new Map<string, number>();
  #newest = 0;

  /** True while the shard needs no look. After a clock went back all are looked at again: their times mean nothing any more. */
  has(shard: string, now: number = Date.now()): boolean {
    if (now < this.#newest - HOUR) {
      this.#againAt.clear();
      this.#newest = now;
    }
    this.#newest = Math.max(this.#newest, now);
    return now < (this.#againAt.get(shard) ?? 0);
  }

  /** Notes that all messages of a shard have ended; true when that closes it: its hour, and the one after, are over. */
  close(shard: string, now: number = Date.now()): boolean {
    if (shard === shardAt(now) || shard === shardAt(now - HOUR)) return false;
    const age = now - timeOfShard(shard);
    this.#againAt.set(shard, now + Math.max(HOUR, Number.isNaN(age) ? 0 : age) * AGE_PART);
    return true;
  }
}
