// Raw bytes at rest, and the records of what the middle zone did with them. The inner side never imports this room.
import { createHash, randomBytes } from 'node:crypto';
import { parseMessageId, shardOf, timeOf, timeOfShard, type MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import { MugaiError } from '../message/errors.ts';
import {
  ReleaseRecordSchema,
  SanitisedRecordSchema,
  SpooledRecordSchema,
  type Envelope,
  type ReleaseRecord,
  type Sanitised,
  type SanitisedRecord,
  type Spooled,
  type SpooledRecord,
} from '../message/stages.ts';
import { BehindNote } from './behind-note.ts';
import { sweepLeft } from './leavings.ts';
import { OpenReleases } from './open-releases.ts';
import { PairingNotes } from './pairing-notes.ts';
import { RenderNotes } from './render-notes.ts';
import { ClosedShards } from '../store/closed-shards.ts';
import { recordCodec } from '../store/records.ts';
import { StatusFiles } from '../store/status-files.ts';
import type { Entry, StageWriter, Staged, Store } from '../store/store.ts';

// Rooms on the road take these words from here: the store itself is not theirs to know.
export type { Entry, StageWriter, Staged } from '../store/store.ts';

/** Endings of the files of a message; `ls <id>.*` shows how far it came. */
const RAW = 'raw';
const SPOOLED = '01-spooled.json';
const SANITISED = '02-sanitised.json';
const SEALED = '03-sealed.json';
const RELEASE_BYTES = 16 * 1024;
/** A line feed or a quotation mark of the text takes two bytes in JSON; nothing of it takes more. */
const RECORD_BYTES = LIMITS.manifestBytes + 2 * LIMITS.messageTextBytes;

const spooledCodec = recordCodec('spooled', SpooledRecordSchema);
const releaseCodec = recordCodec('release', ReleaseRecordSchema);
const sanitisedCodec = recordCodec('sanitised', SanitisedRecordSchema);

/** A message that came in: its bytes, and what is known of it. */
export interface Arrived {
  readonly raw: Staged;
  readonly facts: Omit<SpooledRecord, 'raw'> & { readonly id: MessageId };
}

/** What the scan found unfinished: the ids whose next step is to sanitise, and those whose next step is to seal. */
export interface Unfinished {
  readonly sanitise: readonly MessageId[];
  readonly seal: readonly MessageId[];
  /** Where the looking stopped because it had found all that it was asked for; absent: at the end. */
  readonly last?: MessageId;
}

/** A message that is sealed and still here. */
export interface Kept {
  readonly id: MessageId;
  /** Undefined where the note that it was sealed cannot be read. */
  readonly envelope: Envelope | undefined;
  readonly hasOriginal: boolean;
  /** Its files here, the note among them. */
  readonly files: readonly string[];
}

/**
 * The spool: a record per stage and message, side by side in the folder of its hour; the highest-numbered record is the
 * stage. Small raw bytes lie inside the first record, and a sanitised record that is cheaper to make again than to keep
 * is not kept: creating and syncing files is what a small mail costs most.
 */
export class Spool {
  readonly #store: Store;
  /** Which messages wait for a password, and which tell one. */
  readonly pairing: PairingNotes;
  /** Which pages were drawn anew for which message. */
  readonly renders: RenderNotes;
  /** Originals that are approved and whose release has not ended. */
  readonly openReleases: OpenReleases;
  /** Messages whose last record here was seen; the minute scan does not look at them again. */
  readonly #finished = new Set<MessageId>();
  readonly #closed = new ClosedShards();
  /** Small messages accepted a moment ago: where the next step is in this process, it need not read them again. */
  readonly #fresh = new Map<MessageId, Spooled>();
  #freshRoom: number;
  /** What the processes that share this spool tell of themselves. */
  readonly status: StatusFiles;
  /** How far the worker is behind, told to doors that no queue joins with it. */
  readonly behind: BehindNote;

  /** `freshChars`: base64 of just accepted messages to keep in memory for the next step; 0 where that is elsewhere. */
  constructor(store: Store, freshChars = 0) {
    this.#store = store;
    this.pairing = new PairingNotes(store);
    this.renders = new RenderNotes(store);
    this.openReleases = new OpenReleases(store);
    this.status = new StatusFiles(store);
    this.behind = new BehindNote(store);
    this.#freshRoom = freshChars;
  }

  /** Takes bytes that are to be kept here: raw ones of a message, or an output. `cap` bytes at most, else `too-large`. */
  begin(cap: number): StageWriter {
    return this.#store.begin(cap);
  }

  /**
   * Makes messages of the same moment durable: bytes and records, all of them or none. Only after this may a sender hear yes.
   */
  async accept(...arrived: readonly Arrived[]): Promise<Spooled[]> {
    const [first] = arrived;
    if (first === undefined) return [];
    const shard = shardOf(first.facts.id);
    const large = arrived.filter(({ raw }) => raw.inline === undefined);
    const entries = large.map(({ raw, facts }) => ({ name: `${facts.id}.${RAW}`, content: raw }));
    if (entries.length > 0) await this.#store.put(shard, ...entries);
    try {
      const spooled = arrived.map(({ raw, facts }) => {
        const inline = raw.inline === undefined ? null : Buffer.from(raw.inline).toString('base64');
        const record: SpooledRecord = { ...facts, raw: inline };
        return { id: facts.id, record } as Spooled;
      });
      const records = spooled.map(({ id, record }) => ({
        name: `${id}.${SPOOLED}`,
        content: spooledCodec.encode(record),
      }));
      if ((await this.#store.put(shard, ...records)) === 'exists')
        throw new MugaiError('already-there', `message ${first.facts.id} exists`, { permanent: true });
      for (const one of spooled) this.#keepFresh(one);
      return spooled;
    } catch (error) {
      for (const { name } of entries) await this.#store.delete(`${shard}/${name}`);
      throw error;
    }
  }

  /** Takes back what was accepted a moment ago and announced to nobody. */
  async withdraw(ids: readonly MessageId[]): Promise<void> {
    for (const id of ids) {
      this.#takeFresh(id);
      await this.#store.delete(`${shardOf(id)}/${id}.${SPOOLED}`); // raw bytes without a record were never accepted
      await this.#store.delete(`${shardOf(id)}/${id}.${RAW}`);
    }
  }

  #keepFresh(spooled: Spooled): void {
    const chars = spooled.record.raw?.length ?? 0;
    if (chars === 0 || chars > this.#freshRoom) return;
    this.#fresh.set(spooled.id, spooled);
    this.#freshRoom -= chars;
  }

  #takeFresh(id: MessageId): Spooled | undefined {
    const fresh = this.#fresh.get(id);
    if (this.#fresh.delete(id)) this.#freshRoom += fresh?.record.raw?.length ?? 0;
    return fresh;
  }

  /** The message at the stage spooled, undefined when there is none of this id. */
  async spooled(id: MessageId): Promise<Spooled | undefined> {
    const fresh = this.#takeFresh(id);
    if (fresh !== undefined) return fresh;
    const bytes = await this.#get(id, SPOOLED);
    return bytes === undefined ? undefined : ({ id, record: spooledCodec.decode(bytes) } as Spooled);
  }

  /** The raw bytes of a message, to be read any number of times. They stay here: discarding does nothing. */
  rawContent(spooled: Spooled): Staged {
    const { record, id } = spooled;
    const { size, sha256 } = record.source;
    const inline = record.raw === null ? undefined : Buffer.from(record.raw, 'base64');
    const store = this.#store;
    const chunks = async function* (): AsyncGenerator<Uint8Array, void, undefined> {
      if (inline !== undefined) {
        if (inline.length > 0) yield inline;
        return;
      }
      const raw = await store.open(shardOf(id), `${id}.${RAW}`);
      if (raw === undefined) throw new MugaiError('not-found', `raw bytes of ${id} are gone`, { permanent: true });
      yield* raw.stream;
    };
    return { size, sha256, inline, open: chunks, discard: async () => undefined };
  }

  /**
   * Makes the output files of a sanitised message durable, then the record that names their folder. Two attempts at
   * once never mix their files; the first record stands and is what both get. Without output files nothing is written:
   * sanitising a text again costs less than the record, and sealing follows at once.
   */
  async recordSanitised(
    spooled: Spooled,
    record: Omit<SanitisedRecord, 'outputFolder'>,
    outputs: readonly Entry[],
  ): Promise<Sanitised> {
    return this.#recordSanitised(spooled.id, record, outputs);
  }

  /**
   * The same for another version of a message, made after a request: `id` is the request's. `already-there` when a message
   * of that id came in by a door.
   */
  async recordRevision(
    of: Spooled,
    id: MessageId,
    record: Omit<SanitisedRecord, 'outputFolder'>,
    outputs: readonly Entry[],
  ): Promise<Sanitised> {
    if (await this.#store.has(shardOf(id), `${id}.${SPOOLED}`))
      throw new MugaiError('already-there', `a message has the id of request ${id}`, { permanent: true });
    return this.#recordSanitised(id, { ...record, id, revises: of.id }, outputs);
  }

  async #recordSanitised(
    id: MessageId,
    record: Omit<SanitisedRecord, 'outputFolder'>,
    outputs: readonly Entry[],
  ): Promise<Sanitised> {
    if (outputs.length === 0) return { id, record: { ...record, outputFolder: '' } } as Sanitised;
    const outputFolder = `${id}.out-${randomBytes(6).toString('hex')}`;
    await this.#store.commit(`${shardOf(id)}/${outputFolder}`, outputs);
    return this.keepSanitised({ id, record: { ...record, outputFolder } } as Sanitised);
  }

  /** Makes the record of a sanitised message durable; the first one stands. */
  async keepSanitised(sanitised: Sanitised): Promise<Sanitised> {
    const { id, record } = sanitised;
    const content = sanitisedCodec.encode(record);
    if ((await this.#store.put(shardOf(id), { name: `${id}.${SANITISED}`, content })) === 'stored') return sanitised;
    const first = await this.sanitised(id);
    if (first === undefined) throw new MugaiError('store-failed', `record of ${id} vanished`);
    return first;
  }

  /** The message at the stage sanitised (or beyond), undefined when it has not come so far. */
  async sanitised(id: MessageId): Promise<Sanitised | undefined> {
    const bytes = await this.#get(id, SANITISED);
    const record = bytes === undefined ? await this.#sealedNote(id) : sanitisedCodec.decode(bytes);
    return record === undefined ? undefined : ({ id, record } as Sanitised);
  }

  /** The note that a message was sealed, which a power cut may have taken away, or left the name of. */
  async #sealedNote(id: MessageId): Promise<SanitisedRecord | undefined> {
    const bytes = await this.#get(id, SEALED);
    try {
      return bytes === undefined ? undefined : sanitisedCodec.decode(bytes);
    } catch (error) {
      if (error instanceof MugaiError && error.code === 'bad-record') return undefined;
      throw error;
    }
  }

  /** One output file of a sanitised message. */
  async output(
    sanitised: Sanitised,
    name: string,
  ): Promise<{ readonly size: number; readonly stream: AsyncIterable<Uint8Array> }> {
    const output = await this.#store.open(`${shardOf(sanitised.id)}/${sanitised.record.outputFolder}`, name);
    if (output === undefined)
      throw new MugaiError('not-found', `output ${name} of ${sanitised.id} is gone`, { permanent: true });
    return output;
  }

  /**
   * Notes that the package is in the outbox. A note that a power cut takes away is made again: the step that is repeated
   * then finds the package. The copy of the outputs here is no longer needed.
   */
  async recordSealed(sanitised: Sanitised): Promise<void> {
    const { id, record } = sanitised;
    await this.#store.note(shardOf(id), `${id}.${SEALED}`, sanitisedCodec.encode(record));
    if (record.outputFolder !== '') await this.#store.delete(`${shardOf(id)}/${record.outputFolder}`);
    this.#finished.add(id);
  }

  /**
   * Looks through the spool for messages that are not sealed yet, oldest first, at most `most` of each kind. `after`: only those
   * behind this one, where an earlier call had to stop. A shard whose hour is over and whose messages are all sealed is seldom
   * looked at again.
   */
  async unfinished(most: number, after?: MessageId): Promise<Unfinished> {
    const sanitise: MessageId[] = [];
    const seal: MessageId[] = [];
    const from = after === undefined ? '' : shardOf(after);
    for (const shard of await this.#store.list('')) {
      if (Number.isNaN(timeOfShard(shard)) || shard < from || this.#closed.has(shard)) continue;
      let pending = 0;
      for (const [id, stage] of stagesOf(await this.#store.list(shard))) {
        if (this.#finished.has(id)) continue;
        if (stage === SEALED) {
          this.#finished.add(id);
          continue;
        }
        pending += 1;
        if (after !== undefined && id <= after) continue;
        (stage === SANITISED ? seal : sanitise).push(id);
        if (sanitise.length >= most || seal.length >= most) return { sanitise, seal, last: id };
      }
      if (pending === 0 && this.#closed.close(shard)) this.#forget(shard);
    }
    return { sanitise, seal };
  }

  /** How long the oldest message that is not sealed has been here, milliseconds; 0 when there is none. */
  async oldestUnfinishedMs(): Promise<number> {
    const { sanitise, seal } = await this.unfinished(1);
    const times = [...sanitise, ...seal].map(timeOf);
    return times.length === 0 ? 0 : Math.max(0, Date.now() - Math.min(...times));
  }

  /** How far a message came here. */
  async stageOf(id: MessageId): Promise<'spooled' | 'sanitised' | 'sealed' | 'unknown'> {
    const has = async (ending: string): Promise<boolean> => this.#store.has(shardOf(id), `${id}.${ending}`);
    if (await has(SEALED)) return 'sealed';
    if (await has(SANITISED)) return 'sanitised';
    return (await has(SPOOLED)) ? 'spooled' : 'unknown';
  }

  /** True for the number of a message that came in here, or of another version of one, until it is deleted. */
  async knows(id: MessageId): Promise<boolean> {
    return (await this.stageOf(id)) !== 'unknown';
  }

  /** Messages that arrived before `time` and whose package is made, oldest first; what is not made yet is never told. */
  async *sealedBefore(time: number): AsyncGenerator<Kept, void, undefined> {
    for (const shard of await this.#store.list('')) {
      if (!(timeOfShard(shard) < time)) continue; // no shard, or a young one
      for (const [id, files] of filesOf(await this.#store.list(shard))) {
        const has = (ending: string): boolean => files.includes(`${id}.${ending}`);
        if (!has(SEALED) || timeOf(id) >= time) continue;
        const envelope = (await this.sanitised(id))?.record.envelope;
        if (envelope === undefined && !(await this.#store.has(shard, `${id}.${SEALED}`))) continue; // deleted meanwhile
        yield { id, envelope, hasOriginal: has(SPOOLED) || has(RAW), files };
      }
    }
  }

  /** Takes a note that cannot be read away, so that the step is repeated: it finds the package, and notes it. */
  async unseal(id: MessageId): Promise<void> {
    await this.#store.delete(`${shardOf(id)}/${id}.${SEALED}`);
    this.#finished.delete(id);
  }

  /**
   * Deletes the original of a sealed message, and whatever could make it harmless again. The note that it was sealed stays.
   * `files`: what was there a moment ago, where that is known.
   */
  async forgetOriginal(id: MessageId, files?: readonly string[]): Promise<void> {
    if ((await this.stageOf(id)) !== 'sealed')
      throw new MugaiError('bad-input', `${id} is not sealed`, { permanent: true });
    const shard = shardOf(id);
    for (const name of files ?? (await this.#store.list(shard)))
      if (name.startsWith(`${id}.`) && name !== `${id}.${SEALED}`) await this.#store.delete(`${shard}/${name}`);
  }

  /** Deletes what came to sealed messages while their originals were being deleted: a part that was released at that moment. */
  async forgetLate(ids: ReadonlySet<MessageId>): Promise<void> {
    for (const shard of new Set(Array.from(ids, shardOf)))
      for (const [id, files] of filesOf(await this.#store.list(shard))) {
        if (!ids.has(id) || files.includes(`${id}.${SPOOLED}`)) continue;
        for (const name of files) if (name !== `${id}.${SEALED}`) await this.#store.delete(`${shard}/${name}`);
      }
  }

  /** Deletes everything of a sealed message; the last thing is the note, so that a half-done deletion is found again. */
  async forget(id: MessageId, files?: readonly string[]): Promise<void> {
    await this.forgetOriginal(id, files);
    await this.#store.delete(`${shardOf(id)}/${id}.${SEALED}`);
    this.#finished.delete(id);
  }

  /**
   * Notes what became of the release of an original; the first note for a token stands. Says whether it was this one.
   * `content`: the bytes, where they are those of a part.
   */
  async recordRelease(id: MessageId, release: ReleaseRecord, content?: Staged): Promise<boolean> {
    if (content !== undefined)
      await this.#store.put(shardOf(id), { name: `${releaseName(id, release.token)}.${RAW}`, content });
    const record = { name: releaseName(id, release.token), content: releaseCodec.encode(release) };
    return (await this.#store.put(shardOf(id), record)) === 'stored';
  }

  /** The release that a token (its digest) opens. */
  async release(id: MessageId, token: string): Promise<ReleaseRecord | undefined> {
    const bytes = await this.#store.get(shardOf(id), releaseName(id, token), RELEASE_BYTES);
    const release = bytes === undefined ? undefined : releaseCodec.decode(bytes);
    return release?.token === token ? release : undefined;
  }

  /** The bytes that a release hands out; undefined when they are gone or are not those that were approved. */
  async releaseContent(id: MessageId, release: ReleaseRecord): Promise<Pick<Staged, 'size' | 'open'> | undefined> {
    const open = await this.#releaseBytes(id, release);
    if (open === undefined) return undefined;
    // Read once before any byte goes: what lies there must still be what was approved and scanned.
    const hash = createHash('sha256');
    let size = 0;
    try {
      for await (const chunk of open()) {
        hash.update(chunk);
        size += chunk.length;
      }
    } catch (error) {
      if (error instanceof MugaiError && error.code === 'not-found') return undefined; // deleted a moment ago
      throw error;
    }
    return size === release.size && hash.digest('hex') === release.sha256 ? { size, open } : undefined;
  }

  async #releaseBytes(id: MessageId, release: ReleaseRecord): Promise<(() => AsyncIterable<Uint8Array>) | undefined> {
    if (release.part === undefined) {
      const spooled = (await this.hasOriginal(id)) ? await this.spooled(id) : undefined;
      return spooled === undefined ? undefined : () => this.rawContent(spooled).open();
    }
    const store = this.#store;
    const name = `${releaseName(id, release.token)}.${RAW}`;
    if (!(await store.has(shardOf(id), name))) return undefined;
    return async function* () {
      const found = await store.open(shardOf(id), name);
      if (found === undefined) throw new MugaiError('not-found', `the original of ${id} is gone`, { permanent: true });
      yield* found.stream;
    };
  }

  /** True while the message can be made harmless once more, or handed out. */
  async hasOriginal(id: MessageId): Promise<boolean> {
    return this.#store.has(shardOf(id), `${id}.${SPOOLED}`);
  }

  /** Uses a release up: true for the first call only, wherever the others come from. */
  async useRelease(id: MessageId, token: string): Promise<boolean> {
    return this.#endRelease(id, token, new Date().toISOString());
  }

  /** Takes a release back for a reason, for good: true when it had been neither used nor taken back. */
  async withdrawRelease(id: MessageId, token: string, reason: string): Promise<boolean> {
    return this.#endRelease(id, token, `${WITHDRAWN}${reason}`);
  }

  async #endRelease(id: MessageId, token: string, words: string): Promise<boolean> {
    const end = { name: `${releaseName(id, token)}.used`, content: Buffer.from(words) };
    return (await this.#store.put(shardOf(id), end)) === 'stored';
  }

  /** How a release ended: used, or taken back for a reason; undefined while it has done neither. */
  async endOfRelease(id: MessageId, token: string): Promise<{ readonly withdrawn: string | undefined } | undefined> {
    const bytes = await this.#store.get(shardOf(id), `${releaseName(id, token)}.used`, RELEASE_BYTES);
    if (bytes === undefined) return undefined;
    const words = bytes.toString();
    return { withdrawn: words.startsWith(WITHDRAWN) ? words.slice(WITHDRAWN.length) : undefined };
  }

  /** Takes away what falls left in hours before `time`. How many things went. */
  async sweepLeft(time: number, signal: AbortSignal): Promise<number> {
    return sweepLeft(this.#store, time, signal);
  }

  /** Bytes that can still be spooled. */
  async freeBytes(): Promise<number | undefined> {
    return this.#store.freeBytes();
  }

  async #get(id: MessageId, ending: string): Promise<Buffer | undefined> {
    return this.#store.get(shardOf(id), `${id}.${ending}`, RECORD_BYTES);
  }

  #forget(shard: string): void {
    for (const id of this.#finished) if (shardOf(id) === shard) this.#finished.delete(id);
  }
}

/** How the end of a release that was taken back begins. */
const WITHDRAWN = 'withdrawn: ';

/** File of a release beside the message's other records. */
function releaseName(id: MessageId, token: string): string {
  return `${id}.release-${token.slice(0, 32)}`;
}

/** The names of a shard by the message they belong to. */
function filesOf(names: readonly string[]): Map<MessageId, string[]> {
  const files = new Map<MessageId, string[]>();
  for (const name of names) {
    const id = name.charAt(26) === '.' ? parseMessageId(name.slice(0, 26)) : undefined;
    if (id === undefined) continue;
    const known = files.get(id);
    if (known === undefined) files.set(id, [name]);
    else known.push(name);
  }
  return files;
}

/** The highest record of each message among the names of a shard. Raw bytes without a record were never accepted. */
function stagesOf(names: readonly string[]): Map<MessageId, string> {
  const stages = new Map<MessageId, string>();
  for (const name of names) {
    const id = parseMessageId(name.slice(0, 26));
    const ending = name.slice(27);
    if (id === undefined || (ending !== SPOOLED && ending !== SANITISED && ending !== SEALED)) continue;
    if (ending > (stages.get(id) ?? '')) stages.set(id, ending);
  }
  return stages;
}
