// The wire between host and jailed child: length-capped binary frames, no JSON, no objects. Both sides use this file;
// the host believes nothing of what it reads, so every length is checked before anything is allocated.
//
// Frame: u8 version (1) · u8 type · u32 BE payload length · payload. The payload of a typed frame is a sequence of
// fields: u32 BE, f64 BE, or text as u32 BE byte length and strict UTF-8.

/** Version of the wire; a frame with another one ends the child. */
export const WIRE_VERSION = 1;
const HEAD = 6;

/** Frame types. From 1: host to child; from 64: child to host. */
export const FRAME = {
  // host → child
  /** Starts one input: u32 number that nobody can guess, u32 operation, u32 dpi or 0, u32 max pages, text declared type, text name, text password ('' none). */
  open: 1,
  /** Input bytes. */
  input: 2,
  /** The input is complete. */
  inputEnd: 3,
  /** Where pages are drawn on order: draw this one, u32 page from 0. */
  draw: 4,
  /** No more orders. Always sent once, also when the child refused. */
  enough: 5,
  /** The answer to a question: u32 number of the question, then the answer of the DNS as it came, or nothing. */
  answer: 6,
  // child → host
  /** Ready for an input: text version of the engine. */
  ready: 64,
  /**
   * The input that was opened has been reached: u32 its number. What came before it over the pipe was said of an earlier input, and
   * must never count as this one's.
   */
  begun: 82,
  /** All of this input's output was sent. */
  done: 65,
  /** The input cannot be converted: text reason code, text detail. */
  refuse: 66,
  /** text code, text detail. */
  finding: 67,
  /** text code, text detail. */
  loss: 68,
  /** Header field of a mail: u32 field number, text value. */
  header: 69,
  /** A node of the tree starts: u32 depth, depth × u32 index, u32 kind, text type (`;charset=…` behind it where a mail says so of a leaf), text name, text disposition, text content id (its place's mark and its id, a blank between). */
  part: 70,
  /** Raw, transfer-decoded bytes of the current part. */
  bytes: 71,
  /** The current part is complete. */
  partEnd: 72,
  /** Plain text of the current part, in pieces. */
  text: 73,
  /** A document is open: u32 pages. */
  pages: 74,
  /** A page or picture: u32 width px, u32 height px, u32 pixel format, f64 width pt, f64 height pt; its pixels follow as `pixels`. */
  page: 75,
  /** Pixels of the current page, rows from the top, no padding between rows but to a whole byte. */
  pixels: 76,
  /** What the input is: text MIME type, text usual extension ('' when unknown). */
  detected: 77,
  /**
   * Text of the current page, at most once and before its last pixels: u32 runs, for each: text, f64 x, y, dx, dy, size as
   * `Run` says.
   */
  runs: 78,
  /**
   * What the page that follows is, where pages are drawn on order: u32 page from 0, u32 outcome (`DRAWN`), u32 characters
   * that nobody sees, u32 where its text is from (`LETTERS`).
   */
  drawn: 79,
  /** A question to the DNS: u32 number from 0, u32 type of record (`RECORD`), text name. Each gets one `answer`. */
  ask: 80,
  /** What a check of the sender gave: u32 method (`CHECK`), text result (RFC 8601 §2.7), text domain or ''. */
  checked: 81,
  /** Texts of the cells of a workbook, each once and ended by a line feed, in pieces; one line feed alone where there are none. */
  cells: 83,
} as const;
export type FrameType = (typeof FRAME)[keyof typeof FRAME];

/** Pixel formats of a `page` frame. */
export const PIXEL = {
  /** 4-bit grey, two pixels a byte, high nibble left. */
  grey4: 1,
  /** 8-bit grey. */
  grey8: 2,
  /** 4 bits each of red, green, blue: 12 bits a pixel, rows padded to a byte. */
  rgb4: 3,
  /** 8 bits each of red, green, blue. */
  rgb8: 4,
} as const;
export type PixelFormat = (typeof PIXEL)[keyof typeof PIXEL];

/** Bytes of one row of `width` pixels. */
export function rowBytes(format: PixelFormat, width: number): number {
  switch (format) {
    case PIXEL.grey4:
      return (width + 1) >> 1;
    case PIXEL.grey8:
      return width;
    case PIXEL.rgb4:
      return (width * 12 + 7) >> 3;
    case PIXEL.rgb8:
      return width * 3;
    default:
      return format satisfies never;
  }
}

/**
 * Characters on one straight line, evenly spread: origin of the first on the page (points, from the lower left corner as
 * the page is seen), the vector to where the last one ends, and the size of the font.
 */
export interface Run {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
  readonly size: number;
}

/** What a text layer may hold: letters, marks, digits, punctuation, symbols and two blanks; nothing that steers or hides. */
export const READABLE_TEXT = /^[\p{L}\p{M}\p{N}\p{P}\p{S} \u3000]*$/u;

/** Operations of an `open` frame. */
export const OPERATION = {
  convert: 1,
  detect: 2,
  convertWithText: 3,
  pages: 4,
  pagesWithText: 5,
  authenticate: 6,
  values: 7,
  /** Of a moving picture, every frame as a page. */
  frames: 8,
  /** Values parted by commas, in UTF-8, as a table. */
  table: 9,
  /** A page of HTML, alone or saved with its pictures (MHTML), as pages of paper. */
  page: 10,
  /** As `pages`, each in all its colours, 8 bits a channel, whatever stands on it. */
  pagesInColour: 11,
} as const;

/** Operations whose pages are drawn on order. */
export type OnOrder = (typeof OPERATION)['pages' | 'pagesWithText' | 'pagesInColour'];

/** True for inputs whose pages are drawn one by one, on order, so that several children may share a document. */
export function isOnOrder(operation: number): operation is OnOrder {
  return (
    operation === OPERATION.pages || operation === OPERATION.pagesWithText || operation === OPERATION.pagesInColour
  );
}

/** How a page came out. */
export const DRAWN = { inked: 0, blank: 1, damaged: 2, outOfMemory: 3 } as const;
export type Outcome = (typeof DRAWN)[keyof typeof DRAWN];

/** Whose the text of a page is: its own, what came with a scan, or a few letters of its own beside a picture that covers most of it. */
export const LETTERS = { own: 0, scan: 1, beside: 2 } as const;
export type Letters = (typeof LETTERS)[keyof typeof LETTERS];

/** Kinds of a `part` frame. */
export const PART_KIND = { leaf: 1, multipart: 2 } as const;

/** Types of DNS records that may be asked for (RFC 1035 §3.2.2, RFC 3596). */
export const RECORD = { A: 1, PTR: 12, MX: 15, TXT: 16, AAAA: 28 } as const;
export type RecordType = (typeof RECORD)[keyof typeof RECORD];

/** Methods of a `checked` frame. */
export const CHECK = { spf: 1, dkim: 2, arc: 3, dmarc: 4 } as const;

/** Header fields of a `header` frame. */
export const HEADER_FIELD = {
  from: 1,
  to: 2,
  cc: 3,
  subject: 4,
  date: 5,
  messageId: 6,
  autoSubmitted: 7,
  sender: 8,
  replyTo: 9,
} as const;

/** A fault on the wire: the other side sent what the grammar does not allow. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** A field to write: a number is a u32 (an integer of 0 to 2³²−1) unless wrapped as `{ f64 }`. */
export type Field = number | string | { readonly f64: number };

/** One frame with raw bytes as payload, as two buffers that need no copy. */
export function bytesFrame(type: FrameType, payload: Uint8Array): [Buffer, Uint8Array] {
  return [head(type, payload.length), payload];
}

/** One frame made of fields. */
export function fieldsFrame(type: FrameType, fields: readonly Field[] = []): Buffer {
  let length = 0;
  for (const field of fields) {
    length += typeof field === 'number' ? 4 : typeof field === 'string' ? 4 + Buffer.byteLength(field) : 8;
  }
  const frame = Buffer.allocUnsafe(HEAD + length);
  head(type, length).copy(frame);
  let at = HEAD;
  for (const field of fields) {
    if (typeof field === 'number') at = frame.writeUInt32BE(field, at);
    else if (typeof field === 'string') {
      const size = frame.write(field, at + 4, 'utf8');
      frame.writeUInt32BE(size, at);
      at += 4 + size;
    } else at = frame.writeDoubleBE(field.f64, at);
  }
  return frame;
}

function head(type: FrameType, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(HEAD);
  buffer.writeUInt8(WIRE_VERSION, 0);
  buffer.writeUInt8(type, 1);
  buffer.writeUInt32BE(length, 2);
  return buffer;
}

/** A received frame; `payload` is valid until the next frame is asked for. */
export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

/** Pieces of one frame that are held apart. */
const CRUMBS = 1024;

/**
 * Splits a byte stream into frames. A frame longer than `maxFrame` bytes, or of another version, is a `WireError`
 * before its payload is waited for; memory held is at most one frame and one chunk.
 */
export class FrameReader {
  readonly #maxFrame: number;
  readonly #reuse: boolean;
  #joined = Buffer.alloc(0);
  #held: Buffer[] = [];
  #size = 0;

  /**
   * With `reuse` a frame that came in pieces is joined in a buffer that serves the next one too, so that its payload must
   * not be kept: pages come in megabytes, and V8 spent a quarter of the time collecting memory asked for anew each time.
   */
  constructor(maxFrame: number, reuse = false) {
    this.#maxFrame = maxFrame;
    this.#reuse = reuse;
  }

  /** Bytes that wait for the rest of their frame. A stream that ends with any was cut. */
  get pending(): number {
    return this.#size;
  }

  /** Adds a chunk and yields the frames that are now whole. */
  *push(chunk: Buffer): Generator<Frame, void, undefined> {
    if (chunk.length > 0) {
      this.#held.push(chunk);
      this.#size += chunk.length;
      // A buffer of one byte takes hundreds: who sends a frame in crumbs does not make us hold them one by one.
      if (this.#held.length > CRUMBS) this.#held = [Buffer.concat(this.#held)];
    }
    for (;;) {
      if (this.#size < HEAD) return;
      const first = this.#gather(HEAD);
      if (first.readUInt8(0) !== WIRE_VERSION) throw new WireError(`wire version ${first.readUInt8(0)}`);
      const length = first.readUInt32BE(2);
      if (length > this.#maxFrame) throw new WireError(`frame of ${length} bytes, at most ${this.#maxFrame}`);
      if (this.#size < HEAD + length) return;
      const whole = this.#gather(HEAD + length);
      this.#held[0] = whole.subarray(HEAD + length);
      this.#size -= HEAD + length;
      if (this.#held[0].length === 0) this.#held.shift();
      yield { type: whole.readUInt8(1), payload: whole.subarray(HEAD, HEAD + length) };
    }
  }

  /** Makes the first held buffer at least `count` bytes long; the caller checked that so many are held. */
  #gather(count: number): Buffer {
    const first = this.#held[0];
    if (first !== undefined && first.length >= count) return first;
    const target = this.#reuse ? this.#room(count) : Buffer.allocUnsafe(count);
    let filled = 0;
    let taken = 0;
    for (const chunk of this.#held) {
      const copied = chunk.copy(target, filled, 0, Math.min(chunk.length, count - filled));
      filled += copied;
      if (copied < chunk.length) {
        this.#held[taken] = chunk.subarray(copied);
        break;
      }
      taken += 1;
    }
    this.#held.splice(0, taken, target);
    return target;
  }

  #room(count: number): Buffer {
    if (this.#joined.length < count) {
      const grown = Buffer.allocUnsafeSlow(Math.max(count, 2 * this.#joined.length));
      this.#joined = grown;
    }
    return this.#joined.subarray(0, count);
  }
}

/** Reads the fields of a payload in order; anything short, over or not UTF-8 is a `WireError`. */
export class FieldReader {
  readonly #payload: Buffer;
  #at = 0;

  constructor(payload: Buffer) {
    this.#payload = payload;
  }

  /** The next u32, at most `max`. */
  u32(max = 0xffffffff): number {
    if (this.#at + 4 > this.#payload.length) throw new WireError('field cut');
    const value = this.#payload.readUInt32BE(this.#at);
    if (value > max) throw new WireError(`number ${value}, at most ${max}`);
    this.#at += 4;
    return value;
  }

  /** The next f64: finite and between `min` and `max`. */
  f64(min: number, max: number): number {
    if (this.#at + 8 > this.#payload.length) throw new WireError('field cut');
    const value = this.#payload.readDoubleBE(this.#at);
    if (!(value >= min && value <= max)) throw new WireError('number out of range');
    this.#at += 8;
    return value;
  }

  /** The next text, at most `max` bytes of strict UTF-8. */
  text(max: number): string {
    const size = this.u32(max);
    if (this.#at + size > this.#payload.length) throw new WireError('text cut');
    const bytes = this.#payload.subarray(this.#at, this.#at + size);
    this.#at += size;
    return strictText(bytes);
  }

  /** Ends the reading: a byte left over is a `WireError`. */
  end(): void {
    if (this.#at !== this.#payload.length) throw new WireError('bytes after the last field');
  }
}

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Strict UTF-8 to text; malformed bytes are a `WireError`. */
export function strictText(bytes: Uint8Array): string {
  try {
    return STRICT.decode(bytes);
  } catch (error) {
    throw new WireError('text is not UTF-8', { cause: error });
  }
}
