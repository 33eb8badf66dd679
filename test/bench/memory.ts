// Resident memory of a process with all that it started.
import { readFile } from 'node:fs/promises';
import { descendantsOf } from './cpu.ts';

/** Megabytes; pages shared between the processes count for each. */
export async function rssMb(pid: number): Promise<number> {
  const pids = [pid, ...(await descendantsOf(pid))];
  const sizes = await Promise.all(pids.map(async (one) => readFile(`/proc/${one}/status`, 'latin1').catch(() => '')));
  return sizes.reduce((sum, status) => sum + Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024, 0);
}
