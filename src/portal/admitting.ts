// People of a directory as people of ours: who is who, under which name, with which addresses.
import type { ActEntry } from '../message/act.ts';
import { parseName, type Accounts, type User } from './accounts.ts';
import type { Database } from './database.ts';

/** What a directory told of a person. */
export interface Vouched {
  readonly name: string;
  readonly display: string;
  /** The person's own mail addresses; undefined where the directory says nothing of them. */
  readonly addresses: readonly string[] | undefined;
  /** Who it is, whatever the name becomes: OpenID Connect Core 1.0, 5.7 has only issuer and subject never given anew. */
  readonly identity?: Identity;
}

export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

/** Endings tried for a name that somebody else of the directory has already: `yamada-2` to `yamada-99`. */
const NAMES_MOST = 99;

/** Lets people of a directory in. Every change of an account is journaled before it is made. */
export class Admissions {
  readonly #db: Database;
  readonly #accounts: Accounts;
  readonly #note: (entry: ActEntry) => Promise<unknown>;

  constructor(db: Database, accounts: Accounts, note: (entry: ActEntry) => Promise<unknown>) {
    this.#db = db;
    this.#accounts = accounts;
    this.#note = note;
  }

  /** Somebody a directory vouches for. A new one is staff; nobody gets an account of another source, or a disabled one. */
  async admit(vouched: Vouched, source: string): Promise<User | undefined> {
    const known = await this.#known(vouched, source);
    if (known === undefined) return this.#add(vouched, source);
    if (known.disabled || known.source !== source) return undefined;
    await this.#compareAddresses(known, vouched, source);
    return known;
  }

  /** The account that is this person's: by identity, or by name where the directory has nothing better. */
  async #known(vouched: Vouched, source: string): Promise<User | undefined> {
    const { identity } = vouched;
    const named = this.#accounts.find(vouched.name);
    if (identity === undefined) return named;
    const owner = this.#db.get(
      'SELECT user FROM identities WHERE issuer = ? AND subject = ?',
      identity.issuer,
      identity.subject,
    )?.['user'];
    if (typeof owner === 'string') return this.#accounts.find(owner);
    if (named === undefined || named.source !== source) return named;
    if (!this.#isFromBefore(named, vouched)) return undefined; // the same name, and somebody else
    await this.#noteOf(named.name, { what: 'identity-bound', value: `${identity.issuer} ${identity.subject}` });
    this.#bind(named.name, identity);
    return named;
  }

  /** An account that was made when names alone were kept: whoever has its name and its address is believed to be its person. */
  #isFromBefore(named: User, { addresses = [] }: Vouched): boolean {
    if (this.#db.get('SELECT 1 FROM identities WHERE user = ?', named.name) !== undefined) return false;
    const own = this.#db
      .all("SELECT address FROM addresses WHERE user = ? AND kind = 'own'", named.name)
      .map((row) => String(row['address']));
    // Without an address a name alone proves nothing: it is believed where there is nothing to gain by it.
    if (own.length === 0) return named.roles.every((role) => role === 'staff') && !this.#hasMailbox(named.name);
    return own.some((address) => addresses.includes(address));
  }

  #hasMailbox(user: string): boolean {
    return this.#db.get('SELECT 1 FROM addresses WHERE user = ?', user) !== undefined;
  }

  async #add(vouched: Vouched, source: string): Promise<User | undefined> {
    const name = this.#freeName(vouched.name);
    if (name === undefined) return undefined;
    const { addresses = [], identity } = vouched;
    await this.#noteOf(name, { what: 'person-added', value: source });
    for (const address of addresses) await this.#noteOf(name, { what: 'mailbox-given', value: `own ${address}` });
    return this.#db.transaction(() => {
      const user = this.#accounts.add(name, vouched.display.slice(0, 100), ['staff'], source);
      if (identity !== undefined) this.#bind(name, identity);
      for (const address of addresses) this.#accounts.giveAddress(name, address, 'own', null, source);
      return user;
    });
  }

  /** What the directory gave and does not say any more is taken away, and what it says instead is given. */
  async #compareAddresses({ name }: User, { addresses }: Vouched, source: string): Promise<void> {
    if (addresses === undefined) return;
    const old = this.#given(name, source).filter((address) => !addresses.includes(address));
    if (old.length === 0) return; // what an administrator took away stays away
    const have = new Set(
      this.#db.all("SELECT address FROM addresses WHERE user = ? AND kind = 'own'", name).map((row) => row['address']),
    );
    const more = addresses.filter((address) => !have.has(address));
    for (const address of old) await this.#noteOf(name, { what: 'mailbox-taken', value: `own ${address}` });
    for (const address of more) await this.#noteOf(name, { what: 'mailbox-given', value: `own ${address}` });
    this.#db.transaction(() => {
      for (const address of old)
        this.#db.run("DELETE FROM addresses WHERE user = ? AND address = ? AND kind = 'own'", name, address);
      for (const address of more) this.#accounts.giveAddress(name, address, 'own', null, source);
    });
  }

  /** Own addresses that this source gave. */
  #given(name: string, source: string): string[] {
    return this.#db
      .all("SELECT address FROM addresses WHERE user = ? AND kind = 'own' AND given_by = ?", name, source)
      .map((row) => String(row['address']));
  }

  #freeName(wanted: string): string | undefined {
    for (let n = 1; n <= NAMES_MOST; n++) {
      const name = parseName(n === 1 ? wanted : `${wanted.slice(0, 60)}-${n}`);
      if (name !== undefined && this.#accounts.find(name) === undefined) return name;
    }
    return undefined;
  }

  #bind(name: string, { issuer, subject }: Identity): void {
    this.#db.run('INSERT INTO identities VALUES (?, ?, ?)', issuer, subject, name);
  }

  async #noteOf(name: string, { what, value }: { readonly what: string; readonly value: string }): Promise<void> {
    await this.#note({ act: 'changed', person: name, detail: { what, of: name, value } });
  }
}
