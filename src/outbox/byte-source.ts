// Bytes of a file as they come, taken in pieces of known size; holds no more than one piece and one chunk.
import { refuse, type Rule } from './refusal.ts';

const LF = 0x0a;
/** Bytes of the least room for a whole: the image of most pages. */
const ROOM = 1024 * 1024;

/** Takes from a stream. Whatever does not match refuses at its first byte that differs. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);
  /** What `takeWhole` gives; used again, since a new one for each page is work for the collector. */
  #whole: Buffer = Buffer.alloc(0);
  /** Bytes taken so far. */
  offset = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Exactly `size` bytes; a file that ends before is refused. Valid until the next call. */
  async take(size: number, rule: Rule): Promise<Buffer> {
    if (this.#held.length < size) await this.#fill(size);
    if (this.#held.length < size) refuse(rule, this.offset + this.#held.length, 'the file ends here');
    const taken = this.#held.subarray(0, size);
    this.#held = this.#held.subarray(size);
    this.offset += size;
    return taken;
  }

  /**
   * Exactly `size` bytes, of which there may be many. Valid until the next call of this method, through calls of the others.
   * The room for them grows as they come: what a file says of its length costs nothing.
   */
  async takeWhole(size: number, rule: Rule): Promise<Buffer> {
    if (this.#held.length >= size) return this.take(size, rule); // a view: what is held is never written again
    let filled = 0;
    while (filled < size) {
      if (this.#held.length === 0) await this.#fill(1);
      if (this.#held.length === 0) refuse(rule, this.offset, 'the file ends here');
      const piece = this.#held.subarray(0, size - filled);
      if (filled + piece.length > this.#whole.length) {
        const room = Math.min(size, Math.max(2 * this.#whole.length, filled + piece.length, ROOM));
        const grown = Buffer.allocUnsafeSlow(room);
        this.#whole.copy(grown, 0, 0, filled);
        this.#whole = grown;
      }
      this.#whole.set(piece, filled);
      filled += piece.length;
      this.#held = this.#held.subarray(piece.length);
      this.offset += piece.length;
    }
    return this.#whole.subarray(0, size);
  }

  /** These very bytes. */
  async expect(wanted: string | Uint8Array, rule: Rule, what: string): Promise<void> {
    const bytes = typeof wanted === 'string' ? Buffer.from(wanted, 'latin1') : wanted;
    if (this.#held.length < bytes.length) await this.#fill(bytes.length);
    const given = this.#held.subarray(0, bytes.length);
    if (!given.equals(bytes)) {
      let same = 0;
      while (same < given.length && given[same] === bytes[same]) same += 1;
      refuse(rule, this.offset + same, same === given.length ? 'the file ends here' : `not ${what}`);
    }
    this.#held = this.#held.subarray(bytes.length);
    this.offset += bytes.length;
  }

  /** A line of at most `most` bytes, without its LF, as Latin-1. */
  async line(most: number, rule: Rule): Promise<string> {
    let end = this.#held.indexOf(LF);
    if (end < 0 || end > most) {
      if (this.#held.length <= most) await this.#fill(most + 1);
      end = this.#held.indexOf(LF);
      if (end < 0 && this.#held.length <= most) refuse(rule, this.offset + this.#held.length, 'the file ends here');
      if (end < 0 || end > most) refuse(rule, this.offset, `a line of over ${most} bytes`);
    }
    const text = this.#held.toString('latin1', 0, end);
    this.#held = this.#held.subarray(end + 1);
    this.offset += end + 1;
    return text;
  }

  /** The end of the file, and nothing before it. */
  async end(rule: Rule): Promise<void> {
    await this.#fill(1);
    if (this.#held.length > 0) refuse(rule, this.offset, 'bytes behind the end');
  }

  /** Everything that is left, when it is at most `most` bytes. */
  async rest(most: number, rule: Rule): Promise<Buffer> {
    await this.#fill(most + 1);
    if (this.#held.length > most) refuse(rule, this.offset + most, `over ${most} bytes`);
    return this.take(this.#held.length, rule);
  }

  /** The next chunk as it comes, undefined at the end. */
  async chunk(): Promise<Buffer | undefined> {
    await this.#fill(1);
    if (this.#held.length === 0) return undefined;
    const taken = this.#held;
    this.#held = taken.subarray(taken.length);
    this.offset += taken.length;
    return taken;
  }

  /** Tells the stream that no more is wanted. */
  async stop(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #fill(size: number): Promise<void> {
    if (this.#held.length >= size) return;
    const pieces: Uint8Array[] = this.#held.length === 0 ? [] : [this.#held];
    let length = this.#held.length;
    while (length < size) {
      const { done, value } = await this.#chunks.next();
      if (done === true) break;
      if (value.length === 0) continue;
      pieces.push(value);
      length += value.length;
    }
    const [only] = pieces;
    this.#held =
      pieces.length === 1 && only !== undefined
        ? Buffer.from(only.buffer, only.byteOffset, only.byteLength)
        : Buffer.concat(pieces, length);
  }
}
