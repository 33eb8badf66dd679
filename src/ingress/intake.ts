// Received → Spooled, for both doors: bytes and record durable, then the id. Only then may a sender hear yes.
import type { Audit, Entered } from '../message/act.ts';
import { newMessageId, type MessageId } from '../message/id.ts';
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
  const [spooled] = await intakeAll([{ arrival, raw }], deps);
  if (spooled === undefined) throw new TypeError('one arrival is one message');
  return spooled;
}

/**
 * Makes what came in one request durable, all of it or nothing: a sender who hears no may send all of it again, and nobody
 * gets any of it twice. Throws as `intake` does.
 */
export async function intakeAll(
  came: readonly { readonly arrival: Arrival; readonly raw: Staged }[],
  deps: IntakeDeps,
): Promise<Spooled[]> {
  const now = Date.now();
  const told = came.map(({ arrival, raw }) => tell(arrival, raw, newMessageId(now), deps.audit));
  const accepting = deps.spool.accept(
    ...told.map(({ id, arrival, raw, peer, entered }) => ({
      raw,
      facts: {
        stage: 'spooled' as const,
        id,
        source: { kind: arrival.kind, name: forLine(arrival.name, 300), size: raw.size, sha256: raw.sha256 },
        envelope: arrival.envelope,
        peer,
        receivedAt: new Date(now).toISOString(),
        chain: entered.position,
      },
    })),
  );
  // Both at once, since both wait for the disk; the sender hears yes after both.
  const [kept, ...noted] = await Promise.allSettled([accepting, ...told.map(({ entered }) => entered.durable)]);
  const untold = noted.find((one) => one.status === 'rejected');
  if (kept.status === 'rejected' || untold !== undefined) {
    for (const [at, { id }] of told.entries()) if (noted[at]?.status === 'fulfilled') deny(id, deps.audit);
    if (kept.status === 'fulfilled') await deps.spool.withdraw(told.map(({ id }) => id));
    throw kept.status === 'rejected' ? kept.reason : untold?.reason;
  }
  for (const spooled of kept.value) deps.onSpooled(spooled);
  return kept.value;
}

interface Told {
  readonly id: MessageId;
  readonly arrival: Arrival;
  readonly raw: Staged;
  readonly peer: string;
  readonly entered: Entered;
}

function tell(arrival: Arrival, raw: Staged, id: MessageId, audit: Audit): Told {
  const { kind } = arrival;
  const { from, to } = arrival.envelope;
  const { size, sha256 } = raw;
  const peer = forLine(arrival.peer, 300);
  const entered = audit.enter({ act: 'received', message: id, detail: { kind, size, sha256, from, to, peer } });
  return { id, arrival, raw, peer, entered };
}

/** The journal said received; its next line says that it was not kept. */
function deny(id: MessageId, audit: Audit): void {
  audit.enter({ act: 'not-accepted', message: id });
}

/** Bytes a door takes of one message. */
export const MESSAGE_BYTES = LIMITS.messageBytes;
