// Alarms of all zones by mail, where an address is named: the inner side sends it through its own courier, so that no other
// zone needs a way to it. One mail a minute at most, and it tells all that were raised since the last.
import type { Courier } from '../deliver/courier.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { newMessageId } from '../message/id.ts';
import { reasonOf } from '../message/errors.ts';
import type { Alarm } from '../message/status.ts';
import type { Log } from '../ops/log.ts';

const EVERY_MS = 60_000;
const FIRST_MS = 2000;
const TOLD_MOST = 200;
/** Alarms remembered as told: far more than all processes tell of at once. */
const KNOWN_MOST = 10_000;

export interface AlarmMailOf {
  readonly to: string;
  readonly domain: string;
  readonly courier: Courier;
  /** Alarms of all zones, newest first. */
  readonly alarms: () => readonly (Alarm & { readonly role: string })[];
  readonly everyMs?: number;
}

/** Mails alarms that are newer than the start until the gateway stops. A mail that fails is tried with the next ones. */
export function mailAlarms(
  { to, domain, courier, alarms, everyMs = EVERY_MS }: AlarmMailOf,
  log: Log,
  life: Lifecycle,
): void {
  const stop = new AbortController();
  const told = new Set<string>();
  const startedAt = new Date(Date.now() - FIRST_MS).toISOString();
  let sentAt = 0;
  let sending: Promise<void> = Promise.resolve();
  const send = async (): Promise<void> => {
    if (Date.now() - sentAt < everyMs) return;
    const fresh = alarms().filter((alarm) => alarm.at >= startedAt && !told.has(keyOf(alarm)));
    if (fresh.length === 0) return;
    sentAt = Date.now();
    const lines = fresh
      .slice(0, TOLD_MOST)
      .map(
        ({ at, kind, subject, detail, count, role }) => `${at}  ${kind}  ${subject}  ${detail}  x${count}  (${role})`,
      );
    const id = newMessageId();
    const answer = await courier.deliver(
      {
        id,
        messageId: `${id}@${domain}`,
        envelope: { from: '', to: [to] },
        from: { name: 'Mugai', address: `mugai@${domain}` },
        to: [{ name: '', address: to }],
        cc: [],
        subject: `Mugai 警報 ${fresh.length}件: ${[...new Set(fresh.map(({ kind }) => kind))].join(', ')}`,
        date: new Date(),
        headers: { 'Auto-Submitted': 'auto-generated' },
        text: `${lines.join('\n')}\n`,
        charset: 'utf-8',
        attachments: [],
      },
      stop.signal,
    );
    if (answer.kind === 'delivered') remember(told, fresh.map(keyOf).toReversed(), KNOWN_MOST);
    else log.warn({ answer: answer.answer }, 'the alarm mail was not taken, it goes with the next');
  };
  const timer = setInterval(() => {
    sending = sending.then(send).catch((error: unknown) => log.warn({ error: reasonOf(error) }, 'alarm mail'));
  }, FIRST_MS);
  life.started('alarm mail', async () => {
    clearInterval(timer);
    stop.abort();
    await sending;
  });
}

/** Adds to what is known, the oldest first, and forgets what was known longest beyond `most`. */
export function remember(known: Set<string>, more: readonly string[], most: number): void {
  for (const one of more) known.add(one);
  for (const oldest of known) {
    if (known.size <= most) break;
    known.delete(oldest);
  }
}

function keyOf({ kind, at, subject }: Alarm): string {
  return `${kind} ${at} ${subject}`;
}
