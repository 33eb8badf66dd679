// A request at the HTTP door that cannot be taken, with its status and a plain sentence; and who a client is.
import type { FastifyRequest } from 'fastify';
import { householdOf } from '../message/networks.ts';
import { untrusted, type Untrusted } from '../message/untrusted.ts';
import { digestOfKey, type ApiKeys } from './api-keys.ts';
import { SAID, type Said } from './upload-words.ts';

export class BadRequest extends Error {
  readonly statusCode: number;
  readonly code: string;
  readonly said: Said;
  /** Seconds until it is worth coming again, where that is known. */
  readonly retryAfterSeconds: number | undefined;
  constructor(
    statusCode: number,
    code: string,
    said: Said,
    options: ErrorOptions & { readonly retryAfterSeconds?: number } = {},
  ) {
    super(said[1], options);
    this.statusCode = statusCode;
    this.code = code;
    this.said = said;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Who sends: the name of the key, or the address's household where none is asked for (`keys` undefined). 401 for a wrong or missing key. */
export function clientOf(request: FastifyRequest, keys: (() => ApiKeys) | undefined): string {
  if (keys === undefined) return householdOf(request.ip);
  const [, key = ''] = /^Bearer ([A-Za-z0-9_-]{20,200})$/.exec(request.headers.authorization ?? '') ?? [];
  // Looked up by its digest: how long that takes says nothing of the key.
  const name = keys().get(digestOfKey(key));
  if (name === undefined) throw new BadRequest(401, 'unauthorised', SAID.needsKey);
  return name;
}

/** Where a file came from, for its record: the address, the way, and the name of the key where one is asked for. */
export function peerOf(
  request: FastifyRequest,
  way: 'http' | 'tus',
  keys: (() => ApiKeys) | undefined,
): Untrusted<string> {
  return untrusted(`${request.ip} ${way}${keys === undefined ? '' : ` ${clientOf(request, keys)}`}`);
}

/** True when a record's `peer` names this key. */
export function sentBy(peer: string, key: string): boolean {
  return peer.split(' ')[2] === key;
}

/** Bytes each client sent within the last hour; more than the quota has to wait. */
export class Quota {
  readonly #most: number;
  readonly #sent = new Map<string, { hour: number; bytes: number }>();
  constructor(most: number) {
    this.#most = most;
  }

  /** Counts bytes that are about to come. 429 when they are too many. */
  take(client: string, bytes: number, now: number = Date.now()): void {
    const hour = Math.floor(now / 3_600_000);
    const known = this.#sent.get(client);
    const sent = known?.hour === hour ? known.bytes : 0;
    if (sent + bytes > this.#most)
      throw new BadRequest(429, 'quota', SAID.quota, {
        retryAfterSeconds: Math.ceil(((hour + 1) * 3_600_000 - now) / 1000),
      });
    this.#sent.delete(client);
    this.#sent.set(client, { hour, bytes: sent + bytes });
    if (this.#sent.size > 10_000) for (const [one] of this.#sent) return void this.#sent.delete(one);
  }
}
