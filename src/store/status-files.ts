// Status files of processes under one store: `<folder>/<process>.<milliseconds>.json`, the newest two of each. They are not
// synced: after a power cut nobody asks how things were a second before.
import { systemCode } from '../message/errors.ts';
import { getOurs, type Store } from './store.ts';

/** Bytes of one file at most. */
export const STATUS_BYTES = 4 * 1024 * 1024;
/** Files of processes that are gone are removed after this. */
const GONE_MS = 10 * 60_000;
const NAME = /^([a-z]+-[A-Za-z0-9_-]{1,64}-[0-9]+)\.([0-9]{13})\.json$/;
/** Names looked at in one listing. */
const NAMES_MOST = 200;

/** One status file: who wrote it, when, and its bytes. */
export interface StatusFile {
  readonly process: string;
  readonly at: number;
  readonly bytes: Buffer;
}

export class StatusFiles {
  readonly #store: Store;
  readonly #folder: string;
  constructor(store: Store, folder = 'status') {
    this.#store = store;
    this.#folder = folder;
  }

  /** Puts a process's newest status in its place and clears what is older. */
  async publish(process: string, bytes: Uint8Array, now: number = Date.now()): Promise<void> {
    const name = `${process}.${now}.json`;
    try {
      await this.#store.note(this.#folder, name, bytes);
    } catch (error) {
      if (systemCode((error as Error).cause) !== 'ENOENT') throw error;
      await this.#store.put(this.#folder, { name, content: bytes }); // the first one makes the folder
    }
    const names = await this.#names();
    const own = names.filter((one) => one.process === process).toSorted((a, b) => b.at - a.at);
    const ahead = own.filter(({ at }) => at > now); // the clock was set back since
    const old = names.filter((one) => one.process !== process && Math.abs(now - one.at) > GONE_MS);
    for (const one of [...ahead, ...own.filter(({ at }) => at <= now).slice(2), ...old])
      await this.#store.delete(`${this.#folder}/${one.name}`);
  }

  /** Files not further than `ageMs` from now, the newest of each process first. The one before follows: the newest may be half written. */
  async read(ageMs: number, now: number = Date.now()): Promise<StatusFile[]> {
    const found: StatusFile[] = [];
    for (const { name, process, at } of (await this.#names()).toSorted((a, b) => b.at - a.at)) {
      if (Math.abs(now - at) > ageMs) continue;
      const bytes = await getOurs(this.#store, this.#folder, name, STATUS_BYTES);
      if (bytes !== undefined) found.push({ process, at, bytes });
    }
    return found;
  }

  async #names(): Promise<{ readonly name: string; readonly process: string; readonly at: number }[]> {
    const names = await this.#store.list(this.#folder, NAMES_MOST);
    return names.flatMap((name) => {
      const [, process, at] = NAME.exec(name) ?? [];
      return process === undefined ? [] : [{ name, process, at: Number(at) }];
    });
  }
}
