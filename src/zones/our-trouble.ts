// Which failures say nothing of the message: it comes again later, and none of its attempts is used up.
import { MugaiError, systemCode } from '../message/errors.ts';
import type { MessageId } from '../message/id.ts';

/** Milliseconds until a message is tried again that failed because of trouble of ours; what may be this message's alone doubles it. */
const TROUBLE_MS = 5000;
/** The longest such wait, where it doubles. */
const LONGEST_MS = 5 * 60_000;
/**
 * Deaths of its children from outside that a message is not blamed for: some half hour of a machine that is short of memory. A child
 * that was taken over can pretend such a death, so those that follow are attempts like any other.
 */
const KILLED_MOST = 12;
/** Messages whose failures are counted at once; the longest known is forgotten for a new one, and begins anew. */
const COUNTED_MOST = 10_000;
/** What a file system says of a name or of bytes that it will never take: the message's own, whatever the disk. */
const OF_THE_MESSAGE = new Set(['ENAMETOOLONG', 'EINVAL', 'EILSEQ']);

/** Tells trouble of ours (disk, children that cannot be started or are killed) from what may be the message's. */
export class OurTrouble {
  readonly #onNoChild: (detail: string) => void;
  readonly #killed = new Map<MessageId, number>();
  readonly #waited = new Map<MessageId, number>();

  /** `onNoChild` hears of each child that could not be started. */
  constructor(onNoChild: (detail: string) => void) {
    this.#onNoChild = onNoChild;
  }

  /** Milliseconds until the message should be tried again without this counting as an attempt; undefined: it counts. */
  waitAfter(id: MessageId, error: unknown): number | undefined {
    if (!(error instanceof MugaiError) || error.permanent) return undefined;
    if (error.code === 'disk-full') return TROUBLE_MS;
    if (error.code === 'store-failed')
      return OF_THE_MESSAGE.has(systemCode(error.cause) ?? '') ? undefined : this.#longer(id);
    if (error.code === 'no-child') {
      this.#onNoChild(error.message);
      return this.#longer(id); // a child that does not start has seen nothing of any message; the parts before it are made again each time
    }
    return error.code === 'child-killed' ? this.#waitAfterKill(id) : undefined;
  }

  /**
   * As `waitAfter`, for what failed while it was sealed. A store that fails for this message while the outbox `takes` others holds nobody
   * else up: that counts, so that the doors' mark does not wait for it and `given-up` names it.
   */
  async waitAfterSeal(id: MessageId, error: unknown, takes: () => Promise<boolean>): Promise<number | undefined> {
    const ms = this.waitAfter(id, error);
    const isStore = error instanceof MugaiError && error.code === 'store-failed';
    return ms !== undefined && isStore && (await takes()) ? undefined : ms;
  }

  /** The message got through. */
  over(id: MessageId): void {
    this.#killed.delete(id);
    this.#waited.delete(id);
  }

  #longer(id: MessageId): number {
    return doubled(countUp(this.#waited, id));
  }

  #waitAfterKill(id: MessageId): number | undefined {
    return (this.#killed.get(id) ?? 0) >= KILLED_MOST ? undefined : doubled(countUp(this.#killed, id));
  }
}

/** Counts one more for a message: how many there were before. */
function countUp(counts: Map<MessageId, number>, id: MessageId): number {
  const before = counts.get(id) ?? 0;
  const [first] = counts.keys();
  if (before === 0 && first !== undefined && counts.size >= COUNTED_MOST) counts.delete(first);
  counts.set(id, before + 1);
  return before;
}

function doubled(times: number): number {
  return Math.min(LONGEST_MS, TROUBLE_MS * 2 ** times);
}
