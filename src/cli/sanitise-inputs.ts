// Which files `mugai sanitise` does, and where each package will lie: all settled, and refused, before anything is touched.
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { reasonOf, systemCode } from '../message/errors.ts';
import { MANIFEST } from '../outbox/manifest.ts';
import { walk } from './folder-walk.ts';
import type { FileAt } from './harmless-file.ts';
import { tell, UsageError } from './usage.ts';

/** Begins the name of a run's own working folder below `--out`. */
export const WORK_PREFIX = '.mugai-work-';

/** A file to do, with the folder its package gets. */
export interface FileInput extends FileAt {
  readonly out: string;
}

/** A file with both paths as the disk has them, links resolved. */
interface Planned extends FileInput {
  readonly realIn: string;
  readonly realOut: string;
}

/**
 * Every file to do, with the folder its package gets below `out`. Links are not followed; what lies in an `out` below a
 * folder is no input, nor is what is the gateway's `own`: its data folder and its keys. `UsageError` when there is nothing to do, and when a package would take the place of an input or of
 * anything that is no package, or lie inside one.
 */
export async function planInputs(
  paths: readonly string[],
  out: string,
  own: readonly string[],
): Promise<readonly FileInput[]> {
  const realOut = await realOf(resolve(out));
  const ours = await Promise.all(own.map(async (path) => realOf(resolve(path))));
  const planned: Planned[] = [];
  for (const path of paths) {
    const found = await filesOf(path, realOut, ours);
    if (found.length === 0) throw new UsageError(`${path} holds no file to do`);
    for (const [file, below] of found) {
      const place = join(resolve(out), below);
      planned.push({ ...file, out: place, realIn: await realInput(file), realOut: await realOf(place) });
    }
  }
  refuseOverlaps(planned);
  for (const place of new Set(planned.map((input) => dirname(input.realOut)))) await demandOpenFolder(place, realOut);
  for (const input of planned) await demandReplaceable(input.out);
  return planned;
}

/** A name that is no UTF-8 is nobody's place: packages have others. */
async function realInput({ path, bytes }: FileAt): Promise<string> {
  return bytes === undefined ? realpath(path) : (await realpath(bytes, 'buffer')).toString();
}

/** Files of a named path, each with its place below `out`. */
async function filesOf(path: string, out: string, own: readonly string[]): Promise<(readonly [FileAt, string])[]> {
  const kind = await stat(path).catch((error: unknown) => {
    throw new UsageError(`${path}: ${systemCode(error) === 'ENOENT' ? 'does not exist' : reasonOf(error)}`);
  });
  const isOwn = (real: string): boolean => own.some((place) => real === place || isBelow(real, place));
  if (isOwn(await realpath(path)))
    throw new UsageError(`${path} is the gateway's own: its data folder and its keys (MUGAI_DATA_DIR) are no input`);
  if (kind.isFile()) return [[{ path }, basename(resolve(path))]];
  if (!kind.isDirectory()) throw new UsageError(`${path} is neither a regular file nor a folder`);
  const folder = await realpath(path);
  if (out === folder) throw new UsageError(`--out is ${path} itself; name a folder elsewhere, or one below it`);
  const outIsBelow = isBelow(out, folder);
  const found: (readonly [FileAt, string])[] = [];
  let leftOut = 0;
  for await (const { path: file, below, name, isFile, bytes } of walk(path)) {
    if (name === MANIFEST) continue;
    if (outIsBelow && isBelow(join(folder, below), out)) continue;
    if (isOwn(join(folder, below))) {
      leftOut += 1;
      continue;
    }
    if (isFile)
      found.push([bytes === undefined ? { path: file } : { path: file, bytes }, join(basename(resolve(path)), below)]);
    else tell(`mugai: left out ${JSON.stringify(file)}: no regular file`);
  }
  if (leftOut > 0) tell(`mugai: left out ${leftOut} files of the gateway's own below ${path}: data folder, keys`);
  return found;
}

function refuseOverlaps(planned: readonly Planned[]): void {
  const inputs = new Map(planned.map(({ realIn, path }) => [realIn, path]));
  const aboveInputs = new Set(planned.flatMap(({ realIn }) => above(realIn)));
  const outputs = new Set<string>();
  for (const { realOut, out, path } of planned) {
    if (outputs.has(realOut)) throw new UsageError(`two inputs would become ${out}; run them one after the other`);
    outputs.add(realOut);
    const hit = [realOut, ...above(realOut)].find((place) => inputs.has(place));
    if (hit !== undefined) throw overlap(path, out, `take the place of the input ${inputs.get(hit)}`);
    if (aboveInputs.has(realOut)) throw overlap(path, out, 'take the place of a folder with inputs');
  }
  for (const { realOut, out, path } of planned) {
    const outer = above(realOut).find((place) => outputs.has(place));
    if (outer !== undefined) throw overlap(path, out, `lie inside the package ${outer}`);
  }
}

function overlap(path: string, out: string, what: string): UsageError {
  return new UsageError(`the package of ${path}, ${out}, would ${what}; give another --out`);
}

/** The folder that will hold packages is none itself, nor are those above it up to `out`. */
async function demandOpenFolder(folder: string, out: string): Promise<void> {
  for (const place of [folder, ...above(folder)].filter((one) => one === out || isBelow(one, out))) {
    const kind = await kindOf(place);
    if (kind === 'package') throw new UsageError(`${place} is a package; nothing is put inside it: give another --out`);
    if (kind === 'other') throw new UsageError(`${place} is in the way and is no folder; give another --out`);
  }
}

/** A place where a package may be put: nothing is there, or a package. */
export async function demandReplaceable(place: string): Promise<void> {
  const kind = await kindOf(place);
  if (kind !== 'absent' && kind !== 'package')
    throw new UsageError(`${place} is there and is no package of ours; it is left as it is: give another --out`);
}

async function kindOf(place: string): Promise<'absent' | 'package' | 'folder' | 'other'> {
  try {
    if (!(await lstat(place)).isDirectory()) return 'other';
    const entries = await readdir(place, { withFileTypes: true });
    const sealed = entries.some((entry) => entry.name === MANIFEST && entry.isFile());
    // A file of somebody's own beside ours makes it no package: it must not be removed with it.
    const ours = entries.every(({ name }) => name === MANIFEST || name === 'message.txt' || name === 'files');
    return sealed && ours ? 'package' : 'folder';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'absent';
    if (systemCode(error) === 'ENOTDIR') return 'other';
    throw new UsageError(`${place}: ${reasonOf(error)}`);
  }
}

/** The path as the disk has it: links of the part that exists are resolved. */
async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const code = systemCode(error);
    if ((code !== 'ENOENT' && code !== 'ENOTDIR') || path === dirname(path)) throw error;
    return join(await realOf(dirname(path)), basename(path));
  }
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder === '/' ? '/' : `${folder}/`) && path !== folder;
}

function above(path: string): string[] {
  const folders: string[] = [];
  for (let at = dirname(path); ; at = dirname(at)) {
    folders.push(at);
    if (at === dirname(at)) return folders;
  }
}
