// `mugai bundle`: the program and every package it runs on, in one signed tar for a site that reaches no registry.
import { execFile } from 'node:child_process';
import { createHash, sign, verify, type KeyObject } from 'node:crypto';
import { appendFile, cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { loadPrivateKey, loadPublicKeys } from '../outbox/keys.ts';
import { keyId } from '../outbox/manifest.ts';
import { VERSION } from '../version.ts';
import { say, UsageError, type Command } from './usage.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What of the working copy is the program. */
const PROGRAM = [
  'package.json',
  'package-lock.json',
  '.npmrc',
  'src',
  'workers',
  'samples',
  'docs',
  'README.md',
  'README.ja.md',
  'ARCHITECTURE.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'Dockerfile',
  'docker-compose.yml',
  'LICENSE',
  'NOTICE',
];
const LIST = 'SHA256SUMS';
const SIGNATURE = 'SHA256SUMS.sig';

export const bundle: Command = {
  help: `mugai bundle --out FILE.tar --signing-key FILE
mugai bundle verify FILE.tar --key FILE

Packs the program and all its packages (fetched by npm, each checked against the hash in the lock file), the software bill
(CycloneDX) and the licences into one tar, and signs the list of digests with Ed25519. Where no registry can be reached:

  mugai bundle verify FILE.tar --key FILE     # by hand, with openssl and sha256sum: docs/ops/README.md
  tar xf FILE.tar && cd mugai && npm ci --offline --omit=dev --cache ./npm-cache

Exit 0: made, or every byte holds; 1: it does not; 2: wrong usage.

Example: mugai bundle --out mugai-${VERSION}.tar --signing-key release-key.pem`,

  run: async (args) => {
    const [first, ...rest] = args;
    if (first === 'verify') return verifyBundle(rest);
    const { values } = parseArgs({
      args: [...args],
      options: { out: { type: 'string' }, 'signing-key': { type: 'string' } },
    });
    const { out, 'signing-key': keyFile } = values;
    if (out === undefined || keyFile === undefined) throw new UsageError('say --out FILE.tar --signing-key FILE');
    await makeBundle(out, await loadPrivateKey(keyFile));
    say(`${out} made`);
    return 0;
  },
};

async function makeBundle(out: string, key: KeyObject): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'mugai-bundle-'));
  try {
    const folder = join(work, 'mugai');
    await mkdir(folder);
    for (const name of PROGRAM) await cp(join(ROOT, name), join(folder, name), { recursive: true });
    // npm checks every package against the hash in the lock file while it fills this cache.
    const npm = async (...more: readonly string[]): Promise<string> =>
      (await run('npm', [...more], { cwd: folder, maxBuffer: 256 * 1024 * 1024 })).stdout;
    await npm('ci', '--omit=dev', '--ignore-scripts', '--cache', join(folder, 'npm-cache'));
    // What npm cached it finds again under this address only, whatever the site's own npm is set to.
    await appendFile(join(folder, '.npmrc'), `registry=${nameless(await npm('config', 'get', 'registry'))}\n`);
    const bill = await npm('sbom', '--package-lock-only', '--omit=dev', '--sbom-format', 'cyclonedx');
    await writeFile(join(folder, 'sbom.cdx.json'), bill);
    await writeFile(join(folder, 'licences.txt'), licencesOf(bill));
    await rm(join(folder, 'node_modules'), { recursive: true, force: true });
    await rm(join(folder, 'npm-cache', '_logs'), { recursive: true, force: true });
    const list = await listOf(folder);
    await writeFile(join(folder, LIST), list);
    const signature = { keyid: keyId(key), sig: sign(null, Buffer.from(list), key).toString('base64') };
    await writeFile(join(folder, SIGNATURE), `${JSON.stringify(signature)}\n`);
    await mkdir(dirname(out), { recursive: true });
    await run('tar', ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '-cf', out, '-C', work, 'mugai']);
  } catch (error) {
    throw new MugaiError('store-failed', `bundle: ${reasonOf(error)}`, { cause: error });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** An address without a name and a password: those stay where the bundle is made. */
function nameless(address: string): string {
  const url = new URL(address.trim());
  [url.username, url.password] = ['', ''];
  return url.href;
}

/** A line for each package of a software bill: name, version, licence. */
export function licencesOf(bill: string): string {
  const { components } = JSON.parse(bill) as {
    readonly components: readonly {
      readonly name: string;
      readonly version: string;
      readonly licenses?: readonly {
        readonly license?: { readonly id?: string; readonly name?: string };
        readonly expression?: string;
      }[];
    }[];
  };
  const lines = components.map(({ name, version, licenses = [] }) => {
    const told = licenses
      .map(({ license, expression }) => expression ?? license?.id ?? license?.name ?? '')
      .filter(Boolean);
    return `${name} ${version} ${told.length === 0 ? 'UNKNOWN' : told.join(' AND ')}\n`;
  });
  return [...new Set(lines)].toSorted().join('');
}

/** `<sha256>  <path>` of every file, as `sha256sum` writes it. */
async function listOf(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    if (entry.isDirectory() || name === LIST || name === SIGNATURE) continue;
    if (!entry.isFile()) throw new MugaiError('bad-input', `${name} is no plain file`, { permanent: true });
    lines.push(
      `${createHash('sha256')
        .update(await readFile(path))
        .digest('hex')}  ${name}\n`,
    );
  }
  return lines.toSorted((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join('');
}

async function verifyBundle(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { key: { type: 'string' } },
  });
  const [file] = positionals;
  if (file === undefined || positionals.length !== 1 || values.key === undefined)
    throw new UsageError('say verify FILE.tar --key FILE');
  const keys = await loadPublicKeys(values.key);
  const work = await mkdtemp(join(tmpdir(), 'mugai-bundle-'));
  try {
    await run('tar', ['--no-same-owner', '--no-same-permissions', '-xf', file, '-C', work]);
    const beside = (await readdir(work)).find((name) => name !== 'mugai');
    const fault = beside === undefined ? await faultOf(join(work, 'mugai'), keys) : `${beside} was added beside mugai`;
    say(fault === undefined ? `${file}: holds` : `${file}: ${fault}`);
    return fault === undefined ? 0 : 1;
  } catch (error) {
    say(`${file}: ${reasonOf(error)}`);
    return 1;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What is wrong with an unpacked bundle; undefined when every byte is as it was signed and nothing was added. */
async function faultOf(folder: string, keys: ReadonlyMap<string, KeyObject>): Promise<string | undefined> {
  const list = await readFile(join(folder, LIST));
  const { keyid, sig } = JSON.parse(await readFile(join(folder, SIGNATURE), 'utf8')) as { keyid: string; sig: string };
  const key = keys.get(keyid);
  if (key === undefined || !verify(null, list, key, Buffer.from(sig, 'base64')))
    return 'not signed by a key that is known';
  const now = (await listOf(folder)).split('\n');
  const signed = new Set(list.toString('utf8').split('\n'));
  const odd = now.find((line) => !signed.has(line)) ?? [...signed].find((line) => !now.includes(line));
  return odd === undefined ? undefined : `${odd.slice(66)} was changed, added or taken away`;
}
