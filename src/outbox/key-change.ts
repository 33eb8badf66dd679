// Another signing key comes into use in two steps: first whoever checks knows it, then it signs. Where the zones have files of
// their own, a person carries the public file between the two.
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MugaiError } from '../message/errors.ts';
import { putFile, replaceFile, syncPath } from '../store/fs-sync.ts';
import { loadPrivateKey, loadPublicKeys, pemOf, UNTOLD, type Tell } from './keys.ts';
import { keyId } from './manifest.ts';

/** Where a private key waits that signs nothing yet. */
export function nextOf(privateFile: string): string {
  return `${privateFile}.next`;
}

/** The key that was prepared and the one that signs until it is taken. */
export interface Change {
  readonly keyId: string;
  readonly before: string;
}

/**
 * Takes a new pair into use: `between` gives whoever checks signatures the time to read the public file before anything is
 * signed with the new private key. The old private key is gone afterwards; what it signed holds until `retireKey`.
 */
export async function rotateKeys(
  privateFile: string,
  publicFile: string,
  between: () => Promise<void>,
  tell = UNTOLD,
): Promise<Change> {
  const change = await prepare(privateFile, publicFile, async ({ keyId: key, before }) =>
    tell({ step: 'rotated', key, before }),
  );
  await between();
  await take(privateFile);
  return change;
}

/** The first step alone: a new pair, whose public key joins the old ones. Once begun, it is the same pair again. */
export async function prepareKey(privateFile: string, publicFile: string, tell = UNTOLD): Promise<Change> {
  return prepare(privateFile, publicFile, async ({ keyId: key, before }) => tell({ step: 'prepared', key, before }));
}

/** The second step: the prepared key signs from now on. `key-missing` where none was prepared, or the public file lacks it. */
export async function takeKey(privateFile: string, publicFile: string, tell: Tell = UNTOLD): Promise<Change> {
  const next = nextOf(privateFile);
  if (!existsSync(next)) throw missing(`${next} does not exist: no key was prepared`);
  const made = keyId(await loadPrivateKey(next));
  const before = keyId(await loadPrivateKey(privateFile));
  if (!(await loadPublicKeys(publicFile)).has(made)) throw missing(`${publicFile} does not hold the key of ${next}`);
  await tell({ step: 'rotated', key: made, before });
  await take(privateFile);
  return { keyId: made, before };
}

async function prepare(
  privateFile: string,
  publicFile: string,
  tell: (change: Change) => Promise<void>,
): Promise<Change> {
  const before = keyId(await loadPrivateKey(privateFile));
  const known = await loadPublicKeys(publicFile);
  if (!known.has(before))
    throw missing(`${publicFile} does not hold the key of ${privateFile}: these are not one pair`);
  const next = nextOf(privateFile);
  const begun = await begunKey(next, before);
  const key = begun ?? generateKeyPairSync('ed25519').privateKey;
  const change = { keyId: keyId(key), before };
  await tell(change);
  if (begun === undefined) await putFile(next, privatePem(key), 0o600);
  if (!known.has(change.keyId)) {
    await replaceFile(publicFile, pemOf([createPublicKey(key), ...known.values()]), modeOf(publicFile));
  }
  return change;
}

/** The pair that an earlier step left in `next`. One that signs already was taken, and is in the way of another change. */
async function begunKey(next: string, before: string): Promise<KeyObject | undefined> {
  if (!existsSync(next)) return undefined;
  const begun = await loadPrivateKey(next);
  if (keyId(begun) !== before) return begun;
  await removeNext(next);
  return undefined;
}

/** A kill in here leaves the old key or the new one, and at the most the new one twice. */
async function take(privateFile: string): Promise<void> {
  const next = nextOf(privateFile);
  await replaceFile(privateFile, await readFile(next), modeOf(privateFile));
  await removeNext(next);
}

async function removeNext(next: string): Promise<void> {
  await rm(next);
  await syncPath(dirname(next));
}

/** Takes a public key out of a file: what it signed holds no longer. The last one stays. */
export async function retireKey(publicFile: string, id: string, tell = UNTOLD): Promise<void> {
  const known = new Map(await loadPublicKeys(publicFile));
  const found = [...known.keys()].filter((key) => key.startsWith(id));
  if (found.length !== 1) {
    const why = found.length === 0 ? `no key ${id} in ${publicFile}` : `${id} names ${found.length} keys`;
    throw new MugaiError('not-found', why, { permanent: true });
  }
  if (known.size === 1) throw missing('the last key cannot be retired');
  const [gone = ''] = found;
  await tell({ step: 'retired', retired: gone });
  known.delete(gone);
  await replaceFile(publicFile, pemOf([...known.values()]), modeOf(publicFile));
}

function privatePem(key: KeyObject): string | Buffer {
  return key.export({ format: 'pem', type: 'pkcs8' });
}

/** Who may read a file may read what takes its place: the user of a container is another one than whoever changes keys. */
function modeOf(file: string): number {
  return statSync(file).mode & 0o777;
}

function missing(why: string): MugaiError {
  return new MugaiError('key-missing', why, { permanent: true });
}
