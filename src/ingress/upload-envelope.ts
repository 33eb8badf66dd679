// What both ways into the HTTP door need: what the door is given, whether it may take anything now, and an upload's envelope.
import { addressForm } from '../message/address.ts';
import { LIMITS } from '../message/limits.ts';
import type { Envelope } from '../message/stages.ts';
import type { Log } from '../ops/log.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { ApiKeys } from './api-keys.ts';
import type { IntakeDeps } from './intake.ts';
import { isSender, recipientFault } from './recipients.ts';
import { BadRequest } from './upload-fault.ts';
import { SAID } from './upload-words.ts';

export interface HttpDoorDeps extends IntakeDeps {
  readonly domains: ReadonlySet<string>;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The keys as they are now; undefined: the door asks for none. */
  readonly apiKeys: (() => ApiKeys) | undefined;
  /** Bytes one client may send within an hour; 4 GiB unless given. */
  readonly clientBytes?: number;
  /** Reverse proxies whose word on who asks is believed: addresses or networks. */
  readonly trustedProxies?: readonly string[];
}

/** Throws 503 while nothing new may be taken. */
export function checkPressure(deps: HttpDoorDeps): void {
  const closed = deps.pressure?.();
  if (closed !== undefined)
    throw new BadRequest(503, 'busy', SAID.busy, { retryAfterSeconds: closed.retryAfterSeconds });
}

/** The envelope of an upload, its recipients in the form that is compared; throws its fault. */
export function envelopeOf(from: string, to: readonly string[], domains: ReadonlySet<string>): Envelope {
  if (to.length === 0) throw new BadRequest(400, 'bad-input', SAID.noRecipient);
  if (to.length > LIMITS.recipients) throw new BadRequest(400, 'bad-input', SAID.tooManyRecipients);
  if (!isSender(from)) throw new BadRequest(400, 'bad-input', SAID.badSender);
  for (const address of to) {
    const fault = recipientFault(address, domains);
    if (fault === 'syntax') throw new BadRequest(400, 'bad-input', SAID.badRecipient);
    if (fault === 'relay') throw new BadRequest(403, 'bad-input', SAID.notServed);
  }
  return { from, to: [...new Set(to.map(addressForm))] };
}
