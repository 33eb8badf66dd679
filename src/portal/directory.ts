// People of a directory: LDAP or Active Directory checks the password, OpenID Connect and a reverse proxy vouch for the name.
// Roles and mailboxes stay ours: a directory opens the door, it does not say what lies behind it.
import {
  Client,
  InappropriateAuthError,
  InvalidCredentialsError,
  InvalidDNSyntaxError,
  NoSuchObjectError,
} from 'ldapts';
import * as oidc from 'openid-client';
import { parseAddress, parseName } from './accounts.ts';
import type { Vouched } from './admitting.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';

/** How the directory is reached. `bind`: the person's distinguished name, `{name}` stands for the name. */
export interface LdapPlace {
  readonly url: string;
  readonly bind: string;
}

export interface OidcPlace {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Address of the portal as browsers see it. */
  readonly portalUrl: string;
}

const LDAP_MS = 10_000;

/** Addresses taken from an entry: whoever has more has a list, not a mailbox. */
const ADDRESSES_MOST = 20;

/** A bind that fails in these ways says of the person that he is not let in; any other is a fault of the directory. */
const SAYS_NO = [InvalidCredentialsError, InappropriateAuthError, NoSuchObjectError, InvalidDNSyntaxError];

/**
 * Checks a password by binding as the person. Undefined when the directory says no; throws `store-failed` when it cannot be
 * asked, or not what the entry of somebody it let in says. An empty password is never sent: to a directory it means an
 * anonymous bind, which succeeds (RFC 4513, 5.1.2).
 */
export async function askLdap(place: LdapPlace, name: string, password: string): Promise<Vouched | undefined> {
  if (password === '' || parseName(name) === undefined) return undefined;
  const client = new Client({ url: place.url, timeout: LDAP_MS, connectTimeout: LDAP_MS });
  // Characters with a meaning in a distinguished name are escaped (RFC 4514, 2.4); parseName lets few through anyway.
  const safe = name.replace(/[,+"\\<>;=#\s]/g, (letter) => `\\${letter.charCodeAt(0).toString(16).padStart(2, '0')}`);
  const dn = place.bind.replaceAll('{name}', safe);
  try {
    if (!(await isRight(client, dn, password))) return undefined;
    // Active Directory by user@domain: there is no entry to look at.
    return dn.includes('=') ? await lookAt(client, dn, name) : { name, display: name, addresses: undefined };
  } catch (error) {
    throw new MugaiError('store-failed', `directory: ${reasonOf(error)}`, { cause: error });
  } finally {
    await client.unbind().catch(() => undefined); // the answer counts, not how the line ended
  }
}

async function isRight(client: Client, dn: string, password: string): Promise<boolean> {
  try {
    await client.bind(dn, password);
    return true;
  } catch (error) {
    if (SAYS_NO.some((kind) => error instanceof kind)) return false;
    throw error;
  }
}

/** What the entry says; an attribute may have several values. */
async function lookAt(client: Client, dn: string, name: string): Promise<Vouched> {
  const { searchEntries } = await client.search(dn, { scope: 'base', attributes: ['cn', 'displayName', 'mail'] });
  const [entry] = searchEntries;
  if (entry === undefined) throw new Error('no entry for somebody who was let in');
  const all = (attribute: string): string[] =>
    [entry[attribute]].flat().filter((value) => typeof value === 'string' && value !== '') as string[];
  const display = all('displayName')[0] ?? all('cn')[0] ?? name;
  const addresses = all('mail')
    .map(parseAddress)
    .filter((address) => address !== undefined);
  return { name, display, addresses: [...new Set(addresses)].slice(0, ADDRESSES_MOST) };
}

/** One sign-in under way at an OpenID provider. */
export interface OidcStart {
  readonly to: string;
  readonly state: string;
  readonly verifier: string;
  readonly nonce: string;
}

/** An OpenID provider: authorisation code with PKCE, state and nonce. */
export class Oidc {
  readonly #place: OidcPlace;
  #known: Promise<oidc.Configuration> | undefined;

  constructor(place: OidcPlace) {
    this.#place = place;
  }

  async begin(): Promise<OidcStart> {
    const verifier = oidc.randomPKCECodeVerifier();
    const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
    const to = oidc.buildAuthorizationUrl(await this.#configuration(), {
      redirect_uri: `${this.#place.portalUrl}/sign-in/oidc/back`,
      scope: 'openid profile email',
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    return { to: to.href, state, verifier, nonce };
  }

  /** Whom the provider vouches for. Throws for anything but a good answer to this start. */
  async end(query: string, start: OidcStart): Promise<Vouched | undefined> {
    const url = new URL(`${this.#place.portalUrl}/sign-in/oidc/back${query}`);
    const tokens = await oidc.authorizationCodeGrant(await this.#configuration(), url, {
      pkceCodeVerifier: start.verifier,
      expectedState: start.state,
      expectedNonce: start.nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    const text = (value: unknown): string => (typeof value === 'string' ? value : '');
    if (claims === undefined) return undefined;
    const name = parseName(text(claims['preferred_username'])) ?? parseName(claims.sub);
    if (name === undefined) return undefined;
    // An address that the provider did not verify is only a wish.
    const address = claims['email_verified'] === true ? parseAddress(text(claims['email'])) : undefined;
    return {
      name,
      display: text(claims['name']) || name,
      addresses: address === undefined ? undefined : [address],
      identity: { issuer: claims.iss, subject: claims.sub },
    };
  }

  async #configuration(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret } = this.#place;
    const loopback = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(issuer);
    // Plain HTTP is for a provider on this machine only.
    const execute = loopback ? [oidc.allowInsecureRequests] : [];
    this.#known ??= oidc.discovery(new URL(issuer), clientId, clientSecret, undefined, { execute });
    try {
      return await this.#known;
    } catch (error) {
      this.#known = undefined; // asked again at the next sign-in
      throw new MugaiError('store-failed', `OpenID provider: ${reasonOf(error)}`, { cause: error });
    }
  }
}
