// The middle zone: sanitise in jailed children, seal with the one private key.
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { MessageId } from '../message/id.ts';
import type { Sanitised } from '../message/stages.ts';
import { reasonOf } from '../message/errors.ts';
import { networksOf } from '../message/networks.ts';
import { resolverOf } from '../names/resolver.ts';
import type { Log } from '../ops/log.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { RetryLater } from '../queue/queues.ts';
import type { RequestReader } from '../requests/requests.ts';
import type { SenderChecks } from '../sanitise/authenticate.ts';
import { openPools } from '../sanitise/pools.ts';
import { makeCodeCache } from '../sandbox/make-code-cache.ts';
import { binariesHold } from '../sandbox/pinned.ts';
import { demandJail, machineJail, tellJail } from '../sandbox/probe.ts';
import type { Failure } from '../sanitise/tools.ts';
import { quarantine, sanitise } from '../sanitise/sanitise.ts';
import { LiveSealer } from '../seal/live.ts';
import { seal, type Signer } from '../seal/seal.ts';
import type { Spool } from '../spool/spool.ts';
import { UnderWay } from '../spool/under-way.ts';
import { VERSION, codeDigests } from '../version.ts';
import { openZoneJournal } from './journal.ts';
import { findWork } from './find-work.ts';
import { openPolicy } from './policy.ts';
import { startBoard } from './board.ts';
import { answerOriginals } from './originals.ts';
import { PasswordPairing } from './pairing.ts';
import { tellBehind } from './pressure.ts';
import { sweepLivePages } from './live-pages.ts';
import { OurTrouble } from './our-trouble.ts';
import { startReleases } from './releases.ts';
import { answerRenders } from './renders.ts';
import { partScanner } from './clamd.ts';
import { answerDeletions, answerReruns, answerRetries } from './operator.ts';
import { answerPasswords, startRequests } from './requests.ts';
import { expireMiddle, startRetention } from './retention.ts';
import { clearSuspects } from './suspects.ts';
import { answerTexts } from './texts.ts';
import type { ChildLoad } from './status.ts';
import { SCAN_APART_MS, SCAN_MS, startScan, type Road } from './road.ts';

/** Raw bytes without a record that are older were left by a fall: no intake takes as long. */
const LEFT_MS = 24 * 3_600_000;

/** What the middle zone has to itself. */
export interface Middle {
  readonly spool: Spool;
  readonly outbox: Outbox;
  readonly signer: Signer;
  readonly requests: RequestReader;
  /** Opens the passwords in requests. */
  readonly requestKey: KeyObject;
}

/** A worker at work: how well its children are held, and how busy they are. */
export interface RunningWorker {
  readonly jail: string;
  readonly children: () => readonly ChildLoad[];
}

/**
 * Starts sanitising and sealing. `apart`: the doors are in another process and
 * no queue joins them.
 */
export async function startWorker(
  apart: boolean,
  config: Config,
  log: Log,
  life: Lifecycle,
  road: Road,
  { spool, outbox, signer, requests, requestKey }: Middle,
): Promise<RunningWorker> {
  const { hub } = road;
  if (hub === undefined) throw new TypeError('a worker has queues');
  const pinned = binariesHold();
  pinned.catch(() => undefined); // told below, where it is waited for
  const jail = await machineJail();
  demandJail(config.jail, jail);
  if (jail.level === 'full') log.info({ jail: jail.level, controls: jail.controls }, 'children are jailed');
  else log.warn({ jail: tellJail(jail) }, 'THE JAIL IS NOT COMPLETE: children run behind fewer walls');
  const audit = await openZoneJournal('middle', config, log, life, road);
  const inForce = await openPolicy(config, 'middle', { log, life, audit });
  const pools = await openPools(
    config.workers,
    (family, cause) => {
      road.metrics.jailKills.inc({ worker: family, cause });
      road.alarms.raise('child-killed', family, cause);
      log.warn({ family, cause }, 'child killed');
    },
    jail.walls,
  );
  life.started('children', async () => pools.close());
  await pinned;
  cacheCode(log, life);
  const board = startBoard(log, life, {
    spool,
    outbox,
    signer,
    queue: hub.queue('sanitise'),
    atOnce: config.workers,
  });
  const deps = {
    spool,
    pools: pools.pools,
    /** The one in force when a message begins. */
    get policy() {
      return inForce.current;
    },
    metrics: road.metrics,
    traces: road.traces,
    scan:
      config.clamd === undefined
        ? undefined
        : partScanner(config.clamd, {
            found: (name) => road.alarms.raise('malware', name, 'found by the malware scanner in a part'),
            away: (why) => road.alarms.raise('scanner-away', 'clamd', why),
          }),
    passwords: [],
    onFailure: (failure: Failure & { readonly id: MessageId }) => log.warn(failure, 'a part could not be converted'),
    begin: (cap: number) => spool.begin(cap),
    ...(config.dnsServers.length === 0 ? {} : { senderChecks: senderChecks(config) }),
    live: (id: MessageId) => board.watch(id, new LiveSealer(id, outbox, signer)),
    version: VERSION,
    codeDigests: codeDigests(),
  };

  road.metrics.messages.inc({ stage: 'sanitise', outcome: 'quarantined' }, 0); // there before it rises
  road.onUnsanitisable = async (id) => {
    const spooled = await spool.spooled(id);
    if (spooled === undefined) return;
    await spool.keepSanitised(await quarantine(spooled, deps));
    await outbox.live(id).drop();
    road.done(id, 'sanitise', 'quarantined');
    road.next('seal', [id]);
  };
  // With Redis there may be several workers on this spool, and BullMQ counts the jobs whose worker vanished.
  const underWay = config.queueUrl === undefined ? new UnderWay(join(config.dataDir, 'spool')) : undefined;
  life.started('list of messages under way', async () => underWay?.close());
  const sealNow = async (sanitised: Sanitised, signal: AbortSignal): Promise<void> => {
    await road.timed('seal', sanitised.id, async () => seal(sanitised, { spool, outbox, signer, audit }, signal));
    road.done(sanitised.id, 'seal', 'ok');
    road.next('deliver', [sanitised.id]);
  };
  const pairing = new PasswordPairing({ deps, seal: sealNow }, log);
  const sanitiseNow = async (id: MessageId, signal: AbortSignal): Promise<void> => {
    const spooled = await spool.spooled(id);
    if (spooled === undefined) return; // deleted meanwhile
    underWay?.begin(id);
    board.begin(spooled);
    try {
      const sanitised = await road.timed('sanitise', id, async () => sanitise(spooled, deps, signal));
      road.done(id, 'sanitise', sanitised.record.state);
      const mayPair = await pairing.note(sanitised);
      // Sealing follows at once, without a turn in a queue. What fails there is tried again by the rules of its own
      // queue, for ever: a full outbox is no fault of the message.
      await sealNow(sanitised, signal).catch(async (error: unknown) => {
        log.warn({ id, step: 'seal', error: reasonOf(error) }, 'attempt failed');
        await spool.keepSanitised(sanitised);
        road.next('seal', [id]);
      });
      if (mayPair) pairing.sealed(sanitised);
    } finally {
      underWay?.end(id);
      board.end(id);
    }
  };
  // Whoever was being opened when an earlier process died is opened first and alone: if it kills again, it is known who.
  const cleared = clearSuspects(underWay, { life, log, sanitise: sanitiseNow, giveUp: road.onUnsanitisable });
  const trouble = new OurTrouble((detail) => road.alarms.raise('no-child', 'sanitise', detail));
  const sanitiser = hub.work(
    'sanitise',
    async (id, _attempt, signal) => {
      await cleared;
      try {
        await sanitiseNow(id, signal);
      } catch (error) {
        const ms = trouble.waitAfter(id, error);
        if (ms === undefined) throw error;
        log.warn({ id, step: 'sanitise', error: reasonOf(error) }, 'attempt failed');
        throw new RetryLater(ms);
      }
      trouble.over(id);
    },
    // The children are as many as the workers; more messages than that may wait for the disk meanwhile.
    { concurrency: config.workers * 16 },
  );
  life.started('sanitise', async (leftMs) => sanitiser.close({ deadlineMs: leftMs }));

  const sealer = hub.work(
    'seal',
    async (id, _attempt, signal) => {
      const sanitised = await spool.sanitised(id);
      if (sanitised === undefined) return;
      try {
        await sealNow(sanitised, signal);
      } catch (error) {
        // An outbox that takes nothing; the doors' mark sees it by what is set aside.
        const ms = await trouble.waitAfterSeal(id, error, async () => outbox.takesMore());
        if (ms === undefined) throw error;
        log.warn({ id, step: 'seal', error: reasonOf(error) }, 'attempt failed');
        throw new RetryLater(ms);
      }
      trouble.over(id);
    },
    { concurrency: 8 },
  );
  life.started('seal', async (leftMs) => sealer.close({ deadlineMs: leftMs }));

  pairing.start(life);
  startRetention('middle', log, life, async (now, signal) => {
    await sweepLivePages({ spool, outbox }, now, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      log.warn({ error: reasonOf(error) }, 'live pages: tried again');
    });
    await spool.sweepLeft(now - LEFT_MS, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      log.warn({ error: reasonOf(error) }, 'what falls left in the spool: tried again');
    });
    return expireMiddle({ spool, outbox, audit, policy: inForce.current }, now, signal);
  });
  startReleases(
    withMore(deps, {
      audit,
      clamd: config.clamd,
      outbox,
      signer,
      log,
      alarm: (kind: 'malware' | 'scanner-away', subject: string, detail: string) =>
        road.alarms.raise(kind, subject, detail),
    }),
    life,
  );
  startRequests(log, life, requests, {
    password: answerPasswords({
      deps,
      requestKey,
      seal: sealNow,
      opened: async (id, made) => pairing.opened(id, made),
    }),
    render: answerRenders(withMore(deps, { outbox, signer })),
    text: answerTexts(withMore(deps, { seal: sealNow })),
    original: answerOriginals(spool),
    retry: answerRetries({ spool, outbox, audit, road }),
    rerun: answerReruns({ deps, seal: sealNow }, { spool, outbox, audit, road }),
    delete: answerDeletions({ spool, outbox, audit, road }),
  });

  await startScan(log, life, apart ? SCAN_APART_MS : SCAN_MS, findWork(road, spool));
  if (apart) tellBehind(log, life, hub, spool);
  const children = () => Object.entries(pools.pools).map(([family, pool]) => ({ family, ...pool.load }));
  return { jail: tellJail(jail), children };
}

/** Makes the cache of the children's code beside the work, where it is missing: those that start later start faster. */
function cacheCode(log: Log, life: Lifecycle): void {
  const stopping = new AbortController();
  const made = makeCodeCache(stopping.signal).then(
    (there) => log.debug({ there }, 'code cache of the children'),
    (error: unknown) => stopping.signal.aborted || log.warn({ error: reasonOf(error) }, 'code cache of the children'),
  );
  life.started('code cache', async () => {
    stopping.abort();
    await made;
  });
}

function senderChecks({ dnsServers, smtpRelays }: Config): SenderChecks {
  return { lookup: resolverOf(dnsServers), isRelay: networksOf(smtpRelays) };
}

/** Both as one; what `base` looks up each time (the policy in force) is still looked up each time. */
function withMore<B extends object, M extends object>(base: B, more: M): B & M {
  return Object.defineProperties({ ...more }, Object.getOwnPropertyDescriptors(base)) as B & M;
}
