// The portal's place in the inner zone: its database, its index kept up with the outbox, its server.
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { journalsIn } from '../audit/journal-files.ts';
import type { Config } from '../config.ts';
import type { Ledger } from '../deliver/ledger.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Audit } from '../message/act.ts';
import { MugaiError, reasonOf } from '../message/errors.ts';
import type { MessageId } from '../message/id.ts';
import type { Envelope } from '../message/stages.ts';
import type { Log } from '../ops/log.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { OnTheWay } from '../portal/arriving.ts';
import { addConsole, settleDeletions } from '../console/console.ts';
import { Deletions } from '../console/deletions.ts';
import type { ConsoleDeps, Delivering } from '../console/desk.ts';
import { Statuses } from '../console/statuses.ts';
import type { ProcessStatus } from '../message/status.ts';
import { Asks } from '../portal/asking.ts';
import type { Desk } from '../portal/desk.ts';
import { Database, isBroken } from '../portal/database.ts';
import { Oidc } from '../portal/directory.ts';
import { MessageIndex } from '../portal/message-index.ts';
import type { Told } from '../portal/message-rows.ts';
import type { OriginalsPolicy } from '../portal/originals.ts';
import { Packages, type OnRefusal } from '../portal/packages.ts';
import type { RequestWriter } from '../requests/requests.ts';
import { openPortal, type Portal } from '../portal/server.ts';

/** Milliseconds between two looks for what the index does not have yet. */
const LOOK_MS = 5000;
/** Milliseconds until a message that came or ended stands in the list. */
const GATHER_MS = 50;

/** What the portal needs of the inner zone. */
export interface PortalOf {
  readonly outbox: Outbox;
  readonly ledger: Ledger;
  readonly keys: ReadonlyMap<string, KeyObject>;
  readonly audit: Audit;
  readonly requests: RequestWriter;
  /** What the policy in force says about originals of mail with this envelope. */
  readonly originals: (envelope: Envelope) => OriginalsPolicy;
  /** Told of a package that does not hold when it is shown or downloaded. */
  readonly onRefusal: OnRefusal;
  /** How the console sees the zone's own process and its deliveries. */
  readonly console: { readonly own: () => Promise<ProcessStatus>; readonly delivering: Delivering };
  /** Mail address offered to the first administrator; the demo's. */
  readonly firstAddress: string | undefined;
}

/** The portal at work. */
export interface RunningPortal {
  readonly portal: Portal;
  /** Tells it of a message that came or whose delivery ended. */
  readonly tell: (told: Told) => void;
  /** Alarms of all zones, newest first. */
  readonly alarms: () => ReturnType<Statuses['alarms']>;
  /** Takes a message out whose package was deleted after its time. */
  readonly forget: (id: MessageId) => void;
  /** What is wrong with it, for `/readyz`; undefined when nothing is. */
  readonly fault: () => string | undefined;
}

/** Where the portal's own files lie. */
export function portalFolder(config: Config): string {
  return join(config.dataDir, 'portal');
}

/** Opens the portal. The list fills itself from the outbox meanwhile. */
export async function startPortal(config: Config, log: Log, life: Lifecycle, of: PortalOf): Promise<RunningPortal> {
  const db = new Database(portalFolder(config));
  life.started('portal database', async () => db.close());
  const { outbox, ledger, keys } = of;
  const end = async (id: MessageId) => (await ledger.end(id))?.record;
  const index = new MessageIndex(db, { outbox, keys, end });
  const stopped = new AbortController();
  let work: Promise<void> = Promise.resolve();
  const after = (step: () => Promise<unknown>): void => {
    work = work.then(async () => {
      if (stopped.signal.aborted) return;
      await step().catch((error: unknown) => {
        if (stopped.signal.aborted) return;
        log.error({ error: reasonOf(error) }, 'portal index');
        if (isBroken(error)) startAgain(); // nobody has to open a page for it
      });
    });
  };
  let startingAgain = false;
  const startAgain = (): void => {
    if (startingAgain) return; // several find the same fault
    startingAgain = true;
    log.error('the index of the portal is broken and is made anew');
    after(async () => {
      startingAgain = false;
      await index.startAgain(stopped.signal);
    });
  };
  let looking = false;
  const look = (): void => {
    if (looking) return;
    looking = true;
    after(async () => index.catchUp(stopped.signal).finally(() => (looking = false)));
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  // Those of a moment together: one transaction for many costs little more than for one.
  const waiting: Told[] = [];
  let soon: NodeJS.Timeout | undefined;
  const tell = (told: Told): void => {
    waiting.push(told);
    soon ??= setTimeout(() => {
      soon = undefined;
      after(async () => index.refresh(waiting.splice(0)));
    }, GATHER_MS);
  };
  life.started('portal index', async () => {
    clearInterval(timer);
    clearTimeout(soon);
    stopped.abort();
    await work;
  });
  const packages = new Packages(outbox, keys, of.onRefusal);
  const statuses = new Statuses({ outbox, keys, own: of.console.own, log });
  let endStreams: () => void = () => undefined;
  const openConsole = (desk: Desk): void => {
    const deps: ConsoleDeps = {
      desk,
      statuses,
      delivering: of.console.delivering,
      requests: of.requests,
      asks: new Asks(db),
      deletions: new Deletions(db),
      packaged: async (id) => (await outbox.find(id)) !== undefined,
      hasOutbox: async () => outbox.isThere(),
    };
    endStreams = addConsole(deps);
    statuses.listen(() => {
      settleDeletions(deps).catch((error: unknown) =>
        log.warn({ error: reasonOf(error) }, 'deletions cannot be settled now'),
      );
    });
  };
  const portal = await openPortal(
    config.portalListen,
    {
      db,
      index,
      packages,
      onTheWay: new OnTheWay(outbox, keys, Date.now, of.onRefusal),
      log,
      audit: of.audit,
      keys,
      journals: () => journalsIn(join(config.dataDir, 'journal')),
      requests: of.requests,
      originals: async (id) => {
        if ((await outbox.find(id)) === undefined) return undefined; // deleted after its time: nothing is left to decide on
        const statement = await packages.statement(id).catch((error: unknown) => {
          if (error instanceof MugaiError && error.code === 'bad-package') return undefined; // changed since: the same
          throw error;
        });
        return statement === undefined ? undefined : of.originals(statement.predicate.envelope);
      },
      endOfRelease: async (id, request) => {
        const ended = await outbox.releases(id).of(request, keys);
        if (ended !== undefined || (await outbox.find(id)) !== undefined || !(await outbox.isThere())) return ended;
        return { end: 'gone', found: '' }; // deleted with its package, and what was told of it, too
      },
      canScan: () => statuses.hasScanner() ?? true, // not known yet: whoever asks is told later
      trustedProxies: config.trustedProxies,
      outerUrl: config.outerUrl,
      portalUrl: config.portalUrl,
      directories: {
        ldap: config.ldap,
        oidc: config.oidc === undefined ? undefined : new Oidc({ ...config.oidc, portalUrl: config.portalUrl }),
        proxy: config.proxy,
      },
      onIndexFault: startAgain,
      firstAddress: of.firstAddress,
    },
    openConsole,
  );
  let settling = false;
  statuses.listen(() => {
    if (settling) return;
    settling = true;
    portal
      .settleReleases()
      .catch((error: unknown) => log.warn({ error: reasonOf(error) }, 'ends of releases cannot be noted now'))
      .finally(() => (settling = false));
  });
  statuses.start();
  life.started('portal', async (leftMs) => portal.close(leftMs / 2));
  life.started('console', async () => {
    endStreams();
    await statuses.close();
  });
  if (portal.firstCode !== undefined) sayFirst(config, portal, log);
  return {
    portal,
    tell,
    alarms: () => statuses.alarms(),
    forget: (id) => index.forget(id),
    fault: () => index.fault,
  };
}

/** The one time that the code of the first administrator is told: to whoever started the gateway. */
function sayFirst(config: Config, portal: Portal, log: Log): void {
  const url = `http://${config.portalListen.host}:${portal.port}/first`;
  log.warn({ url, code: portal.firstCode }, 'portal: first administrator, one-time sign-in (24 hours)');
}
