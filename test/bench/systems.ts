// The systems that the end-to-end bench sets beside each other, each relaying to the same sink: ours in one process, ours with
// Redis and roles apart, Postfix alone, Postfix with amavisd-new, Haraka.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { startRedis } from '../support/redis.ts';
import { freePort, startPostfix, type Filter } from './postfix.ts';
import { serve } from './serve.ts';

const run = promisify(execFile);

export interface System {
  readonly port: number;
  /** Processes whose CPU, with all that they started, is the system's; none where they cannot be told. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** Starts a system with its files in `folder`; undefined when it is not installed. */
export type Start = (folder: string, sinkPort: number) => Promise<System | undefined>;

async function embedded(folder: string, sinkPort: number): Promise<System> {
  const served = await serve(folder, 'all', { MUGAI_INNER_SMTP_URL: `smtp://127.0.0.1:${sinkPort}` });
  return { port: served.smtpPort, pids: [served.process.pid ?? 0], stop: async () => served.stop() };
}

/** Doors, `workers` workers and the inner side in processes of their own, with Redis between the first two. */
export async function apart(
  folder: string,
  sinkPort: number,
  workers = 1,
  more: Record<string, string> = {},
): Promise<System> {
  const redis = await startRedis();
  const env = { MUGAI_QUEUE_URL: redis.url, ...more };
  const middle = join(folder, 'middle');
  const first = await serve(middle, 'worker', env); // makes the keys
  const others = await Promise.all(Array.from({ length: workers - 1 }, async () => serve(middle, 'worker', env)));
  const door = await serve(middle, 'ingress', env);
  const inside = join(folder, 'inside');
  await mkdir(join(inside, 'keys'), { recursive: true });
  for (const key of ['verify-key.pem', 'sealing-key.pem'])
    await cp(join(middle, 'keys', key), join(inside, 'keys', key));
  await symlink(join(middle, 'outbox'), join(inside, 'outbox'));
  const inner = await serve(inside, 'inner', { MUGAI_INNER_SMTP_URL: `smtp://127.0.0.1:${sinkPort}` });
  const all = [door, first, ...others, inner];
  return {
    port: door.smtpPort,
    pids: all.map(({ process: { pid } }) => pid ?? 0),
    stop: async () => {
      for (const one of all) await one.stop();
      await redis[Symbol.asyncDispose]();
    },
  };
}

async function postfix(folder: string, sinkPort: number): Promise<System | undefined> {
  const started = await startPostfix(folder, sinkPort);
  return started === undefined ? undefined : { port: started.port, pids: [], stop: async () => started.stop() };
}

async function postfixAmavis(folder: string, sinkPort: number): Promise<System | undefined> {
  if (!existsSync('/usr/sbin/amavisd')) return undefined;
  const filter = { port: await freePort(), backPort: await freePort(), servers: 4 };
  const home = join(folder, 'amavis');
  await mkdir(join(home, 'tmp'), { recursive: true });
  await chmod(folder, 0o755);
  await run('chown', ['-R', 'amavis:amavis', home]);
  const config = join(folder, 'amavisd.conf');
  await writeFile(config, amavisConf(home, filter));
  const amavis = spawn('/usr/sbin/amavisd', ['-c', config, 'foreground'], { stdio: 'ignore' });
  await listens(filter.port, amavis);
  const started = await startPostfix(join(folder, 'postfix'), sinkPort, filter);
  if (started === undefined) return undefined;
  return {
    port: started.port,
    pids: [],
    stop: async () => {
      await started.stop();
      await end(amavis);
    },
  };
}

/** amavisd-new that takes mail apart and looks at its parts, without virus or spam engines. */
function amavisConf(home: string, { port, backPort, servers }: Filter): string {
  return `use strict;
$MYHOME = '${home}'; $TEMPBASE = "$MYHOME/tmp"; $daemon_user = 'amavis'; $daemon_group = 'amavis';
$pid_file = "$MYHOME/pid"; $lock_file = "$MYHOME/lock"; $db_home = "$MYHOME"; $enable_db = 0; $enable_zmq = 0;
$mydomain = 'bench.example'; $myhostname = 'bench.example'; $max_servers = ${servers}; $log_level = 0; $do_syslog = 0; $LOGFILE = "$MYHOME/log";
$inet_socket_port = ${port}; $inet_socket_bind = '127.0.0.1'; @inet_acl = qw(127.0.0.1);
$forward_method = 'smtp:[127.0.0.1]:${backPort}'; $notify_method = $forward_method;
@bypass_virus_checks_maps = (1); @bypass_spam_checks_maps = (1); @local_domains_maps = (1);
$QUARANTINEDIR = undef; $virus_admin = undef; $final_banned_destiny = D_PASS; $final_bad_header_destiny = D_PASS;
1;
`;
}

/** Haraka with its queue on disk (every mail is synced before 250), relaying to the sink. MUGAI_BENCH_HARAKA: where npm put it. */
async function haraka(folder: string, sinkPort: number): Promise<System | undefined> {
  const program = join(process.env['MUGAI_BENCH_HARAKA'] ?? '/nowhere', 'node_modules/Haraka/bin/haraka');
  if (!existsSync(program)) return undefined;
  const port = await freePort();
  await mkdir(join(folder, 'config'), { recursive: true });
  await mkdir(join(folder, 'queue'));
  const files = {
    'smtp.ini': `listen=127.0.0.1:${port}\nnodes=0\n`,
    plugins: 'rcpt_to.in_host_list\nrelay\n',
    host_list: 'city.example.lg.jp\n',
    me: 'bench.example\n',
    'relay.ini': '[relay]\nacl=true\nforce_routing=true\ndest_domains=true\n',
    relay_acl_allow: '127.0.0.0/8\n',
    'relay_dest_domains.ini': `[domains]\nany={"action":"continue","nexthop":"127.0.0.1:${sinkPort}"}\ncity.example.lg.jp={"action":"continue","nexthop":"127.0.0.1:${sinkPort}"}\n`,
    'outbound.ini': 'concurrency_max=20\nlocal_mx_ok=true\nenable_tls=false\n',
    'log.ini': '[main]\nlevel=error\n',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, 'config', name), content);
  // It has no defaults for what stands in this file: without it every connection is closed before its greeting.
  await cp(join(program, '../../config/connection.ini'), join(folder, 'config/connection.ini'));
  const child = spawn(process.execPath, [program, '-c', folder], { stdio: 'ignore' });
  await listens(port, child);
  return { port, pids: [child.pid ?? 0], stop: async () => end(child) };
}

async function listens(port: number, child: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing listens on ${port}`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), 5000).unref();
  await ended;
}

export const SYSTEMS: Readonly<Record<string, Start>> = {
  mugai: embedded,
  'mugai+redis': apart,
  postfix,
  'postfix+amavis': postfixAmavis,
  haraka,
};
