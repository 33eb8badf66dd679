// A text in base64 and what somebody wrote behind it unencoded: mailing lists add their footers so. As base64 those letters would be
// noise, or vanish.

const LF = 0x0a;
const CR = 0x0d;
/** Blank lines that are kept before a footer. */
const BLANK_MAX = 4;
/** A line that is longer is data: nobody's footer. */
const LINE_MAX = 4096;

/** Parts base64 from plain lines behind it, as they come. Lines of one length, which nearly all are, cost a search for their end. */
export class Base64Text {
  #rest: Buffer = Buffer.alloc(0);
  /** Length of the first line of data. */
  #width = 0;
  /** A line that was shorter, padded or blank: data may be over. */
  #ended = false;
  /** Blank lines before the line that comes: those before a plain one are part of it. */
  #blank = 0;
  /** Lines behind the data, as they are. */
  readonly tail: Buffer[] = [];

  /** What of these bytes is base64. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (this.tail.length > 0) return this.#over(bytes, 0);
    let from = 0;
    for (let lf = bytes.indexOf(LF); lf >= 0; lf = bytes.indexOf(LF, from)) {
      if (!this.#isData(bytes, from, lf)) return this.#over(bytes, from);
      from = lf + 1;
    }
    const end = bytes.length - from > LINE_MAX ? bytes.length : from;
    this.#rest = Buffer.from(bytes.subarray(end));
    return bytes.subarray(0, end);
  }

  /** What of the last line is base64. */
  end(): Buffer {
    const last = this.#rest;
    this.#rest = Buffer.alloc(0);
    return this.tail.length > 0 || !this.#isData(last, 0, last.length) ? this.#over(last, 0) : last;
  }

  #over(bytes: Buffer, from: number): Buffer {
    if (this.tail.length === 0) this.tail.push(Buffer.from('\r\n'.repeat(this.#blank)));
    this.tail.push(Buffer.from(bytes.subarray(from)));
    this.#rest = Buffer.alloc(0);
    return bytes.subarray(0, from);
  }

  #isData(bytes: Buffer, from: number, lf: number): boolean {
    const to = lf > from && bytes[lf - 1] === CR ? lf - 1 : lf;
    const length = to - from;
    if (length > LINE_MAX || (length === this.#width && !this.#ended)) return true;
    if (length === 0) {
      this.#ended = this.#width > 0;
      this.#blank = Math.min(this.#blank + 1, BLANK_MAX);
      return true;
    }
    const line = bytes.toString('latin1', from, to);
    if (this.#ended ? !/^[A-Za-z0-9+/]+={0,2}\s*$/.test(line) : /[\x80-\xff]/.test(line)) return false;
    if (this.#width === 0) this.#width = length;
    if (length < this.#width || line.endsWith('=')) this.#ended = true;
    this.#blank = 0;
    return true;
  }
}
