// `mugai bundle verify`: every byte as it was signed, nothing added, nothing taken away; the list of licences.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { licencesOf } from '../../src/cli/bundle.ts';
import { keyId } from '../../src/outbox/manifest.ts';
import { runMugai } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

const FILES = { 'package.json': '{}', 'src/main.ts': '// hello', 'npm-cache/a b': 'x' };

/** A small bundle, signed; `change` is done to its folder after that. */
async function bundleOf(folder: string, key: KeyObject, change: (mugai: string) => Promise<void>): Promise<string> {
  const mugai = join(folder, 'mugai');
  await rm(mugai, { recursive: true, force: true });
  for (const [name, content] of Object.entries(FILES)) {
    await mkdir(join(mugai, name, '..'), { recursive: true });
    await writeFile(join(mugai, name), content);
  }
  const list = Object.entries(FILES)
    .map(([name, content]) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`)
    .join('');
  await writeFile(join(mugai, 'SHA256SUMS'), list);
  const signature = { keyid: keyId(key), sig: sign(null, Buffer.from(list), key).toString('base64') };
  await writeFile(join(mugai, 'SHA256SUMS.sig'), JSON.stringify(signature));
  await change(mugai);
  execFileSync('tar', ['-cf', join(folder, 'b.tar'), '-C', folder, 'mugai']);
  return join(folder, 'b.tar');
}

describe('mugai bundle verify', () => {
  it('holds for what was signed, and names what was changed, added, taken away or signed by another', async () => {
    await using folder = await scratch();
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const stranger = generateKeyPairSync('ed25519').privateKey;
    const pem = join(folder.path, 'key.pem');
    await writeFile(pem, publicKey.export({ format: 'pem', type: 'spki' }));
    const cases: readonly [KeyObject, (mugai: string) => Promise<void>, number, RegExp][] = [
      [privateKey, async () => undefined, 0, /: holds$/],
      [privateKey, async (mugai) => writeFile(join(mugai, 'src/main.ts'), '// hello!'), 1, /src\/main\.ts was changed/],
      [privateKey, async (mugai) => writeFile(join(mugai, 'src/evil.ts'), ''), 1, /src\/evil\.ts was changed, added/],
      [
        privateKey,
        async (mugai) => rm(join(mugai, 'package.json')),
        1,
        /package\.json was changed, added or taken away/,
      ],
      [privateKey, async (mugai) => symlink('/etc/passwd', join(mugai, 'src/link')), 1, /no plain file/],
      [privateKey, async (mugai) => writeFile(join(mugai, 'SHA256SUMS'), ''), 1, /not signed by a key that is known/],
      [stranger, async () => undefined, 1, /not signed by a key that is known/],
    ];
    for (const [key, change, code, said] of cases) {
      const file = await bundleOf(folder.path, key, change);
      const { code: got, stdout, stderr } = await runMugai(['bundle', 'verify', file, '--key', pem]);
      assert.match(stdout.trim(), said, stderr);
      assert.equal(got, code);
    }
    // Beside the folder that the list is about: it would be unpacked with it, wherever that is.
    const beside = await bundleOf(folder.path, privateKey, async () => undefined);
    await writeFile(join(folder.path, '.profile'), 'evil');
    execFileSync('tar', ['-rf', beside, '-C', folder.path, '.profile']);
    const { code: added, stdout: told } = await runMugai(['bundle', 'verify', beside, '--key', pem]);
    assert.deepEqual([added, told.trim()], [1, `${beside}: .profile was added beside mugai`]);
    await writeFile(join(folder.path, 'no.tar'), 'no tar');
    assert.equal((await runMugai(['bundle', 'verify', join(folder.path, 'no.tar'), '--key', pem])).code, 1);
    assert.equal((await runMugai(['bundle'])).code, 2);
  });

  it('lists the licence of each package of a software bill', () => {
    const bill = {
      components: [
        { name: 'b', version: '2', licenses: [{ expression: 'MIT OR X' }] },
        { name: 'a', version: '1', licenses: [{ license: { id: 'ISC' } }] },
        { name: 'c', version: '3' },
      ],
    };
    assert.equal(licencesOf(JSON.stringify(bill)), 'a 1 ISC\nb 2 MIT OR X\nc 3 UNKNOWN\n');
  });
});
