// Follows every approved original to its end: scanned at once, scanned again when its waiting time is over, handed out or not;
// and tells the inner side how it ended, by a small signed record beside the package.
import type { Lifecycle } from '../lifecycle.ts';
import { reasonOf } from '../message/errors.ts';
import type { MessageId } from '../message/id.ts';
import { RELEASE_ENDS, type OpenRelease, type ReleaseEnd } from '../message/stages.ts';
import type { Log } from '../ops/log.ts';
import type { EndedRelease } from '../outbox/release-ends.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { decide, lookAt, type Looked, type OriginalDeps } from './originals.ts';

/** Pause between two looks: a person waits for the answer. */
const LOOK_MS = 1000;
/** Releases looked at at once; the children are shared with the mail that comes in. */
const AT_ONCE = 4;
/** How long a scanner that gave no answer is left alone. */
const AGAIN_MS = 5000;
/** A link that ended is told of after this: the outer door's clock may be a little behind. */
const GRACE_MS = 60_000;

export interface ReleaseDeps extends OriginalDeps {
  readonly outbox: Outbox;
  readonly signer: { signReleaseEnd(ended: EndedRelease): Buffer };
  readonly log: Log;
  /** Told of what the scanner found in an original, and of a scanner that gives no answer. */
  readonly alarm: (kind: 'malware' | 'scanner-away', subject: string, detail: string) => void;
}

/** Follows the releases of this process. Doing a step twice gives the same: the first record of each stands. */
export class ReleaseKeeper {
  readonly #deps: ReleaseDeps;
  readonly #busy = new Map<string, Promise<void>>();
  /** By token: scanned once within its waiting time. */
  readonly #early = new Set<string>();
  /** By token: when a scan that got no answer is tried again, by a clock that never leaps. */
  readonly #again = new Map<string, number>();

  constructor(deps: ReleaseDeps) {
    this.#deps = deps;
  }

  /** Does what is quickly done, and begins the scans that are due; resolves when they were begun. */
  async look(signal: AbortSignal): Promise<void> {
    for (const release of await this.#deps.spool.openReleases.all()) {
      const { token } = release;
      if (this.#busy.has(token) || performance.now() < (this.#again.get(token) ?? 0)) continue;
      await this.#step(release, signal).catch((error: unknown) => this.#failed(release, error, signal));
    }
  }

  #failed({ id, request, token }: OpenRelease, error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#deps.log.warn({ id, request, error: reasonOf(error) }, 'release of an original: tried again');
    this.#again.set(token, performance.now() + AGAIN_MS);
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  async #step(release: OpenRelease, signal: AbortSignal): Promise<void> {
    const { spool } = this.#deps;
    const { token } = release;
    const id = release.id as MessageId;
    const now = Date.now();
    const decided = await spool.release(id, token);
    if (decided?.state === 'refused') return this.#end(release, endOf(decided.reason), foundOf(decided.reason));
    if (decided !== undefined) {
      const ended = await spool.endOfRelease(id, token);
      if (ended?.withdrawn !== undefined) return this.#end(release, endOf(ended.withdrawn), foundOf(ended.withdrawn));
      if (ended !== undefined) return this.#end(release, 'used');
      if (now >= Date.parse(release.expires) + GRACE_MS) return this.#end(release, 'unused');
      if (!(await spool.hasOriginal(id))) return this.#end(release, 'gone');
      return;
    }
    if (now >= Date.parse(release.expires)) {
      if (!(await spool.hasOriginal(id))) return this.#end(release, 'gone');
      const state = Date.parse(release.noted) < Date.parse(release.expires) ? 'not-scanned' : 'expired';
      return this.#decide(release, { state });
    }
    const early = now < Date.parse(release.notBefore);
    if ((early && this.#early.has(token)) || this.#busy.size >= AT_ONCE) return;
    const scan = this.#lookAt(release, early, signal)
      .catch((error: unknown) => this.#failed(release, error, signal))
      .finally(() => this.#busy.delete(token));
    this.#busy.set(token, scan);
  }

  async #lookAt(release: OpenRelease, early: boolean, signal: AbortSignal): Promise<void> {
    const { alarm } = this.#deps;
    const away = (why: string): void =>
      void (signal.aborted || alarm('scanner-away', 'clamd', `original of ${release.id}: ${why}`));
    const looked = await lookAt(release, { ...this.#deps, away }, signal);
    this.#again.delete(release.token);
    try {
      if (looked.state === 'malware') alarm('malware', looked.found ?? '', `found in the original of ${release.id}`);
      // Clean before its time says nothing of then: signatures that come meanwhile count.
      if (early && looked.state === 'clean') return void this.#early.add(release.token);
      await this.#decide(release, looked);
    } finally {
      if (looked.state === 'clean') await looked.original.content.discard();
    }
    if (looked.state === 'gone') await this.#end(release, 'gone');
  }

  /** Another worker may have decided meanwhile, or do so at this moment: then its word stands. */
  async #decide(release: OpenRelease, looked: Looked): Promise<void> {
    const { spool } = this.#deps;
    const { token } = release;
    const id = release.id as MessageId;
    if ((await spool.release(id, token)) === undefined && (await decide(release, this.#deps, looked))) return;
    // Two scanners, and the other one let it pass: what one of them found is not handed out.
    if (looked.state !== 'malware' || (await spool.release(id, token))?.state !== 'ready') return;
    if (await spool.withdrawRelease(id, token, `malware: ${looked.found ?? ''}`))
      await this.#end(release, 'malware', looked.found);
  }

  /** Tells how it ended, in the journal and to the inner side; then it is followed no longer. */
  async #end(release: OpenRelease, end: ReleaseEnd, found = ''): Promise<void> {
    const { spool, outbox, signer, audit, log } = this.#deps;
    const { request, token, by } = release;
    const id = release.id as MessageId;
    if ((await spool.openReleases.find(token)) === undefined) return;
    await audit.append({ act: 'release-ended', message: id, detail: { outcome: end, request, for: by } });
    // A message that was deleted takes what is told of it with it.
    if ((await outbox.find(id)) !== undefined) {
      const ended = { request, id, end, found: forWord(found), at: new Date().toISOString() };
      await outbox.releases(id).tell(request, signer.signReleaseEnd(ended));
    }
    await spool.openReleases.remove(token);
    this.#early.delete(token);
    this.#again.delete(token);
    log.info({ id, request, end }, 'release of an original ended');
  }
}

/** What a record's reason says of the end; those of before the word was fixed begin with `malware`. */
function endOf(reason: string): ReleaseEnd {
  if (reason.startsWith('malware')) return 'malware';
  return RELEASE_ENDS.find((end) => end === reason) ?? 'expired';
}

function foundOf(reason: string): string {
  return /^malware: (.*)$/.exec(reason)?.[1] ?? '';
}

function forWord(found: string): string {
  return found.replace(/[^A-Za-z0-9._:/-]/g, '_').slice(0, 200);
}

/** Follows releases until the gateway stops. */
export function startReleases(deps: ReleaseDeps, life: Lifecycle): void {
  const keeper = new ReleaseKeeper(deps);
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const again = (): void => {
    running = keeper
      .look(stop.signal)
      .catch((error: unknown) => deps.log.error({ error: reasonOf(error) }, 'releases of originals'))
      .finally(() => {
        if (!stop.signal.aborted) timer = setTimeout(again, LOOK_MS);
      });
  };
  life.started('releases', async () => {
    clearTimeout(timer);
    stop.abort();
    await running;
    await keeper.idle();
  });
  again();
}
