// The inmate: a child that parses nothing and tries to get out. `mugai selfcheck` and the tests run it behind the walls of
// any family and read what it reached.
//
// The input is a list of lines: path of a planted file, UDP port and TCP port of canaries on loopback, path of a canary
// socket, pid of the host. For each way out it sends `finding <way> <what it got>` where it got out, `loss <way> <error>`
// where it was held.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type NetConnectOpts } from 'node:net';
import { env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { serve, whole, type Out } from './run.ts';

/** The one place that Node may let a child write, since the mount does not. */
const CODE_CACHE = fileURLToPath(new URL('../node_modules/.cache/mugai-children', import.meta.url));
/** Milliseconds a try may take: what hangs is held. */
const PATIENCE_MS = 3000;

serve(`inmate ${process.version}`, async (job, out) => {
  const [secret = '', udp = '', tcp = '', socket = '', host = ''] = (await whole(job)).toString('utf8').split('\n');
  await attempt(out, 'read-secret', () => readFileSync(secret, 'utf8'));
  await attempt(out, 'read-system', () => readFileSync('/etc/passwd', 'utf8').slice(0, 80));
  await attempt(out, 'list-files', () => readdirSync('/etc').join(' ').slice(0, 80));
  await attempt(out, 'write-file', () => writeAnywhere());
  await attempt(out, 'connect-tcp', async () => reach({ host: '127.0.0.1', port: Number(tcp) }));
  await attempt(out, 'connect-unix', async () => reach({ path: socket }));
  await attempt(out, 'send-udp', async () => send(Number(udp)));
  await attempt(out, 'see-processes', () => processes());
  await attempt(out, 'signal-host', () => String(process.kill(Number(host), 0)));
  await attempt(out, 'start-process', async () => start());
  await attempt(out, 'read-environment', () => {
    const names = Object.keys(env);
    if (names.some((name) => name !== 'PWD')) return names.join(' ');
    throw new Error('empty'); // bubblewrap sets PWD, to /
  });
});

async function attempt(out: Out, way: string, act: () => string | Promise<string>): Promise<void> {
  const timer = Promise.withResolvers<never>();
  const patience = setTimeout(() => timer.reject(new Error('no answer')), PATIENCE_MS);
  try {
    out.finding(way, await Promise.race([act(), timer.promise]));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    out.loss(way, code || (error instanceof Error ? error.message : String(error)));
  } finally {
    clearTimeout(patience);
  }
}

/** The first folder that takes a file. */
function writeAnywhere(): string {
  let last: unknown;
  for (const folder of ['/tmp', '/var/tmp', '/dev/shm', '/', import.meta.dirname, CODE_CACHE]) {
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${folder}/mugai-inmate`, 'was here');
      rmSync(`${folder}/mugai-inmate`);
      return folder;
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

async function reach(where: NetConnectOpts): Promise<string> {
  const socket = connect(where);
  await once(socket, 'connect');
  socket.destroy();
  return 'connected';
}

async function send(port: number): Promise<string> {
  const socket = createSocket('udp4');
  try {
    return await new Promise<string>((resolve, reject) => {
      socket.once('error', reject);
      socket.send('was here', port, '127.0.0.1', (error) => (error === null ? resolve('sent') : reject(error)));
    });
  } finally {
    socket.close();
  }
}

/** Processes beside its own and those that hold it: what /proc tells. */
function processes(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .join(' ')
    .slice(0, 80);
}

async function start(): Promise<string> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return `exit ${code}`;
}
