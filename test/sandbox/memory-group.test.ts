// Where a process may make memory groups, read from drawn hierarchies; and the real ones of this machine.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { LIMITS } from '../../src/message/limits.ts';
import { FAMILIES, groupLimit } from '../../src/sandbox/families.ts';
import { ChildPool } from '../../src/sandbox/pool.ts';
import { MemoryGroup, findMemoryGroups, type MemoryGroups } from '../../src/sandbox/memory-group.ts';
import { scratch, until } from '../support/scratch.ts';

const ME = String(process.pid);

/** The place of this machine; where it has none, the reason must be one that is known. */
function ofThisMachine(): MemoryGroups | undefined {
  try {
    return findMemoryGroups();
  } catch (error) {
    assert.match(String(error), /memory group|not delegated|EACCES|EROFS|EPERM|EBUSY/);
    return undefined;
  }
}

/** A folder that looks like a group of version 2 with these files. */
async function drawn(folder: string, files: { readonly [name: string]: string }): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}

const V2 = { 'cgroup.procs': `${ME}\n`, 'cgroup.controllers': 'cpu memory pids\n', 'cgroup.subtree_control': '\n' };

test('a group of version 2 that was delegated to us alone is divided: we go into a leaf of it, children beside', async () => {
  await using root = await scratch();
  const unit = join(root.path, 'system.slice/mugai-worker@a.service');
  await drawn(unit, V2);
  assert.deepEqual(findMemoryGroups(root.path, '0::/system.slice/mugai-worker@a.service\n'), {
    folder: unit,
    version: 2,
  });
  assert.equal(readFileSync(join(unit, 'mugai-host/cgroup.procs'), 'latin1'), ME);
  assert.equal(readFileSync(join(unit, 'cgroup.subtree_control'), 'latin1'), '+memory');
});

test('once in its leaf, the gateway finds the same place again', async () => {
  await using root = await scratch();
  const unit = join(root.path, 'unit');
  await drawn(unit, { ...V2, 'cgroup.procs': '', 'cgroup.subtree_control': 'memory\n' });
  await drawn(join(unit, 'mugai-host'), V2);
  assert.deepEqual(findMemoryGroups(root.path, '0::/unit/mugai-host\n'), { folder: unit, version: 2 });
});

const NONE: readonly (readonly [why: string, files: { readonly [name: string]: string }, says: RegExp])[] = [
  ['others are in it', { ...V2, 'cgroup.procs': `1\n${ME}\n` }, /other processes/],
  ['memory was not delegated', { ...V2, 'cgroup.controllers': 'pids\n' }, /not delegated/],
  ['it is not the one we are in', { ...V2, 'cgroup.procs': '1\n' }, /not shown/],
  ['it is not shown', {}, /not shown/],
];
for (const [why, files, says] of NONE) {
  test(`no group is made, and nothing moved, where ${why}`, async () => {
    await using root = await scratch();
    await drawn(join(root.path, 'unit'), files);
    assert.throws(() => findMemoryGroups(root.path, '0::/unit\n'), says);
    assert.equal(existsSync(join(root.path, 'unit/mugai-host')), false);
  });
}

test('a machine that tells no hierarchy has none', () => {
  assert.throws(() => findMemoryGroups('/nonexistent', '4:pids:/\n'), /tells no memory group/);
  assert.throws(() => findMemoryGroups('/nonexistent', '4:cpu,memory:/a\n'), /not shown/);
});

test('what a gateway that is no more left behind is taken away; a living one keeps its own', async () => {
  const groups = ofThisMachine();
  if (groups === undefined) return;
  const gone = spawn('/bin/true');
  await once(gone, 'exit');
  const [left, kept] = [join(groups.folder, `mugai-${gone.pid}-1`), join(groups.folder, `mugai-${process.ppid}-1`)];
  await mkdir(left);
  await mkdir(kept);
  try {
    findMemoryGroups();
    assert.deepEqual([existsSync(left), existsSync(kept)], [false, true]);
  } finally {
    await rmdir(kept);
  }
});

test('a name that a gateway of our number left is passed over', async () => {
  const groups = ofThisMachine();
  if (groups === undefined) return;
  const before = new Set(readdirSync(groups.folder));
  new MemoryGroup(groups, 64 << 20).remove();
  const next = new MemoryGroup(groups, 64 << 20);
  const name =
    readdirSync(groups.folder).find((one) => !before.has(one) && one.startsWith(`mugai-${process.pid}-`)) ?? '';
  next.remove();
  const taken = name.replace(/\d+$/, (count) => String(Number(count) + 1));
  await mkdir(join(groups.folder, taken));
  try {
    new MemoryGroup(groups, 64 << 20).remove();
  } finally {
    await rmdir(join(groups.folder, taken));
  }
});

test('a group takes in a process with its descendants, and goes when they have gone', async () => {
  const groups = ofThisMachine();
  if (groups === undefined) return;
  const group = new MemoryGroup(groups, 64 << 20);
  const shell = spawn('/bin/sh', ['-c', 'sleep 100 & echo $!; wait'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const [line] = (await once(shell.stdout, 'data')) as [Buffer];
  await group.take(shell.pid ?? 0);
  for (const pid of [shell.pid, Number(String(line))])
    assert.match(readFileSync(`/proc/${pid}/cgroup`, 'latin1'), /\/mugai-\d+-\d+$/m);
  const folder = join(
    groups.folder,
    /mugai-\d+-\d+$/m.exec(readFileSync(`/proc/${shell.pid}/cgroup`, 'latin1'))?.[0] ?? '',
  );
  process.kill(-(shell.pid ?? 0), 'SIGKILL');
  await once(shell, 'close');
  group.remove();
  await until(() => !existsSync(folder), 60_000, 'the group is gone');
  assert.equal(group.overflowed, false);
});

test('limit groupMore: what a child holds beyond its resident limit is bounded without a look, and mail passes', async () => {
  const groups = ofThisMachine();
  if (groups === undefined) return;
  const family = { ...FAMILIES.mail, rssLimit: 64 << 20 };
  const most = groupLimit(family);
  assert.equal(most, (64 << 20) + LIMITS.groupMore);
  await using mails = new ChildPool(FAMILIES.mail, { most: 1, warm: 1 }, () => undefined);
  // The interpreter takes some 10 MiB for itself.
  for (const [bytes, passes] of [
    [most - (16 << 20), true],
    [most + 1, false],
    [most * 10, false],
  ] as const) {
    const group = new MemoryGroup(groups, most);
    const program = `import sys; sys.stdin.read(1); held = b'x' * ${bytes}; print(len(held))`;
    const holder = spawn('/usr/bin/python3', ['-c', program], { stdio: ['pipe', 'pipe', 'ignore'] });
    await group.take(holder.pid ?? 0);
    let said = '';
    holder.stdout.on('data', (chunk: Buffer) => (said += String(chunk)));
    const ended = once(holder, 'close');
    holder.stdin.end('.');
    const mail = await mails.use(new AbortController().signal, async (child) => {
      const request = { operation: 1, dpi: 0, maxPages: 0, declaredType: '', name: '', password: '' };
      const bounds = { deadlineMs: 60_000, totalMs: 60_000, signal: new AbortController().signal };
      return child.run(request, Buffer.from('Subject: x\r\n\r\nhonest'), () => undefined, bounds);
    });
    assert.deepEqual(mail, { kind: 'done' });
    const [code, signal] = (await ended) as [number | null, string | null];
    assert.deepEqual([code, signal, said.trim()], passes ? [0, null, String(bytes)] : [null, 'SIGKILL', '']);
    assert.equal(group.overflowed, !passes);
    group.remove();
  }
});
