// The command line that jails a child, and what of it this machine can hold.
//
//   bwrap: new user, PID, network, IPC, UTS, mount and cgroup namespaces; a root that shows only the files below, read-only
//     prlimit: CPU, core, open files, file size, processes, writable memory
//       node --permission: no network, no files but its code, no processes, no threads, no addons
//
// The environment is empty, the child leads a session of its own, and the system-call filter holds from the start of Node on.
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { LIMITS } from '../message/limits.ts';
import { CODE_CACHE, CODE_CACHE_READER, hasCodeCache } from './code-cache.ts';
import { CODE_ROOT, dataLimit, type Family } from './families.ts';
import type { MemoryGroups } from './memory-group.ts';
import { systemCallFilter } from './seccomp.ts';

/** The walls around a child. Every one that is absent is absent knowingly: the probe tried it, or a test takes it away. */
export interface Walls {
  /** Node's permission model. */
  readonly permission: boolean;
  /** Path of `prlimit` (util-linux). */
  readonly prlimit: string | undefined;
  /** bubblewrap, and the shared libraries that the programs inside need. */
  readonly bubblewrap: { readonly path: string; readonly libraries: readonly string[] } | undefined;
  /** BPF program for bubblewrap's `--seccomp`; without bubblewrap nobody could set it. */
  readonly filter: Buffer | undefined;
  /** Where the kernel bounds the memory of each child as a whole. */
  readonly memory: MemoryGroups | undefined;
  /** Whom the child runs as, where we are root. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /** Starts without the cache of its code, to be compared with. */
  readonly uncached?: boolean;
}

/** A command line and what goes with it to `spawn`. */
export interface JailCommand {
  readonly command: string;
  readonly args: readonly string[];
  /** To be written to descriptor 3, to its end. */
  readonly filter: Buffer | undefined;
  readonly user: Walls['user'];
}

/** nobody and nogroup: on Debian, and what bubblewrap shows of whoever is not mapped. */
export const NOBODY = { uid: 65534, gid: 65534 } as const;

// A child reads its own code and the packages it parses with (the fonts are among them); no configuration, no store, no
// key, no sample.
const READABLE = [
  'workers',
  'src/sandbox/wire.ts',
  'src/sandbox/exit-codes.ts',
  'src/message/limits.ts',
  'package.json',
  'node_modules',
];

// `--unshare-all` only tries the user and cgroup namespaces: a kernel without them must fail, not pass.
const NAMESPACES = (
  '--unshare-all --unshare-user --unshare-cgroup --die-with-parent --new-session --clearenv --cap-drop ALL ' +
  `--uid ${NOBODY.uid} --gid ${NOBODY.gid} --hostname jail`
).split(' ');

// Neither /proc nor /dev nor /tmp: no child needs one, and nothing at all is writable.
const FILE_SYSTEM = ['--remount-ro', '/', '--chdir', '/'];

/** Where the child finds its code when bubblewrap shows it: it does not learn where it lies on this machine. */
const INSIDE = '/mugai';

/** How to start a child of the family behind these walls. */
export function jailCommand(family: Family, walls: Walls): JailCommand {
  const { bubblewrap } = walls;
  const root = bubblewrap === undefined ? CODE_ROOT : INSIDE;
  const readable = [...READABLE, ...(family.readable ?? [])].filter((path) => existsSync(join(CODE_ROOT, path)));
  const node = nodeArguments(
    family,
    walls.permission,
    readable.map((path) => join(root, path)),
  );
  // Node wants leave to write a cache before it reads one: only where the mount denies it may Node allow it.
  const cached = bubblewrap !== undefined && walls.uncached !== true && hasCodeCache();
  if (cached) node.push('--require', join(root, CODE_CACHE_READER));
  if (cached && walls.permission) node.push(`--allow-fs-write=${join(root, CODE_CACHE)}`);
  const entry = join(root, relative(CODE_ROOT, family.entry));
  const { command, args } = outerWalls(family, walls, [...node, entry], readable);
  return { command, args, filter: filterOf(family, walls), user: walls.user };
}

/** A family that starts programs gets the wider list of system calls; nobody gets one where nobody else has one. */
function filterOf(family: Family, walls: Walls): Buffer | undefined {
  if (walls.bubblewrap === undefined || walls.filter === undefined) return undefined;
  return family.programs === undefined ? walls.filter : systemCallFilter(process.arch, 'programs');
}

function nodeArguments(family: Family, permission: boolean, readable: readonly string[]): string[] {
  const args = ['--no-warnings', '--disable-proto=delete', `--max-old-space-size=${family.heapMiB}`];
  const flags = family.nodeFlags ?? [];
  args.push(...flags.filter((flag) => !flag.startsWith('--allow-')));
  if (!permission) return args;
  args.push(...flags.filter((flag) => flag.startsWith('--allow-')));
  args.push('--permission', ...readable.map((path) => `--allow-fs-read=${path}`));
  if (family.native) args.push('--allow-addons');
  return args;
}

/** Node with these arguments inside bubblewrap and prlimit, as far as there are such. */
function outerWalls(
  family: Family,
  walls: Walls,
  node: readonly string[],
  readable: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  const { bubblewrap, prlimit } = walls;
  const nodePath = bubblewrap === undefined ? process.execPath : join(INSIDE, 'node');
  const prlimitPath = bubblewrap === undefined || prlimit === undefined ? prlimit : join(INSIDE, 'prlimit');
  const limited =
    prlimitPath === undefined
      ? [nodePath, ...node]
      : [prlimitPath, ...limitArguments(family, bubblewrap !== undefined), '--', nodePath, ...node];
  if (bubblewrap === undefined) return { command: limited[0] as string, args: limited.slice(1) };
  const shown = readable.map((path) => [join(CODE_ROOT, path), join(INSIDE, path)] as const);
  const programs = [[process.execPath, join(INSIDE, 'node')] as const];
  if (prlimit !== undefined) programs.push([prlimit, join(INSIDE, 'prlimit')]);
  const libraries = family.programs === undefined ? bubblewrap.libraries.map((path) => [path, path] as const) : [];
  const binds = [...libraries, ...programs, ...shown].flatMap(([from, to]) => ['--ro-bind', from, to]);
  const filter = walls.filter === undefined ? [] : ['--seccomp', '3'];
  const args = [...NAMESPACES, ...systemOf(family), ...binds, ...FILE_SYSTEM, ...filter];
  return { command: bubblewrap.path, args: [...args, '--', ...limited] };
}

/** What a family that starts programs sees of the system: read-only but for a /tmp of fixed size, which is memory. */
function systemOf({ programs }: Family): string[] {
  if (programs === undefined) return [];
  const links = ['lib', 'lib64', 'bin', 'sbin'].flatMap((name) => ['--symlink', `usr/${name}`, `/${name}`]);
  const shown = programs.shown.flatMap((path) => ['--ro-bind-try', path, path]);
  const devices = ['null', 'urandom'].flatMap((name) => ['--dev-bind', `/dev/${name}`, `/dev/${name}`]);
  // LibreOffice looks for this one file to see that there is a /proc; there is none.
  const version = ['--ro-bind-try', '/proc/version', '/proc/version'];
  return [...shown, ...links, ...version, ...devices, '--size', String(programs.scratchBytes), '--tmpfs', '/tmp'];
}

/** Arguments of prlimit(1): soft and hard alike but for CPU, whose soft limit says SIGXCPU before the hard one kills. */
function limitArguments(family: Family, ownUser: boolean): string[] {
  const limits = [
    `--cpu=${family.cpuSeconds}:${family.cpuSeconds + 5}`,
    '--core=0',
    `--nofile=${family.files ?? LIMITS.childFiles}`,
    `--fsize=${family.programs?.scratchBytes ?? 0}`,
    `--data=${dataLimit(family)}`,
  ];
  // Processes are counted by user: only in a user namespace of its own is the child the only one who is counted.
  if (ownUser) limits.push(`--nproc=${family.threads ?? LIMITS.childThreads}`);
  return limits;
}
