// What is still on its way, told to the inner side: place in the queue, pages done of pages, and who may know of it. Each
// worker process has a board of its own, a small signed record that it writes anew while there is something to tell.
//
//   board/<run>-<time>.json     the latest of a run is its board; the one before is taken away
import { createHash, type KeyObject } from 'node:crypto';
import { Type, type Static } from 'typebox';
import { comparedForm } from '../message/address.ts';
import { LIMITS } from '../message/limits.ts';
import { recordCodec } from '../store/records.ts';
import { getOurs, type Store } from '../store/store.ts';
import { openSmall, sealSmall } from './small-seal.ts';

const FOLDER = 'board';
/** Bytes of a board at most, and its entries: whoever is further behind sees himself when his turn comes nearer. */
const BOARD_BYTES = 512 * 1024;
export const BOARD_ENTRIES = 300;
/** Boards that are read at once: one a worker process. */
const BOARDS = 64;
/** Milliseconds after which a board is no news any more, whatever the clocks of the two machines say. */
export const BOARD_LIVES_MS = 60_000;

const strict = { additionalProperties: false } as const;

/** One message on its way. `for`: `readerOf` each recipient. */
export const BoardEntrySchema = Type.Object(
  {
    id: Type.String({ pattern: '^[0-7][0-9a-hjkmnp-tv-z]{25}$' }),
    for: Type.Array(Type.String({ pattern: '^[0-9a-f]{32}$' }), { maxItems: LIMITS.recipients }),
    kind: Type.Union([Type.Literal('mail'), Type.Literal('file')]),
    /** Name of a file, and envelope sender: cleaned text. */
    name: Type.String({ maxLength: 300 }),
    from: Type.String({ maxLength: 320 }),
    size: Type.Integer({ minimum: 0 }),
    /** Messages before it; 0: it is being made harmless. */
    ahead: Type.Integer({ minimum: 0 }),
    /** Pages drawn of those the documents that are being drawn have; both 0 while none is. */
    done: Type.Integer({ minimum: 0 }),
    pages: Type.Integer({ minimum: 0 }),
    /** Seconds it will take still, as far as one can tell; null: one cannot. */
    seconds: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  },
  strict,
);
export type BoardEntry = Static<typeof BoardEntrySchema>;

export const BoardSchema = Type.Object(
  {
    run: Type.String({ pattern: '^[0-9a-f]{8}$' }),
    /** Milliseconds since the epoch. */
    at: Type.Integer({ minimum: 1 }),
    entries: Type.Array(BoardEntrySchema, { maxItems: BOARD_ENTRIES }),
  },
  strict,
);
export type Board = Static<typeof BoardSchema>;

const KIND = { payloadType: 'application/vnd.mugai.board+json', codec: recordCodec('board', BoardSchema) };

/** What stands for a recipient on a board: his address need not be readable there. */
export function readerOf(address: string): string {
  return createHash('sha256').update(comparedForm(address.trim())).digest('hex').slice(0, 32);
}

/** Signs a board: the bytes of its file. */
export function sealBoard(board: Board, key: KeyObject, keyid: string): Buffer {
  return sealSmall(KIND, board, key, keyid);
}

/** The boards beside the packages. The middle zone writes, the inner one reads. */
export class Boards {
  readonly #store: Store;
  constructor(store: Store) {
    this.#store = store;
  }

  /** Puts a board there, not synced, and takes the one before away. */
  async write({ run, at }: Pick<Board, 'run' | 'at'>, before: number | undefined, bytes: Uint8Array): Promise<void> {
    // The first one makes the folder.
    if (before === undefined) await this.#store.put(FOLDER, { name: nameOf(run, at), content: bytes });
    else await this.#store.note(FOLDER, nameOf(run, at), bytes);
    if (before !== undefined) await this.drop(run, before);
  }

  async drop(run: string, at: number): Promise<void> {
    await this.#store.delete(`${FOLDER}/${nameOf(run, at)}`);
  }

  /** Takes boards away that no process writes any more. */
  async sweep(now: number): Promise<void> {
    for (const name of await this.#store.list(FOLDER, 4 * BOARDS)) {
      const at = Number(NAME.exec(name)?.[2] ?? 0);
      if (now - at > 2 * BOARD_LIVES_MS) await this.#store.delete(`${FOLDER}/${name}`);
    }
  }

  /** What is on its way, by all boards that are signed and fresh; a message on two of them as the further one says. */
  async entries(keys: ReadonlyMap<string, KeyObject>, now: number): Promise<Map<string, BoardEntry>> {
    const entries = new Map<string, BoardEntry>();
    const seen = new Set<string>();
    // Latest first: one that is half written is passed over for the one before.
    for (const name of (await this.#store.list(FOLDER, 4 * BOARDS)).toReversed()) {
      const [, run = '', at = '0'] = NAME.exec(name) ?? [];
      if (run === '' || seen.has(run) || Math.abs(now - Number(at)) > BOARD_LIVES_MS) continue;
      const board = await this.#read(name, keys);
      if (board === undefined) continue;
      seen.add(run);
      for (const entry of board.entries) {
        const other = entries.get(entry.id);
        if (other === undefined || entry.ahead < other.ahead || entry.done > other.done) entries.set(entry.id, entry);
      }
    }
    return entries;
  }

  async #read(name: string, keys: ReadonlyMap<string, KeyObject>): Promise<Board | undefined> {
    const bytes = await getOurs(this.#store, FOLDER, name, BOARD_BYTES);
    const board = bytes === undefined ? undefined : await openSmall(KIND, bytes, keys);
    return board !== undefined && nameOf(board.run, board.at) === name ? board : undefined;
  }
}

const NAME = /^([0-9a-f]{8})-([0-9]{15})\.json$/;

function nameOf(run: string, at: number): string {
  return `${run}-${String(at).padStart(15, '0')}.json`;
}
