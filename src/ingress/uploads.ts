// Uploads under way at the HTTP door, and those that ended a while ago: who writes, how far they came, when they are given up.
import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { StageWriter } from '../spool/spool.ts';
import { BadRequest } from './upload-fault.ts';
import { SAID } from './upload-words.ts';

/** Unfinished uploads of a client, and of all together; milliseconds one may rest. */
const PER_CLIENT = 10;
const ALL = 100;
export const REST_MS = 3_600_000;
/** Bytes a second, from its begin on, below which an upload makes room for another when there is none; milliseconds it is left alone. */
const LEAST_RATE = 10_000;
const LEFT_ALONE_MS = 120_000;
/** Uploads that ended and are still known, some 200 bytes each, for those whose last answer was lost. */
const DONE = 10_000;

export interface Unfinished {
  readonly client: string;
  readonly name: string;
  readonly to: readonly string[];
  readonly length: number;
  readonly writer: StageWriter;
  /** The request that writes. One at a time: two would mix their bytes. */
  turn?: Turn;
  /** All bytes are here: the id of the message, once it is durable. */
  finishing?: Promise<string>;
  touched: number;
  /** When it was begun. */
  begun?: number;
}

interface Turn {
  readonly body: Readable;
  readonly over: Promise<void>;
  /** A newer request took its place. */
  ended: boolean;
}

/** An upload that became a message. */
export interface Done {
  readonly client: string;
  readonly length: number;
  readonly message: string;
  readonly at: number;
}

/** The uploads of a door. They live as long as the process: after a restart a client begins anew, as tus has it. */
export class Uploads {
  readonly #all = new Map<string, Unfinished>();
  readonly #done = new Map<string, Done>();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.sweep(Date.now()), 60_000);
    this.#timer.unref();
  }

  /** Takes one more. Where all places are taken, the slowest that is too slow is given up for it: nobody holds the door by resting. */
  add(upload: Unfinished, now: number = Date.now()): string {
    const mine = [...this.#all.values()].filter(({ client }) => client === upload.client).length;
    if (mine < PER_CLIENT && this.#all.size >= ALL) this.#makeRoom(now);
    if (mine >= PER_CLIENT || this.#all.size >= ALL) throw new BadRequest(429, 'too-many-uploads', SAID.tooManyUploads);
    upload.begun = now;
    const id = randomBytes(24).toString('base64url');
    this.#all.set(id, upload);
    return id;
  }

  #makeRoom(now: number): void {
    let slowest: { readonly id: string; readonly upload: Unfinished; readonly rate: number } | undefined;
    for (const [id, upload] of this.#all) {
      const ms = now - (upload.begun ?? now);
      if (upload.finishing !== undefined || ms < LEFT_ALONE_MS) continue;
      const rate = (upload.writer.size * 1000) / ms;
      if (rate < (slowest?.rate ?? LEAST_RATE)) slowest = { id, upload, rate };
    }
    if (slowest === undefined) return;
    const { id, upload } = slowest;
    if (upload.turn === undefined) return this.drop(id);
    this.#all.delete(id);
    upload.turn.ended = true;
    upload.turn.body.destroy();
    void upload.turn.over.then(() => {
      if (upload.finishing === undefined) upload.writer.abort();
    });
  }

  find(id: string): Unfinished | undefined {
    return this.#all.get(id);
  }

  /** What became of an upload that ended within the hour. Waits for one that is ending. */
  async done(id: string): Promise<Done | undefined> {
    await Promise.allSettled([this.#all.get(id)?.finishing]);
    return this.#done.get(id);
  }

  /**
   * Begins to write `body` at `offset`. Whoever wrote until now ends first, its bytes stand: a line that was dropped without
   * a word would hold the upload until the request's time is over. 409 where the upload stands elsewhere. The result ends
   * the turn.
   */
  async begin(id: string, offset: number | undefined, body: Readable): Promise<{ turn: Turn; end: () => void }> {
    this.#standing(id, offset);
    await this.stop(id);
    const upload = this.#standing(id, offset);
    if (upload.turn !== undefined) throw elsewhere(); // another one waited, too, and was first
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const turn: Turn = { body, over, ended: false };
    upload.turn = turn;
    const end = (): void => {
      if (upload.turn === turn) delete upload.turn;
      upload.touched = Date.now();
      resolve();
    };
    return { turn, end };
  }

  /** Ends the request that writes an upload. */
  async stop(id: string): Promise<void> {
    const turn = this.#all.get(id)?.turn;
    if (turn === undefined) return;
    turn.ended = true;
    turn.body.destroy();
    await turn.over;
  }

  #standing(id: string, offset: number | undefined): Unfinished {
    const upload = this.#all.get(id);
    if (upload === undefined) throw noUpload();
    if (upload.finishing !== undefined || offset !== upload.writer.size) throw elsewhere();
    return upload;
  }

  /** Makes a message of an upload that is whole: `keep` gives its id. Known for an hour; a failure is the end of the upload. */
  async finish(id: string, upload: Unfinished, keep: () => Promise<string>): Promise<string> {
    upload.finishing = keep()
      .then((message) => {
        this.#done.set(id, { client: upload.client, length: upload.length, message, at: Date.now() });
        const [oldest] = this.#done.keys();
        if (this.#done.size > DONE && oldest !== undefined) this.#done.delete(oldest);
        return message;
      })
      .finally(() => this.#all.delete(id));
    return upload.finishing;
  }

  /** Gives an upload up. */
  drop(id: string): void {
    this.#all.get(id)?.writer.abort();
    this.#all.delete(id);
  }

  /** Ends what nobody came back for, forgets what ended long ago. */
  sweep(now: number): void {
    for (const [id, upload] of this.#all) {
      const busy = upload.turn !== undefined || upload.finishing !== undefined;
      if (!busy && now - upload.touched >= REST_MS) this.drop(id);
    }
    for (const [id, { at }] of this.#done) if (now - at >= REST_MS) this.#done.delete(id);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const [id, { finishing }] of this.#all) if (finishing === undefined) this.drop(id);
  }
}

export function noUpload(): BadRequest {
  return new BadRequest(404, 'not-found', SAID.noUpload);
}

export function elsewhere(): BadRequest {
  return new BadRequest(409, 'wrong-offset', SAID.standsElsewhere);
}
