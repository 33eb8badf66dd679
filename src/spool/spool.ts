// Raw bytes at rest, and the records of what the middle zone did with them. The inner side never imports this room.
import { randomBytes } from 'node:crypto';
import { folderOf, parseMessageId, shardAt, type MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import { MugaiError } from '../message/errors.ts';
import {
  SanitisedRecordSchema,
  SpooledRecordSchema,
  type Sanitised,
  type SanitisedRecord,
  type Spooled,
  type SpooledRecord,
} from '../message/stages.ts';
import { recordCodec } from '../store/records.ts';
import type { Entry, StageWriter, Staged, Store } from '../store/store.ts';

// Rooms on the road take these words from here: the store itself is not theirs to know.
export type { Entry, StageWriter, Staged } from '../store/store.ts';

const RAW = 'raw';
const SPOOLED = '01-spooled.json';
const SANITISED = '02-sanitised.json';
/** The sanitised record again, under this name once the package is durable in the outbox. */
const SEALED = '03-sealed.json';
const RECORD_BYTES = LIMITS.manifestBytes + 4 * LIMITS.textChars;

const spooledCodec = recordCodec('spooled', SpooledRecordSchema);
const sanitisedCodec = recordCodec('sanitised', SanitisedRecordSchema);

/** What the scan found unfinished: the ids whose next step is to sanitise, and those whose next step is to seal. */
export interface Unfinished {
  readonly sanitise: readonly MessageId[];
  readonly seal: readonly MessageId[];
}

/** The spool: a folder per message, a record per stage; the highest-numbered record is the stage. */
export class Spool {
  readonly #store: Store;
  /** Messages whose last record here was seen; the minute scan does not look at them again. */
  readonly #finished = new Set<MessageId>();
  readonly #closed = new Set<string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Takes bytes that are to be kept here: raw ones of a message, or an output. `cap` bytes at most, else `too-large`. */
  begin(cap: number): StageWriter {
    return this.#store.begin(cap);
  }

  /** Makes a message durable: bytes and record. Only after this may a sender hear yes. */
  async accept(id: MessageId, raw: Staged, record: SpooledRecord): Promise<Spooled> {
    const done = await this.#store.commit(folderOf(id), [
      { name: RAW, content: raw },
      { name: SPOOLED, content: spooledCodec.encode(record) },
    ]);
    if (done === 'exists') throw new MugaiError('already-there', `message ${id} exists`, { permanent: true });
    return { id, record } as Spooled;
  }

  /** The message at the stage spooled, undefined when there is none of this id. */
  async spooled(id: MessageId): Promise<Spooled | undefined> {
    const bytes = await this.#store.get(folderOf(id), SPOOLED, RECORD_BYTES);
    return bytes === undefined ? undefined : ({ id, record: spooledCodec.decode(bytes) } as Spooled);
  }

  /** The raw bytes of a message, to be read any number of times. They stay here: discarding does nothing. */
  async rawContent(spooled: Spooled): Promise<Staged> {
    const { size, sha256 } = spooled.record.source;
    const folder = folderOf(spooled.id);
    const store = this.#store;
    const chunks = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      const raw = await store.open(folder, RAW);
      if (raw === undefined)
        throw new MugaiError('not-found', `raw bytes of ${spooled.id} are gone`, { permanent: true });
      yield* raw.stream;
    };
    return { size, sha256, open: chunks, discard: async () => undefined };
  }

  /**
   * Makes a sanitised message durable: output files first, then the record that names their folder. Two attempts at
   * once never mix their files; the first record stands and is what both get.
   */
  async recordSanitised(
    spooled: Spooled,
    record: Omit<SanitisedRecord, 'outputFolder'>,
    outputs: readonly Entry[],
  ): Promise<Sanitised> {
    const folder = folderOf(spooled.id);
    const outputFolder = outputs.length === 0 ? '' : `out-${randomBytes(6).toString('hex')}`;
    if (outputFolder !== '') await this.#store.commit(`${folder}/${outputFolder}`, outputs);
    const whole = { ...record, outputFolder };
    const done = await this.#store.put(folder, { name: SANITISED, content: sanitisedCodec.encode(whole) });
    if (done === 'stored') return { id: spooled.id, record: whole } as Sanitised;
    const first = await this.sanitised(spooled.id);
    if (first === undefined) throw new MugaiError('store-failed', `record of ${spooled.id} vanished`);
    return first;
  }

  /** The message at the stage sanitised, undefined when it has not come so far. */
  async sanitised(id: MessageId): Promise<Sanitised | undefined> {
    const folder = folderOf(id);
    const bytes =
      (await this.#store.get(folder, SANITISED, RECORD_BYTES)) ?? (await this.#store.get(folder, SEALED, RECORD_BYTES));
    return bytes === undefined ? undefined : ({ id, record: sanitisedCodec.decode(bytes) } as Sanitised);
  }

  /** One output file of a sanitised message. */
  async output(
    sanitised: Sanitised,
    name: string,
  ): Promise<{ readonly size: number; readonly stream: AsyncIterable<Uint8Array> }> {
    const output = await this.#store.open(`${folderOf(sanitised.id)}/${sanitised.record.outputFolder}`, name);
    if (output === undefined)
      throw new MugaiError('not-found', `output ${name} of ${sanitised.id} is gone`, { permanent: true });
    return output;
  }

  /** Notes that the package is in the outbox. The copy of the outputs here is no longer needed. */
  async recordSealed(sanitised: Sanitised): Promise<void> {
    const folder = folderOf(sanitised.id);
    await this.#store.rename(folder, SANITISED, SEALED); // renamed by an earlier attempt: nothing to do
    if (sanitised.record.outputFolder !== '') await this.#store.delete(`${folder}/${sanitised.record.outputFolder}`);
    this.#finished.add(sanitised.id);
  }

  /**
   * Looks through the spool for messages that are not sealed yet, at most `most` of each kind. A shard whose hour is
   * over and whose messages are all sealed is not looked at again.
   */
  async unfinished(most: number): Promise<Unfinished> {
    const sanitise: MessageId[] = [];
    const seal: MessageId[] = [];
    const open = new Set([shardAt(Date.now()), shardAt(Date.now() - 3_600_000)]);
    for (const shard of await this.#store.list('')) {
      if (this.#closed.has(shard)) continue;
      let pending = 0;
      for (const name of await this.#store.list(shard)) {
        const id = parseMessageId(name);
        if (id === undefined || this.#finished.has(id)) continue;
        const stage = this.stageOf(id);
        if (stage === 'sealed') {
          this.#finished.add(id);
          continue;
        }
        pending += 1;
        if (stage === 'sanitised') seal.push(id);
        else if (stage === 'spooled') sanitise.push(id);
        // A scan of many takes seconds: let others have their turn.
        if (pending % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
        if (sanitise.length >= most || seal.length >= most) return { sanitise, seal };
      }
      if (pending === 0 && !open.has(shard)) this.#close(shard);
    }
    return { sanitise, seal };
  }

  #close(shard: string): void {
    this.#closed.add(shard);
    for (const id of this.#finished) if (folderOf(id).startsWith(`${shard}/`)) this.#finished.delete(id);
  }

  /** How far a message came here. */
  stageOf(id: MessageId): 'spooled' | 'sanitised' | 'sealed' | 'unknown' {
    const has = (name: string): boolean => this.#store.has(folderOf(id), name);
    if (has(SEALED)) return 'sealed';
    if (has(SANITISED)) return 'sanitised';
    return has(SPOOLED) ? 'spooled' : 'unknown';
  }

  /** Bytes that can still be spooled. */
  async freeBytes(): Promise<number | undefined> {
    return this.#store.freeBytes();
  }
}
