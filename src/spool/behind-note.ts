// How far the worker is behind, by its own queues, for doors in another process that share nothing with it but the spool: they see
// what is old there, but not whether it waits for a worker or for something of its own.
import { Type } from 'typebox';
import { MugaiError } from '../message/errors.ts';
import { recordCodec } from '../store/records.ts';
import { StatusFiles } from '../store/status-files.ts';
import type { Store } from '../store/store.ts';

const codec = recordCodec(
  'behind',
  Type.Object({ seconds: Type.Number({ minimum: 0 }) }, { additionalProperties: false }),
);

export class BehindNote {
  readonly #files: StatusFiles;
  constructor(store: Store) {
    this.#files = new StatusFiles(store, 'behind');
  }

  /** Tells it; `process` is the name of the worker that does. */
  async publish(process: string, seconds: number): Promise<void> {
    await this.#files.publish(process, codec.encode({ seconds }));
  }

  /** Seconds that the worker was behind when it said so last, `ageMs` ago at most; undefined: it said nothing lately. */
  async seconds(ageMs: number): Promise<number | undefined> {
    for (const { bytes } of await this.#files.read(ageMs)) {
      try {
        return codec.decode(bytes).seconds;
      } catch (error) {
        if (!(error instanceof MugaiError) || error.code !== 'bad-record') throw error; // half written: the one before it
      }
    }
    return undefined;
  }
}
