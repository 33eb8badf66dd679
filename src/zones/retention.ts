// Retention: what is older than its policy keeps it is deleted in each zone, after the zone's journal tells of it. The
// middle deletes originals and packages; the inner side, once a package is gone, its own records and the line of the portal.
import type { Lifecycle } from '../lifecycle.ts';
import type { Audit } from '../message/act.ts';
import { reasonOf } from '../message/errors.ts';
import { timeOf, type MessageId } from '../message/id.ts';
import { LIMITS } from '../message/limits.ts';
import type { Envelope } from '../message/stages.ts';
import type { Ledger } from '../deliver/ledger.ts';
import type { Log } from '../ops/log.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { keptMs, shortestKeptMs, type Policy } from '../policy/policy.ts';
import { gradesOf } from '../policy/rehearse.ts';
import type { Spool } from '../spool/spool.ts';
import { removePackage } from './live-pages.ts';

const HOUR = 3_600_000;
const FIRST_LOOK_MS = 60_000;
const LOOK_MS = 6 * HOUR;
/** Messages whose lines are synced together before they go. */
const TOGETHER = 200;
/** A package stays while an inner side that was down may still deliver it (the days of a new year), however short its policy is. */
const PACKAGE_LEAST_MS = 2 * LIMITS.giveUpMs + 24 * HOUR;

/** How long the package of a message is kept; undefined: for ever. */
export function packageKeptMs(policy: Policy): number | undefined {
  const kept = keptMs(policy);
  return kept === undefined ? undefined : Math.max(kept, PACKAGE_LEAST_MS);
}

/**
 * The time of day as this process knows it by a clock that never leaps: what is deleted for its age does not come back, and a wall
 * clock that is set weeks ahead must not make yesterday's mail old. One that was wrong at the start and was set back is believed.
 * Milliseconds since 1970.
 */
export function steadyNow(): number {
  return Math.min(Date.now(), performance.timeOrigin + performance.now());
}

interface Expiring {
  readonly id: MessageId;
  readonly what: string;
  readonly policy: Policy;
  readonly remove: () => Promise<void>;
}

/** Deletes in the middle zone. How many things went. */
export async function expireMiddle(
  { spool, outbox, audit, policy }: { spool: Spool; outbox: Outbox; audit: Audit; policy: Policy },
  now: number,
  signal: AbortSignal,
): Promise<number> {
  const shortest = shortestKeptMs(policy);
  if (shortest === undefined) return 0;
  const forgotten = new Set<MessageId>();
  const due = async function* (): AsyncGenerator<Expiring> {
    for await (const { id, envelope, hasOriginal, files } of spool.sealedBefore(now - shortest)) {
      if (envelope === undefined && hasOriginal) {
        await spool.unseal(id); // made again from what is there, and looked at the next time
        continue;
      }
      const own = policy.forMessage(envelope ?? NOBODY);
      const age = now - timeOf(id);
      if (age > (packageKeptMs(own) ?? Infinity)) {
        const remove = async (): Promise<void> => {
          await removePackage({ spool, outbox }, id);
          await spool.forget(id, files);
          forgotten.add(id);
        };
        yield { id, what: 'package', policy: own, remove };
      } else if (hasOriginal && age > (keptMs(own) ?? Infinity)) {
        const remove = async (): Promise<void> => {
          await spool.forgetOriginal(id, files);
          forgotten.add(id);
        };
        yield { id, what: 'original', policy: own, remove };
      }
    }
  };
  try {
    return await expire(due(), audit, signal);
  } finally {
    await spool.forgetLate(forgotten);
  }
}

/** What the inner side needs to delete. `forget`: told of each message whose records go. */
export interface ExpireInner {
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly audit: Audit;
  readonly policy: Policy;
  readonly forget: (id: MessageId) => void;
}

/**
 * Deletes on the inner side what is over its time and whose package is gone: were a record to go before its package, the
 * message would be delivered once more.
 */
export async function expireInner(deps: ExpireInner, now: number, signal: AbortSignal): Promise<number> {
  const { ledger, outbox, audit, policy, forget } = deps;
  const shortest = shortestKeptMs(policy);
  if (shortest === undefined) return 0;
  const due = async function* (): AsyncGenerator<Expiring> {
    for await (const { id, record } of ledger.endsBefore(now - Math.max(shortest, PACKAGE_LEAST_MS))) {
      const own = policy.forMessage(record.envelope ?? NOBODY);
      if (now - timeOf(id) <= (packageKeptMs(own) ?? Infinity) || (await outbox.find(id)) !== undefined) continue;
      const remove = async (): Promise<void> => {
        forget(id);
        await ledger.forget(id);
      };
      yield { id, what: 'delivery record', policy: own, remove };
    }
  };
  return expire(due(), audit, signal);
}

const NOBODY: Envelope = { from: '', to: [] };

/** Tells of each, and deletes it when its line is durable. */
async function expire(due: AsyncIterable<Expiring>, audit: Audit, signal: AbortSignal): Promise<number> {
  let count = 0;
  let batch: Expiring[] = [];
  const go = async (): Promise<void> => {
    const lines = batch.map(({ id, what, policy }) =>
      audit.enter({
        act: 'expired',
        message: id,
        detail: {
          what,
          keepDays: policy.keepDays ?? 0,
          asset: gradesOf(policy),
          policy: `${policy.name} ${policy.version}`,
        },
      }),
    );
    await Promise.all(lines.map(async ({ durable }) => durable));
    for (const { remove } of batch) await remove();
    count += batch.length;
    batch = [];
  };
  for await (const one of due) {
    signal.throwIfAborted();
    batch.push(one);
    if (batch.length === TOGETHER) await go();
  }
  await go();
  return count;
}

/** Looks a minute after the start and every six hours. */
export function startRetention(
  zone: string,
  log: Log,
  life: Lifecycle,
  sweep: (now: number, signal: AbortSignal) => Promise<number>,
): void {
  const stop = new AbortController();
  let running: Promise<void> = Promise.resolve();
  let timer = setTimeout(look, FIRST_LOOK_MS);
  timer.unref();
  function look(): void {
    running = sweep(steadyNow(), stop.signal).then(
      (count) => void (count > 0 && log.info({ zone, count }, 'deleted after their time')),
      (error: unknown) => void (stop.signal.aborted || log.error({ zone, error: reasonOf(error) }, 'retention')),
    );
    timer = setTimeout(look, LOOK_MS);
    timer.unref();
  }
  life.started(`retention of the ${zone} zone`, async () => {
    clearTimeout(timer);
    stop.abort();
    await running;
  });
}
