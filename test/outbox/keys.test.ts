// Keys that overlap: a new one is taken into use while the old one's packages still verify; and implementations that are not
// ours agree on what a signature is.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { appendFile, chmod, copyFile, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { dsse, crypto } from '@sigstore/core';
import { newMessageId } from '../../src/message/id.ts';
import { nextOf, prepareKey, retireKey, rotateKeys, takeKey } from '../../src/outbox/key-change.ts';
import { generateKeys, loadPrivateKey, loadPublicKeys, watchKeys } from '../../src/outbox/keys.ts';
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
  it('are read again when their file changed between the first reading and the first look', async () => {
    await using root = await scratch();
    const [signing, verify] = [join(root.path, 's.pem'), join(root.path, 'v.pem')];
    await generateKeys(signing, verify);
    let known = await loadPublicKeys(verify);
    const { keyId: second } = await rotateKeys(signing, verify, async () => undefined); // while the rest of a process starts
    const stop = watchKeys(verify, 20, async () => void (known = await loadPublicKeys(verify)));
    await until(async () => known.has(second), 60_000, 'the new key is known');
    stop();
  });

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

  it('come into use in two steps where the inner side has a file of its own: nothing is signed that it would refuse', async () => {
    await using root = await scratch();
    const [signing, verify, inner] = ['s.pem', 'v.pem', 'inner.pem'].map((name) => join(root.path, name));
    assert.ok(signing !== undefined && verify !== undefined && inner !== undefined);
    const { keyId: first } = await generateKeys(signing, verify);
    await copyFile(verify, inner);
    const files = ['--signing-key', signing, '--verify-key', verify];
    const rotate = async (...args: readonly string[]) =>
      runMugai(['keys', 'rotate', ...args, ...files], { MUGAI_DATA_DIR: root.path });
    assert.equal((await rotate('--finish')).code, 2, 'nothing was prepared');
    assert.equal((await rotate('--finish', '--public-only')).code, 2);
    await chmod(signing, 0o444); // the user of a container reads it
    for (let time = 0; time < 2; time++) {
      const { code, stdout, stderr } = await rotate('--public-only');
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^key id {7}[0-9a-f]{64} is accepted from now on, and signs nothing yet$/m);
      assert.equal((await loadPublicKeys(verify)).size, 2, 'the same pair again');
      await openManifest(await manifestBy(signing), await loadPublicKeys(inner));
    }
    const [next = ''] = (await loadPublicKeys(verify)).keys();
    assert.equal((await stat(nextOf(signing))).mode & 0o777, 0o600);
    const shown = await runMugai(['keys', 'show', ...files]);
    assert.match(shown.stdout, new RegExp(`${next} {2}is prepared to sign\n.*${first} {2}signs`));
    const retired = await runMugai(['keys', 'retire', next, ...files], { MUGAI_DATA_DIR: root.path });
    assert.deepEqual([retired.code, /is prepared to sign/.test(retired.stderr)], [2, true]);
    await copyFile(verify, inner);
    assert.equal((await rotate('--finish')).code, 0);
    await openManifest(await manifestBy(signing), await loadPublicKeys(inner));
    assert.equal((await stat(signing)).mode & 0o777, 0o444, 'whoever read the old one reads this one');
    assert.deepEqual(
      (await readdir(root.path)).filter((name) => name.includes('next')),
      [],
    );
    assert.equal((await rotate('--finish')).code, 2, 'it is done');
  });

  it('are in use or prepared after a kill, and a change goes on where it was', async () => {
    await using root = await scratch();
    const [signing, verify] = [join(root.path, 's.pem'), join(root.path, 'v.pem')];
    await generateKeys(signing, verify);
    const stop = new Error('killed');
    await assert.rejects(
      rotateKeys(signing, verify, async () => Promise.reject(stop)),
      stop,
    );
    const { keyId: made } = await prepareKey(signing, verify);
    assert.deepEqual((await loadPublicKeys(verify)).size, 2);
    // The public file was not written yet, or is that of another zone.
    const [first = ''] = [...(await loadPublicKeys(verify)).keys()].filter((id) => id !== made);
    await retireKey(verify, made);
    await assert.rejects(takeKey(signing, verify), /does not hold the key/);
    assert.equal((await prepareKey(signing, verify)).keyId, made);
    assert.deepEqual(await takeKey(signing, verify), { keyId: made, before: first });
  });

  it('are changed by a rotation after a kill that left the key twice: what signs already is no new one', async () => {
    await using root = await scratch();
    const [signing, verify] = [join(root.path, 's.pem'), join(root.path, 'v.pem')];
    const { keyId: first } = await generateKeys(signing, verify);
    await copyFile(signing, nextOf(signing)); // as between the two acts that take a key into use
    const { keyId: second, before } = await rotateKeys(signing, verify, async () => {});
    assert.ok(before === first && second !== first);
    await openManifest(await manifestBy(signing), new Map([...(await loadPublicKeys(verify))].slice(0, 1)));
    assert.equal((await loadPublicKeys(verify)).size, 2);
    assert.deepEqual((await readdir(root.path)).toSorted(), ['s.pem', 'v.pem']);
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
