// The memory that is left to this process: of the machine, and of each control group around it (cgroups(7)). What a group holds of
// files counts as left: the kernel takes the cache back before anything fails, and a spool fills it with every mail.
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** What a version of the hierarchy calls its files, and the lines of `memory.stat` that are caches of files. */
interface Names {
  readonly limit: string;
  readonly usage: string;
  readonly files: RegExp;
}
const V1: Names = {
  limit: 'memory.limit_in_bytes',
  usage: 'memory.usage_in_bytes',
  files: /^total_(?:in)?active_file (\d+)$/gm,
};
const V2: Names = { limit: 'memory.max', usage: 'memory.current', files: /^(?:in)?active_file (\d+)$/gm };

/** Bytes that can still be used, without what the kernel would give back by itself. */
export function memoryLeft(): number {
  return Math.min(os.freemem(), leftInGroups());
}

/** The same of the groups alone; Infinity where none is limited, or the kernel tells nothing. */
export function leftInGroups(root = ROOT, self = textOf('/proc/self/cgroup') ?? ''): number {
  const first = /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(\/.*)$/m.exec(self)?.[1];
  const second = /^0::(\/.*)$/m.exec(self)?.[1];
  if (first !== undefined) return leftUpwards(join(root, 'memory'), first, V1);
  return second === undefined ? Infinity : leftUpwards(root, second, V2);
}

/** The least of a group and all above it: a container shows its own as the root, a unit may hold us in a leaf without a limit. */
function leftUpwards(root: string, path: string, names: Names): number {
  let left = leftIn(root, names);
  for (let at = path; at !== '/' && at !== '.'; at = dirname(at)) left = Math.min(left, leftIn(join(root, at), names));
  return left;
}

function leftIn(folder: string, { limit, usage, files }: Names): number {
  const [most, used] = [textOf(join(folder, limit)), textOf(join(folder, usage))].map((text) => Number(text ?? NaN));
  if (most === undefined || used === undefined || !Number.isFinite(most - used)) return Infinity; // `max`: no limit
  let cached = 0;
  for (const [, bytes] of (textOf(join(folder, 'memory.stat')) ?? '').matchAll(files)) cached += Number(bytes);
  return Math.max(0, most - used + Math.min(cached, used));
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'latin1').trimEnd();
  } catch {
    return undefined; // not of this machine, or not shown to us
  }
}
