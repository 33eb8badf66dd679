// A gateway that is killed before its first hour is over: what it wrote is signed all the same.
import assert from 'node:assert/strict';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gatewayEnv, runMugai, startGatewayProcess } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

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
