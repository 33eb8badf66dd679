// Ed25519 keys in PEM: generate, load, tell what is wrong in one line.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';
import { keyId } from './manifest.ts';

/** Makes a pair and writes both files (private: mode 600), durable. Refuses to overwrite. */
export async function generateKeys(privateFile: string, publicFile: string): Promise<{ readonly keyId: string }> {
  const pair = generateKeyPairSync('ed25519');
  await writeNew(publicFile, pair.publicKey.export({ format: 'pem', type: 'spki' }), 0o644);
  await writeNew(privateFile, pair.privateKey.export({ format: 'pem', type: 'pkcs8' }), 0o600);
  return { keyId: keyId(pair.publicKey) };
}

/** True when either file of a pair is there. */
export function anyKey(privateFile: string, publicFile: string): boolean {
  return existsSync(privateFile) || existsSync(publicFile);
}

/** The signing key of a file. */
export async function loadPrivateKey(file: string): Promise<KeyObject> {
  return check(file, createPrivateKey, await readKey(file, 'MUGAI_SIGNING_KEY_FILE'));
}

/** Verification keys of a file (one or more PEM blocks, so that keys can overlap), by key id. */
export async function loadPublicKeys(file: string): Promise<ReadonlyMap<string, KeyObject>> {
  const pem = await readKey(file, 'MUGAI_VERIFY_KEY_FILE');
  const blocks = pem.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
  if (blocks.length === 0)
    throw new MugaiError('key-missing', `${file} holds no public key in PEM`, { permanent: true });
  const keys = blocks.map((block) => check(file, createPublicKey, block));
  return new Map(keys.map((key) => [keyId(key), key]));
}

async function readKey(file: string, config: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const why = systemCode(error) === 'ENOENT' ? 'does not exist' : reasonOf(error);
    throw new MugaiError(
      'key-missing',
      `key file ${file} ${why}; make one with: mugai keys generate, or set ${config}`,
      {
        permanent: true,
        cause: error,
      },
    );
  }
}

function check(file: string, parse: (pem: string) => KeyObject, pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = parse(pem);
  } catch (error) {
    throw new MugaiError('key-missing', `${file} is not a key in PEM: ${reasonOf(error)}`, {
      permanent: true,
      cause: error,
    });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new MugaiError('key-missing', `${file} is a ${key.asymmetricKeyType ?? 'secret'} key, not Ed25519`, {
      permanent: true,
    });
  }
  return key;
}

async function writeNew(file: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  try {
    await using handle = await open(file, 'wx', mode);
    await handle.writeFile(text);
    await handle.sync();
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    throw new MugaiError('already-there', `${file} exists; it is not overwritten`, { permanent: true, cause: error });
  }
}
