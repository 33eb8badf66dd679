// Pages of a long document while the rest is still being drawn: each a file of its own beside where the package will be,
// each sealed, each seal naming the one before. The sealed package names the last seal and takes their place.
//
//   <hour>/<id>.live/NN-PPPPP.pdf    one page, a plain file of our one form (docs/grammar.md); NN is the number of the output
//   <hour>/<id>.live/NN-PPPPP.json   its seal: a DSSE envelope over a `PageSeal`
import { createHash, type KeyObject } from 'node:crypto';
import { Type, type Static } from 'typebox';
import { folderOf, type MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import { DigestSchema } from '../message/part.ts';
import { recordCodec } from '../store/records.ts';
import { getOurs, isForeign, type Store } from '../store/store.ts';
import { ByteSource } from './byte-source.ts';
import { readPdf, type OnPageImage } from './read-pdf.ts';
import { GateRefusal } from './refusal.ts';
import { openSmall, sealSmall } from './small-seal.ts';

const SEAL_BYTES = 4096;
const PAGE_BYTES = LIMITS.pagePixels * 3 + 1024 * 1024;
const strict = { additionalProperties: false } as const;

/** What is signed of one page. `previous`: sha256 of the seal file of the page before; 64 zeros for the first page. */
export const PageSealSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[0-7][0-9a-hjkmnp-tv-z]{25}$' }),
    /** Path in the package of the document that will hold the page. */
    output: Type.String({ pattern: '^files/[0-9]{2,4}-[^/\\\\]{1,120}\\.pdf$' }),
    /** Counted from 1, of so many; those that say what is missing stand behind them. */
    page: Type.Integer({ minimum: 1, maximum: LIMITS.pages + LIMITS.noticePages }),
    pages: Type.Integer({ minimum: 1, maximum: LIMITS.pages }),
    /** Of a page as a file of its own: its image takes at most three bytes a pixel, and its text is not in it. */
    size: Type.Integer({ minimum: 1, maximum: PAGE_BYTES }),
    sha256: DigestSchema,
    previous: DigestSchema,
  },
  strict,
);
export type PageSeal = Static<typeof PageSealSchema>;

const KIND = { payloadType: 'application/vnd.mugai.page+json', codec: recordCodec('page seal', PageSealSchema) };

/** Read in the place of what cannot be the file that was sealed: too many bytes, or no plain file. */
const NOT_IT = Buffer.alloc(0);

/** `previous` of a first page. */
export const NO_PAGE = '0'.repeat(64);

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Signs a page: the bytes of its seal file. */
export function sealPage(seal: PageSeal, privateKey: KeyObject, keyid: string): Buffer {
  return sealSmall(KIND, seal, privateKey, keyid);
}

/** How far a document has come: pages whose seal is there, of how many. */
export interface LiveDocument {
  readonly output: string;
  readonly pages: number;
  readonly sealed: number;
}

/** The pages of one message that are there before its package. The middle zone writes, the inner one reads. */
export class LiveFolder {
  readonly #store: Store;
  readonly #id: MessageId;
  readonly #folder: string;

  constructor(store: Store, id: MessageId) {
    this.#store = store;
    this.#id = id;
    this.#folder = `${folderOf(id)}.live`;
  }

  /** Puts a page and its seal there, visible at once, not synced: the package is what lasts. */
  async add(page: PageSeal, file: Uint8Array, seal: Uint8Array): Promise<void> {
    const name = nameOf(page.output, page.page);
    // The first one makes the folder. The seal comes last: a page without it is not there.
    if (page.page === 1) await this.#store.put(this.#folder, { name: `${name}.pdf`, content: file });
    else await this.#store.note(this.#folder, `${name}.pdf`, file);
    await this.#store.note(this.#folder, `${name}.json`, seal);
  }

  /** Takes all of them away. */
  async drop(): Promise<void> {
    await this.#store.delete(this.#folder);
  }

  /** Documents of which pages are there, by the seal of their last page. */
  async documents(keys: ReadonlyMap<string, KeyObject>): Promise<LiveDocument[]> {
    const last = new Map<string, string>();
    for (const name of await this.#store.list(this.#folder)) {
      if (name.endsWith('.json')) last.set(name.slice(0, name.indexOf('-')), name); // sorted: the last one stays
    }
    const documents: LiveDocument[] = [];
    for (const name of last.values()) {
      const seal = await this.#seal(name, keys);
      if (seal !== undefined) documents.push({ output: seal.output, pages: seal.pages, sealed: seal.page });
    }
    return documents;
  }

  /**
   * One page, believed: signed by one of the keys, of this message, chained to the page before, its bytes those of the seal
   * and read by the strict reader (`onPage` hears of its image). Undefined when it is not there (yet, or any more); throws
   * `GateRefusal` where a seal of ours is there and the page is not the one it names.
   */
  async page(
    output: string,
    number: number,
    keys: ReadonlyMap<string, KeyObject>,
    onPage?: OnPageImage,
  ): Promise<Buffer | undefined> {
    const name = nameOf(output, number);
    const seal = await this.#seal(`${name}.json`, keys);
    if (seal === undefined || seal.output !== output || seal.page !== number) return undefined;
    try {
      return await this.#believed(seal, name, onPage);
    } catch (error) {
      if (!(error instanceof GateRefusal)) throw error;
      // Drawn anew since the seal was read: the rest that was read is of other pages.
      const now = await this.#seal(`${name}.json`, keys);
      if (now?.sha256 !== seal.sha256 || now.previous !== seal.previous) return undefined;
      throw error;
    }
  }

  async #believed(
    { output, page, size, previous, ...seal }: PageSeal,
    name: string,
    onPage?: OnPageImage,
  ): Promise<Buffer | undefined> {
    const before = page === 1 ? undefined : await this.#read(`${nameOf(output, page - 1)}.json`, SEAL_BYTES);
    if (page > 1 && before === undefined) return undefined; // being taken away: its package has come
    if (previous !== (before === undefined ? NO_PAGE : sha256(before)))
      throw new GateRefusal('page-chain', 'it does not follow the page before', { file: `${name}.json` });
    const where = { file: `${name}.pdf` };
    const file = await this.#store.get(this.#folder, where.file, size).catch((error: unknown) => {
      if (isForeign(error)) return NOT_IT;
      throw error;
    });
    if (file === undefined) return undefined;
    if (file.length !== size || sha256(file) !== seal.sha256)
      throw new GateRefusal('file-digest', 'it is not the page that was sealed', where);
    try {
      const pages = await readPdf(new ByteSource(once(file)), onPage);
      if (pages !== 1) throw new GateRefusal('pdf-pages', `${pages} pages where one was sealed`, where);
    } catch (error) {
      throw error instanceof GateRefusal ? error.in(where.file) : error;
    }
    return file;
  }

  async #seal(name: string, keys: ReadonlyMap<string, KeyObject>): Promise<PageSeal | undefined> {
    const bytes = await this.#read(name, SEAL_BYTES);
    const seal = bytes === undefined ? undefined : await openSmall(KIND, bytes, keys);
    return seal?.id === this.#id ? seal : undefined;
  }

  async #read(name: string, most: number): Promise<Buffer | undefined> {
    return getOurs(this.#store, this.#folder, name, most);
  }
}

/** `files/03-report.pdf`, page 7 → `03-00007`. */
function nameOf(output: string, page: number): string {
  const number = /^files\/(\d+)-/.exec(output)?.[1] ?? '00';
  return `${number}-${String(page).padStart(5, '0')}`;
}

async function* once(bytes: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
