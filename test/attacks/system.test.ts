// Attack catalogue, rows 116, 117, 119, 121 and 123: jobs, records, the machine around the children, what we are built from.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { corpus, corpusFiles, row } from '../support/attack-row.ts';
import { openCanary } from '../support/canary.ts';
import { packageFaults } from '../support/checker/checker.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { openSanitiser, type Sanitiser } from '../support/sanitiser.ts';
import { scratch, until } from '../support/scratch.ts';
import { judgeAudit } from '../../.ci/known-holes.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = join(ROOT, 'src/main.ts');
/** Files that stop a decoder or an engine each time they are tried. */
const POISON = [
  'hostile/image-pillow/trailer_loop.pdf',
  'pdf/pdfjs/bomb_giant.pdf',
  ...corpusFiles('hostile/image-pillow', /^(?:timeout|crash)-/).slice(0, 2),
];

let sanitiser: Sanitiser;
before(async () => {
  sanitiser = await openSanitiser({}, 1);
});
after(async () => sanitiser[Symbol.asyncDispose]());

describe('queue, storage, sandbox, supply', () => {
  row(116, 'a file that kills its worker each time ends with a reason, and the ones behind it pass', async () => {
    for (const path of POISON) {
      const bytes = await corpus(path);
      for (let times = 0; times < 3; times++)
        assert.match((await sanitiser.file('poison', bytes)).state, /^(sanitised|held|refused)$/);
      assert.match((await sanitiser.mail('From: a@example.com\r\n\r\nbehind it\r\n')).text, /behind it/);
    }
  });

  row(117, 'a job is an id and nothing else: a tampered record is no package, a foreign id does nothing', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const reply = await sendMail(gateway.smtpPort ?? 0, plainMail('honest'));
    const id = /queued as (\w+)/.exec(reply)?.[1] ?? '';
    const delivered = join(folder.path, 'delivered');
    await until(
      async () => (await readdir(delivered).catch((): string[] => [])).includes(`${id}.eml`),
      60_000,
      'delivery',
    );
    // Records that no door made, as somebody might leave them in the spool: none of them becomes a delivery.
    const spool = join(folder.path, 'spool');
    const records = (await readdir(spool, { recursive: true })).filter((name) => name.endsWith('01-spooled.json'));
    const [first = ''] = records;
    const text = await readFile(join(spool, first), 'utf8');
    const other = `${id.slice(0, -4)}zzzz`;
    await writeFile(join(spool, first.replace(id, other)), text, { mode: 0o600 });
    await writeFile(join(spool, first.replace(id, `${id.slice(0, -4)}yyyy`)), '{"__proto__":{"stage":"spooled"}}', {
      mode: 0o600,
    });
    assert.match(await sendMail(gateway.smtpPort ?? 0, plainMail('next')), /^250 /);
    await until(
      async () => (await readdir(delivered)).filter((name) => name.endsWith('.eml')).length >= 2,
      60_000,
      'the next mail',
    );
    assert.ok(!(await readdir(delivered)).some((name) => name.startsWith(other)));
  });

  row(119, 'JSON of others is held to a schema, in size and depth; __proto__ changes nothing', async () => {
    await using folder = await scratch();
    await using gateway = await startTestGateway(folder.path);
    const url = `http://127.0.0.1:${gateway.uploadPort}/v1/files`;
    for (const body of [
      '{"__proto__":{"x":1}}',
      `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      `{"a":1e${'9'.repeat(500)}}`,
      '{"to":["a"]',
      '\u0000',
    ]) {
      const reply = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      assert.ok(reply.status >= 400 && reply.status < 500, String(reply.status));
    }
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
    assert.match(await sendMail(gateway.smtpPort ?? 0, plainMail('next')), /^250 /);
  });

  row(
    121,
    'with no network at all everything is made harmless as ever; what one document left is not there for the next',
    async () => {
      await using folder = await scratch();
      await using canary = await openCanary();
      const out = join(folder.path, 'out');
      const input = join(folder.path, 'in');
      await writeFile(input, `file://${canary.secretPath} http://${canary.host}/`);
      const sample = join(ROOT, 'samples/file/javascript-launch.pdf');
      const mail = join(ROOT, 'samples/mail/alternative-inline.eml');
      const args = [process.execPath, MAIN, 'sanitise', sample, mail, input, '--out', out];
      const namespace = process.getuid?.() === 0 ? ['-n'] : ['-rn'];
      const { stderr } = await run('unshare', [...namespace, ...args], {
        env: { PATH: process.env['PATH'] ?? '', MUGAI_DATA_DIR: join(folder.path, 'data') },
      });
      assert.doesNotMatch(stderr, /ENETUNREACH|EAI_AGAIN/);
      for (const [name, original] of [
        ['javascript-launch.pdf', sample],
        ['alternative-inline.eml', mail],
        ['in', input],
      ] as const)
        assert.deepEqual(await packageFaults(join(out, name), await readFile(original)), [], name);
      assert.deepEqual(await canary.touched(), []);
      // Job A's words are not in job B's output, through the same child.
      await sanitiser.file('a.txt', 'CANARY-OF-JOB-A '.repeat(100));
      await sanitiser.mail('From: a@example.com\r\nSubject: CANARY-OF-JOB-A\r\n\r\nCANARY-OF-JOB-A\r\n');
      for (const outcome of [
        await sanitiser.file('b.txt', 'b'),
        await sanitiser.mail('From: b@example.com\r\n\r\nb\r\n'),
      ])
        for (const bytes of outcome.files.values()) assert.ok(!bytes.includes('CANARY-OF-JOB-A'));
    },
  );

  row(123, 'every package is pinned and locked with its hash; no script of a package runs', async () => {
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'])
      for (const [name, version] of Object.entries(manifest[kind] ?? {}))
        assert.match(version, /^\d+\.\d+\.\d+(?:-[\w.]+)?$/, name);
    const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version?: string; integrity?: string; link?: boolean }>;
    };
    for (const [path, entry] of Object.entries(lock.packages))
      if (path !== '' && entry.link !== true) assert.match(entry.integrity ?? '', /^sha512-/, path);
    assert.match(await readFile(join(ROOT, '.npmrc'), 'utf8'), /^ignore-scripts=true$/m);
  });

  row(123, 'the bill of material lists every package with its hash; known holes stop what lands', async () => {
    const { stdout } = await run('npm', ['run', '--silent', 'sbom'], { cwd: ROOT, maxBuffer: 64 * 1024 * 1024 });
    const bill = JSON.parse(stdout) as {
      bomFormat: string;
      components: { name: string; version: string; hashes?: { alg: string }[] }[];
    };
    assert.equal(bill.bomFormat, 'CycloneDX');
    for (const { name, hashes } of bill.components) assert.equal(hashes?.[0]?.alg, 'SHA-512', name);
    const listed = new Set(bill.components.map(({ name, version }) => `${name} ${version}`));
    const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { version?: string }>;
    };
    const missing = Object.entries(lock.packages)
      .filter(([path]) => path !== '')
      .map(([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)} ${version}`)
      .filter((name) => !listed.has(name));
    assert.deepEqual(missing, []);

    const audit = (vulnerabilities: object): string => judgeAudit(JSON.stringify({ vulnerabilities })).kind;
    assert.equal(audit({}), 'clean');
    assert.equal(audit({ a: { severity: 'moderate' } }), 'clean');
    for (const severity of ['high', 'critical', undefined]) assert.equal(audit({ a: { severity } }), 'holes');
    for (const noAnswer of ['', '{"message":"405"}', 'null', '[]'])
      assert.equal(judgeAudit(noAnswer).kind, 'no-answer');
    assert.match(await readFile(join(ROOT, '.ci/run'), 'utf8'), /^npm run known-holes\b/m);
  });
});
