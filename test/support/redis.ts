// A real redis-server of our own for a test: free port, loopback, nothing kept on disk, ended by its pid.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './ports.ts';

const run = promisify(execFile);

export interface TestRedis extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Ends the server at once, as a power cut would; everything in it is lost. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
  /** Stops it from answering, or lets it go on: SIGSTOP, SIGCONT. */
  pause(paused: boolean): void;
  /** Gives it a command, `redis-cli`; resolves to its answer. */
  tell(...command: readonly string[]): Promise<string>;
}

/**
 * Starts a server. `more`: further options, by its port; `first`: what stands before all options (a configuration file).
 * Throws one line when Debian's `redis-server` is not installed. */
export async function startRedis(
  options: {
    readonly password?: string;
    readonly more?: (port: number) => readonly string[];
    readonly first?: string;
  } = {},
): Promise<TestRedis> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'mugai-redis-'));
  const wanted = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  if (options.password !== undefined) wanted.push('--requirepass', options.password);
  wanted.push(...(options.more?.(port) ?? []));
  if (options.first !== undefined) wanted.unshift(options.first);
  let server: ChildProcess | undefined;
  const start = async () => {
    server = spawn('redis-server', wanted, { stdio: 'ignore' });
    const failed = once(server, 'error').then(([error]) => {
      throw new Error('this test needs redis-server: apt-get install redis-server', { cause: error });
    });
    const ended = once(server, 'exit').then(([code]) => {
      throw new Error(`redis-server ended with ${String(code)} before it answered on port ${String(port)}`);
    });
    ended.catch(() => undefined); // the server that answered is ended later
    await Promise.race([failed, ended, answers(port)]);
  };
  const kill = async () => {
    if (server?.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  };
  await start();
  return {
    port,
    url: `redis://127.0.0.1:${String(port)}`,
    kill,
    start,
    pause: (paused) => void server?.kill(paused ? 'SIGSTOP' : 'SIGCONT'),
    tell: async (...command) => {
      const auth = options.password === undefined ? [] : ['-a', options.password, '--no-auth-warning'];
      return (await run('redis-cli', ['-p', String(port), ...auth, ...command])).stdout.trim();
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<void> {
  for (let tries = 0; tries < 2400; tries++) {
    if (await accepts(port)) return;
    await sleep(25);
  }
  throw new Error(`redis-server does not answer on port ${String(port)}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
