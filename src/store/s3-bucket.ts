// One bucket of an S3 service, in the few calls that the store needs. https://docs.aws.amazon.com/AmazonS3/latest/API/
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { MugaiError, reasonOf } from '../message/errors.ts';
import type { S3Place } from './s3-place.ts';
import type { Staged } from './store.ts';

const CONNECT_MS = 3000;
/** A service that says nothing for so long is taken for gone. */
const SILENT_MS = 30_000;
/** Deletions at once. */
const LANES = 8;

/** An object as it comes. */
export interface S3Object {
  readonly size: number;
  readonly kind: string;
  readonly stream: AsyncIterable<Uint8Array>;
}

/** The objects of one bucket. Every failure is a MugaiError: `store-failed`, or `disk-full` where the service says so. */
export class S3Bucket {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #page: number;

  /** `page`: names asked for at once; 1000 is what a service gives at most. */
  constructor(place: S3Place, bucket: string, page = 1000) {
    this.#bucket = bucket;
    this.#page = page;
    this.#client = new S3Client({
      endpoint: place.endpoint,
      region: place.region,
      credentials: { accessKeyId: place.accessKey, secretAccessKey: place.secret },
      forcePathStyle: true,
      // Bodies are held by x-amz-content-sha256, which every service knows; the newer checksums only some.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENT_MS },
    });
  }

  /** Rejects when the bucket cannot be reached with this key. */
  async check(): Promise<void> {
    await this.#told('reach the bucket', async () =>
      this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket })),
    );
  }

  /**
   * Puts an object, durable when it resolves. With `once` one that is there stays, and `exists` is told (`If-None-Match: *`).
   * `kind` is kept beside it, and `writer`, by which a put is known again: one of its own unless given.
   */
  async put(
    key: string,
    content: Uint8Array | Staged,
    {
      once = true,
      kind = 'plain',
      writer = newWriter(),
    }: { readonly once?: boolean; readonly kind?: string; readonly writer?: string } = {},
  ): Promise<'stored' | 'exists'> {
    const small = content instanceof Uint8Array ? content : content.inline;
    const command = new PutObjectCommand({
      Bucket: this.#bucket,
      Key: key,
      Body: small ?? Readable.from((content as Staged).open()),
      ContentLength: small?.length ?? (content as Staged).size,
      ContentType: 'application/octet-stream',
      Metadata: { writer, kind },
      ...(once ? { IfNoneMatch: '*' } : {}),
    });
    if (small === undefined) {
      const { sha256 } = content as Staged;
      command.middlewareStack.add(
        (next) => async (args) => {
          const { headers } = args.request as { headers: Record<string, string> };
          headers['x-amz-content-sha256'] = sha256; // the service refuses other bytes than those that were staged
          return next(args);
        },
        { step: 'build', name: 'sha256OfStaged' },
      );
    }
    try {
      await this.#client.send(command);
      return 'stored';
    } catch (error) {
      if (!once || statusOf(error) !== 412) throw s3Error(error, `put ${key}`);
    }
    // A repeat of a call whose answer got lost meets its own object.
    return (await this.#writerOf(key)) === writer ? 'stored' : 'exists';
  }

  /** An object; undefined when there is none. */
  async get(key: string): Promise<S3Object | undefined> {
    return this.#orAbsent(`get ${key}`, async () => {
      const got = await this.#client.send(new GetObjectCommand({ Bucket: this.#bucket, Key: key }));
      const stream = got.Body as (AsyncIterable<Uint8Array> & Readable) | undefined;
      return { size: got.ContentLength ?? 0, kind: got.Metadata?.['kind'] ?? '', stream: stream ?? Readable.from([]) };
    });
  }

  async has(key: string): Promise<boolean> {
    const found = await this.#orAbsent(`look for ${key}`, async () =>
      this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key })),
    );
    return found !== undefined;
  }

  /** Names directly under a prefix that ends in `/` (or is empty), objects and folders alike; at most `most`. */
  async names(prefix: string, most = Infinity): Promise<string[]> {
    const names = new Set<string>();
    for await (const { Contents = [], CommonPrefixes = [] } of this.#pages(prefix, '/', most)) {
      for (const { Key = '' } of Contents) names.add(Key.slice(prefix.length));
      for (const { Prefix = '' } of CommonPrefixes) names.add(Prefix.slice(prefix.length, -1));
      if (names.size >= most) break;
    }
    names.delete('');
    return [...names].slice(0, most);
  }

  /** Every key under a prefix; at most `most`. */
  async keys(prefix: string, most = Infinity): Promise<string[]> {
    const keys: string[] = [];
    for await (const { Contents = [] } of this.#pages(prefix, undefined, most)) {
      keys.push(...Contents.flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
      if (keys.length >= most) break;
    }
    return keys.slice(0, most);
  }

  /** Removes objects; those that are not there count as removed. */
  async remove(...keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += LANES)
      await Promise.all(
        keys
          .slice(at, at + LANES)
          .map(async (key) =>
            this.#orAbsent(`delete ${key}`, async () =>
              this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucket, Key: key })),
            ),
          ),
      );
  }

  /** Removes what a put of this writer may have left, whatever was told of it; what another one put stays. */
  async removeOf(writer: string, key: string): Promise<void> {
    if ((await this.#writerOf(key)) === writer) await this.remove(key);
  }

  async *#pages(prefix: string, delimiter: string | undefined, most: number) {
    const asked = { Bucket: this.#bucket, Prefix: prefix, MaxKeys: Math.min(this.#page, most) };
    let token: string | undefined;
    do {
      const page = await this.#told(`list ${prefix}`, async () =>
        this.#client.send(
          new ListObjectsV2Command({
            ...asked,
            ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        ),
      );
      yield page;
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async #writerOf(key: string): Promise<string | undefined> {
    const found = await this.#orAbsent(`look for ${key}`, async () =>
      this.#client.send(new HeadObjectCommand({ Bucket: this.#bucket, Key: key })),
    );
    return found?.Metadata?.['writer'];
  }

  async #orAbsent<T>(what: string, run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      // A bucket that is gone is no absence of an object.
      if (statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket') return undefined;
      throw s3Error(error, what);
    }
  }

  async #told<T>(what: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      throw s3Error(error, what);
    }
  }
}

/** The mark of one put. */
export function newWriter(): string {
  return randomBytes(12).toString('hex');
}

/** The whole of an object, of `most` bytes at most: `too-large` otherwise. */
export async function readWhole({ size, stream }: S3Object, most: number, what: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let got = 0;
  const tooLarge = (): MugaiError =>
    new MugaiError('too-large', `${what}: more than ${most} bytes`, { permanent: true });
  try {
    if (size > most) throw tooLarge();
    for await (const chunk of stream) {
      got += chunk.length;
      if (got > most) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    (stream as Readable).destroy();
    throw error instanceof MugaiError ? error : s3Error(error, `read ${what}`);
  }
  if (got !== size) throw new MugaiError('store-failed', `${what}: ${got} bytes came of ${size}`);
  return Buffer.concat(chunks);
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

function s3Error(error: unknown, what: string): MugaiError {
  if (error instanceof MugaiError) return error;
  const full = statusOf(error) === 507 || (error instanceof S3ServiceException && error.name === 'QuotaExceeded');
  const named = error instanceof S3ServiceException ? `${error.name}: ${reasonOf(error)}` : reasonOf(error);
  const why = full ? 'no space left' : named;
  return new MugaiError(full ? 'disk-full' : 'store-failed', `cannot ${what}: ${why}`, { cause: error });
}
