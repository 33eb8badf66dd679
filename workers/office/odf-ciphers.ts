// How the files of a locked OpenDocument package were locked: key derivations and ciphers of ODF 1.2 part 3 (§3.4, §4.8), and
// LibreOffice 24.8's Argon2id with AES-GCM. AES in CBC is LibreOffice's since 3.5, Blowfish in CFB that of OpenOffice before.
import { argon2Sync, createDecipheriv, createHash, pbkdf2Sync } from 'node:crypto';
import { createRequire } from 'node:module';
import { Refusal } from '../run.ts';

/** Rounds of PBKDF2 that are worth waiting for: LibreOffice takes 100,000. */
const ROUNDS_MOST = 10_000_000;
/** Kibibytes, passes and lanes of Argon2 likewise: LibreOffice takes 65,536, 3 and 4. */
const ARGON_MOST = { memory: 262_144, passes: 20, lanes: 16 } as const;
const TAG_BYTES = 16;
const VECTOR_BYTES = 12;
const BLOCK = 8;

/** What a package's manifest tells of the lock of one file. */
export interface Lock {
  readonly size: number;
  checksum: Buffer;
  checksumKind: string;
  cipher: string;
  vector: Buffer;
  salt: Buffer;
  rounds: number;
  /** Kibibytes and lanes of Argon2. */
  memory: number;
  lanes: number;
  keyBytes: number;
  derivation: string;
  start: string;
}

/** The key of a file. Throws `encrypted` for a derivation that nobody knows, or that would take for ever. */
export function keyOf(lock: Lock, password: string): Buffer {
  const { salt, rounds, keyBytes, derivation, memory, lanes } = lock;
  const start = createHash(lock.start.endsWith('sha256') ? 'sha256' : 'sha1')
    .update(password, 'utf8')
    .digest();
  if (/PBKDF2$/i.test(derivation) && rounds >= 1 && rounds <= ROUNDS_MOST)
    return pbkdf2Sync(start, salt, rounds, keyBytes, 'sha1');
  const within = (value: number, most: number): boolean => value >= 1 && value <= most;
  if (
    /argon2id$/i.test(derivation) &&
    within(memory, ARGON_MOST.memory) &&
    memory >= 8 * lanes && // RFC 9106 §3.1
    within(rounds, ARGON_MOST.passes) &&
    within(lanes, ARGON_MOST.lanes)
  )
    return argon2Sync('argon2id', {
      message: start,
      nonce: salt,
      parallelism: lanes,
      tagLength: keyBytes,
      memory,
      passes: rounds,
    });
  throw new Refusal('encrypted', `key derivation ${derivation}`);
}

/** A file's bytes as they were before they were locked. Throws `password-wrong` where the cipher itself can tell. */
export function unlockedBytes(bytes: Uint8Array, key: Buffer, lock: Lock): Buffer {
  if (/aes(?:128|192|256)-cbc$/i.test(lock.cipher)) return fromCbc(bytes, key, lock.vector);
  if (/aes256-gcm$/i.test(lock.cipher)) return fromGcm(Buffer.from(bytes), key);
  if (/blowfish(?: cfb)?$/i.test(lock.cipher)) return fromBlowfish(bytes, key, lock.vector);
  throw new Refusal('encrypted', `cipher ${lock.cipher}`);
}

function fromCbc(bytes: Uint8Array, key: Buffer, vector: Buffer): Buffer {
  if (vector.length !== 16 || bytes.length % 16 !== 0) throw new Refusal('damaged', 'no whole blocks');
  const decipher = createDecipheriv(`aes-${key.length * 8}-cbc`, key, vector);
  decipher.setAutoPadding(false);
  const plain = Buffer.concat([decipher.update(bytes), decipher.final()]);
  // Padding of XML Encryption (§5.2): the last byte counts, the others are anything.
  const padding = plain.at(-1) ?? 0;
  return padding >= 1 && padding <= 16 ? plain.subarray(0, plain.length - padding) : plain;
}

/** XML Encryption 1.1 §5.2.4: the vector stands before the bytes, the tag behind them. */
function fromGcm(bytes: Buffer, key: Buffer): Buffer {
  if (key.length !== 32 || bytes.length < VECTOR_BYTES + TAG_BYTES) throw new Refusal('damaged', 'no whole blocks');
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, VECTOR_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  const plain = decipher.update(bytes.subarray(VECTOR_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch {
    throw new Refusal('password-wrong', 'its tag differs'); // a wrong key and changed bytes look alike
  }
}

interface Cipher {
  encode(bytes: Uint8Array): Uint8Array;
}
interface BlowfishClass {
  new (key: Uint8Array, mode: unknown, padding: unknown): Cipher;
  readonly MODE: { readonly ECB: unknown };
  readonly PADDING: { readonly NULL: unknown };
}

const require = createRequire(import.meta.url);

/** Blowfish with 64 bits of feedback. What is encrypted to undo it, the vector and then the bytes themselves, is all known: one call. */
function fromBlowfish(bytes: Uint8Array, key: Buffer, vector: Buffer): Buffer {
  if (vector.length !== BLOCK) throw new Refusal('damaged', 'vector');
  const Blowfish = require('blowfish-node') as BlowfishClass;
  const blocks = Math.ceil(bytes.length / BLOCK);
  const before = Buffer.alloc(blocks * BLOCK);
  vector.copy(before);
  before.set(bytes.subarray(0, Math.max(0, (blocks - 1) * BLOCK)), BLOCK);
  const stream = new Blowfish(key, Blowfish.MODE.ECB, Blowfish.PADDING.NULL).encode(before);
  return Buffer.from(bytes.map((byte, at) => byte ^ (stream[at] ?? 0)));
}
