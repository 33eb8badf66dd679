// Received → Spooled, for both doors: bytes and record durable, then the id. Only then may a sender hear yes.
import type { Audit } from '../message/act.ts';
import { newMessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import { forLine, type Untrusted } from '../message/untrusted.ts';
import type { Envelope, Spooled } from '../message/stages.ts';
import type { Spool, Staged } from '../spool/spool.ts';

/** What a door knows of a message besides its bytes. */
export interface Arrival {
  readonly kind: 'mail' | 'file';
  /** Original file name of an upload; empty for a mail. */
  readonly name: Untrusted<string>;
  readonly envelope: Envelope;
  /** Where it came from, in the sender's words and ours. */
  readonly peer: Untrusted<string>;
}

export interface IntakeDeps {
  /** Why nothing new may be taken at this moment; undefined: it may. */
  readonly pressure?: () => { readonly reason: string; readonly retryAfterSeconds: number } | undefined;
  readonly spool: Spool;
  /** The outer zone's journal: who sent what to whom is told there before the sender hears yes. */
  readonly audit: Audit;
  /** Told of each message that became durable; must not throw. */
  readonly onSpooled: (spooled: Spooled) => void;
}

/** Makes an arrival durable. Throws `disk-full` or `store-failed`; then nothing was accepted. */
export async function intake(arrival: Arrival, raw: Staged, deps: IntakeDeps): Promise<Spooled> {
  const now = Date.now();
  const id = newMessageId(now);
  const { kind } = arrival;
  const { from, to } = arrival.envelope;
  const peer = forLine(arrival.peer, 300);
  const told = deps.audit.enter({
    act: 'received',
    message: id,
    detail: { kind, size: raw.size, sha256: raw.sha256, from, to, peer },
  });
  const accepting = deps.spool.accept(id, raw, {
    stage: 'spooled',
    id,
    source: { kind, name: forLine(arrival.name, 300), size: raw.size, sha256: raw.sha256 },
    envelope: arrival.envelope,
    peer,
    receivedAt: new Date(now).toISOString(),
    chain: told.position,
  });
  // Both at once, since both wait for the disk; the sender hears yes after both.
  const [kept, noted] = await Promise.allSettled([accepting, told.durable]);
  if (kept.status === 'rejected') {
    if (noted.status === 'fulfilled') deps.audit.enter({ act: 'not-accepted', message: id });
    throw kept.reason;
  }
  if (noted.status === 'rejected') throw noted.reason;
  const spooled = kept.value;
  deps.onSpooled(spooled);
  return spooled;
}

/** Bytes a door takes of one message. */
export const MESSAGE_BYTES = LIMITS.messageBytes;
