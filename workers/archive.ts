// Jailed child of the archive family: gives the entries of an archive, each with its path as its sender wrote it. Nothing is
// ever written by such a name. The password of the job is a list, one a line.
import { PART_KIND } from '../src/sandbox/wire.ts';
import type { ArchiveEntry } from './archive/entry.ts';
import { unpackedJtd } from './archive/packed-jtd.ts';
import { inLevel2 } from './archive/lha-level3.ts';
import { SEVEN_ZIP, openSevenZip } from './archive/seven-zip.ts';
import { readWithoutDirectory, readZip, type Zip } from './archive/zip.ts';
import { isOle } from './ole.ts';
import { Refusal, serve, whole, type Out } from './run.ts';
import { carriedArchive } from './self-extractor.ts';
import { isThumbsName, macNote } from './signs.ts';

serve(SEVEN_ZIP, async (job, out) => {
  const bytes = await whole(job);
  if (bytes.length === 0) throw new Refusal('empty', 'no bytes');
  const isProgram = job.declaredType === 'application/x-self-extracting';
  const start = isProgram ? carriedArchive(bytes) : 0;
  if (start === undefined) throw new Refusal('damaged', 'no archive in the program');
  const passwords = job.password.split('\n').filter((password) => password !== '');
  const take = giver(out, job.name.replace(/^.*[\\/]|\.[^.]*$/g, ''));
  if (job.declaredType === 'application/x-js-taro-packed') return take(unpackedJtd(bytes, job.name));
  const isZip = job.declaredType === 'application/zip' || bytes.toString('latin1', start, start + 4) === 'PK\x03\x04';
  let isTold = false;
  if (isZip) {
    // A ZIP counts from its own start or from the program's: its reader finds out.
    const zip = byDirectory(bytes, isProgram, out);
    for (const finding of zip?.findings ?? []) out.finding('odd-archive', finding);
    if (zip !== undefined && !zip.strange) {
      for (const entry of zip.entries) await take(zip.open(entry, passwords));
      return;
    }
    isTold = zip === undefined;
  }
  try {
    await openSevenZip(inLevel2(bytes.subarray(start)), passwords, take, () => {
      if (!isTold) out.finding('odd-archive', 'it breaks off');
    });
  } catch (error) {
    const rest = error instanceof Refusal && error.reason === 'damaged' ? readWithoutDirectory(bytes) : undefined;
    if (rest === undefined || rest.entries.length === 0) throw error;
    out.finding('odd-archive', 'cut');
    for (const entry of rest.entries) await take(rest.open(entry, []));
  }
});

/** A ZIP by its directory. Undefined where that makes no sense: 7-Zip then goes by what stands before each entry. */
function byDirectory(bytes: Buffer, isProgram: boolean, out: Out): Zip | undefined {
  try {
    return readZip(bytes, isProgram);
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason !== 'damaged') throw error;
    out.finding('odd-archive', error.message);
    return undefined;
  }
}

/** What a system puts beside files for itself. The host counts it apart; what becomes of it is decided like of any entry. */
function isNote(bytes: Uint8Array, name: string): boolean {
  return macNote(bytes) !== undefined || (isThumbsName(name) && isOle(Buffer.from(bytes)));
}

/** `unnamed`: the name of an entry that has none. */
function giver(out: Out, unnamed: string): (entry: ArchiveEntry) => Promise<void> {
  let index = 0;
  return async ({ name, bytes, trouble, findings }) => {
    index += 1;
    const called = name === '' ? unnamed : name;
    out.part({ path: [index], kind: PART_KIND.leaf, type: '', name: called, disposition: trouble, contentId: '' });
    if (bytes !== undefined && isNote(bytes, called)) out.finding('system-file', '');
    for (const { code, detail } of findings) out.finding(code, detail);
    if (bytes !== undefined && bytes.length > 0) out.bytes(bytes);
    out.partEnd();
    await out.drained();
  };
}
