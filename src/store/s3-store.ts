// The S3 driver of the store. An object of the store is an S3 object `folder/name`, put on the condition that none is there;
// a folder that is committed is one object `folder` (s3-whole.ts). Bytes on their way in wait in a local folder.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { MugaiError } from '../message/errors.ts';
import { LIMITS } from '../message/limits.ts';
import type { FaultPoint } from './fs-fault.ts';
import { FsStageWriter } from './fs-staged.ts';
import { openStaging } from './fs-store.ts';
import { S3Bucket, newWriter, readWhole, type S3Object } from './s3-bucket.ts';
import type { S3Place } from './s3-place.ts';
import {
  COMMITS,
  INSIDE_BYTES,
  PARTS,
  WHOLE,
  WHOLE_BYTES,
  commitCodec,
  namesUnder,
  partKey,
  wholeCodec,
  type Whole,
  type WholeFile,
} from './s3-whole.ts';
import type { Entry, StageWriter, Staged, Store } from './store.ts';

/** A commit that has not ended after this was left by a process that died. */
const LEFTOVER_MS = 3_600_000;
const LEFTOVERS_MOST = 1000;
const PROBE = '.conditional';

/**
 * Opens the bucket `<place.name>-<name>` as a store; `local`: folder for bytes on their way in. Throws `bad-config` when the
 * bucket cannot be reached, or the service overwrites what it was told to keep. With `access` `read` nothing is written.
 */
export async function openS3Store(
  place: S3Place,
  name: string,
  local: string,
  access: 'write' | 'read' = 'write',
): Promise<Store> {
  const of = `${place.name}-${name}`;
  const bucket = new S3Bucket(place, of);
  try {
    await bucket.check();
    if (access === 'read') return new S3Store(bucket, join(local, 'tmp'));
    await bucket.put(PROBE, new Uint8Array(), { once: false });
    if ((await bucket.put(PROBE, new Uint8Array())) === 'stored') {
      const why = 'does not keep what is there when told so (If-None-Match: *), which nothing here can do without';
      throw new MugaiError('bad-config', `MUGAI_STORE_URL: ${place.endpoint} ${why}`, { permanent: true });
    }
    await sweep(bucket, Date.now());
    return new S3Store(bucket, await openStaging(local));
  } catch (error) {
    if (!(error instanceof MugaiError) || error.code === 'bad-config') throw error;
    const line = `MUGAI_STORE_URL: no usable bucket ${of} at ${place.endpoint}: ${error.message}`;
    throw new MugaiError('bad-config', line, { permanent: true, cause: error });
  }
}

/** Removes the larger files of commits whose process died before the folder appeared. */
async function sweep(bucket: S3Bucket, now: number): Promise<void> {
  for (const key of await bucket.keys(`${COMMITS}/`, LEFTOVERS_MOST)) {
    const note = await bucket.get(key);
    if (note === undefined) continue; // ended meanwhile
    const { folder, parts, at } = commitCodec.decode(await readWhole(note, WHOLE_BYTES, key));
    if (now - at < LEFTOVER_MS) continue;
    const whole = await wholeAt(bucket, folder);
    if (whole?.parts !== parts) await bucket.remove(...(await bucket.keys(`${PARTS}/${parts}/`)));
    await bucket.remove(key);
  }
}

async function wholeAt(bucket: S3Bucket, folder: string): Promise<Whole | undefined> {
  const found = await bucket.get(folder);
  return found === undefined ? undefined : readFolder(found, folder);
}

async function readFolder(found: S3Object, folder: string): Promise<Whole | undefined> {
  if (found.kind === WHOLE) return wholeCodec.decode(await readWhole(found, WHOLE_BYTES, folder));
  (found.stream as Readable).destroy();
  return undefined;
}

class S3Store implements Store {
  readonly #bucket: S3Bucket;
  readonly #temp: string;
  readonly #life = `${process.pid}-${randomBytes(4).toString('hex')}`;
  /** Folders that hold objects: nobody commits them any more. */
  readonly #plain = new Set<string>();
  readonly #fault: FaultPoint = () => undefined;
  #next = 0;

  constructor(bucket: S3Bucket, temp: string) {
    this.#bucket = bucket;
    this.#temp = temp;
  }

  begin(cap: number): StageWriter {
    const path = (): string => join(this.#temp, `${this.#life}-${(this.#next += 1)}`);
    return new FsStageWriter(cap, path, this.#fault);
  }

  async commit(folder: string, entries: readonly Entry[]): Promise<'stored' | 'exists'> {
    if (this.#plain.has(folder) || (await this.#bucket.has(folder))) return 'exists';
    if ((await this.#bucket.keys(`${folder}/`, 1)).length > 0) return 'exists';
    const parts = randomBytes(12).toString('hex');
    const note = `${COMMITS}/${parts}.json`;
    const files: WholeFile[] = [];
    const beside: string[] = [];
    let inside = 0;
    for (const { name, content } of entries) {
      const small = content instanceof Uint8Array ? content : content.inline;
      if (small !== undefined && small.length <= LIMITS.inlineBytes && inside + small.length <= INSIDE_BYTES) {
        inside += small.length;
        files.push({ name, size: small.length, base64: Buffer.from(small).toString('base64') });
        continue;
      }
      if (beside.length === 0) await this.#bucket.put(note, commitCodec.encode({ folder, parts, at: Date.now() }));
      const key = partKey(parts, beside.length);
      await this.#bucket.put(key, content);
      files.push({ name, size: sizeOf(content), part: beside.length });
      beside.push(key);
    }
    // Where this rejects nobody knows whether the folder is there: its larger files stay until the sweep has looked.
    const result = await this.#bucket.put(folder, wholeCodec.encode({ parts, files }), { kind: WHOLE });
    if (result === 'exists') await this.#bucket.remove(...beside);
    if (beside.length > 0) await this.#bucket.remove(note);
    if (result === 'stored') await discard(entries);
    return result;
  }

  async put(folder: string, ...entries: readonly Entry[]): Promise<'stored' | 'exists'> {
    const whole = this.#plain.has(folder) ? undefined : await wholeAt(this.#bucket, folder);
    if (whole !== undefined && entries.some(({ name }) => whole.files.some((file) => file.name === name)))
      return 'exists';
    const stored: string[] = [];
    const writer = newWriter();
    try {
      for (const { name, content } of entries) {
        const key = `${folder}/${name}`;
        if ((await this.#bucket.put(key, content, { writer })) === 'exists') {
          await this.#bucket.remove(...stored);
          return 'exists';
        }
        stored.push(key);
      }
    } catch (error) {
      // Nothing of it must be there; where the service is gone altogether this fails, too, and the first error counts. What failed
      // may have arrived, or never met what another process had put there.
      const failed = entries[stored.length];
      if (failed !== undefined) await this.#bucket.removeOf(writer, `${folder}/${failed.name}`).catch(() => undefined);
      await this.#bucket.remove(...stored).catch(() => undefined);
      throw error;
    }
    if (whole === undefined) this.#isPlain(folder);
    await discard(entries);
    return 'stored';
  }

  async note(folder: string, name: string, bytes: Uint8Array): Promise<void> {
    await this.#bucket.put(`${folder}/${name}`, bytes);
  }

  async get(folder: string, name: string, cap: number): Promise<Buffer | undefined> {
    const found = await this.open(folder, name);
    return found === undefined ? undefined : readWhole({ ...found, kind: '' }, cap, `${folder}/${name}`);
  }

  async open(folder: string, name: string): Promise<Pick<S3Object, 'size' | 'stream'> | undefined> {
    const found = await this.#bucket.get(`${folder}/${name}`);
    if (found !== undefined) {
      this.#isPlain(folder);
      return found;
    }
    if (this.#plain.has(folder)) return undefined;
    const over = await this.#over(`${folder}/${name}`);
    const file = over?.whole.files.find((one) => one.name === over.inner);
    if (over === undefined || file === undefined) return undefined;
    if ('base64' in file) return { size: file.size, stream: Readable.from([Buffer.from(file.base64, 'base64')]) };
    const part = await this.#bucket.get(partKey(over.whole.parts, file.part));
    if (part === undefined) throw new MugaiError('store-failed', `${folder}/${name} is named and not there`);
    return part;
  }

  async has(folder: string, name: string): Promise<boolean> {
    if (await this.#bucket.has(`${folder}/${name}`)) return true;
    if (this.#plain.has(folder)) return false;
    const over = await this.#over(`${folder}/${name}`);
    return over?.whole.files.some((file) => file.name === over.inner) === true;
  }

  async list(folder: string, most?: number): Promise<string[]> {
    let names = await this.#bucket.names(folder === '' ? '' : `${folder}/`, most);
    if (names.length === 0 && folder !== '') {
      const whole = await wholeAt(this.#bucket, folder);
      const over = whole === undefined ? await this.#over(folder) : { whole, inner: '' };
      names = over === undefined ? [] : namesUnder(over.whole, over.inner);
    }
    return names
      .filter((name) => folder !== '' || !name.startsWith('.'))
      .slice(0, most)
      .toSorted();
  }

  async delete(path: string): Promise<void> {
    const found = await this.#bucket.get(path);
    const whole = found === undefined ? undefined : await readFolder(found, path);
    if (found !== undefined) await this.#bucket.remove(path);
    if (whole !== undefined) await this.#bucket.remove(...(await this.#bucket.keys(`${PARTS}/${whole.parts}/`)));
    const under = await this.#bucket.keys(`${path}/`);
    await this.#bucket.remove(...under);
    this.#plain.delete(path);
    if (found !== undefined || under.length > 0) return;
    const over = await this.#over(path);
    if (over !== undefined) await this.#cut(over.folder, over.whole, over.inner);
  }

  async prune(): Promise<void> {
    // a folder that holds nothing is not there
  }

  async freeBytes(): Promise<undefined> {
    await this.#bucket.check(); // no service tells; whoever asks learns at least that it is not gone
  }

  /** The committed folder that a path lies in, and the rest of the path. */
  async #over(
    path: string,
  ): Promise<{ readonly folder: string; readonly whole: Whole; readonly inner: string } | undefined> {
    for (let cut = path.lastIndexOf('/'); cut > 0; cut = path.lastIndexOf('/', cut - 1)) {
      const folder = path.slice(0, cut);
      if (this.#plain.has(folder)) return undefined;
      const whole = await wholeAt(this.#bucket, folder);
      if (whole !== undefined) return { folder, whole, inner: path.slice(cut + 1) };
    }
    return undefined;
  }

  /** Takes a file, or a folder of files, out of a committed folder. */
  async #cut(folder: string, { parts, files }: Whole, inner: string): Promise<void> {
    const gone = files.filter(({ name }) => name === inner || name.startsWith(`${inner}/`));
    if (gone.length === 0) return;
    const left = wholeCodec.encode({ parts, files: files.filter((file) => !gone.includes(file)) });
    await this.#bucket.put(folder, left, { once: false, kind: WHOLE });
    await this.#bucket.remove(...gone.flatMap((file) => ('part' in file ? [partKey(parts, file.part)] : [])));
  }

  #isPlain(folder: string): void {
    if (this.#plain.size > 1000) this.#plain.clear();
    this.#plain.add(folder);
  }
}

function sizeOf(content: Uint8Array | Staged): number {
  return content instanceof Uint8Array ? content.length : content.size;
}

/** What is stored need not wait here any more. */
async function discard(entries: readonly Entry[]): Promise<void> {
  for (const { content } of entries) if (!(content instanceof Uint8Array)) await content.discard();
}
