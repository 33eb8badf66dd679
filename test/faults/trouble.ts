// Preloaded into a gateway: trouble of its machine, switched on and off from outside while it runs. FAULT_ROOT: the data
// folder. FAULT_CONTROL: a file with a `Trouble` in JSON, read some twenty times a second.
import dns from 'node:dns';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Trouble } from './control.ts';

const root = process.env['FAULT_ROOT'] ?? '';
const control = process.env['FAULT_CONTROL'] ?? '';
const real = { ...fs };
let trouble: Trouble = {};

function readControl(): void {
  try {
    trouble = JSON.parse(real.readFileSync(control, 'utf8')) as Trouble;
  } catch {
    // being written at this moment: the next look sees it
  }
}

/** The error of a store's disk, if it has one now. */
function diskError(path: unknown, call: string): NodeJS.ErrnoException | undefined {
  if (typeof path !== 'string' || !path.startsWith(`${root}/`)) return undefined;
  const store = path.slice(root.length + 1).split('/')[0] ?? '';
  const code = trouble.disk?.[store];
  if (code === undefined) return undefined;
  return Object.assign(new Error(`${code}: as told, ${call} '${path}'`), { code, syscall: call, path });
}

const pathOf = (fd: unknown): string => {
  try {
    return real.readlinkSync(`/proc/self/fd/${String(fd)}`);
  } catch {
    return '';
  }
};

type Call = (...args: never[]) => unknown;
type Calls = Record<string, Call>;
const patched = fs as unknown as Calls;

/** Wraps a call that throws, whose first argument is a path or a descriptor. */
function onThrow(name: string): void {
  const call = (real as unknown as Calls)[name] as Call;
  patched[name] = (...args: unknown[]) => {
    const error = diskError(typeof args[0] === 'number' ? pathOf(args[0]) : args[0], name);
    if (error !== undefined) throw error;
    return call(...(args as never[]));
  };
}

/** Wraps a call that takes a callback, whose first argument is a descriptor. */
function onCallback(name: string): void {
  const call = (real as unknown as Calls)[name] as Call;
  patched[name] = (...args: unknown[]) => {
    const error = diskError(pathOf(args[0]), name);
    const done = args.at(-1) as (error: Error) => void;
    if (error !== undefined) return setImmediate(done, error);
    return call(...(args as never[]));
  };
}

function disk(): void {
  for (const name of ['writeSync', 'writeFileSync', 'linkSync', 'renameSync', 'mkdirSync', 'fsyncSync']) onThrow(name);
  for (const name of ['write', 'fsync', 'fdatasync']) onCallback(name);
  fs.openSync = (path, flags, mode) => {
    const error = flags === 'r' ? undefined : diskError(path, 'open');
    // A disk that is full can be read.
    if (error !== undefined && !(error.code === 'ENOSPC' && onlyReads(flags))) throw error;
    const isRead = flags === 'r' || onlyReads(flags);
    if (isRead && typeof path === 'string' && path.endsWith('.raw') && isPoison(path)) {
      process.kill(process.pid, 'SIGKILL');
      for (;;); // the signal is on its way
    }
    return real.openSync(path, flags, mode);
  };
}

/** What SQLite says when its disk does (https://www.sqlite.org/rescode.html): SQLITE_FULL, SQLITE_IOERR_WRITE. */
const SQLITE: Readonly<Record<string, readonly [errcode: number, errstr: string]>> = {
  ENOSPC: [13, 'database or disk is full'],
  EIO: [778, 'disk I/O error'],
};

/** The databases of the portal lie on a disk, too, but their calls go past Node's: whatever would write fails as SQLite says it. */
function databases(): void {
  const demand = (sql: string): void => {
    const [errcode, errstr] = SQLITE[trouble.disk?.['portal'] ?? ''] ?? [];
    if (errcode === undefined || !/^\s*(?:INSERT|UPDATE|DELETE|REPLACE|COMMIT|CREATE)/i.test(sql)) return;
    throw Object.assign(new Error(errstr), { code: 'ERR_SQLITE_ERROR', errcode, errstr });
  };
  const connections = DatabaseSync.prototype as unknown as Calls;
  const exec = connections['exec'] as Call;
  connections['exec'] = function (this: DatabaseSync, sql: string) {
    demand(sql);
    return exec.call(this, sql as never);
  };
  const statements = StatementSync.prototype as unknown as Calls;
  for (const name of ['run', 'get', 'all']) {
    const call = statements[name] as Call;
    statements[name] = function (this: StatementSync, ...args: unknown[]) {
      demand(this.sourceSQL);
      return call.apply(this, args as never[]);
    };
  }
}

function onlyReads(flags: fs.OpenMode | undefined): boolean {
  const { O_WRONLY, O_RDWR, O_CREAT } = fs.constants;
  return typeof flags === 'number' && (flags & (O_WRONLY | O_RDWR | O_CREAT)) === 0;
}

/** A mail of this size takes the process along that opens it. */
function isPoison(path: string): boolean {
  const [least, most] = trouble.poisonBytes ?? [0, 0];
  const { size } = real.statSync(path);
  return most > 0 && size >= least && size <= most;
}

/** The wall clock leaps; timers and `performance.now()` do not, as in a real machine. */
function clock(): void {
  const RealDate = Date;
  const now = (): number => RealDate.now() + (trouble.clockMs ?? 0);
  const Leaping = function (this: unknown, ...args: unknown[]) {
    if (new.target === undefined) return new RealDate(now()).toString();
    return args.length === 0 ? new RealDate(now()) : new RealDate(...(args as [number]));
  };
  Object.setPrototypeOf(Leaping, RealDate);
  globalThis.Date = Object.assign(Leaping, { now, prototype: RealDate.prototype }) as unknown as DateConstructor;
}

/** No name is found while told so. */
function names(): void {
  const patchedDns = dns as unknown as Calls;
  for (const name of ['lookup', 'resolve', 'resolve4', 'resolve6', 'resolveMx']) {
    const call = patchedDns[name] as Call;
    patchedDns[name] = (...args: unknown[]) => {
      if (trouble.noNames !== true) return call(...(args as never[]));
      const error = Object.assign(new Error(`getaddrinfo EAI_AGAIN ${String(args[0])}`), { code: 'EAI_AGAIN' });
      return setImmediate(args.at(-1) as (error: Error) => void, error);
    };
  }
}

function memory(): void {
  const available = os.freemem.bind(os);
  os.freemem = () => trouble.availableMemory ?? available();
}

if (root !== '' && control !== '') {
  readControl();
  setInterval(readControl, 50).unref();
  disk();
  databases();
  clock();
  names();
  memory();
  syncBuiltinESMExports();
}
