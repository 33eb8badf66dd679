// Preloaded into a gateway: counts its durable acts, dies by kill -9 before the one it is told, and keeps beside the real
// files what a power cut would leave of them: only what was synced, under names whose folder was synced.
// FAULT_ROOT: the data folder. FAULT_DIE_AT: number of the act (0: never). FAULT_ACTS: file that gets the last acts.
// FAULT_SHADOW: folder for synced content and the log of syncs (unset: no model).
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { isMainThread, threadId } from 'node:worker_threads';

const root = process.env['FAULT_ROOT'] ?? '';
const dieAt = Number(process.env['FAULT_DIE_AT'] ?? 0);
const acts = process.env['FAULT_ACTS'];
const shadow = process.env['FAULT_SHADOW'];

// The originals: what this file does itself must not be counted.
const real = { ...fs };
let count = 0;

const ours = (path: unknown): path is string => root !== '' && typeof path === 'string' && path.startsWith(root);
const pathOf = (fd: number): string => {
  try {
    return real.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
};

/** Ends the process before the act, if its turn has come. The inner thread counts for itself. */
function act(what: string, path: string): void {
  count += 1;
  if (count !== dieAt) return;
  if (acts !== undefined) real.appendFileSync(acts, `${what} ${path.slice(root.length)}\n`);
  process.kill(process.pid, 'SIGKILL');
  for (;;); // the signal is on its way: nothing more may happen here
}

/** What names a file for good: an inode's number is given again. */
function keyOf(stat: fs.BigIntStats): string {
  return `${stat.ino}-${stat.birthtimeNs}`;
}

const log = shadow === undefined ? '' : join(shadow, `log-${process.pid}-${isMainThread ? 0 : threadId}.jsonl`);

/** Notes what a sync makes durable, as it is now; the returned function writes it down once the sync succeeded. */
function durable(fd: number): () => void {
  if (shadow === undefined) return () => undefined;
  const path = pathOf(fd);
  const stat = real.fstatSync(fd, { bigint: true });
  const key = keyOf(stat);
  const write = (line: object): void =>
    real.appendFileSync(log, `${JSON.stringify({ at: Number(process.hrtime.bigint() / 1000n), key, ...line })}\n`);
  if (stat.isDirectory()) {
    const entries = real.readdirSync(path).flatMap((name) => {
      try {
        const one = real.lstatSync(join(path, name), { bigint: true });
        return [[name, keyOf(one), one.isDirectory()]];
      } catch {
        return []; // gone meanwhile
      }
    });
    return () => write({ path, entries });
  }
  const bytes = real.readFileSync(`/proc/self/fd/${fd}`);
  return () => {
    const kept = join(shadow, 'content', key);
    real.writeFileSync(`${kept}.new-${process.pid}`, bytes);
    real.renameSync(`${kept}.new-${process.pid}`, kept);
    write({ size: bytes.length });
  };
}

type Call = (...args: never[]) => unknown;

/** Wraps a call whose first argument is a path. */
function onPath(name: 'renameSync' | 'linkSync' | 'unlinkSync' | 'mkdirSync' | 'writeFileSync'): void {
  const call = real[name] as Call;
  (fs as unknown as Record<string, Call>)[name] = (...args: unknown[]) => {
    if (ours(args[0])) act(name, args[0]);
    return call(...(args as never[]));
  };
}

/** Wraps an asynchronous sync. */
function onSync(name: 'fsync' | 'fdatasync'): void {
  const call = real[name] as (fd: number, done: (error: Error | null) => void) => void;
  (fs as unknown as Record<string, Call>)[name] = (fd: number, done: (error: Error | null) => void) => {
    const path = pathOf(fd);
    if (!ours(path)) return call(fd, done);
    act(name, path);
    const note = durable(fd);
    return call(fd, (error) => {
      if (error === null || error === undefined) note();
      done(error);
    });
  };
}

if (root !== '') {
  for (const name of ['renameSync', 'linkSync', 'unlinkSync', 'mkdirSync', 'writeFileSync'] as const) onPath(name);
  for (const name of ['fsync', 'fdatasync'] as const) onSync(name);
  fs.openSync = (path, flags, mode) => {
    if (ours(path) && flags === 'wx') act('create', path);
    return real.openSync(path, flags, mode);
  };
  fs.fsyncSync = (fd) => {
    const path = pathOf(fd);
    if (ours(path)) act('fsync', path);
    const note = ours(path) ? durable(fd) : () => undefined;
    real.fsyncSync(fd);
    note();
  };
  syncBuiltinESMExports();
}
