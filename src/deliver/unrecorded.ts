// Answers of the inner server that could not be written down yet: its disk is full or failing. They are kept in memory and
// written when that is possible again, so that nobody gets a mail twice; meanwhile nothing more is sent.
import type { MessageId } from '../message/id.ts';

type Write<T> = () => Promise<T>;

/** The answers of one process that wait for their record. */
export class Unrecorded<T> {
  readonly #writes = new Map<MessageId, Write<T>>();

  readonly #running = new Map<MessageId, Promise<T>>();

  /** Writes an answer down. When that fails it is kept, and the error is thrown. */
  async record(id: MessageId, write: Write<T>): Promise<T> {
    try {
      const written = await write();
      this.#writes.delete(id);
      return written;
    } catch (error) {
      this.#writes.set(id, write);
      throw error;
    }
  }

  /** Writes down what the inner server said of this message in an earlier attempt; undefined when nothing waits. */
  again(id: MessageId): Promise<T> | undefined {
    const running = this.#running.get(id);
    const write = this.#writes.get(id);
    if (running !== undefined || write === undefined) return running;
    const again = this.record(id, write).finally(() => this.#running.delete(id));
    this.#running.set(id, again);
    return again;
  }

  /** Throws while answers can not be written down: a mail that is sent now might have to be sent again. */
  async demandRoom(): Promise<void> {
    const [first] = this.#writes.keys();
    if (first !== undefined) await this.again(first);
  }
}
