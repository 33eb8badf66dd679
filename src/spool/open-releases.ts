// Originals that are approved and whose release has not ended: a note each, beside the shards, so that every worker finds them.
import { MugaiError } from '../message/errors.ts';
import { OpenReleaseSchema, type OpenRelease } from '../message/stages.ts';
import { recordCodec } from '../store/records.ts';
import { getOurs, type Store } from '../store/store.ts';

const FOLDER = 'releases';
const NOTE_BYTES = 8 * 1024;

const codec = recordCodec('open release', OpenReleaseSchema);

export class OpenReleases {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  /** Notes one; durable. The first note of a token stands. */
  async add(release: OpenRelease): Promise<void> {
    await this.#store.put(FOLDER, { name: nameOf(release.token), content: codec.encode(release) });
  }

  /** The one that a token (its digest) is about. */
  async find(token: string): Promise<OpenRelease | undefined> {
    const release = await this.#read(nameOf(token));
    return release?.token === token ? release : undefined;
  }

  /** All of them. What is none of ours is passed over. */
  async all(): Promise<OpenRelease[]> {
    const found: OpenRelease[] = [];
    for (const name of await this.#store.list(FOLDER)) {
      const release = await this.#read(name);
      if (release !== undefined && nameOf(release.token) === name) found.push(release);
    }
    return found;
  }

  async remove(token: string): Promise<void> {
    await this.#store.delete(`${FOLDER}/${nameOf(token)}`);
  }

  async #read(name: string): Promise<OpenRelease | undefined> {
    try {
      const bytes = await getOurs(this.#store, FOLDER, name, NOTE_BYTES);
      return bytes === undefined ? undefined : codec.decode(bytes);
    } catch (error) {
      if (error instanceof MugaiError && error.code === 'bad-record') return undefined;
      throw error;
    }
  }
}

function nameOf(token: string): string {
  return `${token}.json`;
}
