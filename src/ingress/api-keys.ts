// The keys of those who send files by the API: a line `name sha256-of-the-key` each, so that whoever reads the file has no key.
import { createHash, randomBytes } from 'node:crypto';

/** Names of the senders by the digest of their keys. */
export type ApiKeys = ReadonlyMap<string, string>;

const NAME = /^[\w.-]{1,64}$/;
const LINE = /^([\w.-]{1,64})\s+([0-9a-f]{64})\s*$/;

/** True for what a key may be called. */
export function isKeyName(name: string): boolean {
  return NAME.test(name);
}

/** A new key: told once; what is kept is its line. */
export function newApiKey(name: string): { readonly key: string; readonly line: string } {
  const key = randomBytes(32).toString('base64url');
  return { key, line: `${name} ${digestOfKey(key)}\n` };
}

export function digestOfKey(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}

/** The keys of a file's text. Throws an `Error` for a line that is none; empty lines and those after `#` are left out. */
export function parseApiKeys(text: string): ApiKeys {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, name = '', digest = ''] = LINE.exec(line) ?? [];
      if (name === '') throw new Error('a line is not "name sha256"');
      return [digest, name];
    }),
  );
}
