// Forms with files: where they are taken, in which order they are read, and how much of them is put aside.
import { createHash } from 'node:crypto';
import { open, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import multipart from '@fastify/multipart';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';

/** What a form may carry. */
export interface UploadLimits {
  readonly files: number;
  readonly fileBytes: number;
  /** Milliseconds without a byte after which the form is given up. */
  readonly idleMs: number;
}

/** A file of a form as it comes. `name`: as the browser gives it, with its folders where a folder was chosen. */
export interface SentFile {
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** A file that was put aside. */
export interface PutAside {
  readonly name: string;
  /** Where its bytes are. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** Files put aside; disposing of them deletes them. */
export interface Aside extends AsyncDisposable {
  readonly files: readonly PutAside[];
}

/** More bytes than a form may have. */
export class TooLarge extends Error {
  readonly statusCode = 413;
}

/** Declares a route that takes multipart/form-data; no other route does. */
export function addUploadRoute(app: FastifyInstance, limits: UploadLimits, route: RouteOptions): void {
  void app.register(async (scope) => {
    await scope.register(multipart, {
      preservePath: true,
      limits: {
        fields: 1,
        fieldNameSize: 100,
        fieldSize: 200,
        headerPairs: 20,
        files: limits.files,
        parts: limits.files + 1,
        fileSize: limits.fileBytes,
      },
    });
    scope.route(route);
  });
}

const NONE: AsyncIterable<SentFile> = (async function* () {})();

/** The fields before the first file, and the files. No byte of a file is read before somebody goes over them. */
export async function openForm(
  request: FastifyRequest,
  { idleMs }: UploadLimits,
): Promise<{ readonly form: URLSearchParams; readonly files: AsyncIterable<SentFile> }> {
  if (!request.isMultipart())
    return { form: request.body instanceof URLSearchParams ? request.body : new URLSearchParams(), files: NONE };
  // A browser that went away without a word must not hold its place for ever.
  request.raw.setTimeout(idleMs, () => request.raw.destroy());
  const parts = request.parts();
  const first = (await parts.next()).value;
  const form = new URLSearchParams();
  if (first?.type !== 'field') return { form, files: NONE };
  form.set(first.fieldname, String(first.value));
  return {
    form,
    files: (async function* () {
      for await (const part of parts) if (part.type === 'file') yield { name: part.filename ?? '', bytes: part.file };
    })(),
  };
}

/** Writes files under `folder`, `most` bytes in all. What a browser sends for a field without a file is left out. */
export async function putAside(files: AsyncIterable<SentFile>, folder: string, most: number): Promise<Aside> {
  const kept: PutAside[] = [];
  const drop = async (): Promise<void> => rm(folder, { recursive: true, force: true });
  let left = most;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for await (const { name, bytes } of files) {
      const path = join(folder, String(kept.length));
      const hash = createHash('sha256');
      let size = 0;
      await using file = await open(path, 'a', 0o600);
      for await (const chunk of bytes) {
        size += chunk.length;
        if (size > left) throw new TooLarge(`over ${most} bytes in all`);
        hash.update(chunk);
        await file.appendFile(chunk);
      }
      left -= size;
      if (name !== '') kept.push({ name, path, size, sha256: hash.digest('hex') });
    }
  } catch (error) {
    await drop();
    throw error;
  }
  return { files: kept, [Symbol.asyncDispose]: drop };
}
