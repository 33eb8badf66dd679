// Really signed mails and the DNS records that go with them: keys of our own, signed as a sender's server does it.
import { generateKeyPairSync } from 'node:crypto';
import { sealMessage } from 'mailauth/lib/arc/index.js';
import { dkimSign } from 'mailauth/lib/dkim/sign.js';

/** A domain with one signing key. */
export interface Signing {
  readonly domain: string;
  readonly selector: string;
  readonly privateKey: string;
  /** The key's name in the DNS, and its record. */
  readonly keyName: string;
  readonly record: string;
}

export function signing(domain: string, selector = 's1', modulusLength = 2048): Signing {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength,
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const record = `v=DKIM1; k=rsa; p=${publicKey.toString('base64')}`;
  return { domain, selector, privateKey, keyName: `${selector}._domainkey.${domain}`, record };
}

/** The mail with a DKIM-Signature of each signer in front. */
export async function signedBy(mail: string, ...signers: readonly Signing[]): Promise<string> {
  const signatureData = signers.map(({ domain, selector, privateKey }) => ({
    signingDomain: domain,
    selector,
    privateKey,
  }));
  const options = { canonicalization: 'relaxed/relaxed', signatureData } as unknown as Parameters<typeof dkimSign>[1];
  const { signatures, errors } = await dkimSign(mail, options);
  if (errors.length > 0) throw errors[0]?.err ?? new Error('not signed');
  return `${signatures}${mail}`;
}

/** The mail with one ARC set of a forwarder in front. */
export async function sealedBy(
  mail: string,
  { domain, selector, privateKey }: Signing,
  results: string,
): Promise<string> {
  const seal = { signingDomain: domain, selector, privateKey, authResults: results, cv: 'none' as const };
  return `${(await sealMessage(Buffer.from(mail), seal)).toString('latin1')}${mail}`;
}
