// Files that came in one archive leave in one: a zip of our own making, with the folders of the sender's, stored and with UTF-8 names.
import { zipSync, type Zippable } from 'fflate';
import { forFileName } from '../message/untrusted.ts';
import { bundlesOf } from '../outbox/folders.ts';
import type { VerifiedPackage } from '../outbox/verify.ts';
import type { Attachment } from './courier.ts';

/** Zips of what is attached, and the names of the files that lie in them. The same package gives the same bytes. */
export function cleanZips(verified: VerifiedPackage): {
  readonly zips: readonly Attachment[];
  readonly packed: ReadonlySet<string>;
} {
  const { parts, sanitisedAt } = verified.statement.predicate;
  const files = new Map(verified.files.map((file) => [file.name, file.bytes]));
  const zips: Attachment[] = [];
  const packed = new Set<string>();
  for (const { stem, places } of bundlesOf(parts)) {
    const entries: Zippable = {};
    for (const [name, place] of places) {
      const bytes = files.get(name);
      if (bytes === undefined) continue; // too large to be attached: named in the text
      entries[place] = bytes;
      packed.add(name);
    }
    if (Object.keys(entries).length === 0) continue;
    // Pictures do not shrink any more. ZIP knows no time before 1980, and no zone.
    const content = Buffer.from(zipSync(entries, { level: 0, mtime: sanitisedAt }));
    zips.push({
      filename: forFileName(zips.length + 1, `${stem}.zip`, 'zip'),
      contentType: 'application/zip',
      content,
    });
  }
  return { zips, packed };
}
