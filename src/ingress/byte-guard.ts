// Guards the DATA phase: its size, and its time as a whole. Time grows with what has come, so that a slow honest line may
// bring a large mail and a drip of a byte a minute holds its place for two minutes.
import { LIMITS } from '../message/limits.ts';
import { REPLY } from './smtp-replies.ts';

export interface DataLimits {
  readonly bytes: number;
  /** Milliseconds any mail may take. */
  readonly baseMs: number;
  /** Bytes a second that earn more time. */
  readonly bytesPerSecond: number;
  readonly mostMs: number;
}

export const DATA_LIMITS: DataLimits = {
  bytes: LIMITS.messageBytes,
  baseMs: LIMITS.smtpDataBaseMs,
  bytesPerSecond: LIMITS.smtpDataBytesPerSecond,
  mostMs: LIMITS.smtpDataMs,
};

/** Counts what comes in during one DATA phase; throws the reply that ends it. */
export class ByteGuard {
  readonly #limits: DataLimits;
  readonly #started: number;
  #bytes = 0;

  constructor(limits: DataLimits = DATA_LIMITS, now: number = performance.now()) {
    this.#limits = limits;
    this.#started = now;
  }

  /** One more chunk. */
  take(length: number, now: number = performance.now()): void {
    this.#bytes += length;
    if (this.#bytes > this.#limits.bytes) throw REPLY.tooLarge();
    this.hurry(now);
  }

  /** One more chunk of a message that is refused already: read for a while, so that the sender hears why. */
  discard(length: number, now: number = performance.now()): void {
    this.#bytes += length;
    if (this.#bytes > 2 * this.#limits.bytes) throw REPLY.tooSlow();
    this.hurry(now);
  }

  /** Throws when the time is over; to be called now and then while nothing comes, too. */
  hurry(now: number = performance.now()): void {
    const { baseMs, bytesPerSecond, mostMs } = this.#limits;
    if (now - this.#started > Math.min(mostMs, baseMs + (this.#bytes / bytesPerSecond) * 1000)) throw REPLY.tooSlow();
  }
}
