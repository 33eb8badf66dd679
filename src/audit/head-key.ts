// The key a journal signs its heads with: one for each journal, made where it is used and never leaving it.
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify, type KeyObject } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Position } from '../message/act.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import { putFile } from '../store/fs-sync.ts';

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

/** The key in a journal's folder; made there on first use (mode 600), whole or not at all. */
export async function headKeyIn(folder: string): Promise<HeadKey> {
  const path = join(folder, NAME);
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.size === 0) rmSync(path); // of a gateway that was killed before it had written it: nothing is signed with it
  const key = there !== undefined && there.size > 0 ? keyOf(path) : await newKey(path);
  return {
    publicKey: createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64'),
    sign: (position) => sign(null, signedBytes(position), key).toString('base64'),
  };
}

function keyOf(path: string): KeyObject {
  try {
    return createPrivateKey(readFileSync(path));
  } catch (error) {
    const why = `${path} cannot be used: ${reasonOf(error)}`;
    throw new MugaiError('key-missing', why, { permanent: true, cause: error });
  }
}

async function newKey(path: string): Promise<KeyObject> {
  const key = generateKeyPairSync('ed25519').privateKey;
  await putFile(path, key.export({ format: 'pem', type: 'pkcs8' }), 0o600);
  return key;
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
