// Notes by sender: which messages hold something locked, and which may tell a password. No words of either are in them.
import { createHash } from 'node:crypto';
import { parseMessageId, timeOf, type MessageId } from '../message/id.ts';
import type { Store } from '../store/store.ts';

/** Folder of the notes beside the shards. */
export const PAIRING = 'pairing';

const KINDS = ['locked', 'tells'] as const;
export type NoteKind = (typeof KINDS)[number];

export interface Note {
  readonly id: MessageId;
  readonly kind: NoteKind;
}

/** Notes in the spool, so that every worker finds them, and finds them again after a fall. */
export class PairingNotes {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  /** Notes a message of a sender; durable. */
  async add(sender: string, id: MessageId, kind: NoteKind): Promise<void> {
    await this.#store.put(folderOf(sender), { name: `${id}.${kind}`, content: new Uint8Array() });
  }

  async remove(sender: string, { id, kind }: Note): Promise<void> {
    await this.#store.delete(`${folderOf(sender)}/${id}.${kind}`);
  }

  /** The notes of a sender, the oldest first. */
  async of(sender: string): Promise<Note[]> {
    return this.#notes(folderOf(sender));
  }

  /** A message of every sender that has both kinds of notes; notes from before `oldest` (milliseconds) are removed. */
  async unsettled(oldest: number): Promise<MessageId[]> {
    const found: MessageId[] = [];
    for (const name of await this.#store.list(PAIRING)) {
      const folder = `${PAIRING}/${name}`;
      const notes = await this.#notes(folder);
      const young = notes.filter(({ id }) => timeOf(id) >= oldest);
      for (const note of notes)
        if (!young.includes(note)) await this.#store.delete(`${folder}/${note.id}.${note.kind}`);
      const locked = young.find(({ kind }) => kind === 'locked');
      if (locked !== undefined && young.some(({ kind }) => kind === 'tells')) found.push(locked.id);
    }
    return found;
  }

  async #notes(folder: string): Promise<Note[]> {
    const notes: Note[] = [];
    for (const name of await this.#store.list(folder)) {
      const id = parseMessageId(name.slice(0, 26));
      const kind = KINDS.find((one) => name.slice(27) === one);
      if (id !== undefined && kind !== undefined) notes.push({ id, kind });
    }
    return notes;
  }
}

function folderOf(sender: string): string {
  return `${PAIRING}/${createHash('sha256').update(sender).digest('hex').slice(0, 32)}`;
}
