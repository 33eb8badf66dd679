// A real clamd, Debian's, with one signature of our own: the words `MUGAI-TEST-MALWARE`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { until } from './scratch.ts';

export const TEST_MALWARE = 'MUGAI-TEST-MALWARE';

/** Starts it under `folder`; resolves to the path of its socket. */
export async function startClamd(folder: string): Promise<{ readonly socket: string } & AsyncDisposable> {
  const signatures = join(folder, 'signatures');
  await mkdir(signatures, { recursive: true });
  await writeFile(join(signatures, 'mugai.ndb'), `Mugai.Test:0:*:${Buffer.from(TEST_MALWARE).toString('hex')}\n`);
  const socket = join(folder, 'clamd.sock');
  const config = join(folder, 'clamd.conf');
  await writeFile(
    config,
    `LocalSocket ${socket}\nDatabaseDirectory ${signatures}\nTemporaryDirectory ${folder}\nForeground yes\nLogFile ${folder}/clamd.log\n`,
  );
  const child = spawn('/usr/sbin/clamd', ['--foreground', '--config-file', config], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await until(async () => child.exitCode !== null || (await accepts(socket)), 120_000, 'clamd listens');
  return {
    socket,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Whether somebody listens: the name of a socket is there a moment before that. */
async function accepts(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
