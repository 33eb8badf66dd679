// CPU and memory of a process and of all that it started, from /proc.
import { readFileSync, readdirSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';

const TICKS = 100; // clock ticks a second in /proc/<pid>/stat on every Linux we run on

/** CPU milliseconds a process has used. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
}

/** All descendants: around each child stands bubblewrap, which has the child as its own. */
export async function descendantsOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const listed = await readFile(`/proc/${pid}/task/${task}/children`, 'latin1');
    found.push(
      ...listed
        .trim()
        .split(/\s+/)
        .filter((text) => text !== '')
        .map(Number),
    );
  }
  const below = await Promise.all(found.map(descendantsOf));
  return [...found, ...below.flat()];
}

export async function wholeCpuMs(pid: number): Promise<{ main: number; children: number }> {
  const children = await Promise.all((await descendantsOf(pid)).map(cpuMs));
  return { main: await cpuMs(pid), children: children.reduce((sum, ms) => sum + ms, 0) };
}

/**
 * CPU milliseconds of a process and its descendants so far, and of theirs that ended and were waited for; 0 when it is gone. A child
 * hangs on the thread that made it: all threads are asked.
 */
export function treeCpuMs(root: number): number {
  try {
    const stat = readFileSync(`/proc/${root}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const own = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
    const pids = readdirSync(`/proc/${root}/task`).flatMap((thread) =>
      readFileSync(`/proc/${root}/task/${thread}/children`, 'latin1').trim().split(' ').filter(Boolean),
    );
    return pids.reduce((sum, pid) => sum + treeCpuMs(Number(pid)), (own * 1000) / TICKS);
  } catch {
    return 0; // it ended while we looked
  }
}

/** Most resident megabytes that a process ever had. */
export async function peakRssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** CPU milliseconds of all threads of a process and its descendants that live, to the nanosecond; of use where none of them ends between. */
export function threadsCpuMs(root: number): number {
  try {
    return readdirSync(`/proc/${root}/task`).reduce((sum, thread) => {
      const ns = Number(readFileSync(`/proc/${root}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
      const children = readFileSync(`/proc/${root}/task/${thread}/children`, 'latin1')
        .trim()
        .split(' ')
        .filter(Boolean);
      return children.reduce((all, pid) => all + threadsCpuMs(Number(pid)), sum + ns / 1e6);
    }, 0);
  } catch {
    return 0; // it ended while we looked
  }
}
