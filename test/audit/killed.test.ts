// A gateway that is killed before its first hour is over: what it wrote is signed all the same, and the next one starts.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openJournal } from '../../src/audit/journal.ts';
import { gatewayEnv, runMugai, startGatewayProcess } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

const HEAD_KEY = new URL('../../src/audit/head-key.ts', import.meta.url).href;

test('kill -9 in the first hour leaves journals whose heads are signed, and verify holds', async (context) => {
  await using folder = await scratch();
  const { PATH: _path, ...env } = gatewayEnv(folder.path);
  const running = await startGatewayProcess(env);
  context.after(async () => running.end('SIGKILL'));
  await running.end('SIGKILL');
  const journals = ['outer', 'middle', 'inner'].map((zone) => join(folder.path, 'journal', zone));
  const { code, stdout } = await runMugai(['audit', 'verify', ...journals]);
  assert.equal(stdout.match(/^holds .*; 1 signed heads, by its own key, up to number 1; /gm)?.length, 3, stdout);
  assert.equal(code, 0);
  // The line that was signed is another one: the chain follows, its head does not.
  const [name = ''] = (await readdir(journals[1] ?? '')).filter((one) => one.endsWith('.jsonl'));
  const file = join(journals[1] ?? '', name);
  await writeFile(file, (await readFile(file, 'utf8')).replace('"pid":', '"pid":1'));
  assert.equal((await runMugai(['audit', 'verify', ...journals])).code, 1);
});

test('killed while the key of a journal is written, a gateway leaves none or the whole of it, and the next one starts', async () => {
  await using root = await scratch();
  const folder = join(root.path, 'outer');
  await mkdir(folder);
  const code = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { headKeyIn } = await import(${JSON.stringify(HEAD_KEY)});
    fs.writeFileSync = () => process.kill(process.pid, 'SIGKILL');
    syncBuiltinESMExports();
    await headKeyIn(${JSON.stringify(folder)});`;
  const killed = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  assert.equal(killed.signal, 'SIGKILL', killed.stderr);
  assert.ok((await readdir(folder)).length > 0, 'it was begun');
  const options = { root: root.path, zone: 'outer', keepDays: 9 } as const;
  for (let start = 0; start < 2; start++) await (await openJournal(options)).close();
  assert.equal((await runMugai(['audit', 'verify', folder])).code, 0);
});

test('an empty key of a journal, as an earlier version could leave one, is made anew; a broken one is not', async () => {
  await using root = await scratch();
  const folder = join(root.path, 'outer');
  await mkdir(folder);
  const options = { root: root.path, zone: 'outer', keepDays: 9 } as const;
  await writeFile(join(folder, 'head-key.pem'), '');
  await (await openJournal(options)).close();
  assert.equal((await runMugai(['audit', 'verify', folder])).code, 0);
  await writeFile(join(folder, 'head-key.pem'), 'no key');
  await assert.rejects(openJournal(options), { code: 'key-missing' });
});
