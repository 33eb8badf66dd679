// What the kernel says of a child that was just started: whether the walls that were asked for really stand. bubblewrap and prlimit
// are programs of the machine; one that is broken, replaced by a stub or made lenient may start a child and hold nothing.
import { readFileSync, readlinkSync } from 'node:fs';
import { LIMITS } from '../message/limits.ts';
import { dataLimit, type Family } from './families.ts';
import type { Walls } from './jail.ts';

/** The innermost process of the chain that begins with `pid`: bubblewrap, its process 1, and what it holds. */
export function innermost(pid: number): number {
  for (let last = pid; ;) {
    const next = readFileSync(`/proc/${last}/task/${last}/children`, 'latin1').trim().split(' ')[0];
    if (next === undefined || next === '') return last;
    last = Number(next);
  }
}

const NAMESPACES = ['user', 'pid', 'net', 'mnt', 'ipc', 'uts', 'cgroup'];

/** Whether a process is in our namespace of this kind. Where we may not look (a container without ptrace), it is not known. */
function isShared(pid: number, name: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/${name}`) === readlinkSync(`/proc/self/ns/${name}`);
  } catch {
    return false;
  }
}

/** What of the walls does not stand around the child that `pid` holds; undefined when all do. The child must be running. */
export function missingWall(pid: number, family: Family, walls: Walls): string | undefined {
  const inner = innermost(pid);
  const status = readFileSync(`/proc/${inner}/status`, 'latin1');
  const limits = readFileSync(`/proc/${inner}/limits`, 'latin1');
  const says = (pattern: RegExp): boolean => pattern.test(status);
  const limited = (name: string, most: number): boolean => limits.includes(`\n${name.padEnd(26)}${most} `);
  const shared = walls.bubblewrap === undefined ? undefined : NAMESPACES.find((name) => isShared(inner, name));
  if (shared !== undefined) return `bubblewrap gives it no ${shared} namespace`;
  const wanted: readonly (readonly [asked: boolean, holds: boolean, fault: string])[] = [
    [walls.bubblewrap !== undefined, says(/^NSpid:\s+\d+\s+\d+/m), 'bubblewrap gives it no pid namespace'],
    [walls.bubblewrap !== undefined, says(/^NoNewPrivs:\s+1$/m), 'bubblewrap lets it gain privileges'],
    [
      walls.bubblewrap !== undefined,
      says(/^CapEff:\s+0+$/m) && says(/^CapBnd:\s+0+$/m),
      'bubblewrap leaves it capabilities',
    ],
    [walls.filter !== undefined, says(/^Seccomp:\s+2$/m), 'bubblewrap sets no system-call filter'],
    [walls.prlimit !== undefined, limited('Max cpu time', family.cpuSeconds), 'prlimit does not limit its CPU time'],
    [walls.prlimit !== undefined, limited('Max data size', dataLimit(family)), 'prlimit does not limit its memory'],
    [
      walls.prlimit !== undefined,
      limited('Max open files', family.files ?? LIMITS.childFiles),
      'prlimit does not limit its files',
    ],
    [
      walls.memory !== undefined,
      /\/mugai-\d+-\d+$/m.test(readFileSync(`/proc/${inner}/cgroup`, 'latin1')),
      'it is in no memory group',
    ],
    [walls.user !== undefined, !says(/^Uid:\s+0\s/m), 'it runs as root'],
  ];
  return wanted.find(([asked, holds]) => asked && !holds)?.[2];
}
