// A memory group of the kernel (cgroups(7)) around a child: whatever it holds, in all its processes together, is counted and bounded
// at every moment, where the host looks at its resident memory only now and then.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LIMITS } from '../message/limits.ts';
import { treeOf } from './process-tree.ts';

/** Where this process may make groups for its children: a folder of the hierarchy's version 1 or 2. */
export interface MemoryGroups {
  readonly folder: string;
  readonly version: 1 | 2;
}

const ROOT = '/sys/fs/cgroup';
/** Version 2 wants the processes of a divided group in its leaves: ours is this one. */
const HOST = 'mugai-host';
/** A child's group says whose it is, so that what a killed gateway left is found. */
const CHILD = /^mugai-(\d+)-\d+$/;
let made = 0;
/** Bytes below its limit at which a group of version 1 is full. */
const NEARLY = 1024 * 1024;

/** Finds the place for groups and tries it. Throws an Error that says why there is none. */
export function findMemoryGroups(root = ROOT, self = readFileSync('/proc/self/cgroup', 'latin1')): MemoryGroups {
  const groups = firstVersion(root, self) ?? divide(secondVersion(root, self));
  sweep(groups);
  new MemoryGroup(groups, LIMITS.groupMore).remove();
  return groups;
}

function firstVersion(root: string, self: string): MemoryGroups | undefined {
  const path = /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(\/.*)$/m.exec(self)?.[1];
  return path === undefined ? undefined : ours({ folder: join(root, 'memory', path), version: 1 });
}

function secondVersion(root: string, self: string): MemoryGroups {
  const path = /^0::(\/.*)$/m.exec(self)?.[1];
  if (path === undefined) throw new Error('the kernel tells no memory group');
  return ours({ folder: join(root, path), version: 2 });
}

/** A container may show another hierarchy than the one we are in. */
function ours(groups: MemoryGroups): MemoryGroups {
  const members = join(groups.folder, 'cgroup.procs');
  if (!existsSync(members) || !membersOf(groups.folder).includes(process.pid))
    throw new Error('our memory group is not shown here');
  return groups;
}

function membersOf(folder: string): number[] {
  return readFileSync(join(folder, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean).map(Number);
}

/** Makes a group of version 2 one that bounds the memory of its parts: only where it was delegated to us alone. */
function divide({ folder: own, version }: MemoryGroups): MemoryGroups {
  const folder = basename(own) === HOST ? dirname(own) : own;
  const says = (file: string, word: string): boolean =>
    readFileSync(join(folder, file), 'latin1').trim().split(/\s+/).includes(word);
  if (!says('cgroup.controllers', 'memory')) throw new Error('memory is not delegated to our group');
  if (says('cgroup.subtree_control', 'memory')) return { folder, version };
  const others = membersOf(folder).filter((pid) => pid !== process.pid);
  if (others.length > 0) throw new Error('our memory group has other processes in it');
  const host = join(folder, HOST);
  mkdirSync(host, { recursive: true });
  writeFileSync(join(host, 'cgroup.procs'), String(process.pid));
  try {
    writeFileSync(join(folder, 'cgroup.subtree_control'), '+memory');
  } catch (error) {
    writeFileSync(join(folder, 'cgroup.procs'), String(process.pid));
    rmdirSync(host);
    throw error;
  }
  return { folder, version };
}

/** Takes away the groups of gateways that are no more. */
function sweep({ folder }: MemoryGroups): void {
  for (const name of readdirSync(folder)) {
    const maker = CHILD.exec(name)?.[1];
    if (maker === undefined || (Number(maker) !== process.pid && existsSync(`/proc/${maker}`))) continue;
    removeGroup(join(folder, name));
  }
}

/** Says whether it is gone: one that has processes in it stays. */
function removeGroup(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

/** Makes a folder of a new name: a gateway that was killed may have had our number, and left children that are still ending. */
function makeFolder(parent: string): string {
  for (;;) {
    const folder = join(parent, `mugai-${process.pid}-${(made += 1)}`);
    try {
      mkdirSync(folder);
      return folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** The group of one child. */
export class MemoryGroup {
  readonly #folder: string;
  readonly #version: MemoryGroups['version'];
  readonly #bytes: number;

  /** Makes a group of at most `bytes`, without swap. Throws when the kernel does not take it. */
  constructor(groups: MemoryGroups, bytes: number) {
    this.#version = groups.version;
    this.#bytes = bytes;
    this.#folder = makeFolder(groups.folder);
    try {
      const [most, withSwap, swap] =
        groups.version === 1
          ? ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes', bytes]
          : ['memory.max', 'memory.swap.max', 0];
      this.#write(most, bytes);
      // A kernel that does not count swap has no such file.
      if (existsSync(join(this.#folder, withSwap))) this.#write(withSwap, swap);
      if (groups.version === 2) this.#write('memory.oom.group', 1); // all of it dies, not the largest of it
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  #write(file: string, value: number): void {
    writeFileSync(join(this.#folder, file), String(value));
  }

  /** Takes in a process and its descendants: the eldest first, so that what is forked from then on is in by itself. */
  async take(root: number): Promise<void> {
    const taken = new Set<number>();
    for (let count = -1; count < taken.size;) {
      count = taken.size;
      for (const pid of treeOf(root)) {
        if (taken.has(pid)) continue;
        taken.add(pid);
        await this.#takeOne(pid);
      }
    }
  }

  async #takeOne(pid: number): Promise<void> {
    try {
      await writeFile(join(this.#folder, 'cgroup.procs'), String(pid));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has ended
    }
  }

  /** It met its limit, and the kernel killed a process of it for that. */
  get overflowed(): boolean {
    const read = (file: string): string => readFileSync(join(this.#folder, file), 'latin1');
    try {
      // Kills for want of memory around it count, too, and say nothing of the child: its own limit must have been met.
      if (this.#version === 2)
        return /^oom_kill [1-9]/m.test(read('memory.events')) && /^oom [1-9]/m.test(read('memory.events'));
      // A page counter is filled in lots; the counters of failures do not count where swap is limited, too.
      const isFull = Number(read('memory.max_usage_in_bytes')) > this.#bytes - NEARLY;
      return isFull && /^oom_kill [1-9]/m.test(read('memory.oom_control'));
    } catch {
      return false; // it was removed
    }
  }

  /** Takes it away once its processes have ended. The kernel may need a moment to see them gone; what stays is swept at the next start. */
  remove(tries = 5): void {
    if (removeGroup(this.#folder) || tries === 0) return;
    setTimeout(() => this.remove(tries - 1), LIMITS.sweepMs).unref();
  }
}
