// The bytes of an SMTP session, cut into command lines and mail data: the one parser of both. It replaces smtp-server's, which
// takes bare line feeds for line ends, lets a client talk past a command it must wait for, and un-stuffs dots at a price:
// 10 MB of `..` lines burned 5 s of the main thread there, a hundred times the cost of normal data.
// oxlint-disable no-underscore-dangle -- smtp-server's own names: typed and documented there, its version pinned
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js';
import { LIMITS } from '../message/limits.ts';
import { DotReader } from './dot-reader.ts';
import { REPLY, type SmtpReply } from './smtp-replies.ts';

/** What the wire asks of the session around it. */
export interface WireOwner {
  /** False until the greeting went out. */
  greeted(): boolean;
  /** Says this and closes. */
  refuse(reply: SmtpReply): void;
  /** Says this about a line that is no command; the session goes on. */
  complain(reply: SmtpReply, next: () => void): void;
}

export interface WireLimits {
  readonly commandBytes: number;
  readonly commandMs: number;
}

export const WIRE_LIMITS: WireLimits = { commandBytes: LIMITS.smtpCommandBytes, commandMs: LIMITS.smtpIdleMs };

type Next = (error?: Error | null) => void;

/** Commands whose answer a client must wait for (RFC 2920 §3.1; STARTTLS: CVE-2011-0411). */
const LAST_IN_GROUP = /^(?:EHLO|HELO|DATA|STARTTLS)\b/i;
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;
/** Commands handled before other sessions get their turn. */
const TURN = 100;
const LF = 0x0a;

/** smtp-server's stream with our reading of the bytes. */
export class SmtpWire extends SMTPStream {
  readonly #owner: WireOwner;
  readonly #limits: WireLimits;
  #dots = new DotReader();
  #partial: Buffer = Buffer.alloc(0);
  #lineTimer: NodeJS.Timeout | undefined;

  constructor(owner: WireOwner, limits: WireLimits = WIRE_LIMITS) {
    super({});
    this.#owner = owner;
    this.#limits = limits;
    this.once('close', () => clearTimeout(this.#lineTimer));
  }

  override startDataMode(maxBytes?: number | string | null): ReturnType<SMTPStream['startDataMode']> {
    this.#dots = new DotReader();
    return super.startDataMode(maxBytes);
  }

  /** A last line without its end is no command: nothing is done for a client that left. */
  override _flushData(): void {
    clearTimeout(this.#lineTimer);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding | 'buffer', next: Next): void {
    if (this.isClosed || chunk.length === 0) next();
    else if (this._dataMode) this._feedDataStream(chunk, next);
    else this.#commands(chunk, next);
  }

  #commands(chunk: Buffer, next: Next): void {
    if (!this.#owner.greeted()) {
      this.#refuse(REPLY.tooEarly(), next);
      return;
    }
    const bytes = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    this.#partial = Buffer.alloc(0);
    this.#lines(bytes, 0, 0, next);
  }

  /** Hands out the lines from `at` on; a command that is answered later comes back here with the rest. */
  #lines(bytes: Buffer, from: number, turns: number, next: Next): void {
    let at = from;
    let turn = turns;
    for (;;) {
      if (this.isClosed) {
        next();
        return;
      }
      if (this._dataMode) {
        this._write(bytes.subarray(at), 'buffer', next);
        return;
      }
      const end = bytes.indexOf(LF, at);
      const length = (end < 0 ? bytes.length : end) - at;
      if (length > this.#limits.commandBytes) {
        this.#refuse(REPLY.lineTooLong(), next);
        return;
      }
      if (end < 0) {
        this.#keep(bytes.subarray(at), next);
        return;
      }
      clearTimeout(this.#lineTimer);
      this.#lineTimer = undefined;
      const line = bytes.subarray(at, end - 1);
      if (end === at || bytes[end - 1] !== 0x0d) {
        this.#refuse(REPLY.bareLineFeed(), next);
        return;
      }
      at = end + 1;
      const waits = LAST_IN_GROUP.test(line.toString('latin1'));
      if (waits && at < bytes.length) {
        this.#refuse(REPLY.tooEarly(), next);
        return;
      }
      if (++turn > TURN) {
        setImmediate(() => this.#one(line, () => this.#lines(bytes, at, 0, next)));
        return;
      }
      // A command that answers at once comes back while we are still here: go on in this loop, not deeper.
      let here = true;
      let back = false;
      const place = at;
      const count = turn;
      this.#one(line, () => {
        if (here) back = true;
        else this.#lines(bytes, place, count, next);
      });
      here = false;
      if (!back) return;
    }
  }

  #one(line: Buffer, then: () => void): void {
    if (this.isClosed) then();
    else if (CONTROL.test(line.toString('latin1'))) this.#owner.complain(REPLY.control(), then);
    else this.oncommand(Buffer.from(line), then);
  }

  /** A line that has begun must end in its time, however many bytes drip in. */
  #keep(rest: Buffer, next: Next): void {
    this.#partial = Buffer.from(rest);
    if (rest.length > 0 && this.#lineTimer === undefined) {
      this.#lineTimer = setTimeout(() => {
        if (!this.isClosed) this.#owner.refuse(REPLY.commandTooSlow());
      }, this.#limits.commandMs);
      this.#lineTimer.unref();
    }
    next();
  }

  #refuse(reply: SmtpReply, next: Next): void {
    clearTimeout(this.#lineTimer);
    this.#partial = Buffer.alloc(0);
    this.#owner.refuse(reply);
    next();
  }

  override _feedDataStream(chunk: Buffer, done: Next): void {
    const stream = this._dataStream;
    const { content, restAt, ambiguous } = this.#dots.read(chunk);
    if (ambiguous) {
      stream?.destroy(REPLY.ambiguousEnd());
      this.isClosed = true; // the reply is the reader's to give; nothing behind this is looked at
      done();
      return;
    }
    this._countDataBytes(content.length);
    if (restAt !== undefined) {
      this._endDataMode(content, chunk.subarray(restAt), done);
      return;
    }
    if (stream === null || !stream.writable || stream.write(content)) {
      done();
      return;
    }
    const drained = (): void => {
      stream.off('drain', drained);
      stream.off('close', drained);
      done();
    };
    stream.on('drain', drained);
    stream.on('close', drained);
  }
}
