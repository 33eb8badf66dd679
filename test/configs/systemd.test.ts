// The systemd units: known to systemd, hardened, and each zone without what its side must not see.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The most exposure that `systemd-analyze security` may give each unit, in tenths (0 is none, 100 all). */
const MOST = { ingress: 15, inner: 15, worker: 30 } as const;
const pathOf = (role: string): string =>
  fileURLToPath(new URL(`../../docs/ops/systemd/mugai-${role}@.service`, import.meta.url));

describe('the systemd units', () => {
  for (const [role, most] of Object.entries(MOST)) {
    it(`${role}: systemd knows every line, and finds it hardened`, (context) => {
      const { stderr } = spawnSync('systemd-analyze', ['verify', pathOf(role)], { encoding: 'utf8' });
      const said = stderr.split('\n').filter((line) => line !== '' && !line.includes('is not executable')); // not installed here
      assert.deepEqual(said, []);
      const args = ['security', '--offline=yes', `--threshold=${most}`, pathOf(role)];
      const table = execFileSync('systemd-analyze', args, { encoding: 'utf8' }); // fails over the threshold
      context.diagnostic(/Overall exposure level.*/.exec(table)?.[0] ?? '');
    });
  }

  it('the inner side sees neither raw bytes nor private keys, and packages to read only; the doors see no packages', () => {
    const lines = (role: string, name: string): string =>
      [...readFileSync(pathOf(role), 'utf8').matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))]
        .map(([, value]) => value)
        .join(' ');
    for (const path of ['spool', 'keys'])
      assert.ok(lines('inner', 'InaccessiblePaths').includes(`-/var/lib/mugai/%i/middle/${path}`));
    assert.match(lines('inner', 'BindReadOnlyPaths'), /middle\/outbox:\S+inside\/outbox/);
    for (const path of ['outbox', 'keys'])
      assert.ok(lines('ingress', 'InaccessiblePaths').includes(`-/var/lib/mugai/%i/middle/${path}`));
    assert.equal(lines('worker', 'IPAddressDeny'), 'any');
    assert.match(lines('worker', 'Environment'), /MUGAI_JAIL=require/);
  });
});
