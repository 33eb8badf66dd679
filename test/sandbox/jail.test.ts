// The jail itself: nobody gets out, each wall holds alone, a child that does not start in it is an error, and the probe tells
// the truth about a machine that has less.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { MugaiError } from '../../src/message/errors.ts';
import { tryToBreakOut, type Attempt } from '../../src/sandbox/break-out.ts';
import { JailedChild, type ChildOutcome } from '../../src/sandbox/child.ts';
import { FAMILIES, dataLimit, type Family } from '../../src/sandbox/families.ts';
import { jailCommand, type Walls } from '../../src/sandbox/jail.ts';
import { librariesOf } from '../../src/sandbox/libraries.ts';
import { ChildPool } from '../../src/sandbox/pool.ts';
import { demandJail, machineJail, probeJail, tellJail, type Jail } from '../../src/sandbox/probe.ts';
import { innermost } from '../../src/sandbox/kernel-view.ts';
import { systemCallFilter } from '../../src/sandbox/seccomp.ts';
import { ALLOWED } from '../../src/sandbox/syscalls.ts';
import { drive } from '../support/drive-worker.ts';
import { scratch, until } from '../support/scratch.ts';
import { ATTACKS } from './hostile-worker.ts';

const NO_WALLS: Walls = {
  permission: false,
  prlimit: undefined,
  bubblewrap: undefined,
  filter: undefined,
  memory: undefined,
  user: undefined,
};
const HOSTILE: Family = {
  ...FAMILIES.mail,
  entry: fileURLToPath(new URL('./hostile-worker.ts', import.meta.url)),
  readable: ['test/sandbox/hostile-worker.ts'],
  rssLimit: 400 * 1024 * 1024,
};
const never = new AbortController().signal;
const nobodyTold = (): void => undefined;

let jail: Jail;

before(async () => {
  jail = await machineJail();
  assert.equal(jail.level, 'full', `these tests need a machine that can hold the full jail: ${tellJail(jail)}`);
});

/** One attack of the hostile worker behind these walls. */
async function attack(name: string, walls: Walls, family = HOSTILE, deadlineMs = 60_000): Promise<ChildOutcome> {
  const child = await JailedChild.start(family, nobodyTold, walls);
  try {
    const request = { operation: 1, dpi: 0, maxPages: 0, declaredType: 'mail', name, password: '' };
    const bounds = { deadlineMs, totalMs: deadlineMs, signal: never };
    return await child.run(request, Buffer.from('x'), nobodyTold, bounds);
  } finally {
    await child.stop();
  }
}

/** Processes of this machine whose command line holds the words. */
function running(words: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(words);
    } catch {
      return false; // it ended meanwhile
    }
  });
}

describe('an inmate in place of the parser', () => {
  let attempts: Attempt[] = [];
  before(async () => {
    attempts = await tryToBreakOut(jail, never);
  });

  for (const { name: family, programs } of Object.values(FAMILIES)) {
    const standings = ['all walls', "Node's permission model alone", 'the outer walls alone'];
    // LibreOffice is never started without the outer walls; what it is given of the system is its own /tmp and processes.
    for (const standing of programs === undefined ? standings : ['all walls']) {
      it(`of the ${family} family reaches no file, network, process or environment behind ${standing}`, () => {
        const tried = attempts.filter((one) => one.family === family && one.standing === standing);
        assert.ok(tried.length >= 11, `${tried.length} ways tried`);
        assert.deepEqual(
          tried.filter((one) => !one.held),
          [],
        );
      });
    }
  }

  it('gets out where there is no wall: the ways it tries are real', async () => {
    const open = await tryToBreakOut({ level: 'bare', controls: [], walls: NO_WALLS }, never);
    const held = open.filter((one) => one.standing === 'all walls' && one.held).map((one) => one.way);
    assert.deepEqual([...new Set(held)], ['read-environment']); // the host itself gives it none
    assert.ok(open.some((one) => one.way === 'touch-canary' && one.detail === '3 contacts'));
  });
});

describe('native code behind the outer walls', () => {
  /** Runs a Perl program in place of Node, behind the same bubblewrap, prlimit and filter. */
  async function perl(program: string): Promise<{ readonly code: number | null; readonly out: string }> {
    const { command, args, filter, user } = jailCommand(FAMILIES.image, jail.walls);
    const shown = ['/usr/bin/perl', ...(await librariesOf('/usr/bin/perl'))].flatMap((path) => [
      '--ro-bind',
      path,
      path,
    ]);
    const line = [...shown, ...args.slice(0, args.lastIndexOf('--') + 1), '/usr/bin/perl'];
    const child = spawn(command, line, {
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: {},
      ...user,
      timeout: 30_000,
    });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (out += chunk.toString()));
    (child.stdio[3] as Writable).end(filter);
    child.stdio[0].end(program); // `-e` would want /dev/null
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out };
  }

  it('sees only code: no system file, no device, no process', async () => {
    const walk = `sub walk { my $d = shift; opendir(my $h, $d) or return; for (readdir $h) { next if /^\\.\\.?$/;
      my $p = $d eq "/" ? "/$_" : "$d/$_"; print "$p\\n"; walk($p) if -d $p && $p !~ m{^/mugai/(node_modules|workers)} } } walk("/")`;
    const { out } = await perl(walk);
    const seen = out.trim().split('\n');
    assert.ok(seen.includes('/mugai/node') && seen.includes('/mugai/workers'));
    const foreign = seen.filter((path) => !/^\/(mugai|lib|lib64|usr)(\/|$)/.test(path));
    assert.deepEqual(foreign, []);
    assert.deepEqual(
      seen.filter((path) => path.startsWith('/usr/') && !/^\/usr\/(lib|bin)/.test(path)),
      [],
    );
  });

  it('can write nowhere', async () => {
    const tries = ['/', '/mugai', '/mugai/workers', '/lib', '/tmp'].map((path) => `"${path}"`).join(',');
    const { out } = await perl(`for (${tries}) { print(open(my $f, ">", "$_/x") ? "open $_\\n" : "no\\n") }`);
    assert.equal(out, 'no\n'.repeat(5));
  });

  it('cannot make a process, and has a process of its own only', async () => {
    const { out } = await perl('print defined(my $p = fork()) ? "forked" : "no", " ", $$ < 10 ? "alone" : $$');
    assert.equal(out, 'no alone');
  });

  it('gets ENOSYS for every system call that is not on the list, and SIGSYS for those of another ABI', async () => {
    const column = process.arch === 'x64' ? 0 : 1;
    const allowed = Object.values(ALLOWED).flatMap((group) => Object.values(group).map((numbers) => numbers[column]));
    const program = `my %ok = map { $_ => 1 } (${allowed.join(',')});
      for my $n (0..334, 337..470) { next if $ok{$n}; $! = 0; my $r = syscall($n, 0, 0, 0, 0, 0, 0); print "$n gave $r, ", $!+0, "\\n" unless $r == -1 && $! == 38; }
      print "end"`;
    // 335 and 336 are the kernel's own trampolines for uprobes, which no filter sees; elsewhere they end the process.
    assert.deepEqual(await perl(program), { code: 0, out: 'end' });
    const namespaces = `$! = 0; my $r = syscall(${column === 0 ? 56 : 220}, 0x10000000, 0, 0, 0, 0); print "$r ", $!+0`;
    assert.equal((await perl(namespaces)).out, '-1 38');
    if (process.arch === 'x64') assert.equal((await perl('syscall(0x40000000 | 39); print "alive"')).code, 128 + 31);
  });

  it('meets the limits of the kernel', async () => {
    const { out } = await perl('my @held; for (1..4000) { push @held, "x" x 1_000_000 } print "all of it"');
    assert.match(out, /^Out of memory/); // RLIMIT_DATA; the host would have killed it at its next look
    // Memory that is only mapped, in one piece: mmap(2), private, readable and writable, of nothing.
    const [map, noMemory] = [process.arch === 'x64' ? 9 : 222, 12];
    const most = dataLimit(FAMILIES.image);
    for (const [bytes, given] of [
      [most / 2, true],
      [most + 4096, false],
      [8 * 1024 ** 3, false],
    ] as const) {
      const program = `$! = 0; my $r = syscall(${map}, 0, ${bytes}, 3, 0x22, -1, 0); print $r == -1 ? $! + 0 : "given"`;
      assert.equal((await perl(program)).out, given ? 'given' : String(noMemory), `${bytes} bytes`);
    }
  });
});

describe('the kernel, asked of a live child of each family,', () => {
  for (const family of Object.values(FAMILIES)) {
    it(`says that ${family.name} has no privilege, a filter, its limits, an empty environment and read-only mounts`, async () => {
      const child = await JailedChild.start(family, nobodyTold, jail.walls);
      try {
        const pid = innermost(child.pid ?? 0);
        const read = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1');
        const status = read('status');
        assert.match(
          status,
          family.programs === undefined
            ? /^Name:\s+(node|MainThread|node-MainThread)$/m
            : /^Name:\s+(oosplash|soffice\.bin)$/m,
        );
        assert.match(status, /^CapEff:\s+0+$/m);
        assert.match(status, /^CapBnd:\s+0+$/m);
        assert.match(status, /^NoNewPrivs:\s+1$/m);
        assert.match(status, /^Seccomp:\s+2$/m);
        assert.match(status, /^NSpid:\s+\d+\s+\d+$/m);
        assert.doesNotMatch(status, /^Uid:\s+0\s/m);
        if (family.programs === undefined) assert.equal(read('environ'), 'PWD=/\0');
        const room = family.programs?.scratchBytes ?? 0;
        const threads = family.threads ?? 48;
        for (const limit of [
          `Max file size +${room} +${room} `,
          'Max core file size +0 +0 ',
          `Max processes +${threads} +${threads} `,
          `Max open files +${family.files ?? 64} +${family.files ?? 64} `,
          `Max data size +${dataLimit(family)} +${dataLimit(family)} `,
        ])
          assert.match(read('limits'), new RegExp(`^${limit}`, 'm'));
        assert.match(read('limits'), new RegExp(`^Max cpu time +${family.cpuSeconds} +${family.cpuSeconds + 5} `, 'm'));
        const writable = read('mountinfo')
          .trim()
          .split('\n')
          .filter((line) => !/^ro(,|$)/.test(line.split(' ')[5] ?? ''))
          .map((line) => line.split(' ')[4]);
        assert.deepEqual(writable, family.programs === undefined ? [] : ['/dev/null', '/dev/urandom', '/tmp']);
      } finally {
        await child.stop();
      }
    });
  }
});

describe('a child that', () => {
  it('works on without end is stopped by the kernel when the host does not look', async () => {
    const outcome = await attack('a busy loop', jail.walls, { ...HOSTILE, cpuSeconds: 1 });
    assert.deepEqual([outcome.kind, outcome.kind === 'failed' && outcome.reason], ['failed', 'timeout']);
    assert.match(outcome.kind === 'failed' ? outcome.detail : '', /SIGXCPU/);
  });

  it('has CPU seconds up to its limit, whoever looks; what takes more, or far more, is stopped, and mail passes', async () => {
    await using mails = new ChildPool(FAMILIES.mail, { most: 1, warm: 1 }, nobodyTold, jail.walls);
    await mails.warm();
    const mail = async (): Promise<ChildOutcome> =>
      mails.use(never, async (child) => {
        const request = { operation: 1, dpi: 0, maxPages: 0, declaredType: '', name: '', password: '' };
        const bounds = { deadlineMs: 60_000, totalMs: 60_000, signal: never };
        return child.run(request, Buffer.from('Subject: x\r\n\r\nhonest'), nobodyTold, bounds);
      });
    // What Node takes by itself, some 0.2 s, is within the seconds that lie between.
    for (const [seconds, reason] of [
      [2, undefined],
      [6, 'timeout'],
      [60, 'timeout'],
    ] as const) {
      const busy = attack(`cpu-seconds ${seconds}`, jail.walls, { ...HOSTILE, cpuSeconds: 5 }, 300_000);
      const [outcome, passed] = await Promise.all([busy, mail()]);
      assert.deepEqual(passed, { kind: 'done' });
      assert.equal(
        outcome.kind === 'done' ? undefined : outcome.reason,
        reason,
        `${seconds} s: ${JSON.stringify(outcome)}`,
      );
      if (outcome.kind === 'failed') assert.match(outcome.detail, /SIGXCPU/);
    }
  });

  for (const name of ATTACKS.any.filter((one) => one.startsWith('8 GiB'))) {
    it(`wants ${name} gets none of the kernel; where the kernel does not count, the host finds it`, async () => {
      const refused = await attack(name, jail.walls);
      assert.match(refused.kind === 'failed' ? refused.detail : '', /\^ RangeError: /);
      const found = await attack(name, NO_WALLS);
      assert.deepEqual([found.kind, found.kind === 'failed' && found.reason], ['failed', 'out-of-memory']);
      assert.match(found.kind === 'failed' ? found.detail : '', /resident \d+ MiB/);
    });
  }

  it('bursts while nobody looks is stopped by its memory group, which goes with it', async () => {
    const groups = jail.walls.memory;
    if (groups === undefined) {
      // Not every machine lets us: it says why, and the host's look is all there is.
      const said = jail.controls.find((control) => control.name === 'memory')?.detail ?? '';
      return assert.match(said, /^no memory group: \S.*; resident memory/);
    }
    const ofOurs = (): string[] =>
      readdirSync(groups.folder).filter((name) => name.startsWith(`mugai-${process.pid}-`));
    const earlier = ofOurs();
    const kills: string[] = [];
    const child = await JailedChild.start(HOSTILE, (_family, cause) => kills.push(cause), jail.walls);
    const [group] = ofOurs().filter((name) => !earlier.includes(name));
    const held = readFileSync(join(groups.folder, group ?? '', 'cgroup.procs'), 'latin1');
    const burster = innermost(child.pid ?? 0);
    assert.ok(held.split('\n').includes(String(burster)), 'the innermost process is in it');
    const request = {
      operation: 1,
      dpi: 0,
      maxPages: 0,
      declaredType: 'mail',
      name: 'a burst of memory',
      password: '',
    };
    const bounds = { deadlineMs: 120_000, totalMs: 120_000, signal: never };
    const outcomeToCome = child.run(request, Buffer.from('x'), nobodyTold, bounds);
    await new Promise((resolve) => setTimeout(resolve, 20)); // it has its input
    // The host is blind: until it is over, or for as long as a busy machine may need.
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    for (let waits = 0; waits < 600 && existsSync(`/proc/${burster}`); waits++) Atomics.wait(nothing, 0, 0, 100);
    const outcome = await outcomeToCome;
    await child.stop();
    assert.deepEqual([outcome.kind, outcome.kind === 'failed' && outcome.reason], ['failed', 'out-of-memory']);
    assert.match(outcome.kind === 'failed' ? outcome.detail : '', /^its memory group was full/);
    assert.equal(outcome.kind === 'failed' && outcome.outside, false);
    assert.deepEqual(kills, ['out-of-memory']);
    await until(() => !ofOurs().includes(group ?? ''), 60_000, 'its group is gone');
  });

  it('starts processes has none behind the filter', async () => {
    const outcome = await attack('a grandchild that holds the pipes', { ...jail.walls, permission: false });
    assert.match(outcome.kind === 'failed' ? outcome.detail : '', /ENOSYS/);
  });

  /** An attack that starts a process with these words in its command line: it was there, and then it is not. */
  async function withGrandchild(name: string, words: string, walls: Walls): Promise<ChildOutcome> {
    const outcome = attack(name, walls);
    await until(() => running(words).length > 0, 60_000, 'there is a grandchild');
    const ended = await outcome;
    await until(() => running(words).length === 0, 60_000, 'the grandchild is gone');
    return ended;
  }

  const idle = 'setTimeout(() => 0, 1e8)';
  for (const name of ['a grandchild that holds the pipes', 'a grandchild of another session']) {
    it(`leaves ${name} takes it along with its process namespace`, async () => {
      const outcome = await withGrandchild(name, idle, { ...jail.walls, permission: false, filter: undefined });
      assert.equal(outcome.kind, 'failed');
    });
  }

  it('leaves a grandchild that holds the pipes, with no namespace, takes it along with its group', async () => {
    const outcome = await withGrandchild('a grandchild that holds the pipes', idle, NO_WALLS);
    assert.equal(outcome.kind, 'failed');
  });

  it('lets a grandchild eat memory is charged for it', async () => {
    for (const walls of [NO_WALLS, { ...jail.walls, permission: false, filter: undefined }]) {
      const outcome = await withGrandchild('a grandchild that eats memory', 'held.push', walls);
      assert.deepEqual([outcome.kind, outcome.kind === 'failed' && outcome.reason], ['failed', 'out-of-memory']);
    }
  });

  it('is at work dies when its host is killed', async () => {
    const program = `
      const { JailedChild } = await import(${JSON.stringify(new URL('../../src/sandbox/child.ts', import.meta.url).href)});
      const { FAMILIES } = await import(${JSON.stringify(new URL('../../src/sandbox/families.ts', import.meta.url).href)});
      const family = { ...FAMILIES.mail, entry: ${JSON.stringify(HOSTILE.entry)}, readable: ${JSON.stringify(HOSTILE.readable)} };
      const child = await JailedChild.start(family, () => undefined);
      const request = { operation: 1, dpi: 0, maxPages: 0, declaredType: 'mail', name: 'a busy loop', password: '' };
      const bounds = { deadlineMs: 60000, totalMs: 60000, signal: new AbortController().signal };
      void child.run(request, Buffer.from('x'), () => undefined, bounds);
      console.log(child.pid);`;
    const host = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: host.stdout }), 'line')) as [string];
    const pid = innermost(Number(line));
    assert.notEqual(pid, Number(line));
    host.kill('SIGKILL');
    await until(() => !readdirSync('/proc').includes(String(pid)), 60_000, 'the child is gone');
  });
});

describe('where the full jail was found, a child that does not start in it', () => {
  const broken: { readonly [name: string]: (walls: Walls) => Walls } = {
    'since bubblewrap fails': (walls) => ({ ...walls, bubblewrap: { path: '/bin/false', libraries: [] } }),
    'since bubblewrap is gone': (walls) => ({ ...walls, bubblewrap: { path: '/nonexistent/bwrap', libraries: [] } }),
    'since a library is missing': (walls) => ({ ...walls, bubblewrap: { path: '/usr/bin/bwrap', libraries: [] } }),
    'since its filter denies everything': (walls) => ({ ...walls, filter: Buffer.from('0600000000000580', 'hex') }),
    'since prlimit is gone': (walls) => ({ ...walls, prlimit: '/nonexistent/prlimit' }),
  };
  for (const [why, less] of Object.entries(broken)) {
    it(`${why} is an error, not a child behind fewer walls`, async () => {
      const pool = new ChildPool(FAMILIES.mail, { most: 1, warm: 1 }, nobodyTold, less(jail.walls));
      try {
        const failed = (error: unknown): boolean => error instanceof MugaiError && error.code === 'no-child';
        await assert.rejects(pool.warm(), failed);
        await assert.rejects(
          pool.use(never, async () => undefined),
          failed,
        );
      } finally {
        await pool[Symbol.asyncDispose]();
      }
    });
  }
});

describe('the probe of a machine', () => {
  const held = (found: Jail): string[] => found.controls.filter((one) => one.holds).map((one) => one.name);

  it('without bubblewrap and prlimit says bare and what is missing; it runs, but not where the full jail is required', async () => {
    await using folder = await scratch();
    const found = await probeJail([folder.path]);
    assert.equal(found.level, 'bare');
    assert.deepEqual(held(found), ['node-permission', 'own-user', 'memory']);
    assert.match(
      tellJail(found),
      /^bare, without namespaces \(bubblewrap is not installed\), system-calls .*prlimit is not/,
    );
    demandJail('best', found);
    assert.throws(
      () => demandJail('require', found),
      (error) =>
        error instanceof MugaiError && error.code === 'no-jail' && /^MUGAI_JAIL=require, .*bare/.test(error.message),
    );
    const child = await JailedChild.start(FAMILIES.mail, nobodyTold, found.walls);
    await child.stop();
  });

  it('whose bubblewrap is forbidden to work says so in its words', async () => {
    await using folder = await scratch();
    await chmod(folder.path, 0o755);
    await writeFile(
      join(folder.path, 'bwrap'),
      '#!/bin/sh\necho "No permissions to create new namespace" >&2\nexit 1\n',
    );
    await chmod(join(folder.path, 'bwrap'), 0o755);
    const found = await probeJail([folder.path, '/usr/bin']);
    assert.equal(found.level, 'bare');
    assert.deepEqual(held(found), ['node-permission', 'limits', 'own-user', 'memory']);
    assert.match(tellJail(found), /No permissions to create new namespace/);
  });

  /** The level and the words of a probe whose bwrap or prlimit is this script. */
  async function probeWith(program: 'bwrap' | 'prlimit', script: string): Promise<string> {
    await using folder = await scratch();
    await chmod(folder.path, 0o755);
    await writeFile(join(folder.path, program), `#!/bin/bash\n${script}\n`);
    await chmod(join(folder.path, program), 0o755);
    // Its own folder is shown inside, so that a script for prlimit can be started there.
    return tellJail(await probeJail([folder.path, '/usr/bin']));
  }

  it('believes the kernel, not the programs: one that holds nothing, or less than it was told to, is found out', async () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const rest = 'while [ "$1" != -- ]; do shift; done; shift';
    const node = `args=("\${@/%\\/mugai\\/node/${process.execPath.replaceAll('/', '\\/')}}")`;
    // Without prlimit, too: its number of processes would count all those of the user.
    const nothing = `${rest}; ${rest}; ${node}; exec "\${args[@]//\\/mugai\\//${root.replaceAll('/', '\\/')}}"`;
    assert.match(
      await probeWith('bwrap', nothing),
      /^bare, without namespaces \(bubblewrap gives it no user namespace\)/,
    );
    const without = (flag: string, values: number): string =>
      `args=(); while [ $# -gt 0 ]; do if [ "$1" = ${flag} ]; then shift ${1 + values}; else args+=("$1"); shift; fi; done; exec /usr/bin/bwrap "\${args[@]}"`;
    assert.match(
      await probeWith('bwrap', without('--seccomp', 1)),
      /^partial, without system-calls \(bubblewrap sets no/,
    );
    const shared = `args=(); for one; do [ "$one" = --unshare-all ] && args+=(--unshare-pid --unshare-uts) || args+=("$one"); done; exec /usr/bin/bwrap "\${args[@]}"`;
    assert.match(await probeWith('bwrap', shared), /^bare, without namespaces \(bubblewrap gives it no net namespace/);
    assert.match(await probeWith('prlimit', `${rest}; exec "$@"`), /without .*limits \(/);
  });

  it('does not look for its programs where PATH says: a bwrap that lies first there is never started', async () => {
    await using folder = await scratch();
    const marker = join(folder.path, 'started');
    await writeFile(join(folder.path, 'bwrap'), `#!/bin/sh\ntouch ${marker}\nexit 0\n`);
    await chmod(join(folder.path, 'bwrap'), 0o755);
    const { PATH } = process.env;
    process.env['PATH'] = `${folder.path}:${PATH}`;
    try {
      assert.equal((await probeJail()).level, 'full');
    } finally {
      process.env['PATH'] = PATH;
    }
    assert.equal(existsSync(marker), false);
  });

  it('that has bubblewrap and no prlimit is partial, which is not full', async () => {
    await using folder = await scratch();
    await chmod(folder.path, 0o755);
    await symlink('/usr/bin/bwrap', join(folder.path, 'bwrap'));
    const found = await probeJail([folder.path]);
    assert.equal(found.level, 'partial');
    assert.throws(() => demandJail('require', found));
  });
});

describe('the system-call filter', () => {
  it('is a program the kernel takes, for each machine we have numbers of, and for no other', () => {
    for (const arch of ['x64', 'arm64']) {
      const filter = systemCallFilter(arch);
      assert.ok(filter !== undefined && filter.length % 8 === 0 && filter.length / 8 < 4096);
    }
    assert.equal(systemCallFilter('riscv64'), undefined);
  });

  it('lists the numbers of this machine as its headers have them', async () => {
    const { stdout } = await promisify(execFile)('perl', [
      '-e',
      'print syscall(39) == $$ ? "x64" : syscall(172) == $$ ? "arm64" : "?"',
    ]);
    assert.equal(stdout, process.arch);
  });
});

describe('a child behind all walls', () => {
  it('still reads a mail', async () => {
    const mail = 'From: a@example.com\r\nSubject: =?UTF-8?B?5pel5pys6Kqe?=\r\n\r\nこんにちは';
    const { outcome } = await drive('mail', Buffer.from(mail));
    assert.deepEqual(outcome, { kind: 'done' });
  });
});
