// Where the data of a mail ends: CRLF.CRLF and nothing else (RFC 5321 §4.1.1.4). One pass over the bytes, whatever is in
// them: a line of dots costs what a line of letters costs. A line that another server might take for the end is a fault:
// half of the world's servers did in 2023 (CVE-2023-51764 to 51766), and who sends one means to smuggle a second mail.

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;
const NUL = 0x00;

/** What a line holds so far, NULs and the CR before its end left out. */
const EMPTY = 0;
const ONE_DOT = 1;
const MORE = 2;

/** What one chunk gave. */
export interface DotRead {
  /** Content of the mail, leading dots unstuffed. */
  readonly content: Buffer;
  /** Where in the chunk the bytes begin that follow the end of the data; undefined while it has not ended. */
  readonly restAt?: number;
  /** True for a line that is an end of data to some and none to others. */
  readonly ambiguous?: true;
}

/** Reads the DATA phase of one mail, chunk by chunk, however they are cut. */
export class DotReader {
  #line: typeof EMPTY | typeof ONE_DOT | typeof MORE = EMPTY;
  /** True when the line began after CRLF (or is the first) and holds no NUL: then a dot at its start is stuffing. */
  #plain = true;
  #cr = false;

  /** Takes the next chunk. After an end or a fault, make a new reader. */
  read(chunk: Buffer): DotRead {
    const out = Buffer.allocUnsafe(chunk.length + 1);
    let size = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.#cr) {
        this.#cr = false;
        if (byte === LF) {
          if (this.#line === ONE_DOT) {
            if (this.#plain) return { content: out.subarray(0, size), restAt: at + 1 };
            return { content: out.subarray(0, size), ambiguous: true };
          }
          out[size++] = CR;
          out[size++] = LF;
          this.#line = EMPTY;
          this.#plain = true;
          continue;
        }
        out[size++] = CR;
        if (this.#line === ONE_DOT) return { content: out.subarray(0, size), ambiguous: true };
        this.#line = EMPTY;
        this.#plain = false;
      }
      if (byte === CR) {
        this.#cr = true;
      } else if (byte === LF) {
        if (this.#line === ONE_DOT) return { content: out.subarray(0, size), ambiguous: true };
        out[size++] = LF;
        this.#line = EMPTY;
        this.#plain = false;
      } else if (byte === DOT && this.#line === EMPTY) {
        this.#line = ONE_DOT;
        if (!this.#plain) out[size++] = DOT; // after a bare line end a dot is content
      } else if (byte === NUL && this.#line !== MORE) {
        this.#plain = false;
        out[size++] = NUL;
      } else {
        this.#line = MORE;
        out[size++] = byte;
      }
    }
    return { content: out.subarray(0, size) };
  }
}
