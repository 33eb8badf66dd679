// A gateway as the benches run it: a process of its own, or one of its roles.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort } from './postfix.ts';

const MAIN = fileURLToPath(new URL('../../src/mugai.js', import.meta.url));

export interface Served {
  readonly process: ChildProcess;
  readonly smtpPort: number;
  readonly opsPort: number;
  stop(): Promise<void>;
}

/** Starts a role and waits until it is ready. `flags`: Node's, before the program. */
export async function serve(
  dataDir: string,
  role: string,
  more: Record<string, string>,
  flags: readonly string[] = [],
): Promise<Served> {
  const [smtpPort, uploadPort, opsPort] = [await freePort(), await freePort(), await freePort()];
  const env = {
    PATH: process.env['PATH'] ?? '',
    MUGAI_DATA_DIR: dataDir,
    MUGAI_SMTP_LISTEN: `127.0.0.1:${smtpPort}`,
    MUGAI_UPLOAD_LISTEN: `127.0.0.1:${uploadPort}`,
    MUGAI_PORTAL_LISTEN: '127.0.0.1:0',
    MUGAI_OPS_LISTEN: `127.0.0.1:${opsPort}`,
    MUGAI_LOG_LEVEL: 'warn',
    ...more,
  };
  const child = spawn(process.execPath, [...flags, MAIN, 'serve', '--role', role], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  for (let tries = 0; ; tries++) {
    const ready = await fetch(`http://127.0.0.1:${opsPort}/readyz`).catch(() => undefined);
    if (ready?.ok === true) break;
    if (tries > 900 || child.exitCode !== null) throw new Error(`gateway (${role}) did not become ready`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    process: child,
    smtpPort,
    opsPort,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
