// What `mugai sanitise` must never do to the files around it.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, readdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../../src/message/limits.ts';
import { runMugai } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

const MAIN = fileURLToPath(new URL('../../src/mugai.js', import.meta.url));

/** Makes files with their own name as content. */
async function lay(root: string, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(join(root, name, '..'), { recursive: true });
    await writeFile(join(root, name), name);
  }
}

interface Case {
  readonly name: string;
  readonly files: readonly string[];
  readonly inputs: readonly string[];
  readonly out: string;
  readonly says: RegExp;
}

const CASES: readonly Case[] = [
  {
    name: 'an input whose package would take its own place',
    files: ['report.txt'],
    inputs: ['report.txt'],
    out: '.',
    says: /take the place of the input/,
  },
  {
    name: 'the same through another spelling of the folder',
    files: ['a/report.txt'],
    inputs: ['a/report.txt'],
    out: 'b/../a',
    says: /take the place of the input/,
  },
  {
    name: 'a folder whose packages would take the place of its files',
    files: ['docs/report.txt'],
    inputs: ['docs'],
    out: '.',
    says: /take the place of the input/,
  },
  {
    name: 'an input below the place of a package',
    files: ['p/x', 'out/x/thesis.txt'],
    inputs: ['p/x', 'out/x/thesis.txt'],
    out: 'out',
    says: /folder with inputs/,
  },
  {
    name: 'a folder of somebody else in the place of a package',
    files: ['in/report', 'Documents/report/thesis.txt'],
    inputs: ['in/report'],
    out: 'Documents',
    says: /Documents\/report is there and is no package/,
  },
  {
    name: 'a package with a file of somebody else in it',
    files: ['in/report', 'out/report/manifest.dsse.json', 'out/report/thesis.txt'],
    inputs: ['in/report'],
    out: 'out',
    says: /no package/,
  },
  {
    name: 'a file of somebody else in the place of a package',
    files: ['in/report', 'out/report'],
    inputs: ['in/report'],
    out: 'out',
    says: /no package/,
  },
  {
    name: 'an --out that is the input folder',
    files: ['docs/a.txt'],
    inputs: ['docs'],
    out: 'docs',
    says: /--out is .* itself/,
  },
  { name: 'an --out that is a file', files: ['a.txt', 'b.txt'], inputs: ['a.txt'], out: 'b.txt', says: /no folder/ },
  {
    name: 'an --out below an input file',
    files: ['a.txt'],
    inputs: ['a.txt'],
    out: 'a.txt/x',
    says: /take the place of the input/,
  },
  {
    name: 'an --out inside a package',
    files: ['in/a', 'out/a/manifest.dsse.json'],
    inputs: ['in'],
    out: 'out/a',
    says: /is a package; nothing is put inside/,
  },
  {
    name: 'one package inside another',
    files: ['p/x', 'q/x/y'],
    inputs: ['p/x', 'q/x'],
    out: 'nest',
    says: /lie inside the package/,
  },
];

describe('mugai sanitise touches nothing of the user’s', () => {
  for (const { name, files, inputs, out, says } of CASES) {
    it(`${name}: one line, exit 2, every file as it was`, async () => {
      await using folder = await scratch();
      const at = (path: string): string => join(folder.path, 'home', path);
      await lay(join(folder.path, 'home'), ...files);
      const args = ['sanitise', ...inputs.map(at), '--out', `${folder.path}/home/${out}`];
      const run = await runMugai(args, { MUGAI_DATA_DIR: join(folder.path, 'data') });
      assert.equal(run.code, 2, run.stdout + run.stderr);
      assert.match(run.stderr, says);
      assert.equal(run.stderr.trim().split('\n').length, 1, run.stderr);
      for (const file of files) assert.equal(await readFile(at(file), 'utf8'), file);
      const left = (await readdir(folder.path, { recursive: true, withFileTypes: true })).filter((e) => e.isFile());
      assert.equal(left.length, files.length, 'nothing was added');
    });
  }

  it('a link to the folder of the input hides nothing', async () => {
    await using folder = await scratch();
    await lay(folder.path, 'docs/report.txt');
    await symlink(join(folder.path, 'docs'), join(folder.path, 'link'));
    const args = ['sanitise', join(folder.path, 'docs/report.txt'), '--out', join(folder.path, 'link')];
    const run = await runMugai(args, { MUGAI_DATA_DIR: join(folder.path, 'data') });
    assert.equal(run.code, 2, run.stdout);
    assert.equal(await readFile(join(folder.path, 'docs/report.txt'), 'utf8'), 'docs/report.txt');
  });

  it('the data folder and the keys are no input: left out of a folder, and told; refused by name', async () => {
    await using folder = await scratch();
    await lay(folder.path, 'work/a.txt', 'work/var/spool/20260101-00/x.01-spooled.json', 'work/keys/of-others');
    const [work, out] = [join(folder.path, 'work'), join(folder.path, 'out')];
    const [signing, verifying] = [join(folder.path, 's.pem'), join(work, 'keys', 'v.pem')];
    assert.equal((await runMugai(['keys', 'generate', '--signing-key', signing, '--verify-key', verifying])).code, 0);
    const env = {
      MUGAI_DATA_DIR: join(work, 'var'),
      MUGAI_SIGNING_KEY_FILE: signing,
      MUGAI_VERIFY_KEY_FILE: verifying,
      MUGAI_SEALING_KEY_FILE: join(work, 'keys', 'sealing-key.pem'),
    };
    const run = await runMugai(['sanitise', work, '--out', out, '--json'], env);
    assert.equal(run.code, 0, run.stderr);
    const inputs = run.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { input: string }).input);
    assert.deepEqual(inputs.toSorted(), [join(work, 'a.txt'), join(work, 'keys', 'of-others')]);
    assert.match(run.stderr, /left out 3 files of the gateway's own below .*work: data folder, keys/);
    for (const own of ['var', 'var/spool', 'keys/v.pem']) {
      const refused = await runMugai(['sanitise', join(work, own), '--out', join(folder.path, 'out2')], env);
      assert.equal(refused.code, 2, own);
      assert.match(refused.stderr, /is the gateway's own: .* are no input\n$/);
    }
  });

  it('an empty folder is wrong usage', async () => {
    await using folder = await scratch();
    await mkdir(join(folder.path, 'empty'));
    const run = await runMugai(['sanitise', join(folder.path, 'empty'), '--out', join(folder.path, 'out')]);
    assert.equal(run.code, 2);
    assert.match(run.stderr, /empty holds no file/);
  });

  it(
    'a FIFO is wrong usage, and inside a folder left out by name; verify of one ends, too',
    { timeout: 580_000 },
    async () => {
      await using folder = await scratch();
      const env = { MUGAI_DATA_DIR: join(folder.path, 'data') };
      await lay(folder.path, 'in/a.txt');
      const pipe = join(folder.path, 'in', 'pipe');
      execFileSync('mkfifo', [pipe]);
      const alone = await runMugai(['sanitise', pipe, '--out', join(folder.path, 'out')], env);
      assert.equal(alone.code, 2);
      assert.match(alone.stderr, /pipe is neither a regular file nor a folder/);
      const inside = await runMugai(['sanitise', join(folder.path, 'in'), '--out', join(folder.path, 'out')], env);
      assert.equal(inside.code, 0, inside.stderr);
      assert.match(inside.stderr, /left out .*pipe.*no regular file/);

      await mkdir(join(folder.path, 'bad'));
      execFileSync('mkfifo', [join(folder.path, 'bad', 'manifest.dsse.json')]);
      const verified = await runMugai(['verify', join(folder.path, 'bad')], env);
      assert.equal(verified.code, 1);
      assert.match(verified.stdout, /REFUSED .*no plain file/);
    },
  );
});

describe('mugai sanitise', () => {
  it('packages below an input folder are no input of the next run, which replaces them', async () => {
    await using folder = await scratch();
    const env = { MUGAI_DATA_DIR: join(folder.path, 'data') };
    await lay(folder.path, 'docs/a.txt', 'docs/b/c.txt');
    for (let run = 0; run < 2; run++) {
      const { code, stdout, stderr } = await runMugai(
        ['sanitise', join(folder.path, 'docs'), '--out', join(folder.path, 'docs', 'harmless')],
        env,
      );
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^2 sanitised$/m);
    }
    assert.deepEqual(await readdir(join(folder.path, 'docs/harmless')), ['docs']);
  });

  it('two runs into one --out at once do not disturb each other', { timeout: 580_000 }, async () => {
    await using folder = await scratch();
    const env = { MUGAI_DATA_DIR: join(folder.path, 'data') };
    await lay(folder.path, ...[1, 2, 3, 4].flatMap((n) => [`a/${n}.txt`, `b/${n}.txt`]));
    const out = join(folder.path, 'out');
    const runs = await Promise.all(
      ['a', 'b', 'a'].map(async (name) => runMugai(['sanitise', join(folder.path, name), '--out', out], env)),
    );
    for (const run of runs) assert.equal(run.code, 0, run.stdout + run.stderr);
    const verified = await runMugai(['verify', out], env);
    assert.match(verified.stdout, /^8 packages, 0 refused$/m);
    assert.deepEqual((await readdir(out)).toSorted(), ['a', 'b']);
  });

  it('a file over the input ceiling becomes a package that says so, with its size and digest', async () => {
    await using folder = await scratch();
    const env = { MUGAI_DATA_DIR: join(folder.path, 'data') };
    const size = LIMITS.messageBytes + 1;
    const out = join(folder.path, 'out');
    for (const name of ['big.pdf', 'big.eml']) {
      await writeFile(join(folder.path, name), '');
      await truncate(join(folder.path, name), size);
      const run = await runMugai(['sanitise', join(folder.path, name), '--out', out, '--json'], env);
      assert.equal(run.code, 0, run.stdout);
      const line = JSON.parse(run.stdout) as { state: string; reason: string; out: string; parts: number };
      assert.deepEqual([line.state, line.reason, line.out, line.parts], ['refused', 'too-large', join(out, name), 1]);
      const envelope = JSON.parse(await readFile(join(out, name, 'manifest.dsse.json'), 'utf8')) as { payload: string };
      const { predicate } = JSON.parse(Buffer.from(envelope.payload, 'base64').toString()) as {
        predicate: { state: string; source: { size: number; sha256: string } };
      };
      const sha256 = createHash('sha256').update(Buffer.alloc(size)).digest('hex');
      assert.deepEqual([predicate.state, predicate.source.size, predicate.source.sha256], ['refused', size, sha256]);
    }
    const verified = await runMugai(['verify', out], env);
    assert.equal(verified.code, 0, verified.stdout);
  });

  it('a reader that goes away ends the output, not the work', async () => {
    await using folder = await scratch();
    await lay(folder.path, ...Array.from({ length: 12 }, (_, n) => `in/${n}.txt`));
    const args = ['sanitise', join(folder.path, 'in'), '--out', join(folder.path, 'out'), '--json', '--jobs', '1'];
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { PATH: process.env['PATH'] ?? '', MUGAI_DATA_DIR: join(folder.path, 'data') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.stdout.once('data', () => child.stdout.destroy());
    const [code] = (await once(child, 'close')) as [number | null];
    assert.deepEqual([code, stderr], [0, '']);
    assert.equal((await readdir(join(folder.path, 'out/in'))).length, 12);
  });
});
