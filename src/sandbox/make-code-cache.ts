// Makes the cache of the children's code: starts one child of each family without any input.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { CODE_CACHE, STAMP } from './code-cache.ts';
import { CODE_ROOT, FAMILIES, type Family } from './families.ts';
import { jailCommand, type Walls } from './jail.ts';

/** A family that does not end by itself without an input. */
const FAMILY_MS = 30_000;
/** No jail: our own code, no input. Node's permission model keeps it from starting anything. */
const NO_WALLS: Walls = {
  permission: true,
  prlimit: undefined,
  bubblewrap: undefined,
  filter: undefined,
  memory: undefined,
  user: undefined,
};

/**
 * Makes the cache unless it is there and of this code: starts one child of each family without any input, one after the
 * other. Resolves to false where the place is not ours to write; rejects when the signal aborts.
 */
export async function makeCodeCache(signal: AbortSignal): Promise<boolean> {
  const folder = join(CODE_ROOT, CODE_CACHE);
  const stamp = stampOfCode();
  if (readStamp(folder) === stamp) return true;
  // Beside the final place: the paths inside are relative.
  const work = `${folder}-${process.pid}`;
  try {
    mkdirSync(work, { recursive: true, mode: 0o755 });
  } catch {
    return false; // code that is installed read-only: its cache is made when it is installed
  }
  try {
    for (const family of Object.values(FAMILIES)) await startOnce(family, work, signal);
    writeFileSync(join(work, STAMP), stamp);
    await readableByAll(work);
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (readStamp(folder) === stamp) return true; // another process was quicker
    throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function startOnce(family: Family, work: string, signal: AbortSignal): Promise<void> {
  // What a family may start is left out: its modules are compiled, and it ends at the first thing that is denied.
  const nodeFlags = (family.nodeFlags ?? []).filter((flag) => !flag.startsWith('--allow-'));
  const { command, args } = jailCommand({ ...family, nodeFlags }, NO_WALLS);
  const child = spawn(command, [...args.slice(0, -1), `--allow-fs-write=${work}`, args.at(-1) as string], {
    env: { NODE_COMPILE_CACHE: work, NODE_COMPILE_CACHE_PORTABLE: '1' },
    stdio: 'ignore',
    timeout: FAMILY_MS,
    killSignal: 'SIGKILL',
    signal,
  });
  await once(child, 'exit');
}

function readStamp(folder: string): string {
  try {
    return readFileSync(join(folder, STAMP), 'utf8');
  } catch {
    return '';
  }
}

/** Changes whenever the code of the children does: names, sizes and times of its files, the packages, Node. */
function stampOfCode(): string {
  const files = [...readdirSync(join(CODE_ROOT, 'workers'), { recursive: true, encoding: 'utf8' })]
    .toSorted()
    .map((name) => join('workers', name));
  files.push('src/sandbox/wire.ts', 'src/sandbox/exit-codes.ts', 'src/message/limits.ts', 'package-lock.json');
  const hash = createHash('sha256').update(process.version);
  for (const file of files) {
    const { size, mtimeMs } = statSync(join(CODE_ROOT, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Lets everybody read a cache: a child, or a service, is somebody else than the one who made it. */
export async function readableByAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
}
