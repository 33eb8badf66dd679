// The gate's check of a package: what was sealed holds, what was changed in any way does not.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { folderOf, newMessageId, timeOf, type MessageId } from '../../src/message/id.ts';
import type { SanitisedRecord } from '../../src/message/stages.ts';
import { loadPublicKeys } from '../../src/outbox/keys.ts';
import { preAuthentication } from '../../src/outbox/manifest.ts';
import { Outbox } from '../../src/outbox/outbox.ts';
import { verifyPackage } from '../../src/outbox/verify.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { openFsStore } from '../../src/store/fs-store.ts';
import { runMugai } from '../support/gateway-process.ts';
import { scratch } from '../support/scratch.ts';

const ZERO = '0'.repeat(64);

function recordOf(id: string): SanitisedRecord {
  const came = new Date(timeOf(id as MessageId)).toISOString();
  return {
    stage: 'sanitised',
    id,
    state: 'sanitised',
    reason: null,
    source: { kind: 'mail', name: '', size: 3, sha256: ZERO },
    envelope: { from: 'a@example.com', to: ['b@city.example.lg.jp'] },
    receivedAt: came,
    sanitisedAt: came,
    headers: { from: 'a@example.com', to: '', cc: '', subject: '件名', date: '', messageId: '' },
    autoSubmitted: '',
    policy: { name: 'built-in', version: '1', sha256: ZERO },
    engine: { version: '0', workers: {} },
    parts: [
      {
        path: '1',
        name: 'a.txt',
        declaredType: 'text/plain',
        detectedType: 'text/plain',
        size: 1,
        sha256: ZERO,
        verdict: 'text',
        reason: null,
        outputs: ['files/01-a.txt'],
        pages: 0,
        findings: [],
        losses: [],
      },
    ],
    text: 'Subject: 件名\n\n本文\n',
    outputs: [],
    outputFolder: '',
    ms: 1,
  };
}

interface Sealed {
  readonly folder: string;
  readonly key: string;
}

/** A sealed package of two files in a folder, and its public key in a file. */
async function sealed(root: string): Promise<Sealed> {
  const pair = generateKeyPairSync('ed25519');
  const key = join(root, 'verify-key.pem');
  await writeFile(key, pair.publicKey.export({ format: 'pem', type: 'spki' }));
  const folder = join(root, 'package');
  await mkdir(join(folder, 'files'), { recursive: true });
  const id = newMessageId();
  const outputs = [{ name: 'files/01-a.txt', content: Buffer.from('a') }];
  for (const { name, content } of packageOf(id, recordOf(id), outputs, new Signer(pair.privateKey))) {
    assert.ok(content instanceof Uint8Array);
    await writeFile(join(folder, name), content);
  }
  return { folder, key };
}

interface Dsse {
  payloadType: string;
  payload: string;
  signatures: { keyid: string; sig: string }[];
}

/** Rewrites the envelope. */
async function edit(folder: string, change: (envelope: Dsse) => unknown): Promise<void> {
  const path = join(folder, 'manifest.dsse.json');
  const envelope = JSON.parse(await readFile(path, 'utf8')) as Dsse;
  await writeFile(path, `${JSON.stringify(change(envelope) ?? envelope)}\n`);
}

function payload(envelope: Dsse, change: (text: string) => string): Dsse {
  const text = change(Buffer.from(envelope.payload, 'base64').toString('utf8'));
  return { ...envelope, payload: Buffer.from(text).toString('base64') };
}

const TAMPERINGS: { readonly [name: string]: (folder: string) => Promise<unknown> } = {
  'a byte of the text is changed': async (folder) => writeFile(join(folder, 'message.txt'), 'Subject: 件名\n\n本分\n'),
  'a byte of a file is changed': async (folder) => writeFile(join(folder, 'files/01-a.txt'), 'b'),
  'a byte is added': async (folder) => writeFile(join(folder, 'files/01-a.txt'), 'a\n'),
  'a file is gone': async (folder) => rm(join(folder, 'files/01-a.txt')),
  'a file is added': async (folder) => writeFile(join(folder, 'files/02-b.txt'), 'b'),
  'a file is added beside the manifest': async (folder) => writeFile(join(folder, 'original.exe'), 'MZ'),
  'a file has another name': async (folder) => rename(join(folder, 'files/01-a.txt'), join(folder, 'files/01-b.txt')),
  'a file is a link to the same bytes': async (folder) => {
    await writeFile(join(folder, '..', 'elsewhere'), 'a');
    await rm(join(folder, 'files/01-a.txt'));
    await symlink(join(folder, '..', 'elsewhere'), join(folder, 'files/01-a.txt'));
  },
  'the manifest is cut': async (folder) => {
    const path = join(folder, 'manifest.dsse.json');
    await writeFile(path, (await readFile(path)).subarray(0, -20));
  },
  'there is no signature': async (folder) => edit(folder, (envelope) => ({ ...envelope, signatures: [] })),
  'the signature is another one': async (folder) =>
    edit(folder, (envelope) => {
      const [first] = envelope.signatures;
      if (first !== undefined) first.sig = `${first.sig.startsWith('A') ? 'B' : 'A'}${first.sig.slice(1)}`;
    }),
  'the key id is another one': async (folder) =>
    edit(folder, (envelope) => {
      const [first] = envelope.signatures;
      if (first !== undefined) first.keyid = ZERO;
    }),
  'the payload says another state': async (folder) =>
    edit(folder, (envelope) => payload(envelope, (text) => text.replace('"sanitised"', '"held"'))),
  'the payload has a space more': async (folder) => edit(folder, (envelope) => payload(envelope, (text) => `${text} `)),
  'the payload type is another one': async (folder) =>
    edit(folder, (envelope) => ({ ...envelope, payloadType: 'application/json' })),
  'the envelope has a field more': async (folder) => edit(folder, (envelope) => ({ ...envelope, note: 'x' })),
};

describe('mugai verify', () => {
  it('accepts what was sealed', async () => {
    await using root = await scratch();
    const { folder, key } = await sealed(root.path);
    const run = await runMugai(['verify', folder, '--key', key]);
    assert.equal(run.code, 0, run.stdout);
  });

  for (const [name, tamper] of Object.entries(TAMPERINGS)) {
    it(`refuses a package where ${name}`, async () => {
      await using root = await scratch();
      const { folder, key } = await sealed(root.path);
      await tamper(folder);
      const run = await runMugai(['verify', folder, '--key', key, '--json']);
      assert.equal(run.code, 1);
      const line = JSON.parse(run.stdout) as { ok: boolean; reason: string };
      assert.equal(line.ok, false);
      assert.ok(line.reason.length > 0);
    });
  }

  it('refuses a package sealed with a key it does not know', async () => {
    await using root = await scratch();
    const { folder } = await sealed(root.path);
    await using other = await scratch();
    const { key } = await sealed(other.path);
    const run = await runMugai(['verify', folder, '--key', key]);
    assert.equal(run.code, 1);
    assert.match(run.stdout, /no signature of a known key/);
  });
});

describe('mugai verify of an outbox', () => {
  it('refuses a package that lies under the id of another message, as the gate does', async () => {
    await using root = await scratch();
    const { folder, key } = await sealed(root.path);
    const other = join(root.path, 'outbox', folderOf(newMessageId()));
    await mkdir(dirname(other), { recursive: true });
    await rename(folder, other);
    const run = await runMugai(['verify', join(root.path, 'outbox'), '--key', key]);
    assert.equal(run.code, 1);
    assert.match(run.stdout, /^REFUSED {2}.*manifest-id: package of [0-9a-z]{26} lies under another id$/m);
  });

  it('prints no escape sequence of a name that lies in the package, in lines and in JSON', async () => {
    await using root = await scratch();
    const { folder, key } = await sealed(root.path);
    const name = 'z\u001b[2K\rok       p\u001b[8m\u009b8m\u202e';
    await writeFile(join(folder, 'files', name), 'MZ');
    const run = await runMugai(['verify', folder, '--key', key]);
    assert.equal(run.code, 1);
    assert.match(run.stdout, /^REFUSED .*file-unlisted/m);
    assert.doesNotMatch(run.stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]|^ok/m);
    const json = await runMugai(['verify', folder, '--key', key, '--json']);
    assert.doesNotMatch(json.stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    assert.ok(
      (JSON.parse(json.stdout) as { reason: string }).reason.includes(name.replaceAll(/\s+/g, ' ')),
      'the same value',
    );
  });
});

describe('mugai verify of a delivered file by itself', () => {
  it('names the package that lists it and what was signed of it; an altered or unknown one is refused', async () => {
    await using root = await scratch();
    const { folder, key } = await sealed(root.path);
    const file = join(root.path, 'saved by a reader.txt');
    await writeFile(file, 'a');
    const manifest = ['--manifest', join(folder, 'manifest.dsse.json'), '--key', key];
    const held = await runMugai(['verify', file, ...manifest]);
    assert.equal(held.code, 0, held.stdout);
    assert.match(held.stdout, /^listed {3}files\/01-a\.txt of .*manifest\.dsse\.json$/m);
    assert.match(held.stdout, /^source {3}mail of 3 bytes, sha256 0{64}$/m);
    assert.match(held.stdout, /^policy {3}built-in 1, sha256 /m);

    const nowhere = await runMugai(['verify', file, '--manifest', join(root.path, 'none'), '--key', key]);
    assert.equal(nowhere.code, 2);
    assert.match(nowhere.stderr, /^mugai: --manifest .*none does not exist, or is no file\n$/);

    await writeFile(file, 'b');
    const altered = await runMugai(['verify', file, ...manifest, '--json']);
    assert.equal(altered.code, 1);
    assert.match(altered.stdout, /"ok":false,"reason":"[^"]* does not list it"/);

    await writeFile(file, 'a');
    await edit(folder, (envelope) => payload(envelope, (text) => text.replace('"sanitised"', '"held"')));
    const forged = await runMugai(['verify', file, ...manifest]);
    assert.equal(forged.code, 1);
    assert.match(forged.stdout, /manifest-signature/);
  });

  it('is looked for in all packages of the outbox, and one that was sealed with a form not ours is refused', async () => {
    await using root = await scratch();
    const { folder, key } = await sealed(root.path);
    await mkdir(join(root.path, 'outbox', '20261125-00'), { recursive: true });
    await rename(folder, join(root.path, 'outbox', '20261125-00', 'package'));
    const file = join(root.path, 'a');
    await writeFile(file, 'a');
    const env = { MUGAI_DATA_DIR: root.path };
    const found = await runMugai(['verify', file, '--key', key], env);
    assert.equal(found.code, 0, found.stdout + found.stderr);
    await writeFile(file, 'c');
    const unknown = await runMugai(['verify', file, '--key', key], env);
    assert.equal(unknown.code, 1);
    assert.match(unknown.stdout, /no package in .* lists it/);
  });
});

describe('the folder of a package', () => {
  it('is found to hold more than it says without all of it being listed', async () => {
    await using root = await scratch();
    const { folder, key } = await sealed(root.path);
    const id = newMessageId();
    await mkdir(join(root.path, 'outbox', dirname(folderOf(id))), { recursive: true });
    await rename(folder, join(root.path, 'outbox', folderOf(id)));
    const outbox = new Outbox(await openFsStore(join(root.path, 'outbox')));
    const keys = await loadPublicKeys(key);
    const { signal } = new AbortController();
    assert.equal((await verifyPackage(outbox.files(id), keys, 1000, signal)).files.length, 2);
    for (let i = 0; i < 100; i++) await writeFile(join(root.path, 'outbox', folderOf(id), 'files', `x${i}`), '');
    assert.ok((await outbox.files(id).names(5)).length <= 10);
    await assert.rejects(verifyPackage(outbox.files(id), keys, 1000, signal), /file-unlisted: files\/x/);
  });
});

describe('the signature', () => {
  it('is one that openssl accepts over the DSSE pre-authentication encoding', async () => {
    await using root = await scratch();
    const { folder, key } = await sealed(root.path);
    const envelope = JSON.parse(await readFile(join(folder, 'manifest.dsse.json'), 'utf8')) as Dsse;
    const message = join(root.path, 'message');
    const signature = join(root.path, 'signature');
    await writeFile(message, preAuthentication(Buffer.from(envelope.payload, 'base64')));
    await writeFile(signature, Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64'));
    const args = ['pkeyutl', '-verify', '-pubin', '-inkey', key, '-rawin', '-in', message, '-sigfile', signature];
    assert.match(execFileSync('openssl', args, { encoding: 'utf8' }), /Verified Successfully/);
  });
});
