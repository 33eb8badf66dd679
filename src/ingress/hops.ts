// Loops: how often a mail has been on the road, from the names of its header fields (RFC 5321 §6.3). It looks at the first
// bytes of each line and reads no value but that of our own mark, which has 26 characters of one form: this is the one look at a
// mail outside the jail, and it counts.
import { LIMITS } from '../message/limits.ts';
import { parseMessageId, type MessageId } from '../message/id.ts';

/** Written into every mail we deliver; one that comes in with a number of ours has been here before. */
const OWN = 'x-mugai-id:';
const RECEIVED = 'received:';
const NAME_CHARS = OWN.length;
/** The name, our number, and some blanks around it. */
const MARK_CHARS = NAME_CHARS + 40;
/** Marks that are asked about: one for every gateway of our kind on the road. */
const MARKS = 8;
const LF = 0x0a;
const CR = 0x0d;

/** Counts in what `take` is given, until the first empty line. */
export class Hops {
  #done = false;
  #line = '';
  /** Characters of this line that are looked at. */
  #room: number = NAME_CHARS;
  #received = 0;
  readonly #marks: MessageId[] = [];

  take(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && !this.#done; at++) {
      const byte = chunk[at] as number;
      if (byte === LF) this.#endLine();
      else if (byte !== CR && this.#line.length < this.#room) this.#add(byte);
    }
  }

  #add(byte: number): void {
    this.#line += String.fromCharCode(byte);
    if (this.#line.length === RECEIVED.length && this.#line.toLowerCase() === RECEIVED) this.#received += 1;
    if (this.#line.length === NAME_CHARS && this.#line.toLowerCase() === OWN) this.#room = MARK_CHARS;
  }

  #endLine(): void {
    const id = this.#room === MARK_CHARS ? parseMessageId(this.#line.slice(NAME_CHARS).trim()) : undefined;
    if (id !== undefined && this.#marks.length < MARKS) this.#marks.push(id);
    if (this.#line === '') this.#done = true;
    this.#line = '';
    this.#room = NAME_CHARS;
  }

  /** Numbers it got from gateways of our kind: from us, or from another one before us. */
  get marks(): readonly MessageId[] {
    return this.#marks;
  }

  /** True for a mail that has been on the road too often. */
  get tooMany(): boolean {
    return this.#received > LIMITS.receivedFields;
  }
}
