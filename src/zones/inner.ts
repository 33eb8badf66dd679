// The inner zone: gate and courier. It reads the outbox and keeps its own records; it cannot name the spool.
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { Journal } from '../audit/journal.ts';
import type { Config } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { LIMITS } from '../message/limits.ts';
import type { MessageId } from '../message/id.ts';
import type { Envelope } from '../message/stages.ts';
import { deliver, type DeliverOutcome } from '../deliver/deliver.ts';
import type { Courier } from '../deliver/courier.ts';
import { folderCourier } from '../deliver/folder-courier.ts';
import { Ledger } from '../deliver/ledger.ts';
import { smtpCourier } from '../deliver/smtp-courier.ts';
import { Unrecorded } from '../deliver/unrecorded.ts';
import type { Log } from '../ops/log.ts';
import { loadPublicKeys, watchKeys } from '../outbox/keys.ts';
import { Outbox } from '../outbox/outbox.ts';
import type { Statement } from '../outbox/manifest.ts';
import { RULES, type GateRefusal } from '../outbox/refusal.ts';
import type { ProcessStatus } from '../message/status.ts';
import { RetryLater } from '../queue/queues.ts';
import type { FaultPoint } from '../store/fs-fault.ts';
import { openFsStore } from '../store/fs-store.ts';
import { openSharedStore } from '../store/open-store.ts';
import { loadSealingKey } from '../requests/keys.ts';
import { RequestWriter } from '../requests/requests.ts';
import { mailAlarms } from './alarm-mail.ts';
import { Deliveries, serverOf } from './deliveries.ts';
import { disksOf } from './disks.ts';
import { openZoneJournal } from './journal.ts';
import { openPolicy } from './policy.ts';
import { expireInner, packageKeptMs, startRetention, steadyNow } from './retention.ts';
import { startPortal, type RunningPortal } from './portal.ts';
import { gatherStatus } from './status.ts';
import { SCAN_APART_MS, SCAN_MOST, SCAN_MS, startScan, type Road } from './road.ts';

/** Longest wait between two attempts to deliver: RFC 5321 §4.5.4.1 asks for at least one each half hour or so. */
const LONGEST_RETRY_MS = 30 * 60_000;
/** An address to listen at, not one to go to. */
const LISTENS_EVERYWHERE = /^https?:\/\/(?:0\.0\.0\.0|\[::\])(?::|\/|$)/;

/** The inner zone at work. */
export interface Inner {
  readonly outbox: Outbox;
  readonly ledger: Ledger;
  readonly journal: Journal;
  /** Tells it of packages that are in the outbox. */
  readonly tell: (ids: readonly MessageId[]) => void;
  readonly portal: RunningPortal;
  /** What the zone tells of itself. */
  readonly status: () => Promise<ProcessStatus>;
}

/** What the one who starts the zone may choose. */
export interface InnerChoices {
  readonly fault?: FaultPoint | undefined;
  /** Mail address offered to the portal's first administrator. */
  readonly firstAddress?: string | undefined;
}

/**
 * Starts delivering. It has a queue of its own in this process: the middle's Redis is out of its reach. `told`: whoever
 * makes the packages tells of each; otherwise they are found by looking into the outbox every second.
 */
export async function startInner(
  config: Config,
  log: Log,
  life: Lifecycle,
  road: Road,
  told: boolean,
  { fault, firstAddress }: InnerChoices = {},
): Promise<Inner> {
  const keys = new Map<string, KeyObject>(await loadPublicKeys(config.verifyKeyFile));
  const openOwn = async (name: string) => openFsStore(join(config.dataDir, name), fault);
  const journal = await openZoneJournal('inner', config, log, life, road);
  // Whoever may write that file decides what is delivered: which keys are believed is told before they are.
  const tellKeys = async (ids: readonly string[]): Promise<unknown> =>
    journal.append({ act: 'changed', detail: { what: 'keys', step: 'accepted', keys: [...ids] } });
  await tellKeys([...keys.keys()]);
  const unwatch = watchKeys(config.verifyKeyFile, LIMITS.verifyKeyLookMs, async () => {
    const now = await loadPublicKeys(config.verifyKeyFile);
    const isOther = now.size !== keys.size || [...now.keys()].some((id) => !keys.has(id));
    // What was retired is believed no longer, whatever the journal can do; what is new waits for its line.
    for (const id of keys.keys()) if (!now.has(id)) keys.delete(id);
    if (isOther) await tellKeys([...now.keys()]);
    for (const [id, key] of now) keys.set(id, key);
    if (isOther) log.info({ keys: [...keys.keys()] }, 'other verification keys are believed from now on');
  });
  life.started('verification keys', async () => unwatch());
  const outbox = new Outbox(await openSharedStore(config, 'outbox', { fault, access: 'read' }));
  const ledger = new Ledger(await openOwn('inner'));
  await road.openQueues(undefined, life);
  const { hub } = road;
  if (hub === undefined) throw new TypeError('the inner side has a queue');
  const inForce = await openPolicy(config, 'inner', { log, life, audit: journal });
  const domain = config.domains[0] ?? 'localhost';
  const courier = counted(
    road.metrics,
    config.innerSmtpUrl === undefined
      ? folderCourier(await openOwn('delivered'))
      : smtpCourier(config.innerSmtpUrl, domain, 20),
  );
  life.started('courier', async () => courier.close());
  // Whoever watches sees a count rise only from one that was there before: the first refusal counts as well.
  for (const reason of RULES) road.metrics.gateRefusals.inc({ reason }, 0);
  road.metrics.messages.inc({ stage: 'deliver', outcome: 'deferred' }, 0);
  // Before the delivery, and whenever the portal reads a package again.
  const onGateRefusal = (id: string, { rule, file, offset, message }: GateRefusal): void => {
    road.metrics.gateRefusals.inc({ reason: rule });
    road.alarms.raise('gate-refused', id, `${rule}: ${message}`);
    log.error({ id, rule, file, offset, reason: message }, 'package refused by the gate');
  };
  for (const address of [config.portalUrl, config.outerUrl])
    if (LISTENS_EVERYWHERE.test(address))
      log.warn(
        { address },
        'this address is written into mails and nobody reaches it: say MUGAI_PORTAL_URL, MUGAI_OUTER_URL',
      );
  const deps = {
    outbox,
    ledger,
    keys,
    courier,
    audit: journal,
    domain,
    policyFor: (envelope: Envelope) => {
      const own = inForce.current.forMessage(envelope);
      const { language, mailCharset, attachBytes, archives } = own;
      return { language, mailCharset, attachBytes, archives, keptMs: packageKeptMs(own) };
    },
    portalUrl: config.portalUrl,
    unrecorded: new Unrecorded<DeliverOutcome>(),
    giveUpMs: LIMITS.giveUpMs,
    triedMs: () => performance.now(),
    steadyNow,
    onGateRefusal,
  };
  // The console asks for it while the portal, whose page it is, still opens.
  let portalFault = (): string | undefined => undefined;
  const status = async (): Promise<ProcessStatus> =>
    gatherStatus({
      role: 'inner',
      metrics: road.metrics,
      roads: [road],
      jail: () => '',
      children: () => [],
      stores: async () => (await disksOf(['inner'], config)).filter(({ store }) => store !== 'outbox'),
      faults: async () => {
        const wrong = portalFault();
        return wrong === undefined ? {} : { portal: wrong };
      },
    });
  const deliveries = new Deliveries(serverOf(config.innerSmtpUrl));
  const again = async (id: MessageId): Promise<boolean> => {
    if ((await outbox.find(id)) === undefined) return false;
    const reopened = await ledger.reopen(id);
    if (!reopened && (await ledger.end(id)) !== undefined) return false;
    if (!(await hub.queue('deliver').hurry(id))) road.next('deliver', [id]);
    portal.tell({ id, statement: undefined, stage: 'sealed' });
    return true;
  };
  const delivering = {
    servers: () => deliveries.servers(),
    deferred: () => deliveries.deferred(),
    end: async (id: MessageId) => (await ledger.end(id))?.record,
    again,
  };
  const portal: RunningPortal = await startPortal(config, log, life, {
    outbox,
    ledger,
    keys,
    audit: journal,
    onRefusal: onGateRefusal,
    console: { own: status, delivering },
    requests: new RequestWriter(
      await openSharedStore(config, 'requests', { fault }),
      await loadSealingKey(config.sealingKeyFile),
    ),
    originals: (envelope) => inForce.current.forMessage(envelope).originals,
    firstAddress,
  });
  portalFault = portal.fault;
  startRetention('inner', log, life, async (now, signal) =>
    expireInner({ ledger, outbox, audit: journal, policy: inForce.current, forget: portal.forget }, now, signal),
  );
  if (config.alarmMail !== undefined)
    mailAlarms({ to: config.alarmMail, domain, courier, alarms: portal.alarms }, log, life);
  const worker = hub.work(
    'deliver',
    async (id, _attempt, signal) => {
      const sealed = await outbox.find(id);
      if (sealed === undefined) return;
      let statement: Statement | undefined;
      const onVerified = (verified: Statement): void => void (statement = verified);
      const outcome = await road.timed('deliver', id, async () => deliver(sealed, { ...deps, onVerified }, signal));
      if (outcome.kind === 'deferred') {
        road.done(id, 'deliver', 'deferred');
        deliveries.note(id, 'deferred', outcome.answer);
        portal.tell({ id, statement, stage: 'sealed' });
        log.warn({ id, answer: outcome.answer }, 'delivery deferred');
        // Half its age, as far as this process knows it: a clock that leaped ahead makes nothing wait.
        const ageMs = Math.min(outcome.ageMs, deps.triedMs());
        throw new RetryLater(Math.min(LONGEST_RETRY_MS, Math.max(config.retrySeconds * 1000, ageMs / 2)));
      }
      const { record } = outcome.delivered;
      const { stage } = record;
      road.done(id, 'deliver', stage);
      deliveries.ended(id, record);
      portal.tell({ id, statement, stage });
    },
    { concurrency: 32 },
  );
  life.started('deliver', async (leftMs) => worker.close({ deadlineMs: leftMs }));
  // Where a scan found all it may queue, the next one goes on behind it: what is deferred for long must not hide what is new.
  let last: MessageId | undefined;
  await startScan(log, life, told ? SCAN_MS : SCAN_APART_MS, async () => {
    if (!(await road.hasRoom())) return;
    const found = await ledger.unfinished(outbox, SCAN_MOST, last);
    last = found.length < SCAN_MOST ? undefined : found.at(-1);
    await road.add('deliver', found);
  });
  return { outbox, ledger, journal, tell: (ids) => road.next('deliver', ids), portal, status };
}

/** Counts the bytes of text and files that were handed on. */
function counted({ bytes }: Road['metrics'], courier: Courier): Courier {
  return {
    ...courier,
    deliver: async (mail, signal) => {
      const answer = await courier.deliver(mail, signal);
      const size = mail.attachments.reduce((sum, { content }) => sum + content.length, Buffer.byteLength(mail.text));
      if (answer.kind === 'delivered') bytes.inc({ direction: 'out' }, size);
      return answer;
    },
  };
}
