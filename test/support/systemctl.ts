// Enough of systemctl for a machine without systemd: `start`, `stop` and `list-units` of our own units, as the files in docs/ops/systemd
// say they run. TOWN_STATE: folder of pids and logs. MUGAI_HOME, MUGAI_DATA, MUGAI_SETTINGS stand for the places that the files name.
import { spawn } from 'node:child_process';
import { openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const UNITS = new URL('../../docs/ops/systemd/', import.meta.url);
const place = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};
const state = place('TOWN_STATE');
const PLACES = { '/opt/mugai': 'MUGAI_HOME', '/var/lib/mugai': 'MUGAI_DATA', '/etc/mugai': 'MUGAI_SETTINGS' } as const;

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A child of nobody who waits for it is dead, too.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const pidFile = (unit: string): string => join(state, `${unit}.pid`);

function active(): string[] {
  return readdirSync(state)
    .filter((name) => name.endsWith('.pid') && alive(Number(readFileSync(join(state, name), 'utf8'))))
    .map((name) => name.slice(0, -'.pid'.length));
}

function start(unit: string): void {
  if (active().includes(unit)) return;
  const [, role = '', name = ''] = /^(mugai-[a-z]+)@(.+)\.service$/.exec(unit) ?? [];
  let text = readFileSync(new URL(`${role}@.service`, UNITS), 'utf8').replaceAll('%i', name);
  for (const [path, variable] of Object.entries(PLACES)) text = text.replaceAll(path, place(variable));
  const values = (key: string): string[] =>
    [...text.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, one = '']) => one);
  const words = values('Environment').flatMap((line) => line.split(' '));
  for (const file of values('EnvironmentFile')) words.push(...readFileSync(file, 'utf8').trim().split('\n'));
  const env = Object.fromEntries(words.map((word) => word.split(/=(.*)/s).slice(0, 2)));
  const [program = '', ...args] = (values('ExecStart')[0] ?? '').split(' ');
  const log = openSync(join(state, `${unit}.log`), 'a');
  const child = spawn(program, args, {
    cwd: values('WorkingDirectory')[0],
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', ...env },
    detached: true,
    stdio: ['ignore', log, log],
  });
  writeFileSync(pidFile(unit), String(child.pid));
  child.unref();
}

async function stop(unit: string): Promise<void> {
  if (!active().includes(unit)) return;
  const pid = Number(readFileSync(pidFile(unit), 'utf8'));
  process.kill(pid, 'SIGTERM');
  for (const end = Date.now() + 30_000; alive(pid);) {
    if (Date.now() > end) process.kill(pid, 'SIGKILL'); // TimeoutStopSec
    await sleep(50);
  }
  rmSync(pidFile(unit));
}

const [act, ...units] = process.argv.slice(2);
if (act === 'list-units') for (const unit of active()) process.stdout.write(`${unit} loaded active running Mugai\n`);
else if (act === 'start') units.forEach(start);
else if (act === 'stop') await Promise.all(units.map(stop));
else throw new Error(`systemctl ${act}: not here`);
