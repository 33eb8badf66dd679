// What lies below a folder, links not followed. Names are bytes: what old archives and shares left may be Shift_JIS, or nothing.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

export interface Found {
  /** As it is shown and as its package is named. */
  readonly path: string;
  /** Place below the folder. */
  readonly below: string;
  readonly name: string;
  readonly isFile: boolean;
  /** By which it is opened where its name is no UTF-8. */
  readonly bytes: Buffer | undefined;
}

/** Everything below a folder that is no folder itself. A name that is no UTF-8 is read as CP932, or else has `%XX` for such bytes. */
export async function* walk(folder: string, bytes?: Buffer, under = ''): AsyncGenerator<Found> {
  const entries = await readdir(bytes ?? folder, { withFileTypes: true, encoding: 'buffer' });
  const taken = new Set(entries.map(({ name }) => read(UTF8, name)).filter((name) => name !== undefined));
  for (const entry of entries) {
    const plain = read(UTF8, entry.name);
    const name = plain ?? otherName(entry.name, taken);
    taken.add(name);
    const path = join(folder, name);
    const below = join(under, name);
    const own =
      bytes === undefined && plain !== undefined
        ? undefined
        : Buffer.concat([bytes ?? Buffer.from(folder), SLASH, entry.name]);
    if (entry.isDirectory()) yield* walk(path, own, below);
    else yield { path, below, name, isFile: entry.isFile(), bytes: own };
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const CP932 = new TextDecoder('shift_jis', { fatal: true });
const SLASH = Buffer.from('/');

/** A name that no other file of the folder has. */
function otherName(bytes: Buffer, taken: ReadonlySet<string>): string {
  const japanese = read(CP932, bytes);
  // What decodes to control characters was no Japanese.
  if (japanese !== undefined && !/[\u0000-\u001f\u007f-\u009f]/.test(japanese) && !taken.has(japanese)) return japanese;
  const written = Array.from(bytes, (byte) =>
    byte < 0x20 || byte >= 0x7f || byte === 0x25 || byte === 0x5c
      ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(byte),
  ).join('');
  let name = written;
  for (let at = 2; taken.has(name); at++) name = `${written} (${at})`;
  return name;
}

function read(decoder: TextDecoder, bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined; // another encoding
  }
}
