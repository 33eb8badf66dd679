// The most memory that a converter and all its processes have while they work, looked at ten times a second.
import { readFileSync } from 'node:fs';
import { treeOf } from '../../src/sandbox/process-tree.ts';

const POLL_MS = 100;

/** Bytes. */
export interface Memory {
  /** What is resident in each process, added up. */
  readonly resident: number;
  /** What processes share (Node itself, above all) lies in memory once. */
  readonly once: number;
}

/** The result of an act, and the most memory of the tree meanwhile. */
export async function watchMemory<T>(
  root: { readonly pid: number },
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly peak: Memory }> {
  let peak: Memory = { resident: 0, once: 0 };
  const watch = setInterval(() => {
    if (root.pid !== 0) peak = largest(peak, memoryOfTree(root.pid));
  }, POLL_MS);
  try {
    const result = await act();
    return { result, peak };
  } finally {
    clearInterval(watch);
  }
}

export function largest(a: Memory, b: Memory): Memory {
  return { resident: Math.max(a.resident, b.resident), once: Math.max(a.once, b.once) };
}

/** Bytes of all processes of a tree: resident ones, and the same with shared ones shared out (`Pss` of proc(5)). */
function memoryOfTree(root: number): Memory {
  const sum = { resident: 0, once: 0 };
  for (const pid of treeOf(root)) {
    try {
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
      sum.resident += Number(/^Rss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
      sum.once += Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024;
    } catch {
      continue; // it has ended
    }
  }
  return sum;
}
