// Network namespaces joined by cables of their own, and processes that run inside with their own view of the files. Needs
// root (CAP_NET_ADMIN, CAP_SYS_ADMIN); where that is missing it throws, since a test of zones that skips itself proves nothing.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Mounts {
  /** Hidden altogether: an empty file system lies over it. */
  readonly hide?: readonly string[];
  /** Folders, by the place where they are seen; `ro` keeps them from being written. */
  readonly bind?: readonly (readonly [from: string, to: string, access?: 'ro'])[];
}

/** What was run inside a namespace said. */
export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Net implements AsyncDisposable {
  readonly #names = new Map<string, string>();
  readonly #children: ChildProcess[] = [];
  #links = 0;

  /** Makes the namespaces, each with its loopback only. */
  static async make(zones: readonly string[]): Promise<Net> {
    const net = new Net();
    for (const zone of zones) {
      const name = `mugai-${process.pid}-${zone}`;
      await run('ip', ['netns', 'add', name]).catch((error: unknown) => {
        throw new Error('this test makes network namespaces and needs root for it (CAP_NET_ADMIN, CAP_SYS_ADMIN)', {
          cause: error,
        });
      });
      net.#names.set(zone, name);
      await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    }
    return net;
  }

  /** Lays a cable between two namespaces: `10.77.<n>.1` and `10.77.<n>.2`; no route goes beyond it. */
  async cable(first: string, second: string): Promise<readonly [string, string]> {
    const n = this.#links++;
    const ends = [first, second].map((zone, side) => ({
      name: this.name(zone),
      device: `c${n}`,
      ip: `10.77.${n}.${side + 1}`,
    }));
    const [a, b] = ends;
    if (a === undefined || b === undefined) throw new TypeError('two ends');
    await run('ip', [
      'link',
      'add',
      a.device,
      'netns',
      a.name,
      'type',
      'veth',
      'peer',
      'name',
      b.device,
      'netns',
      b.name,
    ]);
    for (const { name, device, ip } of ends) {
      await run('ip', ['-n', name, 'address', 'add', `${ip}/30`, 'dev', device]);
      await run('ip', ['-n', name, 'link', 'set', device, 'up']);
    }
    return [a.ip, b.ip];
  }

  name(zone: string): string {
    const name = this.#names.get(zone);
    if (name === undefined) throw new TypeError(`no namespace ${zone}`);
    return name;
  }

  /** The words before a command that is to run in a namespace, with its own mounts; they end as the command itself (same pid). */
  inside(zone: string, { hide = [], bind = [] }: Mounts = {}): string[] {
    const quoted = (path: string): string => `'${path}'`;
    const mounts = [
      'mount --make-rprivate /',
      ...bind.flatMap(([from, to, access]) => [
        `mount --bind ${quoted(from)} ${quoted(to)}`,
        ...(access === 'ro' ? [`mount -o remount,bind,ro ${quoted(to)}`] : []),
      ]),
      ...hide.map((path) => `mount -t tmpfs tmpfs ${quoted(path)}`),
    ];
    const enter = ['nsenter', `--net=/run/netns/${this.name(zone)}`];
    return [...enter, 'unshare', '--mount', 'sh', '-ec', `${mounts.join('; ')}; exec "$@"`, 'sh'];
  }

  /** Starts a process in a namespace; it is ended with the net. */
  start(zone: string, command: readonly string[], mounts: Mounts = {}, env: Record<string, string> = {}): ChildProcess {
    const [program = '', ...args] = [...this.inside(zone, mounts), ...command];
    const child = spawn(program, args, {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    return child;
  }

  /** Runs a command in a namespace to its end. */
  async run(zone: string, command: readonly string[], mounts: Mounts = {}): Promise<Said> {
    const [program = '', ...args] = [...this.inside(zone, mounts), ...command];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout, stderr };
  }

  /** Why a TCP connection from a namespace to an address cannot be opened, as the kernel's code; '' when it can. */
  async connects(zone: string, host: string, port: number): Promise<string> {
    const script = `const s = require('node:net').connect(${port}, '${host}');
      const say = (text) => { process.stdout.write(text); process.exit(0); };
      s.on('connect', () => say('')).on('error', (e) => say(e.code)); setTimeout(() => say('TIMEOUT'), 3000);`;
    return (await this.run(zone, [process.execPath, '-e', script])).stdout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    for (const name of this.#names.values()) await run('ip', ['netns', 'delete', name]);
  }
}
