// Ed25519 keys in PEM: generate, load, tell what is wrong in one line.
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { MugaiError, reasonOf, systemCode } from '../message/errors.ts';
import { putFile } from '../store/fs-sync.ts';
import { keyId } from './manifest.ts';

/** Told of a change before it takes effect; when it rejects, nothing is changed. */
export type Tell = (detail: Readonly<Record<string, string>>) => Promise<void>;

export const UNTOLD: Tell = async () => undefined;

/** Makes a pair and writes both files (private: mode 600), durable. Refuses to overwrite. */
export async function generateKeys(
  privateFile: string,
  publicFile: string,
  tell = UNTOLD,
): Promise<{ readonly keyId: string }> {
  const pair = generateKeyPairSync('ed25519');
  for (const file of [publicFile, privateFile])
    if (existsSync(file))
      throw new MugaiError('already-there', `${file} exists; it is not overwritten`, { permanent: true });
  await tell({ step: 'generated', key: keyId(pair.publicKey) });
  await writeNew(privateFile, pair.privateKey.export({ format: 'pem', type: 'pkcs8' }), 0o600);
  await writePublic(pair.publicKey, publicFile);
  return { keyId: keyId(pair.publicKey) };
}

/** Writes the public key of a pair whose making ended after the private one. */
export async function completePair(privateFile: string, publicFile: string): Promise<void> {
  if (existsSync(publicFile) || !existsSync(privateFile)) return;
  await writePublic(createPublicKey(await loadPrivateKey(privateFile)), publicFile);
}

async function writePublic(key: KeyObject, file: string): Promise<void> {
  await writeNew(file, key.export({ format: 'pem', type: 'spki' }), 0o644);
}

/** True when either file of a pair is there. */
export function anyKey(privateFile: string, publicFile: string): boolean {
  return existsSync(privateFile) || existsSync(publicFile);
}

/** Keys as one PEM file. */
export function pemOf(keys: readonly KeyObject[]): string {
  return keys.map((key) => key.export({ format: 'pem', type: 'spki' })).join('');
}

/**
 * Reads a file again when it changed: `onChange` at the first look, since it may have changed after its reader read it, and after
 * each change; what cannot be read changes nothing.
 */
export function watchKeys(file: string, everyMs: number, onChange: () => Promise<void>): () => void {
  const stamp = (): string => {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
  };
  let last: string | undefined;
  const timer = setInterval(() => {
    const now = stamp();
    if (now === last) return;
    onChange().then(
      () => (last = now),
      () => undefined, // tried again at the next look; the keys in use stay
    );
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
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
  try {
    await putFile(file, text, mode);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    throw new MugaiError('already-there', `${file} exists; it is not overwritten`, { permanent: true, cause: error });
  }
}
