// The update of a site that reaches no registry, as an operator practises it: the bundle is made, carried over, verified,
// installed and started where there is no network at all, and mail goes through.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gatewayEnv, runMugai, startGatewayProcess } from '../support/gateway-process.ts';
import { Net } from '../support/net.ts';
import { startRegistry } from '../support/npm-registry.ts';
import { scratch, until } from '../support/scratch.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SEND = fileURLToPath(new URL('./zones/send.ts', import.meta.url));
const MAIL = join(ROOT, 'samples/mail/iso-2022-jp-attachments.eml');
const run = promisify(execFile);

describe('an offline bundle', { timeout: 1_200_000 }, () => {
  it(
    'is verified, installed and started at a site without any network, and mail goes through it',
    { timeout: 1_200_000 },
    async () => {
      await using folder = await scratch();
      const at = (...names: string[]): string => join(folder.path, ...names);
      const keys = ['keys', 'generate', '--signing-key', at('k.pem'), '--verify-key', at('v.pem')];
      assert.equal((await runMugai(keys)).code, 0);
      await using registry = await startRegistry(join(ROOT, 'package-lock.json'));
      // A mirror of its own, as many sites have one: what it filled the bundle with must be found without it.
      const made = await runMugai(['bundle', '--out', at('b.tar'), '--signing-key', at('k.pem')], {
        npm_config_registry: registry.url,
      });
      assert.deepEqual([...registry.missing], [], 'npm keeps in its cache what `npm ci` installed');
      assert.equal(made.code, 0, made.stderr);
      assert.match((await runMugai(['bundle', 'verify', at('b.tar'), '--key', at('v.pem')])).stdout, /: holds$/m);

      await using net = await Net.make(['site']);
      await run('tar', ['-xf', at('b.tar'), '-C', folder.path]);
      const site = at('mugai');
      // By hand, with the words of the page that says how.
      const page = await readFile(join(site, 'docs/ops/README.md'), 'utf8');
      const words = /^cd mugai\nsed [^]*?(?=^```)/m.exec(page)?.[0] ?? 'exit 9';
      const byHand = words.replace('../release-key.pub.pem', at('v.pem'));
      assert.match((await run('sh', ['-ec', byHand], { cwd: folder.path })).stdout, /Signature Verified Successfully/);
      const bare = net.inside('site', { hide: [ROOT] }); // nothing of this working copy
      const installed = 'cd "$1" && exec npm ci --loglevel=error --offline --omit=dev --cache ./npm-cache';
      const [program, ...rest] = [...bare, 'sh', '-c', installed, 'sh', site];
      await run(program, rest, { env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', HOME: at('home') } });

      const node = join(site, 'node_modules/.bin/node');
      await access(node);
      const gateway = await startGatewayProcess(gatewayEnv(at('data')), 'all', bare, [
        node,
        join(site, 'src/mugai.js'),
      ]);
      try {
        const sent = await net.run('site', [process.execPath, SEND, '127.0.0.1', String(gateway.smtpPort), MAIL]);
        assert.match(sent.stdout, /^250 /, sent.stderr);
        const delivered = async (): Promise<string[]> => readdir(at('data', 'delivered')).catch(() => []);
        await until(async () => (await delivered()).some((name) => name.endsWith('.eml')), 120_000, 'the mail arrives');
        const [name = ''] = await delivered();
        const mail = await readFile(at('data', 'delivered', name), 'latin1');
        assert.match(mail, /^X-Mugai-State: sanitised/m);
        assert.match(mail, /^Content-Type: application\/pdf/m);
      } finally {
        await gateway.end('SIGTERM');
      }
    },
  );
});
