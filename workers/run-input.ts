// What the host sends to a jailed child: the frames, and in them an input, orders for pages, answers to questions.
import { LIMITS } from '../src/message/limits.ts';
import { FRAME, FieldReader, FrameReader, WireError, type RecordType } from '../src/sandbox/wire.ts';

export interface Received {
  readonly type: number;
  readonly payload: Buffer;
}

/** The frames of the host, one after the other, until it closes our input. */
export async function* readFrames(): AsyncGenerator<Received, void, undefined> {
  const reader = new FrameReader(LIMITS.frameBytes);
  for await (const chunk of process.stdin) yield* reader.push(chunk as Buffer);
  if (reader.pending > 0) throw new WireError('input cut');
}

/** The bytes of one input. Unlike a generator it survives a reader that stops half-way: `drain` reads the rest. */
export class Input implements AsyncIterable<Buffer> {
  readonly #frames: AsyncGenerator<Received, void, undefined>;
  #ended = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(frames: AsyncGenerator<Received, void, undefined>) {
    this.#frames = frames;
  }

  /**
   * The next chunk, undefined after the last. One read at a time: a parser that was given up may still be waiting for a
   * chunk when the rest is drained, and must not take the first frame of the next input.
   */
  async #next(): Promise<Buffer | undefined> {
    const read = this.#last.then(async () => this.#read());
    this.#last = read.then(
      () => undefined,
      () => undefined, // told to whoever asked for this chunk
    );
    return read;
  }

  async #read(): Promise<Buffer | undefined> {
    if (this.#ended) return undefined;
    const next = await this.#frames.next();
    if (next.done) throw new WireError('input cut');
    if (next.value.type === FRAME.input) return next.value.payload;
    if (next.value.type !== FRAME.inputEnd) throw new WireError(`frame ${next.value.type} inside an input`);
    this.#ended = true;
    return undefined;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk;
  }

  async drain(): Promise<void> {
    while ((await this.#next()) !== undefined);
  }
}

/** The pages that are asked for, one after the other, until it is enough. */
export class Orders implements AsyncIterable<number> {
  readonly #frames: AsyncGenerator<Received, void, undefined>;
  #ended = false;

  constructor(frames: AsyncGenerator<Received, void, undefined>) {
    this.#frames = frames;
  }

  async #next(): Promise<number | undefined> {
    if (this.#ended) return undefined;
    const next = await this.#frames.next();
    if (next.done) throw new WireError('orders cut');
    const { type, payload } = next.value;
    if (type !== FRAME.enough && type !== FRAME.draw) throw new WireError(`frame ${type} among orders`);
    const fields = new FieldReader(payload);
    const index = type === FRAME.draw ? fields.u32(LIMITS.pages) : undefined;
    fields.end();
    this.#ended = index === undefined;
    return index;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<number, void, undefined> {
    for (let index = await this.#next(); index !== undefined; index = await this.#next()) yield index;
  }

  async drain(): Promise<void> {
    while ((await this.#next()) !== undefined);
  }
}

/** Questions that wait for their answers. The frames have one reader at a time: it reads while any question is open. */
export class Questions {
  readonly #frames: AsyncGenerator<Received, void, undefined>;
  readonly #open = new Map<number, PromiseWithResolvers<Buffer>>();
  readonly #send: (number: number, type: RecordType, name: string) => void;
  #asked = 0;
  #reading = false;

  constructor(
    frames: AsyncGenerator<Received, void, undefined>,
    send: (number: number, type: RecordType, name: string) => void,
  ) {
    this.#frames = frames;
    this.#send = send;
  }

  async ask(type: RecordType, name: string): Promise<Buffer> {
    const number = this.#asked++;
    const answer = Promise.withResolvers<Buffer>();
    this.#open.set(number, answer);
    this.#send(number, type, name);
    if (!this.#reading)
      this.#read().catch((error: unknown) => {
        for (const { reject } of this.#open.values()) reject(error);
        this.#open.clear();
      });
    return answer.promise;
  }

  async #read(): Promise<void> {
    this.#reading = true;
    while (this.#open.size > 0) {
      const next = await this.#frames.next();
      if (next.done) throw new WireError('answers cut');
      const { type, payload } = next.value;
      if (type !== FRAME.answer || payload.length < 4) throw new WireError(`frame ${type} among answers`);
      const number = payload.readUInt32BE(0);
      const question = this.#open.get(number);
      if (question === undefined) throw new WireError('answer to no question');
      this.#open.delete(number);
      question.resolve(payload.subarray(4));
    }
    this.#reading = false;
  }
}
