// Passwords of OpenDocument (ODF 1.2 part 3, §4): each file of the package is locked by itself, with a key derived from the
// password and the file's own salt; or, since LibreOffice 24.8, all of it as one file.
import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { LIMITS } from '../../src/message/limits.ts';
import { Refusal } from '../run.ts';
import { keyOf, unlockedBytes, type Lock } from './odf-ciphers.ts';
import { openPackage, type Parts } from './package.ts';
import type { TornParts } from './torn-parts.ts';
import { filterXml } from './xml-filter.ts';

const MANIFEST = 'META-INF/manifest.xml';
/** The one file of a package that is locked as a whole. */
const WHOLE = 'encrypted-package';

export function isLockedOdf(parts: Parts): boolean {
  return Buffer.from(parts.get(MANIFEST) ?? []).includes('encryption-data');
}

/** The package with its files unlocked by the first of the passwords that fits. `password-needed` without any, `password-wrong` when none does. */
export function unlockOdf(parts: Parts, passwords: readonly string[], torn?: TornParts): Parts {
  const locks = readLocks(parts.get(MANIFEST) ?? new Uint8Array());
  let refused = new Refusal('password-needed', 'OpenDocument');
  for (const password of passwords) {
    try {
      return unlockedBy(password, parts, locks, torn);
    } catch (error) {
      if (!(error instanceof Refusal) || error.reason !== 'password-wrong') throw error;
      refused = error;
    }
  }
  throw refused;
}

function unlockedBy(password: string, parts: Parts, locks: ReadonlyMap<string, Lock>, torn?: TornParts): Parts {
  const inner = locks.get(WHOLE);
  const locked = parts.get(WHOLE);
  if (inner !== undefined && locked !== undefined)
    return openPackage(Buffer.from(unlocked(locked, inner, password, LIMITS.expandedBytes)), torn);
  const open: Parts = new Map();
  let left: number = LIMITS.expandedBytes;
  for (const [name, bytes] of parts) {
    const lock = locks.get(name);
    const plain = lock === undefined ? bytes : unlocked(bytes, lock, password, left);
    left -= plain.length;
    open.set(name, plain);
  }
  open.delete(MANIFEST);
  return open;
}

function unlocked(bytes: Uint8Array, lock: Lock, password: string, left: number): Uint8Array {
  const packed = unlockedBytes(bytes, keyOf(lock, password), lock);
  if (lock.checksumKind !== '') {
    const sum = createHash(/sha256/i.test(lock.checksumKind) ? 'sha256' : 'sha1');
    const checked = /1k$/i.test(lock.checksumKind) ? packed.subarray(0, 1024) : packed;
    if (!sum.update(checked).digest().equals(lock.checksum)) throw new Refusal('password-wrong', 'its sum differs');
  } else if (!/gcm$/i.test(lock.cipher)) throw new Refusal('damaged', 'no sum'); // nothing would tell a wrong password
  // A package in itself may be left as it is: it is packed already.
  if (packed.toString('latin1', 0, 4) === 'PK\x03\x04') return packed;
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, Math.min(left, lock.size + 1)) });
  } catch (error) {
    throw new Refusal('damaged', error instanceof Error ? error.message : 'inflate');
  }
}

/** What the manifest tells of each locked file. */
function readLocks(manifest: Uint8Array): ReadonlyMap<string, Lock> {
  const locks = new Map<string, Lock>();
  let name = '';
  let size = 0;
  filterXml(manifest, {
    element: (local, attributes) => {
      const of = (key: string): string =>
        Object.entries(attributes).find(([full]) => full.slice(full.indexOf(':') + 1) === key)?.[1] ?? '';
      const bytes = (key: string): Buffer => Buffer.from(of(key), 'base64');
      const lock = locks.get(name);
      if (local === 'file-entry') {
        name = of('full-path');
        size = Number(of('size')) || 0;
      } else if (local === 'encryption-data')
        locks.set(name, {
          size,
          checksum: bytes('checksum'),
          checksumKind: of('checksum-type'),
          cipher: '',
          vector: Buffer.alloc(0),
          salt: Buffer.alloc(0),
          rounds: 0,
          memory: 0,
          lanes: 0,
          keyBytes: 16,
          derivation: '',
          start: '',
        });
      else if (local === 'algorithm' && lock !== undefined) {
        lock.cipher = of('algorithm-name');
        lock.vector = bytes('initialisation-vector');
      } else if (local === 'key-derivation' && lock !== undefined) {
        lock.derivation = of('key-derivation-name');
        lock.salt = bytes('salt');
        lock.rounds = Number(of('iteration-count') || of('argon2-iterations')) || 0;
        lock.memory = Number(of('argon2-memory')) || 0;
        lock.lanes = Number(of('argon2-lanes')) || 0;
        const keyBytes = Number(of('key-size') || 16);
        lock.keyBytes = keyBytes === 24 || keyBytes === 32 ? keyBytes : 16;
      } else if (local === 'start-key-generation' && lock !== undefined) {
        lock.start = of('start-key-generation-name').toLowerCase();
      }
      return true;
    },
  });
  return locks;
}
