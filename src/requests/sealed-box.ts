// Passwords on their way from the inner side to the worker: readable by the worker's key alone.
//
//   box = ephemeral X25519 public key (32) · nonce (12) · AES-256-GCM ciphertext (1024) · tag (16)
//   key = HKDF-SHA256(X25519(ephemeral, worker), salt = ephemeral ‖ worker, info = "mugai password request v1")
//
// The plaintext is padded to one length; request, message and part are authenticated with it, so that a box cannot be
// moved to another message. As RFC 9180 (HPKE) in its base mode, with what node:crypto has.
import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import { MugaiError, reasonOf } from '../message/errors.ts';

const INFO = 'mugai password request v1';
const PUBLIC = 32;
const NONCE = 12;
const PLAIN = 1024;
const TAG = 16;
/** Passwords in one request, and UTF-16 units of each. */
export const PASSWORDS_MOST = 5;
export const PASSWORD_CHARS = 127;

/** What a box is bound to. */
export interface BoxContext {
  readonly request: string;
  readonly id: string;
  readonly part: string;
}

/** Seals passwords for the worker; base64. `bad-input` when there are none, too many, or one is too long. */
export function sealPasswords(passwords: readonly string[], to: KeyObject, context: BoxContext): string {
  if (passwords.length === 0 || passwords.length > PASSWORDS_MOST)
    throw new MugaiError('bad-input', `1 to ${PASSWORDS_MOST} passwords, not ${passwords.length}`, { permanent: true });
  if (passwords.some((password) => password === '' || password.length > PASSWORD_CHARS))
    throw new MugaiError('bad-input', `a password has 1 to ${PASSWORD_CHARS} characters`, { permanent: true });
  const text = Buffer.from(JSON.stringify(passwords), 'utf8');
  if (text.length > PLAIN)
    throw new MugaiError('bad-input', 'the passwords are too long together', { permanent: true });
  const plain = Buffer.alloc(PLAIN, ' '); // JSON does not mind blanks behind it
  text.copy(plain);
  const ephemeral = generateKeyPairSync('x25519');
  const own = rawOf(ephemeral.publicKey);
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', keyOf(ephemeral.privateKey, to, own, rawOf(to)), nonce, {
    authTagLength: TAG,
  });
  cipher.setAAD(associated(context));
  const sealed = Buffer.concat([own, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  plain.fill(0);
  text.fill(0);
  return sealed.toString('base64');
}

/** The passwords in a box; `bad-input` when it was not made for this key, request, message and part. */
export function openPasswords(box: string, key: KeyObject, context: BoxContext): string[] {
  const bytes = Buffer.from(box, 'base64');
  if (bytes.length !== PUBLIC + NONCE + PLAIN + TAG) throw unreadable('its length is wrong');
  const from = bytes.subarray(0, PUBLIC);
  const nonce = bytes.subarray(PUBLIC, PUBLIC + NONCE);
  const end = bytes.length - TAG;
  let plain: Buffer;
  try {
    const secret = keyOf(key, publicOf(from), from, rawOf(createPublicKey(key)));
    const decipher = createDecipheriv('aes-256-gcm', secret, nonce, { authTagLength: TAG });
    decipher.setAAD(associated(context));
    decipher.setAuthTag(bytes.subarray(end));
    plain = Buffer.concat([decipher.update(bytes.subarray(PUBLIC + NONCE, end)), decipher.final()]);
  } catch (error) {
    throw unreadable(reasonOf(error));
  }
  const passwords: unknown = JSON.parse(plain.toString('utf8')); // authentic: whoever sealed it wrote JSON
  plain.fill(0);
  if (!isPasswords(passwords)) throw unreadable('it holds no passwords');
  return passwords;
}

function isPasswords(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= PASSWORDS_MOST &&
    value.every((one) => typeof one === 'string' && one !== '' && one.length <= PASSWORD_CHARS)
  );
}

function unreadable(why: string): MugaiError {
  return new MugaiError('bad-input', `a password request cannot be opened: ${why}`, { permanent: true });
}

function keyOf(own: KeyObject, other: KeyObject, ephemeral: Uint8Array, worker: Uint8Array): Buffer {
  const secret = diffieHellman({ privateKey: own, publicKey: other });
  return Buffer.from(hkdfSync('sha256', secret, Buffer.concat([ephemeral, worker]), INFO, 32));
}

function associated({ request, id, part }: BoxContext): Buffer {
  return Buffer.from(`${request}\n${id}\n${part}`, 'utf8');
}

/** The 32 bytes of an X25519 public key (RFC 8410: the end of its SPKI). */
function rawOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(-PUBLIC);
}

const SPKI_HEAD = Buffer.from('302a300506032b656e032100', 'hex');

function publicOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: 'der', type: 'spki' });
}
