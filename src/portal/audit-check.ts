// What an auditor dropped, judged: each package and each file by the public key, the digests and the gate's own readers.
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { KeyObject } from 'node:crypto';
import { LIMITS } from '../message/limits.ts';
import { MugaiError } from '../message/errors.ts';
import type { MessageId } from '../message/id.ts';
import { MANIFEST, openManifest, type Statement } from '../outbox/manifest.ts';
import { GateRefusal } from '../outbox/refusal.ts';
import { verifyFile, type PackageFiles } from '../outbox/verify.ts';
import type { PutAside } from './upload.ts';

/** A file that a manifest lists: the one that was dropped holds, was refused (`why`), or was not dropped. */
export interface JudgedFile {
  readonly name: string;
  readonly sha256: string;
  readonly state: 'holds' | 'refused' | 'absent';
  readonly why: string;
}

/** One thing that was dropped. `faults` is empty when it holds; `statement` is what its signed manifest says. */
export interface Judged {
  readonly name: string;
  readonly sha256: string;
  readonly statement: Statement | undefined;
  readonly files: readonly JudgedFile[];
  readonly faults: readonly string[];
}

/** Where manifests are found that were not dropped themselves. */
export interface Known {
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Messages whose packages list this digest. */
  readonly listing: (sha256: string) => readonly MessageId[];
  /** The verified statement of a package that is kept. */
  readonly statement: (id: MessageId) => Promise<Statement>;
}

/** `faults` of a file that nobody knows. */
export const UNKNOWN = 'unknown';
/** `faults` of a manifest of which no file was dropped: its signature alone says nothing of a file. */
export const NO_FILES = 'no-files';

/**
 * Judges everything dropped. A manifest in a folder is a package: its files lie beside it, all of them and no other. A manifest by
 * itself holds for whatever else was dropped and is of a digest that it lists. Any other file is looked up among the packages kept.
 */
export async function judge(dropped: readonly PutAside[], known: Known, signal: AbortSignal): Promise<Judged[]> {
  const judged: Judged[] = [];
  const taken = new Set<PutAside>();
  const manifests = dropped.filter(({ name }) => baseOf(name) === MANIFEST);
  for (const manifest of manifests) {
    const folder = manifest.name.slice(0, -MANIFEST.length);
    const beside = folder === '' ? [] : dropped.filter((one) => one !== manifest && one.name.startsWith(folder));
    taken.add(manifest);
    for (const one of beside) taken.add(one);
    const loose = dropped.filter(({ name }) => baseOf(name) !== MANIFEST);
    const place = { manifest, folder, beside, loose };
    judged.push(await judgeManifest(place, known.keys, (one) => taken.add(one), signal));
  }
  for (const one of dropped) if (!taken.has(one)) judged.push(await judgeFile(one, known, signal));
  return judged;
}

interface Place {
  readonly manifest: PutAside;
  /** Path of its folder with the slash; empty: it came by itself. */
  readonly folder: string;
  readonly beside: readonly PutAside[];
  readonly loose: readonly PutAside[];
}

async function judgeManifest(
  { manifest, folder, beside, loose }: Place,
  keys: Known['keys'],
  take: (one: PutAside) => void,
  signal: AbortSignal,
): Promise<Judged> {
  const { name, sha256 } = manifest;
  let statement: Statement;
  try {
    if (manifest.size > LIMITS.manifestBytes)
      throw new GateRefusal('file-too-large', `over ${LIMITS.manifestBytes} bytes`);
    statement = await openManifest(await readFile(manifest.path), keys);
  } catch (error) {
    return { name, sha256, statement: undefined, files: [], faults: [faultOf(error)] };
  }
  const files: JudgedFile[] = [];
  const faults: string[] = [];
  for (const subject of statement.subject) {
    const wanted = subject.digest.sha256;
    const found =
      folder === ''
        ? loose.find((one) => one.sha256 === wanted)
        : beside.find((one) => one.name === folder + subject.name);
    if (found === undefined) {
      files.push({ name: subject.name, sha256: wanted, state: 'absent', why: '' });
      if (folder !== '') faults.push(`file-missing: ${subject.name}`);
      continue;
    }
    take(found);
    const why = await refusalOf(found, statement, subject.name, signal);
    files.push({ name: subject.name, sha256: wanted, state: why === '' ? 'holds' : 'refused', why });
    if (why !== '') faults.push(why);
  }
  const listed = new Set(statement.subject.map((subject) => folder + subject.name));
  for (const one of beside) if (!listed.has(one.name)) faults.push(`file-unlisted: ${one.name}`);
  if (files.every(({ state }) => state === 'absent') && faults.length === 0) faults.push(NO_FILES);
  return { name, sha256, statement, files, faults };
}

/** A file by itself: the newest package that lists it and holds. */
async function judgeFile(file: PutAside, { listing, statement }: Known, signal: AbortSignal): Promise<Judged> {
  const { name, sha256 } = file;
  const faults: string[] = [];
  for (const id of listing(sha256)) {
    try {
      const signed = await statement(id);
      const subject = signed.subject.find(({ digest }) => digest.sha256 === sha256);
      if (subject === undefined) continue;
      const why = await refusalOf(file, signed, subject.name, signal);
      const state = why === '' ? 'holds' : 'refused';
      return {
        name,
        sha256,
        statement: signed,
        files: [{ name: subject.name, sha256, state, why }],
        faults: why === '' ? [] : [why],
      };
    } catch (error) {
      faults.push(faultOf(error));
    }
  }
  return { name, sha256, statement: undefined, files: [], faults: faults.length > 0 ? faults : [UNKNOWN] };
}

/** Why the gate would not take a file under this name; empty when it would. */
async function refusalOf(file: PutAside, statement: Statement, name: string, signal: AbortSignal): Promise<string> {
  const source: PackageFiles = {
    names: async () => [],
    get: async () => undefined,
    open: async () => createReadStream(file.path, { highWaterMark: 256 * 1024 }),
  };
  try {
    await verifyFile(source, statement, name, { keepBytes: 0 }, signal);
    return '';
  } catch (error) {
    return faultOf(error);
  }
}

/** The words of a refusal; anything else is no judgement and goes on up. */
function faultOf(error: unknown): string {
  if (error instanceof MugaiError && (error.code === 'bad-package' || error.code === 'not-found')) return error.message;
  throw error;
}

function baseOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
