// What this machine can hold a child with: tried once at start, by starting a child behind every wall there is.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { forLog } from '../message/untrusted.ts';
import { CODE_ROOT, FAMILIES, groupLimit } from './families.ts';
import { NOBODY, jailCommand, type Walls } from './jail.ts';
import { missingWall } from './kernel-view.ts';
import { interpreterOf, librariesOf } from './libraries.ts';
import { MemoryGroup, findMemoryGroups, type MemoryGroups } from './memory-group.ts';
import { systemCallFilter } from './seccomp.ts';

/** One thing that holds a child; `detail` says how, or why not. */
export interface Control {
  readonly name: 'node-permission' | 'namespaces' | 'system-calls' | 'limits' | 'own-user' | 'memory';
  readonly holds: boolean;
  readonly detail: string;
}

/** The walls of this machine. `full`: every control holds; `partial`: namespaces do; `bare`: no namespaces. */
export interface Jail {
  readonly level: 'full' | 'partial' | 'bare';
  readonly controls: readonly Control[];
  readonly walls: Walls;
}

/** What the operator asks for: `require` the full jail, or run with the `best` there is. */
export type JailDemand = 'require' | 'best';

let known: Promise<Jail> | undefined;

/** The jail of this machine, probed once in the life of a process. From then on a child that does not start in it is an error. */
export async function machineJail(): Promise<Jail> {
  return (known ??= probeJail());
}

/** Throws `no-jail` when the full jail is demanded and this machine does not have it. */
export function demandJail(demand: JailDemand, jail: Jail): void {
  if (demand === 'require' && jail.level !== 'full')
    throw new MugaiError('no-jail', `MUGAI_JAIL=require, but the jail here is ${tellJail(jail)}`, {
      permanent: true,
    });
}

/** What does not hold, in one line; '' when everything does. */
export function missing(jail: Jail): string {
  return jail.controls
    .filter((control) => !control.holds)
    .map((control) => `${control.name} (${control.detail})`)
    .join(', ');
}

/** The jail in one line, for whoever looks after the gateway: `full`, or the level and what does not hold. */
export function tellJail(jail: Jail): string {
  return jail.level === 'full' ? 'full' : `${jail.level}, without ${missing(jail)}`;
}

/** Where the system keeps its programs; the search path of whoever starts us decides nothing. */
const PROGRAMS = ['/usr/bin', '/bin', '/usr/local/bin'];

/** Tries the walls on this machine, with the programs found in `places`. Takes some 150 ms where all of them stand. */
export async function probeJail(places: readonly string[] = PROGRAMS): Promise<Jail> {
  const bare: Walls = {
    permission: true,
    prlimit: undefined,
    bubblewrap: undefined,
    filter: undefined,
    memory: undefined,
    user: undefined,
  };
  const found = await findWalls(places);
  const faults = new Map<Control['name'], string>(found.faults);
  let { walls, noGroup } = found;
  if ((await fault(walls)) !== undefined) {
    // Something does not stand: build up wall by wall, and note each that falls.
    const { walls: all } = found;
    walls = bare;
    const permission = await fault(walls);
    if (permission !== undefined)
      throw new MugaiError('no-jail', `no child can be jailed here: ${permission}`, { permanent: true });
    const add = async (name: Control['name'], more: Partial<Walls>): Promise<void> => {
      if (faults.has(name)) return;
      const why = await fault({ ...walls, ...more });
      if (why === undefined) walls = { ...walls, ...more };
      else faults.set(name, why);
    };
    await add('own-user', { user: all.user });
    await add('limits', { prlimit: all.prlimit });
    await add('namespaces', { bubblewrap: all.bubblewrap });
    if (walls.bubblewrap === undefined) faults.set('system-calls', 'needs namespaces');
    else await add('system-calls', { filter: all.filter });
    const ungrouped = all.memory === undefined ? undefined : await fault({ ...walls, memory: all.memory });
    if (ungrouped === undefined) walls = { ...walls, memory: all.memory };
    else noGroup = ungrouped;
  }
  return judge(walls, faults, noGroup);
}

function judge(walls: Walls, faults: ReadonlyMap<Control['name'], string>, noGroup: string): Jail {
  const control = (name: Control['name'], how: string): Control => ({
    name,
    holds: !faults.has(name),
    detail: faults.get(name) ?? how,
  });
  const controls = [
    control('node-permission', 'no network, files, processes or threads'),
    control('namespaces', `${walls.bubblewrap?.path}: own user, processes, network, read-only files`),
    control('system-calls', `allow-list, ${(walls.filter?.length ?? 0) / 8} instructions`),
    control('limits', `${walls.prlimit}: CPU, memory, files, ${walls.bubblewrap === undefined ? '' : 'threads, '}core`),
    control('own-user', walls.user === undefined ? 'not root' : `user ${walls.user.uid}`),
    control('memory', `${memoryGroup(walls, noGroup)}; resident memory of all processes of a child, from /proc`),
  ];
  const full = controls.every((one) => one.holds);
  return { level: full ? 'full' : walls.bubblewrap === undefined ? 'bare' : 'partial', controls, walls };
}

function memoryGroup({ memory }: Walls, noGroup: string): string {
  return memory === undefined ? `no memory group: ${noGroup}` : `a memory group (cgroup v${memory.version}) each`;
}

interface Found {
  readonly walls: Walls;
  /** Why the kernel does not bound a child's memory as a whole; empty where it does. The host looks at it in either case. */
  readonly noGroup: string;
  readonly faults: ReadonlyMap<Control['name'], string>;
}

/** What is installed, before it is tried. */
async function findWalls(places: readonly string[]): Promise<Found> {
  const faults = new Map<Control['name'], string>();
  let prlimit = programOf('prlimit', places);
  if (prlimit === undefined) faults.set('limits', 'prlimit is not installed');
  else {
    const why = await faultOfProgram(prlimit);
    if (why !== undefined) {
      faults.set('limits', why);
      prlimit = undefined;
    }
  }
  const path = programOf('bwrap', places);
  if (path === undefined) faults.set('namespaces', 'bubblewrap is not installed');
  const libraries = path === undefined ? [] : await insideLibraries(prlimit);
  const filter = path === undefined ? undefined : systemCallFilter();
  if (filter === undefined)
    faults.set('system-calls', path === undefined ? 'needs namespaces' : `no list for ${process.arch}`);
  // Where the kernel does not tell a process's children, memory could be watched of the outermost process only.
  if (!existsSync(`/proc/self/task/${process.pid}/children`)) faults.set('memory', 'the kernel tells no children');
  const user = process.getuid?.() === 0 ? NOBODY : undefined;
  const bubblewrap = path === undefined ? undefined : { path, libraries };
  let [memory, noGroup]: [MemoryGroups | undefined, string] = [undefined, ''];
  try {
    memory = findMemoryGroups();
  } catch (error) {
    noGroup = forLog(reasonOf(error));
  }
  return { walls: { permission: true, prlimit, bubblewrap, filter, memory, user }, noGroup, faults };
}

/** Why a program cannot be shown inside a jail, whose files are counted one by one: it is a script, or of another machine. */
async function faultOfProgram(path: string): Promise<string | undefined> {
  try {
    await librariesOf(path, interpreterOf(process.execPath));
    return undefined;
  } catch (error) {
    return `${path} is no program of this machine: ${forLog(reasonOf(error).split('\n').at(-1) ?? '')}`;
  }
}

/** Libraries of the system that Node, its addons and prlimit need. */
async function insideLibraries(prlimit: string | undefined): Promise<string[]> {
  const linker = interpreterOf(process.execPath);
  const programs = [process.execPath, ...(prlimit === undefined ? [] : [prlimit]), ...addons()];
  const lists = await Promise.all(programs.map(async (program) => librariesOf(program, linker)));
  return [...new Set(lists.flat())].filter((library) => !library.startsWith(CODE_ROOT)).toSorted();
}

/** The native addons that children load: sharp's, for this machine. */
function addons(): string[] {
  const folder = join(CODE_ROOT, 'node_modules', '@img');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.node'))
    .map((name) => join(folder, name));
}

function programOf(name: string, places: readonly string[]): string | undefined {
  return places.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not for us: the next place is looked at
  }
}

/** Ends with 0 where Node's permission model denies what it must. Says that it runs, and waits until it was looked at. */
const TRIAL = `const p = process.permission;
process.exitCode = p && !['fs.write', 'net', 'child', 'worker', 'addon'].some((scope) => p.has(scope)) && !p.has('fs.read', '/') ? 0 : 3;
process.stdout.write('.');
process.stdin.resume();`;
/** Why a child does not start behind these walls; undefined when it does. */
async function fault(walls: Walls): Promise<string | undefined> {
  const { command, args, filter, user } = jailCommand(FAMILIES.mail, walls);
  let group: MemoryGroup | undefined;
  let child: ChildProcess | undefined;
  try {
    if (walls.memory !== undefined) group = new MemoryGroup(walls.memory, groupLimit(FAMILIES.mail));
    const trial = (child = spawn(command, [...args.slice(0, -1), '-e', TRIAL], {
      stdio: ['pipe', 'pipe', 'pipe', filter === undefined ? 'ignore' : 'pipe'],
      env: {},
      cwd: '/',
      timeout: 10_000,
      killSignal: 'SIGKILL',
      ...user,
    }));
    let said = '';
    trial.stderr?.on('data', (chunk: Buffer) => {
      if (said.length < 400) said += chunk.toString('latin1');
    });
    let unheld: string | undefined;
    trial.stdin?.on('error', () => undefined); // it ended before it was looked at: its exit says why
    trial.stdout?.once('data', () => {
      try {
        unheld = missingWall(trial.pid ?? 0, FAMILIES.mail, walls);
      } catch (error) {
        unheld = `it cannot be looked at: ${reasonOf(error)}`;
      }
      trial.stdin?.end();
    });
    const closed = once(trial, 'close');
    if (trial.pid !== undefined) await group?.take(trial.pid);
    const channel = trial.stdio[3] as Writable | null | undefined;
    channel?.on('error', () => undefined); // it ended before it read its filter: its exit says why
    channel?.end(filter);
    const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
    if (unheld !== undefined) return unheld;
    if (code === 0) return undefined;
    if (code === 3) return 'Node does not deny what it must';
    return forLog(said.trim().split('\n')[0] ?? '') || `ended with ${signal ?? code}`;
  } catch (error) {
    return reasonOf(error);
  } finally {
    child?.kill('SIGKILL'); // one that was not looked at to its end
    group?.remove();
  }
}
