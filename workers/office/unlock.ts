// Passwords of Microsoft's documents ([MS-OFFCRYPTO]: agile, standard, RC4, XOR): the document behind the lock.
import { createRequire } from 'node:module';
import { oleRoot, rootAlone } from '../ole.ts';
import { Refusal } from '../run.ts';

interface OfficeCrypto {
  isEncrypted(bytes: Buffer): boolean;
  decrypt(bytes: Buffer, options: { readonly password: string }): Promise<Buffer>;
}

const require = createRequire(import.meta.url);

/** The document behind the first of the passwords that fits; the bytes themselves when they are not locked. Throws `password-needed` or `password-wrong`. */
export async function unlock(bytes: Buffer, passwords: readonly string[]): Promise<Buffer> {
  if (bytes.length < 8 || bytes.readUInt32BE(0) !== 0xd0cf11e0) return bytes;
  const crypto = require('officecrypto-tool') as OfficeCrypto;
  const isPackage = oleRoot(bytes)('EncryptedPackage');
  // The library takes the first stream of a name, wherever it stands, and gives back those of the root alone.
  const document = rootAlone(bytes);
  let isLocked = isPackage;
  try {
    isLocked ||= crypto.isEncrypted(document);
  } catch {
    isLocked = isPackage; // a file it cannot read is judged by the engine
  }
  if (!isLocked) return bytes;
  // Excel's own password for sheets that are protected, not locked: every program opens them.
  for (const candidate of ['VelvetSweatshop', ...passwords]) {
    try {
      const plain = await crypto.decrypt(document, { password: candidate });
      if (plain.length > 0) return Buffer.from(plain);
    } catch {
      continue; // it throws words for a wrong password and for damage alike
    }
  }
  throw new Refusal(passwords.length === 0 ? 'password-needed' : 'password-wrong', 'it is locked');
}
