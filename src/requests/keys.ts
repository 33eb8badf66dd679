// The worker's X25519 pair, PEM: the inner side seals to the public key, only the worker can open.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';
import { putFile } from '../store/fs-sync.ts';

/** Makes a pair and writes both files (private: mode 600), durable. Refuses to overwrite. */
export async function generateRequestKeys(privateFile: string, publicFile: string): Promise<void> {
  const pair = generateKeyPairSync('x25519');
  if (existsSync(publicFile)) throw new MugaiError('already-there', `${publicFile} exists; it is not overwritten`);
  await writeNew(privateFile, pair.privateKey.export({ format: 'pem', type: 'pkcs8' }), 0o600);
  await writeNew(publicFile, pair.publicKey.export({ format: 'pem', type: 'spki' }), 0o644);
}

/** Writes the public key of a pair whose making ended after the private one. */
export async function completeRequestPair(privateFile: string, publicFile: string): Promise<void> {
  if (existsSync(publicFile) || !existsSync(privateFile)) return;
  const key = createPublicKey(await loadRequestKey(privateFile));
  await writeNew(publicFile, key.export({ format: 'pem', type: 'spki' }), 0o644);
}

/** True when either file of a pair is there. */
export function anyRequestKey(privateFile: string, publicFile: string): boolean {
  return existsSync(privateFile) || existsSync(publicFile);
}

/** The worker's key, which opens. */
export async function loadRequestKey(file: string): Promise<KeyObject> {
  return load(file, createPrivateKey);
}

/** The key that the inner side seals to. */
export async function loadSealingKey(file: string): Promise<KeyObject> {
  return load(file, createPublicKey);
}

async function load(file: string, parse: (pem: string) => KeyObject): Promise<KeyObject> {
  let key: KeyObject;
  try {
    key = parse(await readFile(file, 'utf8'));
  } catch (error) {
    const why = systemCode(error) === 'ENOENT' ? 'does not exist' : `is not a key in PEM: ${reasonOf(error)}`;
    throw wrong(`key file ${file} ${why}`, error);
  }
  if (key.asymmetricKeyType !== 'x25519')
    throw wrong(`${file} is a ${key.asymmetricKeyType ?? 'secret'} key, not X25519`);
  return key;
}

function wrong(what: string, cause?: unknown): MugaiError {
  return new MugaiError('key-missing', what, { permanent: true, cause });
}

async function writeNew(file: string, text: string | Buffer, mode: number): Promise<void> {
  try {
    await putFile(file, text, mode);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    throw new MugaiError('already-there', `${file} exists; it is not overwritten`, { permanent: true, cause: error });
  }
}
