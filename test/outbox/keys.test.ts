// Keys that overlap: a new one is taken into use while the old one's packages still verify; and implementations that are not
// ours agree on what a signature is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { appendFile, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { dsse, crypto } from '@sigstore/core';
import { newMessageId } from '../../src/message/id.ts';
import { generateKeys, loadPrivateKey, loadPublicKeys, retireKey, rotateKeys } from '../../src/outbox/keys.ts';
import { MANIFEST, PAYLOAD_TYPE, openManifest } from '../../src/outbox/manifest.ts';
import { Signer, packageOf } from '../../src/seal/seal.ts';
import { plainMail, sendMail, startTestGateway } from '../support/gateway.ts';
import { runMugai } from '../support/gateway-process.ts';
import { recordOf } from '../support/packages.ts';
import { scratch, until } from '../support/scratch.ts';

async function manifestBy(privateFile: string): Promise<Buffer> {
  const id = newMessageId();
  const entries = packageOf(id, recordOf(id, []), [], new Signer(await loadPrivateKey(privateFile)));
  return Buffer.from(entries.at(-1)?.content as Uint8Array);
}

describe('keys', () => {
  it('overlap: after a rotation what either key signed holds, until the old one is retired', async () => {
    await using root = await scratch();
    const [signing, verify] = [join(root.path, 's.pem'), join(root.path, 'v.pem')];
    const { keyId: first } = await generateKeys(signing, verify);
    const old = await manifestBy(signing);
    let between = false;
    const { keyId: second, before } = await rotateKeys(signing, verify, async () => {
      // The new key is known before anything is signed with it.
      assert.equal((await loadPublicKeys(verify)).size, 2);
      await openManifest(await manifestBy(signing), await loadPublicKeys(verify));
      between = true;
    });
    assert.ok(between && before === first && second !== first);
    assert.equal((await stat(signing)).mode & 0o777, 0o600);
    const fresh = await manifestBy(signing);
    for (const manifest of [old, fresh]) await openManifest(manifest, await loadPublicKeys(verify));
    await retireKey(verify, first.slice(0, 12));
    await openManifest(fresh, await loadPublicKeys(verify));
    await assert.rejects(openManifest(old, await loadPublicKeys(verify)), /manifest-signature/);
    await assert.rejects(retireKey(verify, second), /last key/);
  });

  it('are not retired while they sign: wrong usage, and the file stays', async () => {
    await using root = await scratch();
    const [signing, verify] = [join(root.path, 's.pem'), join(root.path, 'v.pem')];
    await generateKeys(signing, verify);
    const { keyId: signs, before } = await rotateKeys(signing, verify, async () => undefined);
    const retire = async (id: string) =>
      runMugai(['keys', 'retire', id, '--signing-key', signing, '--verify-key', verify], { MUGAI_DATA_DIR: root.path });
    for (const id of [signs, signs.slice(0, 12)]) {
      const { code, stderr } = await retire(id);
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`${signs} signs now`));
    }
    assert.deepEqual([...(await loadPublicKeys(verify)).keys()], [signs, before]);
    assert.equal((await retire(before)).code, 0);
    assert.deepEqual([...(await loadPublicKeys(verify)).keys()], [signs]);
  });

  it('are not rotated where the two files are not one pair', async () => {
    await using root = await scratch();
    await generateKeys(join(root.path, 'a.pem'), join(root.path, 'av.pem'));
    await generateKeys(join(root.path, 'b.pem'), join(root.path, 'bv.pem'));
    const before = await readFile(join(root.path, 'bv.pem'), 'utf8');
    await assert.rejects(
      rotateKeys(join(root.path, 'a.pem'), join(root.path, 'bv.pem'), async () => undefined),
      /not one pair/,
    );
    assert.equal(await readFile(join(root.path, 'bv.pem'), 'utf8'), before);
  });

  it('are changed by no command whose line in the journal is not durable before', async () => {
    await using root = await scratch();
    const [signing, verify] = [join(root.path, 's.pem'), join(root.path, 'v.pem')];
    await generateKeys(signing, verify);
    const { before } = await rotateKeys(signing, verify, async () => undefined);
    const files = async (): Promise<string[]> =>
      Promise.all([signing, verify].map(async (file) => readFile(file, 'utf8')));
    const held = await files();
    await mkdir(join(root.path, 'journal'));
    await writeFile(join(root.path, 'journal', 'middle'), 'in the way');
    const env = { MUGAI_DATA_DIR: root.path, MUGAI_SIGNING_KEY_FILE: signing, MUGAI_VERIFY_KEY_FILE: verify };
    assert.notEqual((await runMugai(['keys', 'rotate'], env)).code, 0);
    assert.notEqual((await runMugai(['keys', 'retire', before], env)).code, 0);
    assert.deepEqual(await files(), held);
    const made = [join(root.path, 's2.pem'), '--verify-key', join(root.path, 'v2.pem')];
    assert.notEqual((await runMugai(['keys', 'generate', '--signing-key', ...made], env)).code, 0);
    assert.deepEqual(
      (await readdir(root.path)).filter((name) => name.includes('2')),
      [],
    );
  });

  it('that are accepted stand in the journal of the inner side, before they are', async () => {
    await using root = await scratch();
    await using gateway = await startTestGateway(root.path);
    assert.ok(gateway.opsPort > 0);
    const verify = join(root.path, 'keys', 'verify-key.pem');
    const [first = ''] = (await loadPublicKeys(verify)).keys();
    const [other, otherVerify] = [join(root.path, 'o.pem'), join(root.path, 'ov.pem')];
    const { keyId: second } = await generateKeys(other, otherVerify);
    await appendFile(verify, await readFile(otherVerify)); // nobody was asked
    const accepted = async (): Promise<unknown[]> => {
      const { stdout } = await runMugai(['audit', 'export', '--act', 'changed'], { MUGAI_DATA_DIR: root.path });
      const lines = stdout.split('\n').filter((line) => line !== '');
      const details = lines.map((line) => (JSON.parse(line) as { detail: Record<string, unknown> }).detail);
      return details.filter(({ step }) => step === 'accepted').map(({ keys }) => keys);
    };
    await until(async () => (await accepted()).length === 2, 60_000, 'told');
    assert.deepEqual(await accepted(), [[first], [first, second]]);
  });

  it('are rotated under a running gateway: mail before, between and after is delivered, and the journal tells of it', async () => {
    await using root = await scratch();
    await using gateway = await startTestGateway(root.path);
    const { smtpPort } = gateway;
    assert.ok(smtpPort !== undefined);
    const delivered = async (): Promise<number> =>
      (await readdir(join(root.path, 'delivered')).catch(() => [])).filter((name) => name.endsWith('.eml')).length;
    const send = async (nth: number): Promise<void> => {
      assert.match(await sendMail(smtpPort, plainMail(`mail ${nth}`)), /^250/);
      await until(async () => (await delivered()) === nth, 60_000, `mail ${nth} is delivered`);
    };
    await send(1);
    const env = { MUGAI_DATA_DIR: root.path };
    const run = await runMugai(['keys', 'rotate'], env);
    assert.equal(run.code, 0, run.stderr);
    await send(2);
    const now = [...(await loadPublicKeys(join(root.path, 'keys', 'verify-key.pem'))).keys()];
    assert.equal(now.length, 2);
    let last = '';
    await until(
      async () => {
        last = await readFile(
          join(
            root.path,
            'journal',
            'middle',
            (await readdir(join(root.path, 'journal', 'middle'))).find((name) => name.endsWith('.jsonl')) ?? '',
          ),
          'utf8',
        );
        return last.includes(`"key":"${now[0]}"`) || (await send((await delivered()) + 1), false);
      },
      120_000,
      'the new key seals',
    );
    const told = await runMugai(['audit', 'export', '--act', 'changed'], env);
    assert.match(told.stdout, /"what":"keys"/);
    const shown = await runMugai(['keys', 'show'], env);
    assert.match(shown.stdout, new RegExp(`${now[0]} {2}signs`));
  });
});

describe('a sealed manifest', () => {
  it('holds for openssl and for the library of sigstore, which share no code with us', async () => {
    await using root = await scratch();
    const [signing, verify] = [join(root.path, 's.pem'), join(root.path, 'v.pem')];
    await generateKeys(signing, verify);
    const bytes = await manifestBy(signing);
    const envelope = JSON.parse(bytes.toString()) as {
      payloadType: string;
      payload: string;
      signatures: { sig: string }[];
    };
    const payload = Buffer.from(envelope.payload, 'base64');
    const signature = Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64');
    // sigstore's own pre-authentication encoding and verification
    const encoded = dsse.preAuthEncoding(envelope.payloadType, payload);
    const key = createPublicKey(await readFile(verify));
    assert.equal(crypto.verify(encoded, key, signature), true);
    assert.equal(
      crypto.verify(dsse.preAuthEncoding(PAYLOAD_TYPE, Buffer.concat([payload, Buffer.from(' ')])), key, signature),
      false,
    );
    // openssl, over an encoding made here by the letter of DSSE v1
    const [message, sig] = [join(root.path, 'm'), join(root.path, 'sig')];
    await writeFile(
      message,
      Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `), payload]),
    );
    await writeFile(sig, signature);
    const out = execFileSync('openssl', [
      'pkeyutl',
      '-verify',
      '-pubin',
      '-inkey',
      verify,
      '-rawin',
      '-in',
      message,
      '-sigfile',
      sig,
    ]);
    assert.match(out.toString(), /Signature Verified Successfully/);
    assert.equal(MANIFEST, 'manifest.dsse.json');
  });
});
