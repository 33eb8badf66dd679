// A gateway as its operator runs it: a process of its own, stopped by signals.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/mugai.js', import.meta.url));

export interface RunningGateway {
  readonly process: ChildProcess;
  readonly smtpPort: number;
  readonly uploadPort: number;
  readonly opsPort: number;
  /** Log lines so far. */
  readonly lines: string[];
  /** Sends a signal and waits for the end; resolves to the exit code, or the signal's name. */
  end(signal: NodeJS.Signals): Promise<number | string>;
  /** Resolves when it ended, however it did. */
  readonly exited: Promise<unknown>;
}

/** Environment of a gateway on ephemeral ports with its data in `dataDir`. */
export function gatewayEnv(dataDir: string, more: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    MUGAI_DATA_DIR: dataDir,
    MUGAI_SMTP_LISTEN: '127.0.0.1:0',
    MUGAI_UPLOAD_LISTEN: '127.0.0.1:0',
    MUGAI_PORTAL_LISTEN: '127.0.0.1:0',
    MUGAI_OPS_LISTEN: '127.0.0.1:0',
    ...more,
  };
}

/**
 * Starts `mugai serve` and waits until it is ready; throws with its output when it ends instead. `before`: words before
 * the command that put it somewhere and become it (a namespace). `mugai`: another Node and another program than ours.
 */
export async function startGatewayProcess(
  env: Record<string, string>,
  role = 'all',
  before: readonly string[] = [],
  mugai: readonly [node: string, main: string] = [process.execPath, MAIN],
): Promise<RunningGateway> {
  const [program, ...args] = [...before, ...mugai, 'serve', '--role', role];
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const ready = Promise.withResolvers<{ smtp?: number; upload?: number; ops: number }>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    const entry = JSON.parse(line) as { msg?: string; smtp?: number; upload?: number; ops: number };
    if (entry.msg === 'ready') ready.resolve(entry);
  });
  void exited.then(() => ready.reject(new Error(`gateway ended before it was ready: ${errors}${lines.at(-1) ?? ''}`)));
  const ports = await ready.promise;
  return {
    process: child,
    smtpPort: ports.smtp ?? 0,
    uploadPort: ports.upload ?? 0,
    opsPort: ports.ops,
    lines,
    exited,
    end: async (signal) => {
      child.kill(signal);
      const [code, by] = await exited;
      return by ?? code ?? -1;
    },
  };
}

/** Runs `mugai` with these arguments to its end. */
export async function runMugai(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}
