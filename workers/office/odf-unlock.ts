// Passwords of OpenDocument (ODF 1.2 part 3, §4): each file of the package is locked by itself, with a key derived from the
// password and the file's own salt. AES in CBC, as LibreOffice has
// written since 3.5; Blowfish of the years before (Node has none) and Argon2 of 24.8's newest form stay held.
import { createDecipheriv, createHash, pbkdf2Sync } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { LIMITS } from '../../src/message/limits.ts';
import { Refusal } from '../run.ts';
import type { Parts } from './package.ts';
import { filterXml } from './xml-filter.ts';

const MANIFEST = 'META-INF/manifest.xml';
/** Rounds of the key derivation that are worth waiting for: LibreOffice takes 100,000. */
const ROUNDS_MOST = 10_000_000;

interface Lock {
  readonly size: number;
  checksum: Buffer;
  checksumKind: string;
  cipher: string;
  vector: Buffer;
  salt: Buffer;
  rounds: number;
  keyBytes: number;
  derivation: string;
  start: string;
}

export function isLockedOdf(parts: Parts): boolean {
  return Buffer.from(parts.get(MANIFEST) ?? []).includes('encryption-data');
}

/** The package with its files unlocked. `password-needed` without a password, `password-wrong` when it is another one. */
export function unlockOdf(parts: Parts, password: string): Parts {
  const locks = readLocks(parts.get(MANIFEST) ?? new Uint8Array());
  if (password === '') throw new Refusal('password-needed', 'OpenDocument');
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
  const hash = lock.start.endsWith('sha256') ? 'sha256' : 'sha1';
  const start = createHash(hash).update(password, 'utf8').digest();
  if (!/PBKDF2$/i.test(lock.derivation) || lock.rounds < 1 || lock.rounds > ROUNDS_MOST)
    throw new Refusal('encrypted', `key derivation ${lock.derivation}`);
  const key = pbkdf2Sync(start, lock.salt, lock.rounds, lock.keyBytes, 'sha1');
  const packed = decrypted(bytes, key, lock);
  const sum = createHash(/sha256/i.test(lock.checksumKind) ? 'sha256' : 'sha1');
  const checked = /1k$/i.test(lock.checksumKind) ? packed.subarray(0, 1024) : packed;
  if (!sum.update(checked).digest().equals(lock.checksum)) throw new Refusal('password-wrong', 'its sum differs');
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, Math.min(left, lock.size + 1)) });
  } catch (error) {
    throw new Refusal('damaged', error instanceof Error ? error.message : 'inflate');
  }
}

function decrypted(bytes: Uint8Array, key: Buffer, { cipher, vector }: Lock): Buffer {
  if (!/aes(?:128|192|256)-cbc$/i.test(cipher)) throw new Refusal('encrypted', `cipher ${cipher}`);
  const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, vector);
  decipher.setAutoPadding(false);
  const plain = Buffer.concat([decipher.update(bytes), decipher.final()]);
  // Padding of XML Encryption (§5.2): the last byte counts, the others are anything.
  const padding = plain.at(-1) ?? 0;
  return padding >= 1 && padding <= 16 ? plain.subarray(0, plain.length - padding) : plain;
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
        lock.rounds = Number(of('iteration-count')) || 0;
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
