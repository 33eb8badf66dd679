// A process and all its descendants, from /proc (proc(5)): their resident memory, and their end.
import { readFileSync, readdirSync } from 'node:fs';

const PAGE = 4096;
/** Processes looked at: a jail may hold `LIMITS.childThreads` of them, and more are not worth reading. */
const MOST = 256;

/** The processes of a tree, the root first; without those that end while we look. Read synchronously, 10 µs a file. */
export function* treeOf(root: number): Generator<number, void, undefined> {
  const pids = [root];
  for (let at = 0; at < pids.length && at < MOST; at++) {
    const pid = pids[at] as number;
    yield pid;
    try {
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').trim();
        if (children !== '') pids.push(...children.split(' ').map(Number));
      }
    } catch {
      continue; // it, or one of its threads, ended while we looked; its end is reported elsewhere
    }
  }
}

/** Resident bytes of the process and its descendants; 0 when it is gone. */
export function residentBytes(root: number): number {
  let sum = 0;
  for (const pid of treeOf(root)) {
    try {
      sum += Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1] ?? 0) * PAGE;
    } catch {
      continue; // it has ended
    }
  }
  return sum;
}

/**
 * Kills the group that `leader` leads, and every descendant of it, whatever session that is in. Stopped first: nothing of it
 * can start a process that the list would miss (a fork with a signal pending does not take place, and bubblewrap asks
 * for its own death with its parent's only some time after it was forked). Throws when the group is gone.
 */
export function killTree(leader: number): void {
  process.kill(-leader, 'SIGSTOP');
  for (const pid of [...treeOf(leader)].slice(1)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      continue; // it has ended
    }
  }
  process.kill(-leader, 'SIGKILL');
}
