// Sealed packages at rest: a folder per message, made whole or not at all. The middle zone writes, the inner zone reads.
import { MugaiError } from '../message/errors.ts';
import { folderOf, newMessageId, parseMessageId, timeOfShard, type MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import type { Sealed } from '../message/stages.ts';
import { StatusFiles } from '../store/status-files.ts';
import { stage, type Entry, type Staged, type Store } from '../store/store.ts';
import { Boards } from './board.ts';
import { LiveFolder } from './live.ts';
import { MANIFEST } from './manifest.ts';
import { GateRefusal } from './refusal.ts';
import { ReleaseEnds } from './release-ends.ts';
import type { PackageFiles } from './verify.ts';

/** Folder of objects that are put and taken away at once. */
const TRY = 'try';

/** The outbox of a gateway. */
export class Outbox {
  readonly #store: Store;
  /** What the processes of the outer and middle zones tell of themselves; signed. */
  readonly status: StatusFiles;
  constructor(store: Store) {
    this.#store = store;
    this.status = new StatusFiles(store);
  }

  /** Takes the bytes of one output in, to become a file of a package. */
  async stage(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<Staged> {
    return stage(this.#store, chunks, LIMITS.outputBytes, signal);
  }

  /** Makes a package durable and visible. A package that is there already stays as it is: sealing twice gives one. */
  async add(id: MessageId, entries: readonly Entry[]): Promise<Sealed> {
    await this.#store.commit(folderOf(id), entries);
    return { id } as Sealed;
  }

  /** True when an object that is no message's can be made durable here at this moment. */
  async takesMore(): Promise<boolean> {
    const name = newMessageId();
    try {
      await this.#store.put(TRY, { name, content: Buffer.from('x') });
      await this.#store.delete(`${TRY}/${name}`);
      return true;
    } catch {
      return false; // whatever it says: it did not take it
    }
  }

  /** The sealed message, undefined when there is no package of this id. */
  async find(id: MessageId): Promise<Sealed | undefined> {
    return (await this.#store.has(folderOf(id), MANIFEST)) ? ({ id } as Sealed) : undefined;
  }

  /** Read access to a package's files, for the gate. */
  files(id: MessageId): PackageFiles {
    const folder = folderOf(id);
    return {
      names: async (most) => {
        const top = await this.#store.list(folder, most);
        const inner = top.includes('files') ? await this.#store.list(`${folder}/files`, most) : [];
        return [...top.filter((name) => name !== 'files'), ...inner.map((name) => `files/${name}`)];
      },
      get: async (name, cap) => this.#store.get(folder, name, cap).catch(refuseForeign(name)),
      open: async (name) => (await this.#store.open(folder, name).catch(refuseForeign(name)))?.stream,
    };
  }

  /** Pages of a message that are visible before its package. */
  live(id: MessageId): LiveFolder {
    return new LiveFolder(this.#store, id);
  }

  /** How releases of a message's original ended. */
  releases(id: MessageId): ReleaseEnds {
    return new ReleaseEnds(this.#store, id);
  }

  /** What is still on its way, as the middle tells it. */
  get boards(): Boards {
    return new Boards(this.#store);
  }

  /** Deletes a package: first its manifest, so that nobody finds half of one. */
  async remove(id: MessageId): Promise<void> {
    const folder = folderOf(id);
    await this.#store.delete(`${folder}/${MANIFEST}`);
    await this.#store.delete(folder);
    await this.live(id).drop();
    await this.releases(id).drop();
  }

  /** Shards that hold packages, oldest first. */
  async shards(): Promise<string[]> {
    return (await this.#store.list('')).filter((name) => !Number.isNaN(timeOfShard(name)));
  }

  /** True when there is any shard: the folder of an outbox whose mount is lost is empty, or not there. */
  async isThere(): Promise<boolean> {
    return (await this.shards()).some((shard) => /^\d{8}-\d{2}$/.test(shard));
  }

  /** Ids of the packages of a shard. */
  async idsOf(shard: string): Promise<MessageId[]> {
    const names = await this.#store.list(shard);
    return names.map(parseMessageId).filter((id) => id !== undefined);
  }

  /** Ids in a shard under which pages lie that are no package's. */
  async liveOf(shard: string): Promise<MessageId[]> {
    const names = (await this.#store.list(shard)).filter((name) => name.endsWith('.live'));
    return names.map((name) => parseMessageId(name.slice(0, -'.live'.length))).filter((id) => id !== undefined);
  }

  /** Bytes that are free where it lies, undefined where there is no end of them; throws where it does not answer. */
  async freeBytes(): Promise<number | undefined> {
    return this.#store.freeBytes();
  }
}

/** A FIFO, a link or a folder where a file was sealed is an end of the package, not trouble of ours to be tried again. */
function refuseForeign(name: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof MugaiError) || error.code !== 'no-plain-file') throw error;
    throw new GateRefusal('file-missing', 'it is no plain file', { file: name });
  };
}
