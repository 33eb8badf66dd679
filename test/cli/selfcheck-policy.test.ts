// What a self-check says of the policy: words that are found on no part, and who stands behind it.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { inLines, reportText, type Evidence } from '../../src/cli/selfcheck/evidence.ts';
import { policy } from '../../src/cli/selfcheck/policy.ts';
import { readConfig } from '../../src/config.ts';
import { approve, propose } from '../../src/policy/two-persons.ts';
import { gatewayEnv } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

it('a type that nothing is detected as is a complaint; an older approval is told from none', async () => {
  await using folder = await scratch();
  const file = join(folder.path, 'policy.yaml');
  const { PATH: _path, ...env } = gatewayEnv(folder.path, { MUGAI_POLICY_FILE: file, MUGAI_POLICY_PERSONS: '2' });
  const config = readConfig(env);
  const told = async (): Promise<readonly Evidence[]> => policy(config, false, Date.now());
  const approved = async (text: string): Promise<void> => {
    await writeFile(file, text);
    const sha256 = await propose(folder.path, file, { name: 'tanaka', account: 'mugai' });
    await approve(folder.path, sha256, { by: { name: 'suzuki', account: 'mugai' }, toldBy: 'names' });
  };
  const first = 'name: city\nversion: "1"\nrules: [{ name: exe, when: { type: [application/x-exe] }, action: drop }]\n';
  await writeFile(file, first);
  const [own, none] = await told();
  assert.equal(own?.state, 'fails');
  assert.match(own?.en ?? '', /1 complaints exe: nothing is ever detected as application\/x-exe/);
  assert.deepEqual([none?.state, none?.en], ['fails', 'no second person approved it']);
  await approved(first);
  assert.deepEqual((await told())[1]?.state, 'holds');
  await approved('name: city\nversion: "2"\n');
  await writeFile(file, first);
  const [, earlier] = await told();
  assert.equal(earlier?.state, 'fails');
  assert.match(earlier?.en ?? '', /^two persons approved it, and another one after it/);
});

it('a name that somebody gave makes no row of a report, and steers no terminal', () => {
  const name = 'kashima\n[適合] 署名鍵 (keys; 基本方針 3(1))\n    すべて正常\u001b[8m\u202E';
  const evidence = [inLines({ control: 'policy', state: 'fails', ja: name, en: name })];
  const report = { at: '2026-11-30T00:00:00.000Z', host: '', version: '', holds: false, evidence };
  const rows = reportText(report, 'ja').split('\n');
  assert.equal(rows.filter((row) => row.startsWith('[')).length, 1);
  assert.doesNotMatch(rows.join(''), /[\u001b\u202E]/);
});
