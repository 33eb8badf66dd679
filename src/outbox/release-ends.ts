// How the release of an original ended, told to the inner side: a small signed record beside the package it is about, and
// deleted with it. No byte of the original is in it.
//
//   <hour>/<id>.releases/<request>.json
import type { KeyObject } from 'node:crypto';
import { Type, type Static } from 'typebox';
import { folderOf, type MessageId } from '../message/id.ts';
import { RELEASE_ENDS, type ReleaseEnd } from '../message/stages.ts';
import { recordCodec } from '../store/records.ts';
import { getOurs, type Store } from '../store/store.ts';
import { openSmall, sealSmall } from './small-seal.ts';

const RECORD_BYTES = 4096;
const ID = '^[0-7][0-9a-hjkmnp-tv-z]{25}$';

export const EndedReleaseSchema = Type.Object(
  {
    /** The request that asked for the original, and the message. */
    request: Type.String({ pattern: ID }),
    id: Type.String({ pattern: ID }),
    end: Type.Unsafe<ReleaseEnd>(Type.Union(RELEASE_ENDS.map((end) => Type.Literal(end)))),
    /** The scanner's word for what it found; empty where it found nothing. */
    found: Type.String({ pattern: '^[A-Za-z0-9._:/-]*$', maxLength: 200 }),
    at: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' }),
  },
  { additionalProperties: false },
);
export type EndedRelease = Static<typeof EndedReleaseSchema>;

const KIND = {
  payloadType: 'application/vnd.mugai.release+json',
  codec: recordCodec('ended release', EndedReleaseSchema),
};

/** Signs one: the bytes of its file. */
export function sealReleaseEnd(ended: EndedRelease, key: KeyObject, keyid: string): Buffer {
  return sealSmall(KIND, ended, key, keyid);
}

/** The ended releases of one message. The middle zone writes, the inner one reads. */
export class ReleaseEnds {
  readonly #store: Store;
  readonly #id: MessageId;
  readonly #folder: string;
  constructor(store: Store, id: MessageId) {
    this.#store = store;
    this.#id = id;
    this.#folder = `${folderOf(id)}.releases`;
  }

  /** Tells of one; durable. What was told first stands. */
  async tell(request: string, bytes: Uint8Array): Promise<void> {
    await this.#store.put(this.#folder, { name: `${request}.json`, content: bytes });
  }

  /** What was told of a request, when one of the keys signed it. */
  async of(request: string, keys: ReadonlyMap<string, KeyObject>): Promise<EndedRelease | undefined> {
    const bytes = await getOurs(this.#store, this.#folder, `${request}.json`, RECORD_BYTES);
    const ended = bytes === undefined ? undefined : await openSmall(KIND, bytes, keys);
    return ended?.request === request && ended.id === this.#id ? ended : undefined;
  }

  async drop(): Promise<void> {
    await this.#store.delete(this.#folder);
  }
}
