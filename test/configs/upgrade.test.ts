// upgrade.sh on a machine of doubles: whatever ends it, no unit stays stopped; what it cannot do is refused before one is.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratch, until } from '../support/scratch.ts';

const UPGRADE = fileURLToPath(new URL('../../docs/ops/upgrade.sh', import.meta.url));
const WORKER = 'mugai-worker@kashima.service';
/** One that systemd is about to start again. */
const INNER = 'mugai-inner@kashima.service';
const SYSTEMCTL = `
echo "$*" >>"$STATE/systemctl"
case $* in
  list-units*activating*) printf '%s loaded active running Mugai\\n' ${WORKER} ${INNER} ;;
  list-units*) echo '${WORKER} loaded active running Mugai' ;;
  stop*) [ ! -e "$STATE/no-stop" ] ;;
esac`;

/** A machine with a worker and an inner side that answer as long as `answering`, and two versions that do nothing. */
async function machine() {
  const folder = await scratch();
  const at = (...names: string[]): string => join(folder.path, ...names);
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), text);
  };
  const program = async (name: string, text: string): Promise<void> => {
    await put(`bin/${name}`, `#!/bin/sh\n${text}\n`);
    await chmod(at('bin', name), 0o755);
  };
  const server = createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (const [name, version] of [
    ['mugai', '0.1.0'],
    ['next', '0.1.1'],
  ] as const) {
    await put(`${name}/src/mugai.js`, `if (process.argv[2] === '--version') console.log('${version}');\n`);
    await put(`${name}/docs/ops/systemd/mugai-worker@.service`, `# ${version}\n`);
    await put(`${name}/docs/ops/systemd/mugai-inner@.service`, '# the same\n');
    await mkdir(at(name, 'node_modules/.bin'), { recursive: true });
    await symlink(process.execPath, at(name, 'node_modules/.bin/node'));
  }
  await put('lib/kashima/middle/journal/lines', 'a line\n'.repeat(10_000));
  await put('etc/kashima-worker.env', `MUGAI_OPS_LISTEN="127.0.0.1:${port}"\n`);
  await put('etc/kashima-inner.env', `MUGAI_OPS_LISTEN='127.0.0.1:${port}'\n`);
  await put('units/mugai-worker@.service', '# 0.1.0\n');
  await put('units/mugai-inner@.service', '# the same\n');
  await put('state/systemctl', '');
  await program('systemctl', SYSTEMCTL);
  const start = (next: string) => {
    const env = {
      PATH: `${at('bin')}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
      STATE: at('state'),
      MUGAI_HOME: at('mugai'),
      MUGAI_DATA: at('lib'),
      MUGAI_SETTINGS: at('etc'),
      MUGAI_UNITS: at('units'),
      MUGAI_ANSWER_SECONDS: '1',
    };
    const child = spawn('sh', [UPGRADE, at(next), at('backup')], { env, detached: true });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stdout.resume();
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
    return { ended, signal: (name: NodeJS.Signals) => process.kill(-(child.pid ?? 0), name) };
  };
  const acts = async (): Promise<string[]> =>
    (await readFile(at('state/systemctl'), 'utf8')).split('\n').filter((line) => /^(?:start|stop)/.test(line));
  return {
    at,
    put,
    program,
    start,
    acts,
    upgrade: async (next = 'next') => start(next).ended,
    silent: () => server.close().closeAllConnections(),
    /** Nothing is stopped, the version before is in its place, and no part of a backup is left. */
    asBefore: async (): Promise<void> => {
      assert.equal((await acts()).at(-1), `start ${WORKER} ${INNER}`);
      assert.match(await readFile(at('mugai/src/mugai.js'), 'utf8'), /0\.1\.0/);
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('upgrade.sh', { timeout: 300_000 }, () => {
  it('stops and starts a unit in auto-restart, too, and names unit files that are others now', async () => {
    await using town = await machine();
    const { code, said } = await town.upgrade();
    assert.equal(code, 0, said);
    assert.deepEqual(await town.acts(), [`stop ${WORKER} ${INNER}`, `start ${WORKER} ${INNER}`]);
    assert.match(await readFile(town.at('mugai/src/mugai.js'), 'utf8'), /0\.1\.1/);
    assert.match(said, /units\/mugai-worker@\.service is another than/);
    assert.doesNotMatch(said, /units\/mugai-inner@/);
    assert.ok(existsSync(town.at('backup/kashima/middle/journal/lines')));
  });

  it('starts the units again where they do not stop', async () => {
    await using town = await machine();
    await town.put('state/no-stop', '');
    const { code, said } = await town.upgrade();
    assert.equal(code, 1, said);
    assert.match(said, /it was broken off, so nothing was changed; 0\.1\.0 goes on/);
    await town.asBefore();
  });

  it('puts the version before back where a rename fails', async () => {
    for (const fails of ['mugai', 'mugai.coming']) {
      await using town = await machine();
      await town.program('mv', `[ "$1" != '${town.at(fails)}' ] || exit 1\nexec /bin/mv "$@"`);
      const { code, said } = await town.upgrade();
      assert.equal(code, 1, said);
      assert.match(said, /0\.1\.1 could not be put in place; 0\.1\.0 is at work again/);
      await town.asBefore();
      assert.ok(existsSync(town.at('backup/kashima/middle/journal/lines')), 'the backup is whole and stays');
    }
  });

  it('starts the units again when it is broken off in the backup, and leaves no half of one', async () => {
    for (const [signal, expected] of [
      ['SIGINT', 130],
      ['SIGHUP', 129],
      ['SIGTERM', 143],
    ] as const) {
      await using town = await machine();
      await town.program('tar', `: >"$STATE/copying"\nexec sleep 60`);
      const upgrade = town.start('next');
      await until(() => existsSync(town.at('state/copying')), 60_000, 'the backup is under way');
      upgrade.signal(signal);
      const { code, said } = await upgrade.ended;
      assert.equal(code, expected, said);
      assert.match(said, /so nothing was changed; 0\.1\.0 goes on/);
      await town.asBefore();
      assert.ok(!existsSync(town.at('backup')));
    }
  });

  it('leaves no half of a backup that failed', async () => {
    await using town = await machine();
    await town.program('tar', 'exit 2');
    const { code, said } = await town.upgrade();
    assert.equal(code, 1, said);
    assert.match(said, /there is no backup, so nothing was changed; 0\.1\.0 goes on/);
    await town.asBefore();
    assert.ok(!existsSync(town.at('backup')));
  });

  it('refuses before anything is stopped: no room, no answer now, a version in a place that it needs itself', async () => {
    await using town = await machine();
    for (const next of ['mugai', 'mugai.coming']) {
      await mkdir(town.at('mugai.coming/src'), { recursive: true });
      const { code, said } = await town.upgrade(next);
      assert.equal(code, 2, said);
      assert.match(said, /is a place that an upgrade needs itself/);
      assert.deepEqual(await readdir(town.at('mugai.coming')), ['src']);
    }
    await town.program('df', 'echo Avail; echo 10');
    const full = await town.upgrade();
    assert.equal(full.code, 2, full.said);
    assert.match(full.said, /nothing was changed: the data are \d+ KB, and there are 10 KB free/);
    town.silent();
    const silent = await town.upgrade();
    assert.equal(silent.code, 2, silent.said);
    assert.match(silent.said, /mugai-worker@kashima\.service gives no answer\n.*nothing was changed: /);
    assert.deepEqual(await town.acts(), []);
  });
});
