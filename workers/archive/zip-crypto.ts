// The two ciphers of ZIP: PKWARE's of 1990 (APPNOTE 6.1), and WinZip's AES (AE-1, AE-2).
import { createCipheriv, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import { encodeSjis } from './sjis.ts';

export interface Locked {
  readonly flags: number;
  readonly crc: number;
  readonly time: number;
  readonly aes: { readonly strength: number } | undefined;
}

/** The packed bytes under this password, in each encoding that its sender may have typed it in; none when it does not fit. */
export function* decryptEntry(bytes: Buffer, entry: Locked, password: string): Generator<Buffer, void, undefined> {
  const spellings: Buffer[] = [Buffer.from(password, 'utf8')];
  const sjis = encodeSjis(password);
  if (sjis !== undefined && !sjis.equals(Buffer.from(password, 'utf8'))) spellings.push(sjis);
  for (const spelling of spellings) {
    const plain = entry.aes === undefined ? pkware(bytes, entry, spelling) : aes(bytes, entry.aes.strength, spelling);
    if (plain !== undefined) yield plain;
  }
}

const TABLE = new Uint32Array(256).map((_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = (c & 1) === 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

function pkware(bytes: Buffer, { flags, crc, time }: Locked, password: Buffer): Buffer | undefined {
  if (bytes.length < 12) return undefined;
  let a = 0x12345678;
  let b = 0x23456789;
  let c = 0x34567890;
  const update = (byte: number): void => {
    a = (TABLE[(a ^ byte) & 255] as number) ^ (a >>> 8);
    b = (Math.imul((b + (a & 255)) >>> 0, 134775813) + 1) >>> 0;
    c = (TABLE[(c ^ (b >>> 24)) & 255] as number) ^ (c >>> 8);
  };
  for (const byte of password) update(byte);
  const plain = Buffer.allocUnsafe(bytes.length);
  for (let i = 0; i < bytes.length; i++) {
    const t = (c | 2) & 0xffff;
    const byte = (bytes[i] as number) ^ ((Math.imul(t, t ^ 1) >>> 8) & 255);
    plain[i] = byte;
    update(byte);
    // The last byte of the head is the CRC's highest, or the time's where the CRC comes later: one wrong guess in 256 passes.
    if (i === 11 && byte !== crc >>> 24 && byte !== time >>> 8 && (flags & 8) === 0) return undefined;
  }
  return plain.subarray(12);
}

function aes(bytes: Buffer, strength: number, password: Buffer): Buffer | undefined {
  const keyLength = { 1: 16, 2: 24, 3: 32 }[strength];
  if (keyLength === undefined) return undefined;
  const saltLength = keyLength / 2;
  if (bytes.length < saltLength + 12) return undefined;
  const keys = pbkdf2Sync(password, bytes.subarray(0, saltLength), 1000, keyLength * 2 + 2, 'sha1');
  if (!keys.subarray(-2).equals(bytes.subarray(saltLength, saltLength + 2))) return undefined;
  const data = bytes.subarray(saltLength + 2, -10);
  const code = createHmac('sha1', keys.subarray(keyLength, keyLength * 2))
    .update(data)
    .digest();
  if (!timingSafeEqual(code.subarray(0, 10), bytes.subarray(-10))) return undefined;
  return counterMode(data, keys.subarray(0, keyLength));
}

/** AES in counter mode with a little-endian counter from 1, which OpenSSL's CTR (big-endian) is not: blocks by ECB. */
function counterMode(data: Buffer, key: Buffer): Buffer {
  const cipher = createCipheriv(`aes-${key.length * 8}-ecb`, key, null);
  cipher.setAutoPadding(false);
  const plain = Buffer.allocUnsafe(data.length);
  const STEP = 65_536;
  let count = 0;
  for (let at = 0; at < data.length; at += STEP) {
    const length = Math.min(STEP, data.length - at);
    const counters = Buffer.alloc(Math.ceil(length / 16) * 16);
    for (let block = 0; block < counters.length; block += 16) counters.writeUInt32LE(++count, block);
    const stream = cipher.update(counters);
    for (let i = 0; i < length; i++) plain[at + i] = (data[at + i] as number) ^ (stream[i] as number);
  }
  return plain;
}
