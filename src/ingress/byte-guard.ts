// Guards the DATA phase: its size, its time as a whole, and the shape of its chunks. smtp-server un-stuffs leading dots
// with a timer turn and a tiny write each: 10 MB of `..` lines cost 5 s of the main thread (normal data: 0.05 s).
import { LIMITS } from '../message/limits.ts';
import { REPLY } from './smtp-replies.ts';

const WATCH_AFTER_CHUNKS = 20_000;
/** Honest data comes in chunks of KBs; un-stuffed dots come a few bytes at a time. */
const LEAST_CHUNK_BYTES = 64;

/** Counts what comes in during one DATA phase; throws the reply that ends it. */
export class ByteGuard {
  readonly #deadline: number;
  readonly #cap: number;
  #chunks = 0;
  #bytes = 0;

  constructor(cap: number, now: number = performance.now()) {
    this.#cap = cap;
    this.#deadline = now + LIMITS.smtpDataMs;
  }

  /** One more chunk. */
  take(length: number, now: number = performance.now()): void {
    this.#chunks += 1;
    this.#bytes += length;
    if (this.#bytes > this.#cap) throw REPLY.tooLarge();
    if (now > this.#deadline) throw REPLY.tooSlow();
    if (this.#chunks > WATCH_AFTER_CHUNKS && this.#bytes / this.#chunks < LEAST_CHUNK_BYTES) throw REPLY.abusive();
  }

  /** One more chunk of a message that is refused already: read for a while, so that the sender hears why. */
  discard(length: number, now: number = performance.now()): void {
    this.#bytes += length;
    if (this.#bytes > 2 * this.#cap || now > this.#deadline) throw REPLY.tooSlow();
  }
}
