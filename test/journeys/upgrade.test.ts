// An upgrade with a full queue, by the script that an operator runs: three units at work, mail at every stage and more coming in. The
// units are started and stopped as their files say (test/support/systemctl.ts); everything else is as it is on a machine.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { mixed, numberOf, sendAll } from '../faults/traffic.ts';
import { runMugai } from '../support/gateway-process.ts';
import { startInnerServer } from '../support/inner-server.ts';
import { freePort } from '../support/ports.ts';
import { scratch, until } from '../support/scratch.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const UPGRADE = join(ROOT, 'docs/ops/upgrade.sh');
const SYSTEMCTL = join(ROOT, 'test/support/systemctl.ts');
const UNITS = ['worker', 'inner', 'ingress'].map((role) => `mugai-${role}@kashima.service`);
const run = promisify(execFile);

/**
 * The packages for all versions on a machine, with a cache of compiled code of their own: links to the files of ours, else copies. (A folder
 * of symbolic links would lead the children out of what they see.)
 */
async function makePackages(folder: string): Promise<void> {
  const from = join(ROOT, 'node_modules/.');
  await run('cp', ['-al', from, folder]).catch(async () => run('cp', ['-a', from, folder]));
  await rm(join(folder, '.cache'), { recursive: true, force: true });
}

/** A version of the program: our own, called otherwise. */
async function makeVersion(folder: string, version: string, packages: string): Promise<void> {
  await mkdir(folder);
  for (const name of ['src', 'workers', 'docs', 'package-lock.json'])
    await cp(join(ROOT, name), join(folder, name), { recursive: true });
  const own = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as object;
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...own, version }));
  await symlink(packages, join(folder, 'node_modules'));
}

/** A machine with one town on it, installed as docs/ops/install.md says. */
async function install() {
  const folder = await scratch();
  await chmod(folder.path, 0o755); // the program is everybody's to read: its children are nobody
  const server = await startInnerServer();
  const at = (...names: string[]): string => join(folder.path, ...names);
  for (const name of ['etc', 'state', 'bin', 'lib/kashima/middle/keys', 'lib/kashima/inside/keys'])
    await mkdir(at(name), { recursive: true });
  for (const store of ['outbox', 'requests']) {
    await mkdir(at('lib/kashima/middle', store));
    await symlink(at('lib/kashima/middle', store), at('lib/kashima/inside', store)); // BindReadOnlyPaths, BindPaths
  }
  await mkdir(at('packages'));
  await makePackages(at('packages/node_modules'));
  await makeVersion(at('mugai'), '0.1.0-old', at('packages/node_modules'));
  const generated = await runMugai(['keys', 'generate'], { MUGAI_DATA_DIR: at('lib/kashima/middle') });
  assert.equal(generated.code, 0, generated.stderr);
  for (const key of ['verify-key.pem', 'sealing-key.pem'])
    await cp(at('lib/kashima/middle/keys', key), at('lib/kashima/inside/keys', key));
  const [smtp, upload, portal, ...ops] = await Promise.all(Array.from({ length: 6 }, freePort));
  const settings = {
    ingress: { MUGAI_SMTP_LISTEN: `127.0.0.1:${smtp}`, MUGAI_UPLOAD_LISTEN: `127.0.0.1:${upload}` },
    worker: { MUGAI_WORKERS: '2' },
    inner: { MUGAI_INNER_SMTP_URL: server.url, MUGAI_PORTAL_LISTEN: `127.0.0.1:${portal}`, MUGAI_RETRY_SECONDS: '1' },
  };
  for (const [nth, [role, more]] of Object.entries(settings).entries()) {
    const lines = Object.entries({ ...more, MUGAI_OPS_LISTEN: `127.0.0.1:${ops[nth]}` });
    await writeFile(at('etc', `kashima-${role}.env`), lines.map(([key, value]) => `${key}=${value}\n`).join(''));
  }
  await writeFile(at('bin/systemctl'), `#!/bin/sh\nexec '${process.execPath}' '${SYSTEMCTL}' "$@"\n`);
  await chmod(at('bin/systemctl'), 0o755);
  const env = {
    PATH: `${at('bin')}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
    MUGAI_HOME: at('mugai'),
    MUGAI_DATA: at('lib'),
    MUGAI_SETTINGS: at('etc'),
    TOWN_STATE: at('state'),
  };
  const systemctl = async (...words: string[]) => run(at('bin/systemctl'), words, { env });
  const versions = async (): Promise<string[]> => {
    const asked = ops.map(async (port) => {
      const { processes } = (await (await fetch(`http://127.0.0.1:${port}/status`)).json()) as {
        processes: { version: string }[];
      };
      return processes.map(({ version }) => version);
    });
    return [...new Set((await Promise.all(asked)).flat())];
  };
  const started = async (): Promise<void> => {
    const answer = async (): Promise<boolean> =>
      versions().then(
        ({ length }) => length > 0,
        () => false,
      );
    await until(answer, 120_000, 'all units answer').catch(async (error: unknown) => {
      for (const unit of UNITS) process.stderr.write((await readFile(at('state', `${unit}.log`), 'utf8')).slice(-2000));
      throw error;
    });
  };
  return {
    at,
    server,
    smtp: smtp ?? 0,
    systemctl,
    versions,
    started,
    /** The script from this folder of the machine into that one, with its exit code and what it said. `seconds`: what units have to answer. */
    upgrade: async (
      next: string,
      backup: string,
      seconds = 240,
    ): Promise<{ readonly code: number; readonly stderr: string }> =>
      run('sh', [UPGRADE, at(next), at(backup)], { env: { ...env, MUGAI_ANSWER_SECONDS: String(seconds) } }).then(
        ({ stderr }) => ({ code: 0, stderr }),
        (error: { code: number; stderr: string }) => ({ code: error.code, stderr: error.stderr }),
      ),
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await systemctl('stop', ...UNITS);
      await server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('an upgrade by upgrade.sh', { timeout: 580_000 }, () => {
  it('with mail at every stage and more coming in loses none and doubles none; the new version works off what waits', async () => {
    await using town = await install();
    await town.systemctl('start', ...UNITS);
    await town.started();
    assert.deepEqual(await town.versions(), ['0.1.0-old']);
    await makeVersion(town.at('next'), '0.1.1-new', town.at('packages/node_modules'));
    town.server.refuse.data = () => 451;
    const waiting = await sendAll({ port: () => town.smtp, mails: 40, lanes: 8, body: mixed });
    let over = false;
    const during = sendAll({
      port: () => town.smtp,
      mails: 0,
      lanes: 2,
      body: (number) => mixed(number + 1000),
      enough: () => over,
      pauseMs: 100,
    });
    const upgraded = await town.upgrade('next', 'backup').finally(() => (over = true));
    assert.equal(upgraded.code, 0, upgraded.stderr);
    assert.match(upgraded.stderr, /from 0\.1\.0-old to 0\.1\.1-new: mugai-/);
    const more = await during;
    assert.deepEqual(await town.versions(), ['0.1.1-new']);
    assert.match(await readFile(town.at('mugai.before/package.json'), 'utf8'), /0\.1\.0-old/);
    assert.ok(!existsSync(town.at('mugai.coming')));
    assert.ok(existsSync(town.at('packages/node_modules/.cache/mugai-children')), 'the machine has a cache of its own');
    for (const data of ['middle', 'inside']) assert.ok(!existsSync(town.at('backup/kashima', data, '.unfinished')));
    const kept = await readdir(town.at('backup/kashima/middle/spool'), { recursive: true });
    assert.ok(
      kept.some((name) => name.endsWith('.01-spooled.json')),
      'the queue was full',
    );

    assert.equal(town.server.taken.length, 0);
    town.server.refuse = {};
    const accepted = new Set([...waiting, ...[...more].map((number) => number + 1000)]);
    const missing = (): number[] => {
      const arrived = new Set(town.server.taken.map(numberOf));
      return [...accepted].filter((number) => !arrived.has(number));
    };
    await until(() => missing().length === 0, 240_000, 'every accepted mail arrives');
    const ids = town.server.taken.map(({ messageId }) => messageId);
    assert.equal(new Set(ids).size, ids.length, 'none came twice');
    assert.equal(ids.length, accepted.size);
  });

  it('to a version that does not start puts the one before back, and what waits goes on; without a backup nothing is changed', async () => {
    await using town = await install();
    await town.systemctl('start', ...UNITS);
    await town.started();
    town.server.refuse.data = () => 451;
    const waiting = await sendAll({ port: () => town.smtp, mails: 10, lanes: 4, body: mixed });
    await makeVersion(town.at('next'), '0.1.1-new', town.at('packages/node_modules'));
    await mkdir(town.at('full/kashima/middle'), { recursive: true });
    assert.equal((await town.upgrade('next', 'full')).code, 2, 'a backup is not mixed with another');
    await writeFile(town.at('no-folder'), '');
    const none = await town.upgrade('next', 'no-folder/backup');
    assert.equal(none.code, 1, none.stderr);
    assert.match(none.stderr, /there is no backup, so nothing was changed; 0\.1\.0-old goes on/);
    await town.started();
    assert.deepEqual(await town.versions(), ['0.1.0-old']);

    await writeFile(town.at('next/src/roles.ts'), "throw new Error('this version has a fault');\n");
    const bad = await town.upgrade('next', 'backup', 20);
    assert.equal(bad.code, 1, bad.stderr);
    assert.match(bad.stderr, /0\.1\.1-new did not start .*; 0\.1\.0-old is at work again/);
    await town.started();
    assert.deepEqual(await town.versions(), ['0.1.0-old']);
    town.server.refuse = {};
    await until(() => town.server.taken.length >= waiting.size, 120_000, 'what waited is delivered');
    assert.equal(new Set(town.server.taken.map(({ messageId }) => messageId)).size, waiting.size);
  });
});
