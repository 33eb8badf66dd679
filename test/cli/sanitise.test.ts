// `mugai sanitise` and `mugai verify` as a person at a terminal uses them.
import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runMugai } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

const SAMPLES = fileURLToPath(new URL('../../samples/', import.meta.url));

interface Line {
  readonly input: string;
  readonly state: string;
  readonly reason: string | null;
  readonly out: string | null;
  readonly parts: number;
  readonly pages: number;
  readonly ms: number;
}

const linesOf = (text: string): Line[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

describe('mugai sanitise', () => {
  it('makes a package of each file below a folder, under the same path, and verify accepts them all', async () => {
    await using folder = await scratch();
    const env = { MUGAI_DATA_DIR: join(folder.path, 'data') };
    const inbox = join(folder.path, 'inbox');
    await mkdir(join(inbox, '課', '古い'), { recursive: true });
    await copyFile(join(SAMPLES, 'mail/euc-jp.eml'), join(inbox, 'mail.eml'));
    await copyFile(join(SAMPLES, 'file/スキャン.pdf'), join(inbox, '課', 'スキャン.pdf'));
    await copyFile(join(SAMPLES, 'file/empty.txt'), join(inbox, '課', '古い', 'empty.txt'));
    const out = join(folder.path, 'out');
    const run = await runMugai(['sanitise', inbox, '--out', out, '--json'], env);
    assert.equal(run.code, 0, run.stderr);
    assert.equal(run.stderr, '', 'no bar where there is no terminal');
    const lines = linesOf(run.stdout);
    const states = new Map(lines.map(({ input, state }) => [input.slice(inbox.length + 1), state]));
    assert.deepEqual(
      [states.get('mail.eml'), states.get('課/スキャン.pdf'), states.get('課/古い/empty.txt')],
      ['sanitised', 'sanitised', 'refused'],
    );
    assert.equal(lines.length, 3);
    for (const line of lines) {
      assert.deepEqual(Object.keys(line), ['input', 'state', 'reason', 'out', 'parts', 'pages', 'ms']);
      assert.equal(line.out, join(out, 'inbox', line.input.slice(inbox.length + 1)));
      assert.ok(line.parts >= 1 && line.ms >= 0);
    }
    assert.equal(lines.find(({ state }) => state === 'refused')?.reason, 'empty');
    assert.match(await readFile(join(out, 'inbox', 'mail.eml', 'message.txt'), 'utf8'), /^Subject: /m);
    assert.deepEqual(await readdir(join(out, 'inbox', '課', 'スキャン.pdf', 'files')), ['01-スキャン.pdf']);
    assert.deepEqual((await readdir(out)).toSorted(), ['inbox'], 'the working folder is gone');

    const verified = await runMugai(['verify', out, '--json'], env);
    assert.equal(verified.code, 0, verified.stdout);
    assert.equal(verified.stdout.trim().split('\n').length, 3);
    assert.ok(
      verified.stdout
        .split('\n')
        .filter(Boolean)
        .every((line) => (JSON.parse(line) as { ok: boolean }).ok),
    );
    const lonely = await runMugai(['verify', join(out, 'inbox', '課', '古い')], env);
    assert.match(lonely.stdout, /1 packages, 0 refused/);
  });

  it('without --json tells only what did not go well, and the counts', async () => {
    await using folder = await scratch();
    const env = { MUGAI_DATA_DIR: join(folder.path, 'data') };
    const [good, bad] = [join(SAMPLES, 'file/bidi-utf8.txt'), join(SAMPLES, 'file/bomb.png')];
    const run = await runMugai(['sanitise', good, bad, '--out', join(folder.path, 'out')], env);
    assert.equal(run.code, 0);
    assert.match(run.stdout, /bomb\.png/);
    assert.doesNotMatch(run.stdout, /bidi-utf8/);
    assert.match(run.stdout, /1 sanitised/);
  });

  it('opens a locked PDF with one of the passwords given', async () => {
    await using folder = await scratch();
    const env = { MUGAI_DATA_DIR: join(folder.path, 'data') };
    const locked = join(SAMPLES, 'file/open-password.pdf');
    const run = async (...passwords: string[]): Promise<Line | undefined> => {
      const args = passwords.flatMap((password) => ['--password', password]);
      const { code, stdout } = await runMugai(
        ['sanitise', locked, '--out', join(folder.path, 'out'), '--json', ...args],
        env,
      );
      assert.equal(code, 0);
      return linesOf(stdout)[0];
    };
    const without = await run();
    assert.deepEqual([without?.state, without?.reason], ['held', 'password-needed']);
    const wrong = await run('nonsense');
    assert.deepEqual([wrong?.state, wrong?.reason], ['held', 'password-wrong']);
  });

  it('follows a policy file: what it drops is dropped, its name stands in the manifest', async () => {
    await using folder = await scratch();
    const env = { MUGAI_DATA_DIR: join(folder.path, 'data') };
    const policy = join(folder.path, 'policy.yaml');
    await writeFile(policy, 'name: 課の方針\nversion: "2026-11"\nlanguage: en\ndrop: [image/*]\n');
    const out = join(folder.path, 'out');
    const input = join(SAMPLES, 'file/案内図.png');
    const run = await runMugai(['sanitise', input, '--out', out, '--policy', policy, '--json'], env);
    assert.equal(run.code, 0, run.stderr);
    const manifest = JSON.parse(await readFile(join(out, '案内図.png', 'manifest.dsse.json'), 'utf8')) as {
      payload: string;
    };
    const statement = JSON.parse(Buffer.from(manifest.payload, 'base64').toString()) as {
      predicate: { policy: { name: string; version: string }; parts: { verdict: string; reason: string }[] };
    };
    assert.equal(statement.predicate.policy.name, '課の方針');
    assert.deepEqual(
      statement.predicate.parts.map(({ verdict, reason }) => [verdict, reason]),
      [['dropped', 'policy']],
    );
  });

  it('replaces a package that is there, and follows no link', async () => {
    await using folder = await scratch();
    const env = { MUGAI_DATA_DIR: join(folder.path, 'data') };
    const out = join(folder.path, 'out');
    const input = join(SAMPLES, 'file/bidi-utf8.txt');
    for (let i = 0; i < 2; i++) assert.equal((await runMugai(['sanitise', input, '--out', out], env)).code, 0);
    assert.equal((await runMugai(['verify', out], env)).code, 0);
  });

  for (const [name, args, says] of [
    ['no --out', ['sanitise', 'x'], /--out DIR is missing/],
    ['no input', ['sanitise', '--out', 'o'], /name at least one file/],
    ['an input that is not there', ['sanitise', '/no/such/file', '--out', 'o'], /does not exist/],
    ['a number of jobs that is none', ['sanitise', 'x', '--out', 'o', '--jobs', 'many'], /--jobs is "many"/],
    ['an option it does not have', ['sanitise', 'x', '--out', 'o', '--fast'], /--fast/],
    ['two inputs of one name', ['sanitise', 'package.json', './package.json', '--out', 'o'], /one after the other/],
    ['a key file that holds none', ['verify', '/no/such/package', '--key', 'package.json'], /package\.json/],
    ['a key act it does not have', ['keys', 'burn'], /keys generate/],
    ['a command it does not have', ['launder'], /launder/],
  ] as const) {
    it(`${name}: one line and exit 2`, async () => {
      await using folder = await scratch();
      const run = await runMugai(args, { MUGAI_DATA_DIR: join(folder.path, 'data') });
      assert.equal(run.code, 2, run.stderr);
      assert.match(run.stderr, says);
      assert.equal(run.stderr.trim().split('\n').length, 1, run.stderr);
    });
  }
});

describe('mugai keys', () => {
  it('makes a pair once, the private half for its owner only, and shows its id', async () => {
    await using folder = await scratch();
    const [signing, verify] = [join(folder.path, 'keys/s.pem'), join(folder.path, 'keys/v.pem')];
    const args = ['--signing-key', signing, '--verify-key', verify];
    const made = await runMugai(['keys', 'generate', ...args]);
    assert.equal(made.code, 0, made.stderr);
    assert.equal((await stat(signing)).mode & 0o777, 0o600);
    const id = /^key id +(\S+)$/m.exec(made.stdout)?.[1];
    assert.ok(id !== undefined);
    const shown = await runMugai(['keys', 'show', ...args]);
    assert.match(shown.stdout.trim(), new RegExp(`^key id +${id} +signs$`));
    const before = await readFile(signing, 'utf8');
    const again = await runMugai(['keys', 'generate', ...args]);
    assert.equal(again.code, 1);
    assert.equal(again.stderr.trim().split('\n').length, 1);
    assert.equal(await readFile(signing, 'utf8'), before, 'never overwritten');
  });
});
