// `mugai keys`: makes and shows the Ed25519 pair.
import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { generateKeys, loadPublicKeys } from '../outbox/keys.ts';
import { say, UsageError, type Command } from './usage.ts';

export const keys: Command = {
  help: `mugai keys generate [--signing-key FILE] [--verify-key FILE]
mugai keys show [--verify-key FILE]

generate  makes an Ed25519 pair (PEM; the private key readable by its owner only); never overwrites
show      prints the key ids of a verification key file

The files default to MUGAI_SIGNING_KEY_FILE and MUGAI_VERIFY_KEY_FILE, or keys/ under the data folder.

Example: mugai keys generate --signing-key signing-key.pem --verify-key verify-key.pem`,

  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { 'signing-key': { type: 'string' }, 'verify-key': { type: 'string' } },
    });
    const [act, ...rest] = positionals;
    if (rest.length > 0 || (act !== 'generate' && act !== 'show'))
      throw new UsageError('say "keys generate" or "keys show"');
    const config = readConfig();
    const verifyKey = values['verify-key'] ?? config.verifyKeyFile;
    if (act === 'generate') {
      const signingKey = values['signing-key'] ?? config.signingKeyFile;
      const made = await generateKeys(signingKey, verifyKey);
      say(`key id       ${made.keyId}`);
      say(`signing key  ${signingKey}`);
      say(`verify key   ${verifyKey}`);
      return 0;
    }
    for (const id of (await loadPublicKeys(verifyKey)).keys()) say(`key id       ${id}`);
    return 0;
  },
};
