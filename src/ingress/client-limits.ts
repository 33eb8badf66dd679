// What one client address may do: connections at once, and how many connections, recipients and errors a minute. The mail
// servers of the house itself (`relays`) bring the mail of all the world from one address and are not counted.
import { LIMITS } from '../message/limits.ts';
import { householdOf, networksOf } from '../message/networks.ts';

/** A minute's allowances of one address. */
export interface ClientAllowance {
  readonly atOnce: number;
  readonly connections: number;
  readonly recipients: number;
  readonly errors: number;
}

export const CLIENT_ALLOWANCE: ClientAllowance = {
  atOnce: LIMITS.clientConnections,
  connections: LIMITS.clientConnectionsPerMinute,
  recipients: LIMITS.clientRecipientsPerMinute,
  errors: LIMITS.clientErrorsPerMinute,
};

const MINUTE_MS = 60_000;

interface Client {
  atOnce: number;
  minute: number;
  connections: number;
  recipients: number;
  errors: number;
}

/** The books of all addresses. An IPv6 client is its /64: a household has 2^64 addresses. */
export class ClientLimits {
  readonly #allowance: ClientAllowance;
  readonly #isRelay: (address: string) => boolean;
  readonly #clients = new Map<string, Client>();

  /** `relays`: addresses or networks (`192.0.2.0/24`) without limits of their own. */
  constructor(relays: readonly string[] = [], allowance: ClientAllowance = CLIENT_ALLOWANCE) {
    this.#allowance = allowance;
    this.#isRelay = networksOf(relays);
  }

  /** Opens a connection; false: one too many. When true, `leave` must follow. */
  enter(address: string, now: number = Date.now()): boolean {
    const client = this.#of(address, now);
    if (client === undefined) return true;
    if (client.atOnce >= this.#allowance.atOnce) return false;
    if (client.connections >= this.#allowance.connections || client.errors >= this.#allowance.errors) return false;
    client.connections += 1;
    client.atOnce += 1;
    return true;
  }

  leave(address: string): void {
    const client = this.#clients.get(householdOf(address));
    if (client !== undefined && client.atOnce > 0) client.atOnce -= 1;
  }

  /** One more recipient; false: one too many in this minute. */
  recipient(address: string, now: number = Date.now()): boolean {
    const client = this.#of(address, now);
    if (client === undefined) return true;
    client.recipients += 1;
    return client.recipients <= this.#allowance.recipients;
  }

  /** One more reply that said no. */
  error(address: string, now: number = Date.now()): void {
    const client = this.#of(address, now);
    if (client !== undefined) client.errors += 1;
  }

  /** Addresses in the books. */
  get size(): number {
    return this.#clients.size;
  }

  #of(address: string, now: number): Client | undefined {
    if (this.#isRelay(address)) return undefined;
    const key = householdOf(address);
    const minute = Math.floor(now / MINUTE_MS);
    let client = this.#clients.get(key);
    if (client === undefined) {
      if (this.#clients.size >= LIMITS.clientsKnown) this.#forget(minute);
      client = { atOnce: 0, minute, connections: 0, recipients: 0, errors: 0 };
      this.#clients.set(key, client);
    } else if (client.minute !== minute) {
      Object.assign(client, { minute, connections: 0, recipients: 0, errors: 0 });
    }
    return client;
  }

  /** Makes room for a tenth at once, so that a new address does not cost a walk: those without a connection, old ones first. */
  #forget(minute: number): void {
    const enough = LIMITS.clientsKnown * 0.9;
    for (const old of [true, false]) {
      for (const [key, client] of this.#clients) {
        if (client.atOnce === 0 && (!old || client.minute !== minute)) this.#clients.delete(key);
        if (this.#clients.size < enough) return;
      }
    }
  }
}
