// The jail as its operator meets it: MUGAI_JAIL at start, /readyz, the log, `mugai sanitise` and `mugai selfcheck`, on this
// machine and on one whose bubblewrap was taken away.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gatewayEnv, runMugai, startGatewayProcess } from '../support/gateway-process.ts';
import { plainMail, sendMail } from '../support/gateway.ts';
import { scratch } from '../support/scratch.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** `mugai` where /usr/bin/bwrap is nothing that could be started: a mount namespace of its own hides it. */
function withoutBubblewrap(args: readonly string[], env: Record<string, string>) {
  const hidden = ['--dev-bind', '/', '/', '--ro-bind', '/dev/null', '/usr/bin/bwrap', '--die-with-parent', '--'];
  const child = spawn('/usr/bin/bwrap', [...hidden, process.execPath, MAIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (said.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...said }));
  return { child, ended };
}

interface Checked {
  readonly level: string;
  readonly holds: boolean;
  readonly controls: readonly { readonly name: string; readonly holds: boolean; readonly detail: string }[];
  readonly attempts: readonly { readonly way: string; readonly held: boolean }[];
}

describe('the jail', () => {
  it('required and there: the gateway starts, says so, and mail goes through', async () => {
    await using folder = await scratch();
    const gateway = await startGatewayProcess(gatewayEnv(folder.path, { MUGAI_JAIL: 'require' }));
    try {
      const ready = (await (await fetch(`http://127.0.0.1:${gateway.opsPort}/readyz`)).json()) as {
        details: { jail: string };
      };
      assert.equal(ready.details.jail, 'full');
      assert.ok(gateway.lines.some((line) => line.includes('"children are jailed"')));
      assert.match(await sendMail(gateway.smtpPort, plainMail('jailed')), /^250 /);
    } finally {
      await gateway.end('SIGTERM');
    }
  });

  it('required and not there: one clear line, exit 1, no port opened', async () => {
    await using folder = await scratch();
    const { ended } = withoutBubblewrap(['serve'], gatewayEnv(folder.path, { MUGAI_JAIL: 'require' }));
    const { code, stderr } = await ended;
    assert.equal(code, 1);
    const lines = stderr.trim().split('\n');
    assert.equal(lines.length, 1, stderr);
    assert.match(
      lines[0] ?? '',
      /^mugai: MUGAI_JAIL=require, but the jail here is bare, without namespaces \(bubblewrap/,
    );
  });

  it('not there and not required: runs, warns in the log, and tells what is missing at /readyz', async () => {
    await using folder = await scratch();
    const { child, ended } = withoutBubblewrap(['serve'], gatewayEnv(folder.path));
    const lines: { msg?: string; level?: unknown; jail?: string; ops?: number }[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(JSON.parse(line) as (typeof lines)[number]);
      if (lines.at(-1)?.msg === 'ready') break;
    }
    const warning = lines.find((line) => line.msg?.startsWith('THE JAIL IS NOT COMPLETE'));
    assert.match(warning?.jail ?? '', /^bare, without namespaces/);
    const response = await fetch(`http://127.0.0.1:${lines.at(-1)?.ops}/readyz`);
    assert.equal(response.status, 200);
    assert.match(((await response.json()) as { details: { jail: string } }).details.jail, /^bare, without namespaces/);
    child.kill('SIGKILL');
    await ended;
  });

  it('is demanded of `mugai sanitise` too, which says what is missing where it is not', async () => {
    await using folder = await scratch();
    const input = join(folder.path, 'note.txt');
    await writeFile(input, 'harmless');
    const args = ['sanitise', input, '--out', join(folder.path, 'out')];
    const env = { MUGAI_DATA_DIR: join(folder.path, 'data') };
    const refused = await withoutBubblewrap(args, { ...env, MUGAI_JAIL: 'require' }).ended;
    assert.equal(refused.code, 1);
    const best = await withoutBubblewrap(args, env).ended;
    assert.equal(best.code, 0);
    assert.match(best.stderr, /^mugai: the jail is not complete: bare, without namespaces/m);
    const full = await runMugai(args, { ...env, MUGAI_JAIL: 'require' });
    assert.deepEqual([full.code, full.stderr], [0, '']);
  });

  it('is tried by `mugai selfcheck`: exit 0 where everything holds', async () => {
    const { code, stdout } = await runMugai(['selfcheck', '--json']);
    const checked = JSON.parse(stdout) as Checked;
    assert.equal(code, 0, stdout);
    assert.deepEqual([checked.level, checked.holds], ['full', true]);
    assert.ok(checked.attempts.length >= 4 * 3 * 11 && checked.attempts.every((attempt) => attempt.held));
    const words = await runMugai(['selfcheck']);
    assert.equal(words.code, 0);
    assert.match(words.stdout, /^jail: full\n(holds {4}.+\n){18,}(note {5}.+\n|holds {4}.+\n)+$/);
  });

  it('is found wanting by `mugai selfcheck`: exit 1 where a control is missing', async () => {
    const { code, stdout } = await withoutBubblewrap(['selfcheck', '--json'], {}).ended;
    const checked = JSON.parse(stdout) as Checked;
    assert.equal(code, 1);
    assert.deepEqual([checked.level, checked.holds], ['bare', false]);
    const missing = checked.controls.filter((control) => !control.holds).map((control) => control.name);
    assert.ok(missing.includes('namespaces') && missing.includes('system-calls'));
    const words = await withoutBubblewrap(['selfcheck'], {}).ended;
    assert.match(words.stdout, /^MISSING {2}namespaces: bubblewrap is not installed$/m);
  });

  it('wrong usage and a wrong value are told in one line', async () => {
    assert.equal((await runMugai(['selfcheck', '--nope'])).code, 2);
    const { code, stderr } = await runMugai(['serve'], { MUGAI_JAIL: 'maybe' });
    assert.equal(code, 2);
    assert.match(stderr, /^mugai: MUGAI_JAIL is "maybe", not one of require, best; for example MUGAI_JAIL=require\n$/);
  });
});
