// Loops: how often a mail has been on the road, from the names of its header fields (RFC 5321 §6.3). It looks at the first
// bytes of each line and reads no value: this is the one look at a mail outside the jail, and it counts.
import { LIMITS } from '../message/limits.ts';

/** Written into every mail we deliver; one that comes in with it has been here before. */
const OWN = 'x-mugai-id:';
const RECEIVED = 'received:';
const NAME_BYTES = OWN.length;
const LF = 0x0a;
const CR = 0x0d;

/** Counts in what `take` is given, until the first empty line. */
export class Hops {
  #done = false;
  #name = '';
  #received = 0;
  #own = 0;

  take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.#done; at++) {
      const byte = chunk[at] as number;
      if (byte === LF) {
        if (this.#name === '') this.#done = true;
        this.#name = '';
      } else if (byte !== CR && this.#name.length < NAME_BYTES) {
        this.#name += String.fromCharCode(byte);
        this.#count(this.#name.toLowerCase());
      }
    }
  }

  #count(name: string): void {
    if (name === RECEIVED) this.#received += 1;
    else if (name === OWN) this.#own += 1;
  }

  /** True for a mail that goes round. */
  get loop(): boolean {
    return this.#own > 0 || this.#received > LIMITS.receivedFields;
  }
}
