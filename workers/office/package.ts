// The zip of an office document: opened strictly, within limits, and written anew.
import { zipSync } from 'fflate';
import { LIMITS } from '../../src/message/limits.ts';
import { readZip } from '../archive/zip.ts';
import { decodeText } from '../charset.ts';
import { Refusal } from '../run.ts';
import type { TornParts } from './torn-parts.ts';

export type Parts = Map<string, Uint8Array>;

/** The parts of a package. One that does not open is noted in `torn`, or else makes the whole damaged; a bomb is refused as such. */
export function openPackage(bytes: Buffer, torn?: TornParts): Parts {
  const zip = readZip(bytes, false, LIMITS.zipEntries);
  if (zip.strange) throw new Refusal('damaged', 'packed in an unusual way');
  const parts: Parts = new Map();
  for (const listed of zip.entries) {
    const entry = zip.open(listed, []);
    if (entry.trouble === 'ratio') throw new Refusal('ratio', entry.name);
    if (entry.trouble === 'password-needed') throw new Refusal('password-needed', entry.name);
    // Under the name that office programs read: a second one in another form may be that of another part.
    const name = decodeText(listed.rawName, 'utf-8').text.replaceAll('\\', '/').replace(/^\//, '');
    if (entry.bytes !== undefined) parts.set(name, entry.bytes);
    else if (torn === undefined) throw new Refusal('damaged', name);
    else torn.add(name);
  }
  return parts;
}

/** A package of these parts, in their order; pictures are not packed again. */
export function writePackage(parts: Parts): Buffer {
  const files = Object.fromEntries(
    [...parts].map(([name, content]) => [name, [content, { level: /\.xml$|\.rels$/.test(name) ? 1 : 0 }] as const]),
  );
  return Buffer.from(zipSync(files as Parameters<typeof zipSync>[0]));
}
