// Alarms on suspicious traffic (不正通信の監視) and on broken trust: to the log (and so to syslog), a metric and the console.
// Like ones within a minute are told once and counted: whoever attacks must not be able to bury one alarm under others.
import { ALARM_KINDS, type Alarm, type AlarmKind } from '../message/status.ts';
import { forLog } from '../message/untrusted.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** Milliseconds in which like alarms are one. */
const WINDOW_MS = 60_000;
/** Alarms remembered for the console. */
const KEPT = 100;
/** Subjects watched at once; with more the oldest windows are closed early. */
const OPEN_MOST = 1000;
/** Mails of one sender's domain in a minute that are a burst: a town's busiest real senders stay far below. */
export const BURST_PER_MINUTE = 120;

/** Severity as CEF counts it, 0 to 10. */
export const ALARM_SEVERITY: { readonly [kind in AlarmKind]: number } = {
  burst: 5,
  'turned-away': 4,
  'relay-refused': 3,
  smuggling: 8,
  malware: 8,
  'scanner-away': 7,
  'gate-refused': 10,
  'child-killed': 5,
  'no-child': 8,
  journal: 9,
  disk: 7,
  'given-up': 6,
};

interface Window {
  readonly alarm: Alarm;
  readonly until: number;
  /** How many were told already. */
  told: number;
}

/** The alarms of one process. */
export class Alarms {
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #open = new Map<string, Window>();
  readonly #kept: Alarm[] = [];
  readonly #minute = new Map<string, number>();
  #minuteAt = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Told of each alarm when it is raised first, and once more when a minute of like ones is over. */
  onAlarm: ((alarm: Alarm) => void) | undefined;

  constructor(log: Log, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
    // A rate can only be seen from the first scrape on: every kind is there at 0.
    for (const kind of ALARM_KINDS) metrics.alarms.inc({ kind }, 0);
  }

  /** Raises an alarm about `subject` (an address, an id, a name). Words of senders may stand in it: they are cleaned here. */
  raise(kind: AlarmKind, subject: string, detail: string, now: number = Date.now()): void {
    this.#metrics.alarms.inc({ kind });
    const about = forLog(subject);
    const key = `${kind} ${about}`;
    const open = this.#open.get(key);
    if (open !== undefined && now < open.until) {
      open.alarm.count += 1;
      return;
    }
    if (open !== undefined) this.#close(key, open);
    if (this.#open.size >= OPEN_MOST) this.#closeOldest();
    const alarm: Alarm = { kind, at: new Date(now).toISOString(), subject: about, detail: forLog(detail), count: 1 };
    this.#open.set(key, { alarm, until: now + WINDOW_MS, told: 1 });
    this.#kept.push(alarm);
    if (this.#kept.length > KEPT) this.#kept.shift();
    this.#tell(alarm);
    this.#timer ??= setInterval(() => this.#closeOver(), WINDOW_MS / 4).unref();
  }

  /** Counts a mail of a sender; more than `BURST_PER_MINUTE` of one domain in a minute are an alarm. */
  mail(from: string, now: number = Date.now()): void {
    const minute = Math.floor(now / WINDOW_MS);
    if (minute !== this.#minuteAt) {
      this.#minute.clear();
      this.#minuteAt = minute;
    }
    const domain = from.slice(from.lastIndexOf('@') + 1).toLowerCase();
    if (domain === '' || (this.#minute.size >= 10_000 && !this.#minute.has(domain))) return;
    const count = (this.#minute.get(domain) ?? 0) + 1;
    this.#minute.set(domain, count);
    if (count > BURST_PER_MINUTE) this.raise('burst', domain, `more than ${BURST_PER_MINUTE} mails in a minute`, now);
  }

  /** The newest, oldest first. */
  recent(): Alarm[] {
    return this.#kept.map((alarm) => ({ ...alarm }));
  }

  /** Tells what was still being counted, and stops. */
  close(): void {
    clearInterval(this.#timer);
    for (const [key, open] of this.#open) this.#close(key, open);
  }

  #tell(alarm: Alarm): void {
    const { kind, subject, detail, count, at } = alarm;
    this.#log.warn({ alarm: kind, subject, detail, count, severity: ALARM_SEVERITY[kind], since: at }, 'ALARM');
    this.onAlarm?.(alarm);
  }

  #close(key: string, open: Window): void {
    this.#open.delete(key);
    if (open.alarm.count > open.told) this.#tell(open.alarm);
  }

  #closeOver(now: number = Date.now()): void {
    for (const [key, open] of this.#open) if (now >= open.until) this.#close(key, open);
  }

  #closeOldest(): void {
    const [first] = this.#open;
    if (first !== undefined) this.#close(first[0], first[1]);
  }
}
