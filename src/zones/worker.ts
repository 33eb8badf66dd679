// The middle zone: sanitise in jailed children, seal with the one private key.
import type { KeyObject } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { MessageId } from '../message/id.ts';
import type { Sanitised, Spooled } from '../message/stages.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import type { Log } from '../ops/log.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { RetryLater } from '../queue/queues.ts';
import type { RequestReader } from '../requests/requests.ts';
import { openPools } from '../sanitise/pools.ts';
import { demandJail, machineJail, tellJail } from '../sandbox/probe.ts';
import { quarantine, sanitise } from '../sanitise/sanitise.ts';
import { LiveSealer } from '../seal/live.ts';
import { seal, type Signer } from '../seal/seal.ts';
import type { Spool } from '../spool/spool.ts';
import { VERSION, codeDigests } from '../version.ts';
import { openZoneJournal } from './journal.ts';
import { openPolicy } from './policy.ts';
import { answerOriginals } from './originals.ts';
import { answerRenders } from './renders.ts';
import { answerPasswords, startRequests } from './requests.ts';
import { SCAN_APART_MS, SCAN_MOST, SCAN_MS, startScan, type Road } from './road.ts';

/** Milliseconds until a message is tried again that met a full or failing disk. */
const DISK_RETRY_MS = 10_000;
/** How long a disk may fail, other than by being full, until a message is set aside. */
const DISK_PATIENCE_MS = 24 * 3_600_000;

/** What the middle zone has to itself. */
export interface Middle {
  readonly spool: Spool;
  readonly outbox: Outbox;
  readonly signer: Signer;
  readonly requests: RequestReader;
  /** Opens the passwords in requests. */
  readonly requestKey: KeyObject;
}

/**
 * Starts sanitising and sealing; resolves to how well its children are held. `apart`: the doors are in another process and
 * no queue joins them.
 */
export async function startWorker(
  apart: boolean,
  config: Config,
  log: Log,
  life: Lifecycle,
  road: Road,
  { spool, outbox, signer, requests, requestKey }: Middle,
): Promise<string> {
  const { hub } = road;
  if (hub === undefined) throw new TypeError('a worker has queues');
  const jail = await machineJail();
  demandJail(config.jail, jail);
  if (jail.level === 'full') log.info({ jail: jail.level, controls: jail.controls }, 'children are jailed');
  else log.warn({ jail: tellJail(jail) }, 'THE JAIL IS NOT COMPLETE: children run behind fewer walls');
  const audit = await openZoneJournal('middle', config, log, life);
  const inForce = await openPolicy(config, log, life, audit);
  const pools = await openPools(
    config.workers,
    (family, cause) => {
      road.metrics.jailKills.inc({ worker: family, cause });
      log.warn({ family, cause }, 'child killed');
    },
    jail.walls,
  );
  life.started('children', async () => pools.close());
  const deps = {
    spool,
    pools: pools.pools,
    /** The one in force when a message begins. */
    get policy() {
      return inForce.current;
    },
    metrics: road.metrics,
    passwords: [],
    begin: (cap: number) => spool.begin(cap),
    live: (id: MessageId) => new LiveSealer(id, outbox, signer),
    version: VERSION,
    codeDigests: codeDigests(),
  };

  road.onUnsanitisable = async (id) => {
    const spooled = await spool.spooled(id);
    if (spooled === undefined) return;
    await spool.keepSanitised(await quarantine(spooled, deps));
    await outbox.live(id).drop();
    road.done(id, 'sanitise', 'quarantined');
    road.next('seal', [id]);
  };
  const sealNow = async (sanitised: Sanitised, signal: AbortSignal): Promise<void> => {
    await road.timed('seal', async () => seal(sanitised, { spool, outbox, signer, audit }, signal));
    road.done(sanitised.id, 'seal', 'ok');
    road.next('deliver', [sanitised.id]);
  };
  const sanitiser = hub.work(
    'sanitise',
    async (id, _attempt, signal) => {
      const spooled = await spool.spooled(id);
      if (spooled === undefined) return; // deleted meanwhile
      const sanitised = await road
        .timed('sanitise', async () => sanitise(spooled, deps, signal))
        .catch((error: unknown) => {
          if (!isOurDisk(error, spooled)) throw error;
          log.warn({ id, step: 'sanitise', error: reasonOf(error) }, 'the disk fails: again later');
          throw new RetryLater(DISK_RETRY_MS);
        });
      road.done(id, 'sanitise', sanitised.record.state);
      // Sealing follows at once, without a turn in a queue. What fails there is tried again by the rules of its own
      // queue, for ever: a full outbox is no fault of the message.
      await sealNow(sanitised, signal).catch(async (error: unknown) => {
        log.warn({ id, step: 'seal', error: reasonOf(error) }, 'attempt failed');
        await spool.keepSanitised(sanitised);
        road.next('seal', [id]);
      });
    },
    // The children are as many as the workers; more messages than that may wait for the disk meanwhile.
    { concurrency: config.workers * 16 },
  );
  life.started('sanitise', async (leftMs) => sanitiser.close({ deadlineMs: leftMs }));

  const sealer = hub.work(
    'seal',
    async (id, _attempt, signal) => {
      const sanitised = await spool.sanitised(id);
      if (sanitised !== undefined) await sealNow(sanitised, signal);
    },
    { concurrency: 8 },
  );
  life.started('seal', async (leftMs) => sealer.close({ deadlineMs: leftMs }));

  startRequests(log, life, requests, {
    password: answerPasswords({ ...deps, requestKey, seal: sealNow }),
    render: answerRenders({ ...deps, outbox, signer }),
    original: answerOriginals({ spool, audit, clamd: config.clamd }),
  });

  await startScan(log, life, apart ? SCAN_APART_MS : SCAN_MS, async () => {
    const found = await spool.unfinished(SCAN_MOST);
    road.next('sanitise', found.sanitise);
    road.next('seal', found.seal);
  });
  return tellJail(jail);
}

/**
 * True for trouble of our disk, which is no fault of the message: it is tried again without an end while the disk is full,
 * and for a day when it fails otherwise (a mount that is gone, or a fault that this message brings about).
 */
function isOurDisk(error: unknown, { record }: Spooled): boolean {
  if (!(error instanceof MugaiError)) return false;
  if (error.code === 'disk-full') return true;
  return error.code === 'store-failed' && Date.now() - Date.parse(record.receivedAt) < DISK_PATIENCE_MS;
}
