// `mugai keys`: makes, changes and shows the Ed25519 pair that packages are sealed with.
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { openJournal } from '../audit/journal.ts';
import { readConfig, type Config } from '../config.ts';
import { LIMITS } from '../message/limits.ts';
import { nextOf, prepareKey, retireKey, rotateKeys, takeKey } from '../outbox/key-change.ts';
import { generateKeys, loadPrivateKey, loadPublicKeys, type Tell } from '../outbox/keys.ts';
import { keyId } from '../outbox/manifest.ts';
import { anyRequestKey, generateRequestKeys } from '../requests/keys.ts';
import { zoneHere } from './zone-here.ts';
import { say, UsageError, type Command } from './usage.ts';

export const keys: Command = {
  help: `mugai keys generate [--signing-key FILE] [--verify-key FILE]
mugai keys rotate   [--public-only | --finish] [--signing-key FILE] [--verify-key FILE]
mugai keys retire KEY-ID [--signing-key FILE] [--verify-key FILE]
mugai keys show     [--signing-key FILE] [--verify-key FILE]

generate  makes an Ed25519 pair (PEM; the private key readable by its owner only), and beside it, unless it is
          there, the X25519 pair that passwords from the inner side are locked with; never overwrites
rotate    makes a new pair: its public key joins the old ones, and some seconds later the private key takes
          the place of the old one; running gateways take both up by themselves, old packages still verify.
          Where the inner side has a verify key file of its own, in two steps: --public-only makes the pair and
          signs nothing with it yet; give the inner side the public file; --finish takes the key into use
retire    takes a public key out: packages it signed no longer verify; not that of the key that signs now
show      prints the key ids of a verification key file, and which of them signs now

The files default to MUGAI_SIGNING_KEY_FILE and MUGAI_VERIFY_KEY_FILE, or keys/ under the data folder. A file that is
replaced keeps its mode and owner. docs/ops/README.md has the order of steps for containers.

Example: mugai keys rotate && mugai keys show`,

  run: async (args) => {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'signing-key': { type: 'string' },
        'verify-key': { type: 'string' },
        'public-only': { type: 'boolean', default: false },
        finish: { type: 'boolean', default: false },
      },
    });
    const [act, id, ...rest] = positionals;
    if (rest.length > 0 || (id !== undefined) !== (act === 'retire'))
      throw new UsageError('say "keys generate", "keys rotate", "keys retire KEY-ID" or "keys show"');
    const [onlyPublic, finish] = [values['public-only'], values.finish];
    if ((onlyPublic && finish) || ((onlyPublic || finish) && act !== 'rotate'))
      throw new UsageError('say "keys rotate", "keys rotate --public-only" or "keys rotate --finish"');
    const config = readConfig();
    const verifyKey = values['verify-key'] ?? config.verifyKeyFile;
    const signingKey = values['signing-key'] ?? config.signingKeyFile;
    const tell: Tell = async (detail) => tellJournal(config, detail);
    switch (act ?? '') {
      case 'generate': {
        const made = await generateKeys(signingKey, verifyKey, tell);
        say(`key id       ${made.keyId}`);
        say(`signing key  ${signingKey}`);
        say(`verify key   ${verifyKey}`);
        await generateForRequests(config, signingKey, verifyKey);
        return 0;
      }
      case 'rotate': {
        if (onlyPublic) {
          const { keyId: next } = await prepareKey(signingKey, verifyKey, tell);
          say(`key id       ${next} is accepted from now on, and signs nothing yet`);
          say(`next         give ${verifyKey} to the inner side, and then: mugai keys rotate --finish`);
          return 0;
        }
        if (finish) {
          const { keyId: taken, before } = await takeKey(signingKey, verifyKey, tell);
          say(`key id       ${taken} signs from now on`);
          say(`key id       ${before} is still accepted`);
          return 0;
        }
        const wait = 2 * LIMITS.verifyKeyLookMs;
        const between = async (): Promise<void> => new Promise((resolve) => setTimeout(resolve, wait));
        const { keyId: made, before } = await rotateKeys(signingKey, verifyKey, between, tell);
        say(`key id       ${made} signs from now on`);
        say(`key id       ${before} is still accepted`);
        return 0;
      }
      case 'retire':
        await demandNotSigning(signingKey, id ?? '');
        await retireKey(verifyKey, id ?? '', tell);
        say(`key id       ${id} is accepted no longer`);
        return 0;
      case 'show':
        await show(signingKey, verifyKey);
        return 0;
      default:
        throw new UsageError('say "keys generate", "keys rotate", "keys retire KEY-ID" or "keys show"');
    }
  },
};

/** The pair of the requests, beside the pair of the packages; one that is there stays. */
async function generateForRequests(config: Config, signingKey: string, verifyKey: string): Promise<void> {
  const own = signingKey === config.signingKeyFile && verifyKey === config.verifyKeyFile;
  const requestKey = own ? config.requestKeyFile : join(dirname(signingKey), 'request-key.pem');
  const sealingKey = own ? config.sealingKeyFile : join(dirname(verifyKey), 'sealing-key.pem');
  if (anyRequestKey(requestKey, sealingKey)) return;
  await generateRequestKeys(requestKey, sealingKey);
  say(`request key  ${requestKey}`);
  say(`sealing key  ${sealingKey}`);
}

/** Whatever is sealed from now on would be refused, and nothing would tell before the next mail. */
async function demandNotSigning(signingKey: string, id: string): Promise<void> {
  if (!existsSync(signingKey)) return; // it signs on another machine
  const signs = keyId(await loadPrivateKey(signingKey));
  if (signs.startsWith(id)) throw new UsageError(`${signs} signs now: take another into use first (mugai keys rotate)`);
  const next = await preparedIn(signingKey);
  if (next?.startsWith(id) === true) throw new UsageError(`${next} is prepared to sign: mugai keys rotate --finish`);
}

/** The key that waits to sign, if one does. */
async function preparedIn(signingKey: string): Promise<string | undefined> {
  const next = nextOf(signingKey);
  return existsSync(next) ? keyId(await loadPrivateKey(next)) : undefined;
}

async function show(signingKey: string, verifyKey: string): Promise<void> {
  const signs = existsSync(signingKey) ? keyId(await loadPrivateKey(signingKey)) : undefined;
  const next = await preparedIn(signingKey);
  const known = [...(await loadPublicKeys(verifyKey)).keys()];
  for (const id of known)
    say(`key id       ${id}${id === signs ? '  signs' : id === next ? '  is prepared to sign' : ''}`);
  if (signs === undefined) return;
  if (!known.includes(signs)) say(`MISSING      ${signs} signs, and is not in ${verifyKey}`);
  if ((statSync(signingKey).mode & 0o077) !== 0) say(`WARNING      ${signingKey} can be read by others than its owner`);
}

/** Tells a change before it takes effect, where there is a gateway: a pair that is made elsewhere has no journal. */
async function tellJournal(config: Config, detail: Readonly<Record<string, string>>): Promise<void> {
  if (!existsSync(join(config.dataDir, 'journal'))) return;
  const root = join(config.dataDir, 'journal');
  const journal = await openJournal({ root, zone: zoneHere(root, 'middle'), keepDays: config.journalDays });
  await journal.append({ act: 'changed', detail: { what: 'keys', ...detail } });
  await journal.close();
}
