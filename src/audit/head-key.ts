// The key a journal signs its heads with: one for each journal, made where it is used and never leaving it.
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Position } from '../message/act.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';

const NAME = 'head-key.pem';

/** What is signed of a head: a prefix that nothing else we sign has, and the position. */
function signedBytes(position: Position): Buffer {
  return Buffer.from(`mugai-journal-head-v1\n${position}\n`, 'utf8');
}

/** Signs the heads of one journal. */
export interface HeadKey {
  /** The public half: SubjectPublicKeyInfo, DER, base64. */
  readonly publicKey: string;
  sign(position: Position): string;
}

/** The key in a journal's folder; made there on first use (mode 600). */
export function headKeyIn(folder: string): HeadKey {
  const path = join(folder, NAME);
  let key: KeyObject;
  if (existsSync(path)) {
    try {
      key = createPrivateKey(readFileSync(path));
    } catch (error) {
      throw new MugaiError('key-missing', `${path} cannot be used: ${reasonOf(error)}`, {
        permanent: true,
        cause: error,
      });
    }
  } else {
    key = generateKeyPairSync('ed25519').privateKey;
    const fd = openSync(path, 'wx', 0o600);
    try {
      writeFileSync(fd, key.export({ format: 'pem', type: 'pkcs8' }));
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
  return {
    publicKey: createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64'),
    sign: (position) => sign(null, signedBytes(position), key).toString('base64'),
  };
}

/** True when the key (as `HeadKey.publicKey`) signed the head. */
export function headHolds(position: Position, signature: string, publicKey: string): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    return verify(null, signedBytes(position), key, Buffer.from(signature, 'base64'));
  } catch {
    return false; // no key, or no signature: it does not hold
  }
}
