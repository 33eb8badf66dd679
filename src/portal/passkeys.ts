// Passkeys (WebAuthn level 3): what is kept of each, and the checking of what a browser says. The private key never leaves the
// person's device; whoever steals our database can sign in nowhere with it.
import { createHash } from 'node:crypto';
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
} from '@simplewebauthn/server';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { User } from './accounts.ts';
import type { Database } from './database.ts';

/** Milliseconds a browser has to answer a challenge, and challenges that are open at once. */
const CHALLENGE_MS = 5 * 60_000;
const CHALLENGES_MOST = 10_000;
/** Passkeys of one person. */
export const PASSKEYS_MOST = 20;

/** Where the portal is for browsers: passkeys are bound to it. */
export interface PasskeyPlace {
  readonly origin: string;
  /** Host name of the origin. */
  readonly host: string;
}

/** A passkey as its owner knows it. */
export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly created: number;
  readonly used: number | null;
}

/** The place of these browsers' address; undefined where passkeys cannot be: addresses without a name. */
export function passkeyPlace(url: string, port: number): PasskeyPlace | undefined {
  const { protocol, hostname } = new URL(url);
  // On the machine itself browsers take http and the name localhost.
  if (hostname === '127.0.0.1' || hostname === '[::1]' || hostname === 'localhost')
    return { origin: `http://localhost:${port}`, host: 'localhost' };
  if (protocol !== 'https:' || /^[\d.]+$|^\[/.test(hostname)) return undefined;
  return { origin: new URL(url).origin, host: hostname };
}

const Base64Url = Type.String({ pattern: '^[A-Za-z0-9_-]{1,12000}$' });
const isCredential = Compile(
  Type.Object({
    id: Base64Url,
    rawId: Base64Url,
    type: Type.Literal('public-key'),
    response: Type.Object({ clientDataJSON: Base64Url }),
    clientExtensionResults: Type.Object({}),
  }),
);

/** What a browser sent, as far as its outer form is right; the rest is checked by whoever verifies it. */
function parseCredential(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return isCredential.Check(value) ? value : undefined;
  } catch {
    return undefined; // no JSON: no credential
  }
}

export class Passkeys {
  readonly #db: Database;
  readonly #placeNow: () => PasskeyPlace;
  readonly #now: () => number;
  /** Challenges nobody answered yet, and for whom (empty: for whoever signs in). */
  readonly #challenges = new Map<string, { readonly user: string; readonly at: number }>();

  constructor(db: Database, place: () => PasskeyPlace, now: () => number) {
    this.#db = db;
    this.#placeNow = place;
    this.#now = now;
  }

  get place(): PasskeyPlace {
    return this.#placeNow();
  }

  of(user: string): Passkey[] {
    return this.#db
      .all('SELECT id, name, created, used FROM passkeys WHERE user = ? ORDER BY created', user)
      .map((row) => ({
        id: String(row['id']),
        name: String(row['name']),
        created: Number(row['created']),
        used: row['used'] === null ? null : Number(row['used']),
      }));
  }

  remove(user: string, id: string): boolean {
    return this.#db.run('DELETE FROM passkeys WHERE user = ? AND id = ?', user, id) === 1;
  }

  /** What a browser needs to make a passkey, as JSON. */
  async beginMaking(user: User): Promise<string> {
    const options = await generateRegistrationOptions({
      rpName: 'Mugai',
      rpID: this.place.host,
      userName: user.name,
      userDisplayName: user.display,
      userID: new Uint8Array(createHash('sha256').update(`mugai ${user.name}`).digest()),
      attestationType: 'none',
      excludeCredentials: this.of(user.name).map(({ id }) => ({ id })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    });
    this.#challenge(options.challenge, user.name);
    return JSON.stringify(options);
  }

  /** Keeps the passkey that a browser made after `beginMaking`; false when it is not what was asked for. */
  async keep(user: string, text: string, name: string): Promise<boolean> {
    const response = parseCredential(text);
    if (response === undefined || this.of(user).length >= PASSKEYS_MOST) return false;
    const checked = await verifyRegistrationResponse({
      response: response as RegistrationResponseJSON, // its outer form is checked, the library checks the rest
      expectedChallenge: (challenge) => this.#answered(challenge, user),
      expectedOrigin: this.place.origin,
      expectedRPID: this.place.host,
      requireUserVerification: true,
    }).catch(() => undefined); // it throws for whatever is not as expected
    if (checked?.verified !== true) return false;
    const { id, publicKey, counter } = checked.registrationInfo.credential;
    const key = Buffer.from(publicKey).toString('base64');
    const now = this.#now();
    return (
      this.#db.run(
        'INSERT OR IGNORE INTO passkeys VALUES (?, ?, ?, ?, ?, ?, NULL)',
        id,
        user,
        key,
        counter,
        name,
        now,
      ) === 1
    );
  }

  /** What a browser needs to sign somebody in; it offers the passkeys it has for this place. */
  async beginSignIn(): Promise<string> {
    const options = await generateAuthenticationOptions({ rpID: this.place.host, userVerification: 'required' });
    this.#challenge(options.challenge, '');
    return JSON.stringify(options);
  }

  /** Whose passkey answered a challenge of `beginSignIn`; undefined when none of ours did. */
  async check(text: string): Promise<string | undefined> {
    const response = parseCredential(text) as AuthenticationResponseJSON | undefined;
    if (response === undefined) return undefined;
    const row = this.#db.get('SELECT user, public_key, counter FROM passkeys WHERE id = ?', response.id);
    if (row === undefined) return undefined;
    const checked = await verifyAuthenticationResponse({
      response,
      expectedChallenge: (challenge) => this.#answered(challenge, ''),
      expectedOrigin: this.place.origin,
      expectedRPID: this.place.host,
      requireUserVerification: true,
      credential: {
        id: response.id,
        publicKey: new Uint8Array(Buffer.from(String(row['public_key']), 'base64')),
        counter: Number(row['counter']), // one that does not rise is a copy: refused by the library
      },
    }).catch(() => undefined);
    if (checked?.verified !== true) return undefined;
    const { newCounter } = checked.authenticationInfo;
    this.#db.run('UPDATE passkeys SET counter = ?, used = ? WHERE id = ?', newCounter, this.#now(), response.id);
    return String(row['user']);
  }

  #challenge(challenge: string, user: string): void {
    for (const [old, { at }] of this.#challenges) {
      if (this.#now() - at < CHALLENGE_MS && this.#challenges.size < CHALLENGES_MOST) break;
      this.#challenges.delete(old);
    }
    this.#challenges.set(challenge, { user, at: this.#now() });
  }

  /** True once for a challenge that was given for this. */
  #answered(challenge: string, user: string): boolean {
    const given = this.#challenges.get(challenge);
    this.#challenges.delete(challenge);
    return given !== undefined && given.user === user && this.#now() - given.at < CHALLENGE_MS;
  }
}
