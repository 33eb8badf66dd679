// The peer of the mail bench: a Postfix of its own in a folder of its own, and Postfix's load tools.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** `smtp-sink`: takes everything, counts it. */
export class Sink {
  readonly port: number;
  readonly #process: ChildProcess;
  #printed = '';

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#process = child;
    child.stdout?.on(
      'data',
      (chunk: Buffer) => (this.#printed = (this.#printed + chunk.toString('latin1')).slice(-400)),
    );
  }

  static async start(): Promise<Sink> {
    const port = await freePort();
    const child = spawn('smtp-sink', ['-u', 'nobody', '-c', `127.0.0.1:${port}`, '1000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const sink = new Sink(port, child);
    await new Promise((resolve) => setTimeout(resolve, 300));
    if (child.exitCode !== null) throw new Error('smtp-sink did not start');
    return sink;
  }

  /** Messages taken so far: the last of the counters `sess=… quit=… mesg=…` that it prints. */
  get messages(): number {
    return Number(
      this.#printed
        .match(/mesg=(\d+)/g)
        ?.at(-1)
        ?.slice(5) ?? 0,
    );
  }

  stop(): void {
    this.#process.kill('SIGTERM');
  }
}

/** Runs `smtp-source`: `count` mails of `bytes` over `connections` open connections. Resolves when all were accepted. */
export async function source(port: number, count: number, bytes: number, connections: number): Promise<void> {
  const args = [
    '-d',
    '-s',
    String(connections),
    '-m',
    String(count),
    '-l',
    String(bytes),
    '-f',
    'sender@example.com',
    '-t',
    'staff@city.example.lg.jp',
  ];
  await run('smtp-source', [...args, `127.0.0.1:${port}`], { timeout: 600_000 });
}

export interface Postfix {
  readonly port: number;
  readonly version: string;
  stop(): Promise<void>;
}

/** A content filter behind the queue: where it listens, and where it hands the mail back. */
export interface Filter {
  readonly port: number;
  readonly backPort: number;
  /** Mails that it takes at once: one more connection would wait, and one kept open without a mail keeps another out. */
  readonly servers: number;
}

/**
 * Starts a Postfix that accepts, queues and relays everything to `sinkPort`, with `filter` through it. Undefined when there
 * is no Postfix here.
 */
export async function startPostfix(folder: string, sinkPort: number, filter?: Filter): Promise<Postfix | undefined> {
  let version: string;
  try {
    version = (await run('postconf', ['-d', '-h', 'mail_version'])).stdout.trim();
  } catch {
    return undefined; // not installed: the bench names the peer as missing
  }
  const port = await freePort();
  const config = join(folder, 'etc');
  await mkdir(config, { recursive: true });
  await mkdir(join(folder, 'queue'));
  await mkdir(join(folder, 'data'));
  for (const path of [folder, config, join(folder, 'queue'), join(folder, 'data')]) await chmod(path, 0o755);
  await run('chown', ['postfix', join(folder, 'data')]);
  const settings = [
    'compatibility_level = 3.6',
    `queue_directory = ${join(folder, 'queue')}`,
    `data_directory = ${join(folder, 'data')}`,
    'inet_interfaces = 127.0.0.1',
    'inet_protocols = ipv4',
    'mydestination =',
    'myhostname = bench.example',
    'mynetworks = 127.0.0.0/8',
    `relayhost = [127.0.0.1]:${sinkPort}`,
    'message_size_limit = 67108864',
    'smtpd_recipient_restrictions = permit_mynetworks, reject',
    'smtp_host_lookup = native',
    `maillog_file = ${join(folder, 'log')}`,
    `maillog_file_prefixes = ${folder}`,
    `multi_instance_name = postfix-bench${filter === undefined ? '' : '-filter'}`,
    ...(filter === undefined ? [] : [`content_filter = filter:[127.0.0.1]:${filter.port}`]),
    '',
  ];
  await writeFile(join(config, 'main.cf'), settings.join('\n'));
  const master = await readFile('/etc/postfix/master.cf', 'utf8');
  const services = master
    .split('\n')
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .map((line) =>
      /^\S+\s+(inet|unix|fifo|unix-dgram)\s/.test(line)
        ? line.replace(/^(\S+\s+\S+\s+\S+\s+\S+\s+)[yn-]/, '$1n')
        : line,
    )
    .map((line) => line.replace(/^smtp(\s+inet)/, `127.0.0.1:${port}$1`));
  await writeFile(
    join(config, 'master.cf'),
    `${services.join('\n')}\npostlog   unix-dgram n  -       n       -       1       postlogd\n${filter === undefined ? '' : filterServices(filter)}`,
  );
  await run('postfix', ['-c', config, 'start']);
  return {
    port,
    version,
    stop: async () => {
      await run('postfix', ['-c', config, 'stop']);
    },
  };
}

/** The way to the filter, with as many connections as it has servers, and where it hands the mail back, not to be filtered again. */
function filterServices({ backPort, servers }: Filter): string {
  const lines = (options: readonly string[]): string => options.map((option) => `  -o ${option}\n`).join('');
  const there = [
    'smtp_send_xforward_command=yes',
    'disable_dns_lookups=yes',
    'smtp_connection_cache_on_demand=no',
    'max_use=20',
  ];
  const back = ['content_filter=', 'smtpd_recipient_restrictions=permit_mynetworks,reject', 'mynetworks=127.0.0.0/8'];
  return `filter unix - - n - ${servers} smtp\n${lines(there)}127.0.0.1:${backPort} inet n - n - - smtpd\n${lines(back)}`;
}
